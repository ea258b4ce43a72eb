// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--range=auto`: which range method keeps a model's outputs nearest, tried on
// the samples that the calibration kept.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Statistics.h"
#include "qopt/Transforms/Weights.h"
#include <string>
#include <vector>

namespace mlir::qopt::evaluation {

/// What another method must gain over the first one: in SQNR of all samples
/// together, and in the mean of the samples' own SQNR, there also so many times
/// the standard error of the paired differences.
inline constexpr double minimalGainDb = 0.3;
inline constexpr double certainty = 1.5;
/// Fewer samples decide nothing.
inline constexpr uint64_t minimalJudges = 8;

struct RangeTrialOptions {
  /// As `qopt-quantize` will be told.
  WeightForm weights;
  /// Whether biases will be corrected, so that ranges are judged behind that.
  bool correctBias = true;
  /// Samples of the reservoir that are used at most; fewer where all values
  /// alive at a time would take more than `maxBytes`, or all runs together more
  /// than `maxMacs` multiply-accumulates.
  uint64_t maxSamples = 64;
  uint64_t maxBytes = 512 << 20;
  /// For the first samples that are enough for a trial.
  uint64_t mostBytes = 1536 << 20;
  uint64_t maxMacs = UINT64_C(125) * 1000 * 1000 * 1000;
};

struct RangeTrial {
  struct Candidate {
    /// As observers name it.
    std::string method;
    /// SQNR of all outputs together against the float model; 300 where they
    /// are equal.
    double db = 0;
    /// The mean over samples of the sample's SQNR less that of the first
    /// candidate, and its standard error.
    double gainDb = 0;
    double gainErrorDb = 0;
  };
  /// The default first.
  std::vector<Candidate> candidates;
  std::string chosen;
  /// Samples that judged; 0 where there were too few to try anything.
  int64_t samples = 0;
};

/// Gives every observer of `observed` whose method is `autoMethod` the method
/// of the best candidate for all of them together: the highest SQNR of the
/// outputs in a simulation with rounded weights and activations, on the samples
/// with odd positions in the reservoir of `state` (all samples without bias
/// correction, which is estimated on the others). `mse` stays where no other
/// method gains what the constants above ask for, and where fewer than
/// `minimalJudges` samples would judge, without a trial. Deterministic. Fails
/// as `correctBias` and `foldStatistics`.
llvm::Expected<RangeTrial> tryRanges(func::FuncOp observed,
                                     const observers::CalibrationState &state,
                                     const RangeTrialOptions &options = {});

} // namespace mlir::qopt::evaluation
