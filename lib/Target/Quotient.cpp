// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One improvement leaves an error of little more than half a unit in the last
// place, so an integer can only come out wrong for numbers next to the ties
// between two of them. Those are few enough to try them all.

#include "Quotient.h"
#include <cmath>
#include <limits>

namespace mlir::qopt::target {

/// Neighbours of a tie that are tried on either side: the product alone is off
/// by at most two units, which are up to four of `x`.
static constexpr int neighbours = 8;
/// Ranges with more ties are left to the general rule.
static constexpr int64_t mostTies = 1024;
static constexpr unsigned alwaysEnough = 2;

/// What the emitted code computes.
static float improvedQuotient(float x, float scale, unsigned improvements) {
  const float reciprocal = 1 / scale;
  float quotient = x * reciprocal;
  for (unsigned i = 0; i < improvements; ++i)
    quotient = std::fma(std::fma(quotient, -scale, x), reciprocal, quotient);
  return quotient;
}

static bool isEnough(float scale, int64_t low, int64_t high,
                     unsigned improvements) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (int64_t n = low; n < high; ++n) {
    float x = (static_cast<float>(n) + 0.5f) * scale;
    for (int i = 0; i < neighbours; ++i)
      x = std::nextafter(x, -infinity);
    for (int i = 0; i <= 2 * neighbours; ++i, x = std::nextafter(x, infinity))
      if (std::nearbyint(improvedQuotient(x, scale, improvements)) !=
          std::nearbyint(x / scale))
        return false;
  }
  return true;
}

unsigned quotientImprovements(float scale, int64_t low, int64_t high) {
  if (high - low > mostTies)
    return alwaysEnough;
  unsigned improvements = 0;
  while (improvements < alwaysEnough &&
         !isEnough(scale, low, high, improvements))
    ++improvements;
  return improvements;
}

} // namespace mlir::qopt::target
