// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weighted averages with softmax weights that divide late: 8-bit weights, exact
// sums, one multiplier a row (docs/arithmetic.md, "Attention").
#pragma once

#include "qopt/Numerics/Multipliers.h"

namespace mlir::qopt::numerics {

/// The largest weight, that of a row's maximum.
inline constexpr int32_t largestWeight = 255;
/// A row's multiplier is `round(multiplier 2^attentionBits / row sum)`.
inline constexpr int attentionBits = 6;

/// `roundHalfEven(255 exp(-inputScale d))`, `d` in 0..255.
std::vector<int32_t> buildAttentionTable(float inputScale);

/// The multiplier and shift of `factor`, `s_v / s_y`, before the division by
/// the row's sum. Fails with Q0701 on a factor outside `[2^-16, 2^24]`.
llvm::Expected<Multipliers> chooseAttentionMultiplier(double factor);

/// The multiplier of a row whose weights sum to `sum`, at least 255: below
/// 2^30. 0 for a small multiplier and a large sum.
inline int32_t attentionRowMultiplier(int32_t multiplier, int64_t sum) {
  const int64_t scaled = static_cast<int64_t>(multiplier) << attentionBits;
  return static_cast<int32_t>((2 * scaled + sum) / (2 * sum));
}

} // namespace mlir::qopt::numerics
