// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What scaled channels are worth to a model.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Weights.h"
#include <vector>

namespace mlir::qopt::evaluation {

/// What one method that scales channels does to a model.
struct EqualizationGain {
  ChannelMethod method = ChannelMethod::Weights;
  /// Layers that the method alone makes differ.
  int64_t layers = 0;
  /// SQNR of all outputs together in a simulation without the method and with
  /// it, everything else the same: weights rounded to the nearest, ranges from
  /// the statistics of each form; 300 where the outputs are equal.
  double withoutDb = 0;
  double withDb = 0;
  /// Those that judged; 0 where nothing was measured: a reservoir or limits for
  /// too few samples.
  int64_t samples = 0;

  /// What nobody measured stays, and so does what loses less than other samples
  /// may gain.
  bool isKept() const { return samples == 0 || withDb > withoutDb - 0.5; }
};

struct EqualizationGainOptions {
  WeightForm weights;
  /// Whether biases will be corrected, so that the forms are judged behind
  /// that.
  bool correctBias = true;
  /// Of what the limits leave, every other one judges where biases are
  /// corrected.
  uint64_t minJudges = 8;
  uint64_t maxSamples = 64;
  uint64_t maxBytes = 320 << 20;
  uint64_t maxMacs = UINT64_C(100) * 1000 * 1000 * 1000;
};

/// A model without what one method does.
struct PlainForm {
  ChannelMethod method;
  func::FuncOp function;
};

/// Whether `measureEqualization` has samples for `plains` plain forms beside
/// `scaled`, whose scales need not be decided: the forms are work to make.
llvm::Expected<bool>
canMeasureEqualization(func::FuncOp scaled, size_t plains,
                       const observers::CalibrationState &state,
                       const EqualizationGainOptions &options = {});

/// `scaled`, with `qopt.channel_scale`, and `plains` are forms of one function
/// at level `calibrated`, with the same ops in the same order. One walk over
/// `scaled` on samples of the reservoir: what the others round is rounded there
/// at their channels' sizes. Deterministic. Fails as
/// `calibration::Engine::create`.
llvm::Expected<std::vector<EqualizationGain>>
measureEqualization(func::FuncOp scaled, ArrayRef<PlainForm> plains,
                    const observers::CalibrationState &state,
                    const EqualizationGainOptions &options = {});

} // namespace mlir::qopt::evaluation
