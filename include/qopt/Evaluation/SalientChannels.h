// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of few bits that meet large inputs count most: their channels are
// scaled up, what makes the inputs down (Lin et al., "AWQ", arXiv 2306.00978).
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::evaluation {

struct SalientChannelOptions {
  WeightForm weights;
  /// Whether biases will be corrected, so that errors cost their variance.
  bool correctBias = true;
  /// Samples of the reservoir that are used at most; fewer where all values
  /// alive at a time would take more than `maxBytes`.
  uint64_t maxSamples = 32;
  uint64_t maxBytes = 320 << 20;
  /// Positions of a layer's output whose inputs decide.
  uint64_t maxPositions = 2048;
  /// Layers with more weights an output channel have no say.
  uint64_t maxRowWeights = 2560;
};

/// On an op of level `float`: what `scaleSalientChannels` divided its result
/// by, a channel each.
inline constexpr llvm::StringLiteral salientScaleAttr = "qopt.salient_scale";

struct SalientChannels {
  /// Groups of values that were scaled, and layers that read these.
  int64_t groups = 0, layers = 0;
};

/// Scales channels of `function`, of level `float`, which computes the same but
/// for the rounding of float32. Each group of values whose channels can be
/// scaled (`ChannelGroups`) is divided by `(m_c / m)^a`, `m_c` the mean
/// magnitude of channel `c` on samples of the reservoir, `m` their geometric
/// mean. Of `a` in 0, 0.1, ... 1 the one is taken for which the outputs of the
/// layers behind are off by the least share of themselves, with weights rounded
/// to the nearest; 0 where the best gains less than 2 % on it. Groups that no
/// weight of less than 8 bits reads stay as they are. Where there are four
/// samples or more, every other one decides, so that the others can judge.
/// Deterministic. Fails as `calibration::Engine::create`.
llvm::Expected<SalientChannels>
scaleSalientChannels(func::FuncOp function,
                     const observers::CalibrationState &state,
                     const SalientChannelOptions &options = {});

} // namespace mlir::qopt::evaluation
