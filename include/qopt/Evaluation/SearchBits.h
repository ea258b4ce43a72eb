// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which activations get more than 8 bits: those whose rounding harms the
// outputs most for what they cost, found without labels.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::evaluation {

struct BitSearchOptions {
  /// As `qopt-quantize` will be told.
  WeightForm weights;
  /// SQNR of the outputs that is enough.
  double targetDb = 44;
  /// The most that predicted cycles may grow; 1 leaves everything at 8 bits.
  double maxSlowdown = 1.3;
  /// Whether inputs of the model may have more bits: who hands over integers
  /// expects bytes.
  bool widensInputs = true;
  /// Whether values of more bits get all of their range, whatever method chose
  /// it: clipping gains nothing where steps are fine. Methods that were asked for
  /// (`givenRangeAttr`) stay.
  bool choosesRange = true;
  /// Multiply-accumulates of float code that the search may run, which decides
  /// how many samples it takes, 1 to 8.
  uint64_t maxMacs = 300'000'000'000;
  /// Bytes of one sample's values for which there is a search at all.
  uint64_t maxBytes = 1 << 30;
};

/// What was done. SQNR is of all outputs, each (and each value that one joins)
/// counted against its own size, on the samples of the search,
/// the rounding of activations simulated (weights are refined later), errors
/// that are the same on four samples or more left to bias correction; 300 where
/// they are equal.
struct BitSearch {
  /// Values that may have more bits, and those that got them.
  int64_t candidates = 0;
  int64_t widened = 0;
  double beforeDb = 0;
  double afterDb = 0;
  /// Predicted cycles after by before.
  double slowdown = 1;
};

/// `calibrated` has float `qopt` ops and observers whose scales are decided by
/// `state`. Measures for each group of observers of 8 bits (`getWideGroups`) whose
/// readers take more (`getMostBits`) how much its rounding alone changes the
/// float outputs on samples of the reservoir, then gives more bits to the one
/// with the largest such noise a predicted cycle, and so on, until the target or the budget of
/// cycles is met. Scales are chosen anew from `state`. If the simulated noise
/// more than doubles, nothing is changed. Deterministic. Does nothing for
/// models without a reservoir or with values above `maxBytes`. Fails as
/// `calibration::Engine::create`.
llvm::Expected<BitSearch> searchBits(func::FuncOp calibrated,
                                     const observers::CalibrationState &state,
                                     const BitSearchOptions &options = {});

} // namespace mlir::qopt::evaluation
