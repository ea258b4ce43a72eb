// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two simulations of a quantized model op by op: each op of level
// `quantized` in float arithmetic, on the very integers that level `qint` has.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/DataLabelled.h"
#include "qopt/Reference/Evaluate.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlir::qopt::evaluation {

/// Over all ops and samples: results compared, those that differ, and the
/// largest difference in steps of the result's scale.
struct OpDifferences {
  int64_t ops = 0;
  int64_t opsChecked = 0;
  uint64_t elements = 0;
  uint64_t differing = 0;
  int64_t largest = 0;
};

/// Integers of a float input at the boundary of a `qint` function.
reference::Tensor quantizeInput(func::FuncOp integer, unsigned index,
                                llvm::ArrayRef<float> values);

/// Compares sample by sample. An op without a value of its id (`qopt.value`, or
/// an argument's `qopt.name`) at level `qint` is left out: it was fused away.
class OpSteps {
public:
  /// Fails as `reference::Evaluator::create`.
  static llvm::Expected<OpSteps> create(func::FuncOp quantized,
                                        func::FuncOp integer);

  /// One sample, by the integers of the inputs: runs `integer`, and each op
  /// where `compares`. Gives the integers of the outputs.
  llvm::Expected<llvm::SmallVector<reference::Tensor>>
  add(llvm::ArrayRef<reference::Tensor> inputs, bool compares = true);

  OpDifferences getDifferences() const;

private:
  /// One op of the quantized level as a function of its own.
  struct Isolated {
    std::string id;
    OwningOpRef<ModuleOp> module;
    std::vector<std::string> operandIds;
    std::vector<RankedTensorType> operandTypes;
    RankedTensorType resultType;
    std::optional<reference::Evaluator> evaluator;
    OpDifferences differences;
  };
  using Integers = std::map<std::string, reference::Tensor>;

  OpSteps(func::FuncOp integer, reference::Evaluator evaluator)
      : integer(integer), evaluator(std::move(evaluator)) {}
  static llvm::Expected<std::optional<Isolated>> isolate(Operation &op,
                                                         func::FuncOp function);
  static llvm::Error check(Isolated &op, const Integers &integers);

  func::FuncOp integer;
  reference::Evaluator evaluator;
  std::vector<Isolated> ops;
};

/// The differences over the first `samples` of `data`. Fails as
/// `OpSteps::create` and `calibration::DataSet::read`.
llvm::Expected<OpDifferences> compareOps(func::FuncOp quantized,
                                         func::FuncOp integer,
                                         calibration::LabelledSet &data,
                                         int64_t samples = 8);

} // namespace mlir::qopt::evaluation
