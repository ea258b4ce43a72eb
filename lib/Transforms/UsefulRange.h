// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What part of a range the readers of a value can tell apart.
#pragma once

#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Observers/CalibrationState.h"

namespace mlir::qopt {

/// `range` without the ends where every reader of `op` is a scalar function
/// that has settled: clamping the value there moves no result by more than a
/// sixteenth of a step of eight bits over the result's calibrated range. A sigmoid does not
/// tell -9 from -20, nor does a hard swish -3.
numerics::Range clipToReaders(numerics::Range range, ObserveOp op,
                              const observers::CalibrationState &statistics);

} // namespace mlir::qopt
