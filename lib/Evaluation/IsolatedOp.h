// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One float op out of a function, compiled alone: simulations of quantization
// run op by op and change values between the ops.
#pragma once

#include "mlir/IR/Operation.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/Target/Jit.h"
#include <map>

namespace mlir::qopt::evaluation {

/// Compiles ops one at a time. Ops without constants that differ in their names
/// alone share an engine, and those that differ in their constants the code.
class IsolatedOps {
public:
  /// An engine whose inputs are the operands of `op` that are no constants, and
  /// whose output is its result. It is valid until the next call.
  llvm::Expected<calibration::Engine *> compile(Operation &op);

  /// The same engine, which lives as long as its owner.
  llvm::Expected<std::shared_ptr<calibration::Engine>>
  compileToKeep(Operation &op);

  /// `compile` of a layer without its fused clamp, with `weights` in place of
  /// its own unless empty.
  llvm::Expected<calibration::Engine *> compileLayer(Operation &op,
                                                     ArrayRef<float> weights);

private:
  llvm::Expected<std::unique_ptr<calibration::Engine>>
  compileCopy(Operation &op, ArrayRef<float> weights, bool isLayer);

  target::ObjectCache objects;
  std::map<std::string, std::shared_ptr<calibration::Engine>> shared;
  std::shared_ptr<calibration::Engine> current;
};

} // namespace mlir::qopt::evaluation
