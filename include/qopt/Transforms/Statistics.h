// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales from calibration statistics in memory; `qopt-fold-statistics` is the
// same from a file.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"

namespace mlir::qopt {

/// The method of observers whose method is still to be found.
inline constexpr llvm::StringLiteral autoMethod = "auto";

/// Gives every `qopt.observe` of `function` that has none a scale and a zero
/// point; `auto` counts as `mse`. Emits an error and fails where `statistics` lacks an id, holds no
/// value of it, or an observer's method is not known.
LogicalResult foldStatistics(func::FuncOp function,
                             const observers::CalibrationState &statistics);

} // namespace mlir::qopt
