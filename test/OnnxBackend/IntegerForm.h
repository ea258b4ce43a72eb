// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The integer form of a test's model: calibrated on the test's own inputs,
// quantized, compiled for this machine, run, and judged.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Reference/Tensor.h"
#include <string>

namespace qopt_test {

struct IntegerForm {
  enum class Verdict {
    /// Within the bound of the float model, and the code's bytes are
    /// Reference's.
    Passed,
    /// Nothing is computed at run time.
    Constant,
    /// A pass or code generation refuses it.
    Refused,
    /// The bytes are Reference's, but farther from the float model.
    Far,
    Wrong
  };
  Verdict verdict = Verdict::Refused;
  /// Why it did not pass.
  std::string text;
  /// The largest distance, in steps of an output, from what the float model
  /// says of inputs and weights as the integers hold them.
  double steps = 0;
  /// What `steps` may be.
  double bound = 0;
};

/// Runs the integer form of `module` (float `qopt` ops) on `inputs`, float.
/// Ranges are the extremes that these inputs give, outputs have 8 bits. The
/// distance that passes is 0.51 steps for each rounding on the way.
IntegerForm
runIntegerForm(mlir::ModuleOp module,
               llvm::ArrayRef<mlir::qopt::reference::Tensor> inputs);

} // namespace qopt_test
