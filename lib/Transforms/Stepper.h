// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function op by op over a batch of samples.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Transforms/CorrectBias.h"
#include <memory>

namespace mlir::qopt {

/// Holds the values of all samples while something still reads them.
class Stepper {
public:
  /// Arguments take their values from `samples`: one after another.
  Stepper(func::FuncOp function, ArrayRef<observers::ReservoirSample> samples,
          FunctionEvaluator &evaluator);

  /// Computes the result of `op`, whose operands have been computed. Computing
  /// it again replaces its values.
  llvm::Error evaluate(Operation *op);
  /// Says that `op` will not be evaluated again.
  void finish(Operation *op);

  const Batch &get(Value value) const { return *values.find(value)->second; }

private:
  FunctionEvaluator &evaluator;
  llvm::DenseMap<Value, std::shared_ptr<const Batch>> values;
  llvm::DenseMap<Value, unsigned> readers;
};

} // namespace mlir::qopt
