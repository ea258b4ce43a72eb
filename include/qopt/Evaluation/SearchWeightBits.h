// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which layers keep weights of few bits: those whose rounding harms the outputs
// least for the bytes it saves, found without labels.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::evaluation {

struct WeightBitSearchOptions {
  /// As `qopt-quantize` will be told; of less than 8 bits.
  WeightForm weights;
  /// SQNR of the outputs that is enough for weights and activations together,
  /// which get half of the noise each.
  double targetDb = 44;
  /// What will be done to weights and biases later.
  bool roundWeights = true;
  bool correctBias = true;
  /// Samples of the reservoir at most, fewer where all values alive at a time
  /// would take more than `maxBytes` or the runs more than `maxMacs`.
  uint64_t maxSamples = 64;
  uint64_t maxBytes = 320 << 20;
  uint64_t maxMacs = 100'000'000'000;
};

/// What was done. SQNR is of all outputs together, of the weights' own noises
/// summed up; 300 where there is none.
struct WeightBitSearch {
  /// Layers that may have few bits, and those that keep them; their weights.
  int64_t candidates = 0;
  int64_t kept = 0;
  int64_t candidateWeights = 0;
  int64_t keptWeights = 0;
  /// With few bits in all candidates, and in those that keep them.
  double beforeDb = 300;
  double afterDb = 300;
};

/// `calibrated` has float `qopt` ops and observers whose scales are decided.
/// Measures how much each layer's weights of few bits alone, rounded and its
/// bias corrected as they will be, change the float outputs on samples of the
/// reservoir: fitted on every other sample, judged on the rest (fewer than four:
/// rounded to the nearest, judged on all). Layers get 8 bits (`weightBitsAttr`) in the order of noise a byte
/// until the others' noises leave the target. Layers that a rule has decided
/// about stay as they are. Deterministic. Without samples, or where one is too
/// large for the limits, all get 8 bits. Fails as `refineLayers`.
llvm::Expected<WeightBitSearch>
searchWeightBits(func::FuncOp calibrated,
                 const observers::CalibrationState &state,
                 const WeightBitSearchOptions &options);

} // namespace mlir::qopt::evaluation
