// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that every qopt op makes: the dialect's constraints (D1) to (D4).
#pragma once

#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// (D1) to (D4) for an op whose tensors are on one level.
LogicalResult verifyTensors(Operation *op);

/// (D1) to (D3): for ops that convert between levels or hold constants.
LogicalResult verifyConversionTensors(Operation *op);

/// A fused activation is a clamp; null is fine.
LogicalResult verifyActivation(Operation *op, FnAttr activation);

} // namespace mlir::qopt
