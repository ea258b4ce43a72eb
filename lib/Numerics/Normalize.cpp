// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Roots and constants of normalizations (docs/arithmetic.md, "Layer
// normalization").

#include "qopt/Numerics/Normalize.h"
#include "qopt/Support/Error.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

uint32_t numerics::squareRootFloor(uint64_t value) {
  uint64_t root = 0;
  for (uint64_t bit = UINT64_C(1) << 30; bit > 0; bit /= 2)
    if ((root + bit) * (root + bit) <= value)
      root += bit;
  return static_cast<uint32_t>(root);
}

int numerics::normHeadroom(const NormRule &rule) {
  int bits = 0;
  while ((INT64_C(1) << (rule.power * bits)) < rule.length)
    ++bits;
  return bits;
}

/// `variance shift more bits < 2^62`: the largest shift and what epsilon is
/// then.
static bool chooseEpsilon(const NormRule &rule, double epsilon,
                          const QuantParams &input, NormConstants &result) {
  const double low = input.qmin > 0 ? 0 : input.qmin, high = input.qmax;
  const double reach = std::max(input.zeroPoint - low, high - input.zeroPoint);
  const double range = rule.isCentered ? high - low : 2 * reach;
  const double length = static_cast<double>(rule.length);
  // Exact: below 2^53 but for the last steps, which a factor of two covers.
  const double largest = range * length * (range * length) / 4 + 1;
  const double steps = length / input.scale;
  for (int shift = 60; shift >= 0; shift -= 2) {
    const double own =
        roundHalfEven(std::ldexp(epsilon * steps * steps, shift));
    if (!(std::ldexp(largest, shift) + own < 0x1p62 * (1 - 0x1p-50)))
      continue;
    result.varianceShift = shift;
    result.epsilon = static_cast<int64_t>(own);
    return true;
  }
  return false;
}

/// The factors with `fraction` bits behind the point, if all lie inside
/// `[-limit, limit]`.
static bool scaleFactors(llvm::ArrayRef<float> factors, double scale,
                         int fraction, double limit,
                         std::vector<int32_t> &result) {
  result.clear();
  for (float factor : factors) {
    const double value = roundHalfEven(std::ldexp(factor / scale, fraction));
    if (!(std::fabs(value) <= limit))
      return false;
    result.push_back(static_cast<int32_t>(value));
  }
  return true;
}

llvm::Expected<NormConstants>
numerics::chooseNormConstants(const NormRule &rule, double epsilon,
                              const QuantParams &input, float outputScale,
                              llvm::ArrayRef<float> gamma,
                              llvm::ArrayRef<float> beta) {
  NormConstants result;
  const int64_t longest = input.qmax > 127 ? 1 << 15 : 1 << 22;
  if (rule.length > longest)
    return makeError(
        701, "a normalized row has " + std::to_string(rule.length) +
                 " elements, which is more than " + std::to_string(longest));
  if (rule.power == 2 && !chooseEpsilon(rule, epsilon, input, result))
    return makeError(701, "the input's scale is too small beside epsilon");
  const int headroom = normHeadroom(rule);
  for (result.shift = 24; result.shift >= 1; --result.shift)
    if (scaleFactors(gamma, outputScale, result.shift + 3 + headroom,
                     0x1p31 - 1, result.gamma) &&
        scaleFactors(beta, outputScale, result.shift, 0x1p30, result.beta))
      return result;
  return makeError(701,
                   "the output's scale is too small beside the factors of "
                   "a normalization",
                   {}, "give the output a wider range");
}

/// `min(floor(2^61 / divisor), 2^31 - 1)`.
static int64_t invert(int64_t divisor) {
  return std::min((INT64_C(1) << 61) / divisor, (INT64_C(1) << 31) - 1);
}

RowInverse numerics::inverseOfVariance(int64_t variance, const NormRule &rule,
                                       int varianceShift, int64_t epsilon) {
  int64_t value = std::max<int64_t>((variance << varianceShift) + epsilon, 1);
  int shift = 0;
  for (; value < INT64_C(1) << 60; shift += 2)
    value *= 4;
  const int half = (varianceShift + shift) / 2;
  return {invert(squareRootFloor(value)),
          std::min(half - normHeadroom(rule), 30)};
}

RowInverse numerics::inverseOfMagnitude(int64_t sum, const NormRule &rule) {
  int64_t value = std::max<int64_t>(sum, 1);
  int shift = 0;
  for (; value < INT64_C(1) << 30; ++shift)
    value *= 2;
  return {invert(value), shift - normHeadroom(rule)};
}
