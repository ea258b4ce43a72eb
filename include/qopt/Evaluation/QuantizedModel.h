// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an evaluation holds against the float model: an emitted object, or a
// simulation of what one would compute.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <vector>

namespace mlir::qopt::evaluation {

/// Takes and gives floats, one sample at a time; one array an input or output,
/// graph order. Not thread safe.
class QuantizedModel {
public:
  virtual ~QuantizedModel();

  /// Elements of each input and output.
  llvm::ArrayRef<int64_t> inputSizes() const { return inputElements; }
  llvm::ArrayRef<int64_t> outputSizes() const { return outputElements; }
  /// Loads one sample; quantizes it where the model takes integers.
  virtual void setInputs(llvm::ArrayRef<const float *> inputs) = 0;
  virtual llvm::Error run() = 0;
  /// The reals that the last run's outputs stand for.
  virtual void getOutputs(llvm::ArrayRef<float *> outputs) const = 0;

protected:
  QuantizedModel(std::vector<int64_t> inputs, std::vector<int64_t> outputs)
      : inputElements(std::move(inputs)), outputElements(std::move(outputs)) {}

  std::vector<int64_t> inputElements, outputElements;
};

/// The object whose symbols begin with `name`; the code that is written to the
/// file. Fails as `ObjectModel::create`.
llvm::Expected<std::unique_ptr<QuantizedModel>>
loadObject(llvm::StringRef object, llvm::StringRef name);

/// Level `quantized` in float arithmetic, by Reference: each op on the reals of
/// its operands, its result rounded to its scale (fake quantization). Fails as
/// `reference::Evaluator::create`.
llvm::Expected<std::unique_ptr<QuantizedModel>>
simulateFloat(func::FuncOp quantized);

/// Level `qint` by Reference: the bytes that an object of it computes. Fails as
/// `reference::Evaluator::create`, and with Q0734 where the boundary has no
/// scale.
llvm::Expected<std::unique_ptr<QuantizedModel>>
simulateInteger(func::FuncOp integer);

/// A function of float ops, compiled for this machine. Fails as
/// `calibration::Engine::create`.
llvm::Expected<std::unique_ptr<QuantizedModel>>
simulateCompiled(func::FuncOp function);

} // namespace mlir::qopt::evaluation
