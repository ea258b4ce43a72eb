// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer weights of linear combinations (docs/arithmetic.md, "Interpolate").
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::qopt::numerics {

/// `weights[i] / 2^bits` stands for a real weight; `|weights[i]| <= 2^15`.
struct IntegerTaps {
  std::vector<int32_t> weights;
  int bits = 15;
  /// The largest sum of magnitudes in a group.
  int64_t largestSum = 0;
};

/// Weights nearest to `weights`, groups of `taps` (>= 1, a divisor) each with
/// its sum rounded only once: a group that sums to 1 sums to `2^bits`. `bits`
/// is the largest up to 15 that fits. Nothing for weights that are not finite
/// or larger than 2^15.
std::optional<IntegerTaps> quantizeTaps(llvm::ArrayRef<double> weights,
                                        int64_t taps);

} // namespace mlir::qopt::numerics
