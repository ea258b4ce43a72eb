// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over data: runs the observed float model on every sample and fills
// the statistics of its observers.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/DataSet.h"
#include "qopt/Observers/CalibrationState.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qopt::calibration {

/// How a function's arguments must be filled: names (`qopt.name`), shapes.
/// Only f32 arguments so far.
std::vector<InputSpec> getInputSpecs(func::FuncOp function);

/// Runs `function` (level 2: with `qopt.observe`) over all of `data`, in code
/// made by `Engine`, on the threads of the function's context. Neither memory
/// nor the result depends on the samples' number and on the threads. Calls of
/// `progress(done, total)`, one after each sample, do not overlap; `total` is 0
/// where the number of samples is not known, and false ends the run (Q0155).
/// Fails with
/// Q04xx: no samples, a value that is not finite (names tensor and sample), and
/// as `DataSet::read`.
llvm::Expected<observers::CalibrationState>
calibrate(func::FuncOp function, const observers::Hash &modelHash,
          DataSet &data,
          llvm::function_ref<bool(int64_t, int64_t)> progress = nullptr);

} // namespace mlir::qopt::calibration
