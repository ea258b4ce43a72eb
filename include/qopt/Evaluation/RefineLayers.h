// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What samples can still do for a layer once scales are decided: weights
// rounded by the layer's output, and biases that take mean errors away.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::evaluation {

struct RefineOptions {
  /// As `qopt-quantize` will be told.
  WeightForm weights;
  bool roundWeights = true;
  /// Rounded weights move on, one at a time, while the layer's output gains.
  bool descends = false;
  bool correctBias = true;
  /// Samples of the reservoir that are used at most; fewer where all values
  /// alive at a time would take more than `maxBytes`, or `mostBytes` for the
  /// first eight.
  uint64_t maxSamples = 64;
  uint64_t maxBytes = 320 << 20;
  uint64_t mostBytes = 1536 << 20;
  /// Positions of a layer's output whose inputs decide about rounding.
  uint64_t maxPositions = 4096;
  /// Layers with more weights an output channel, and layers behind those that
  /// used this many multiply-adds up, round to the nearest.
  uint64_t maxRowWeights = 2560;
  uint64_t maxWork = 200'000'000'000;
};

/// What one method did. SQNR is of all outputs together against the float
/// model, on the samples that judge; 300 where they are equal.
struct Refinement {
  /// Layers that were changed; 0 where `kept` is false.
  int64_t layers = 0;
  /// Layers that the method leaves alone because they are too large.
  int64_t skipped = 0;
  bool kept = false;
  /// Without the method, and with it.
  double beforeDb = 0;
  double afterDb = 0;
};

/// Absent where a method was not asked for.
struct Refinements {
  std::optional<Refinement> rounding;
  std::optional<Refinement> bias;

  /// The SQNR of what is kept.
  double getDb() const;
};

/// `calibrated` has float `qopt` ops and observers whose scales are decided;
/// `state` is the calibration of that model. Changes layers with constant
/// weights, in program order, by the samples of the reservoir; quantized values
/// come from a simulation in which the layers before are changed already.
///
/// Rounding: the weight becomes a `qopt.dequantize` of integers at the scales
/// of nearest rounding, chosen for the least squared error of the layer's
/// output (`numerics::InputMetric`) behind the quantized inputs; where biases
/// are corrected as well, for the least variance of it.
///
/// Bias: `bias[o] += mean(float - quantized)` of channel `o` before the clamp.
/// A layer without a bias gets one.
///
/// What is fitted to the samples with even positions alone is judged on the
/// others: where it does not raise the SQNR of the outputs, or there are fewer
/// than four samples, the function stays as it is. Rounding is judged with
/// corrected biases where both are asked for. Deterministic. Fails with Q0412
/// where the reservoir does not fit the arguments, Q0340 on a value that is not
/// f32, and as `calibration::Engine::create`.
llvm::Expected<Refinements>
refineLayers(func::FuncOp calibrated, const observers::CalibrationState &state,
             const RefineOptions &options = {});

} // namespace mlir::qopt::evaluation
