// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `qopt-equalize-channels` leaves behind: which values have scaled
// channels, and the statistics of what they would be without.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Observers/CalibrationState.h"
#include <optional>

namespace mlir::qopt {

/// How channels came to be scaled; an option of the pass each.
enum class ChannelMethod { Weights, Norms };

/// What was done to the channels of an op's result: `qopt.channel_scale`.
struct ChannelScale {
  ChannelMethod method = ChannelMethod::Weights;
  /// Of the channels. It may be longer than these: a flattened image has the
  /// elements of a channel after each other.
  int64_t axis = 1;
  /// By channel: the value was divided by `2^exponent`.
  SmallVector<int32_t> exponents;

  /// Nothing where nothing was done, or the attribute does not fit the result.
  static std::optional<ChannelScale> get(Operation *op);
  void set(Operation *op) const;

  /// What each index of `axis` must be multiplied by to be what it was.
  SmallVector<float> getFactors(int64_t size) const;
};

/// The statistics of what an observer would read without scaled channels have
/// its id and this behind it.
inline constexpr llvm::StringLiteral plainSuffix = "@plain";
/// On an observer: the id of its statistics where that is not its own.
inline constexpr llvm::StringLiteral statisticsAttr = "qopt.statistics";

/// The id of the statistics that decide about `observe`.
StringRef getStatisticsId(ObserveOp observe);

/// Beside each observer of scaled channels one of what they would be without,
/// so that one calibration serves both forms.
void addPlainObservers(func::FuncOp observed);

/// Whether `state` is of a function that `addPlainObservers` has seen.
bool hasPlainStatistics(func::FuncOp observed,
                        const observers::CalibrationState &state);

/// `partly` is `scaled` without the factors of some channels: observers of
/// these get the statistics that `addPlainObservers` made. Fails where a channel
/// has another factor than in `scaled`: there are no statistics of that.
LogicalResult takePlainStatistics(func::FuncOp partly, func::FuncOp scaled);

} // namespace mlir::qopt
