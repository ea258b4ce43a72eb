// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the equalization of channels is worth to a model.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::evaluation {

struct EqualizationGain {
  /// Layers whose weights were scaled.
  int64_t layers = 0;
  /// SQNR of all outputs together in a simulation without it and with it:
  /// weights rounded to the nearest, ranges from the smallest to the largest
  /// value; 300 where the outputs are equal.
  double withoutDb = 0;
  double withDb = 0;
  /// 0 where nothing was measured: no reservoir, or values that do not fit.
  int64_t samples = 0;
};

struct EqualizationGainOptions {
  WeightForm weights;
  uint64_t maxSamples = 8;
  uint64_t maxBytes = 320 << 20;
  uint64_t maxMacs = UINT64_C(100) * 1000 * 1000 * 1000;
};

/// How many layers of `plain` have other weights in `equalized`, the same
/// function after `qopt-equalize-channels`.
int64_t countEqualized(func::FuncOp plain, func::FuncOp equalized);

/// Both functions are at level `observed`. Measures `withoutDb` and `withDb` on
/// samples of the reservoir. Deterministic. Fails as
/// `calibration::Engine::create`.
llvm::Expected<EqualizationGain>
measureEqualization(func::FuncOp plain, func::FuncOp equalized,
                    const observers::CalibrationState &state,
                    const EqualizationGainOptions &options = {});

} // namespace mlir::qopt::evaluation
