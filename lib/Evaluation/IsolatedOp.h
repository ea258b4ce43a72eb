// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One float op out of a function, compiled alone: simulations of quantization
// run op by op and change values between the ops.
#pragma once

#include "mlir/IR/Operation.h"
#include "qopt/Calibration/Engine.h"
#include <map>

namespace mlir::qopt::evaluation {

/// Compiles ops one at a time. Ops without constants that differ in their names
/// alone share an engine.
class IsolatedOps {
public:
  /// Every engine computes `copies` independent results of its op.
  explicit IsolatedOps(unsigned copies) : copies(copies) {}

  /// An engine whose inputs are the operands of `op` that are no constants,
  /// copy after copy, and whose outputs are its result, copy after copy. It is
  /// valid until the next call.
  llvm::Expected<calibration::Engine *> compile(Operation &op);

  /// The same engine, which lives as long as its owner.
  llvm::Expected<std::shared_ptr<calibration::Engine>>
  compileToKeep(Operation &op);

  /// The same for a layer, without its fused clamp; `weights` has one entry a
  /// copy, and an empty one stands for the layer's own weight.
  llvm::Expected<calibration::Engine *>
  compileLayer(Operation &op, ArrayRef<ArrayRef<float>> weights);

private:
  unsigned copies;
  std::map<std::string, std::shared_ptr<calibration::Engine>> shared;
  std::shared_ptr<calibration::Engine> current;
};

} // namespace mlir::qopt::evaluation
