// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All forms but the product have an error of little more than half a unit in
// the last place, so an integer can only come out wrong for numbers next to the
// ties between two of them. Those are few enough to try them all.

#include "Quotient.h"
#include <cmath>
#include <limits>

namespace mlir::qopt::target {

/// Neighbours of a tie that are tried on either side: the product alone is off
/// by at most two units, which are up to four of `x`.
static constexpr int neighbours = 8;
/// Ranges with more ties are left to the general rule.
static constexpr int64_t mostTies = 1024;

float reciprocalRest(float scale) {
  return static_cast<float>(1 / static_cast<double>(scale) - 1 / scale);
}

/// What the emitted code computes.
static float quotientBy(QuotientForm form, float x, float scale) {
  const float reciprocal = 1 / scale;
  if (form == QuotientForm::SplitProduct)
    return std::fma(x, reciprocal, x * reciprocalRest(scale));
  float quotient = x * reciprocal;
  if (form == QuotientForm::ImprovedProduct)
    quotient = std::fma(std::fma(quotient, -scale, x), reciprocal, quotient);
  return quotient;
}

static bool isEnough(QuotientForm form, float scale, int64_t low,
                     int64_t high) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (int64_t n = low; n < high; ++n) {
    float x = (static_cast<float>(n) + 0.5f) * scale;
    for (int i = 0; i < neighbours; ++i)
      x = std::nextafter(x, -infinity);
    for (int i = 0; i <= 2 * neighbours; ++i, x = std::nextafter(x, infinity))
      if (std::nearbyint(quotientBy(form, x, scale)) !=
          std::nearbyint(x / scale))
        return false;
  }
  return true;
}

QuotientForm quotientForm(float scale, int64_t low, int64_t high) {
  if (high - low <= mostTies)
    for (QuotientForm form : {QuotientForm::Product, QuotientForm::SplitProduct,
                              QuotientForm::ImprovedProduct})
      if (isEnough(form, scale, low, high))
        return form;
  return QuotientForm::Exact;
}

} // namespace mlir::qopt::target
