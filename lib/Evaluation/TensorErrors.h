// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The error of each quantized tensor: the observed float function and the
// integer function run side by side, all marked values kept.
#pragma once

#include "IntegerRun.h"
#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Evaluation/Metrics.h"
#include "qopt/Numerics/QuantParams.h"

namespace mlir::qopt::evaluation {

class TensorErrors {
public:
  /// Every observer of `observed` that has a scale is measured.
  static llvm::Expected<TensorErrors> create(func::FuncOp observed,
                                             func::FuncOp integer);

  /// One sample; one array of floats an argument.
  void add(llvm::ArrayRef<float *> inputs);

  /// Function order.
  std::vector<TensorError> results() const;

private:
  struct Entry {
    std::string id;
    numerics::QuantParams params;
    const calibration::Probe *real = nullptr;
    /// Null where the integer function does not have this tensor.
    const calibration::Probe *quantized = nullptr;
    /// A graph input: it is only rounded.
    bool isInput = false;
    ErrorSum own, accumulated;
  };
  TensorErrors() = default;
  void addEntries(func::FuncOp observed, func::FuncOp integer);

  std::unique_ptr<calibration::Engine> floatEngine;
  IntegerRun integers;
  std::vector<std::vector<float>> floatOutputs;
  std::vector<Entry> entries;
  std::vector<float> real, rounded;
};

} // namespace mlir::qopt::evaluation
