// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules from text and values to run them on.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Transforms/Passes.h"
#include "gtest/gtest.h"

namespace mlir::qopt::test {

class TransformsTest : public ::testing::Test {
protected:
  TransformsTest() {
    context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect>();
    context.disableMultithreading();
  }

  OwningOpRef<ModuleOp> parse(StringRef text) {
    return parseSourceString<ModuleOp>(text, &context);
  }

  static func::FuncOp getMain(ModuleOp module) {
    return *module.getOps<func::FuncOp>().begin();
  }

  /// Runs function passes in order.
  template <typename... Passes>
  LogicalResult run(ModuleOp module, Passes... passes) {
    PassManager manager(&context);
    (manager.addNestedPass<func::FuncOp>(std::move(passes)), ...);
    return manager.run(module);
  }

  /// The same values in [-bound, bound) for the same seed on every machine.
  static SmallVector<float> makeValues(int64_t count, uint32_t seed,
                                       float bound = 1.0f) {
    SmallVector<float> values;
    uint32_t state = seed * 2654435761u + 1;
    for (int64_t index = 0; index < count; ++index) {
      state = state * 1664525u + 1013904223u;
      values.push_back((static_cast<int32_t>(state >> 8) - (1 << 23)) *
                       (bound / (1 << 23)));
    }
    return values;
  }

  /// Inputs of a function of float arguments.
  static SmallVector<reference::Tensor>
  makeInputs(func::FuncOp function, uint32_t seed, float bound = 1.0f) {
    SmallVector<reference::Tensor> inputs;
    for (Type type : function.getArgumentTypes()) {
      auto tensor = cast<RankedTensorType>(type);
      inputs.push_back(reference::Tensor::from<float>(
          tensor.getShape(),
          makeValues(tensor.getNumElements(), seed++, bound)));
    }
    return inputs;
  }

  static SmallVector<reference::Tensor>
  evaluate(func::FuncOp function, ArrayRef<reference::Tensor> inputs) {
    auto results = reference::evaluate(function, inputs);
    if (!results) {
      ADD_FAILURE() << llvm::toString(results.takeError());
      return {};
    }
    return *results;
  }

  MLIRContext context;
};

} // namespace mlir::qopt::test
