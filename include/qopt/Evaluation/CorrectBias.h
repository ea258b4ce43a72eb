// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Empirical bias correction: what rounding does to the mean of each output
// channel goes into the bias, layer by layer, if it helps.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::evaluation {

struct BiasCorrectionOptions {
  /// As `qopt-quantize` will be told.
  WeightForm weights;
  /// Samples of the reservoir that are used at most; fewer where all values
  /// alive at a time would take more than `maxBytes`.
  uint64_t maxSamples = 64;
  uint64_t maxBytes = 256 << 20;
};

/// What was done. SQNR is of all outputs together against the float model, on
/// the samples that judge; 300 where they are equal.
struct BiasCorrection {
  /// Layers whose bias was changed; 0 where `kept` is false.
  int64_t layers = 0;
  bool kept = false;
  double beforeDb = 0;
  double afterDb = 0;
};

/// `calibrated` has float `qopt` ops and observers whose scales are decided;
/// `state` is the calibration of that model. For each layer with constant
/// weights, in program order, `bias[o] += mean(float - quantized)` of channel
/// `o` before the clamp, over the samples of the reservoir; the quantized
/// values come from a simulation with rounded weights and activations whose
/// earlier layers are corrected already. A layer without a bias gets one.
///
/// A correction estimated on the samples with even positions alone is judged on
/// the others: where it does not raise the SQNR of the outputs, or there are
/// fewer than four samples, the function stays as it is. Deterministic. Fails
/// with Q0412 where the reservoir does not fit the arguments, Q0340 on a value
/// that is not f32, and as `calibration::Engine::create`.
llvm::Expected<BiasCorrection>
correctBias(func::FuncOp calibrated, const observers::CalibrationState &state,
            const BiasCorrectionOptions &options = {});

} // namespace mlir::qopt::evaluation
