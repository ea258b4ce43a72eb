// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer weights that keep their sums.

#include "qopt/Numerics/Taps.h"
#include "qopt/Numerics/QuantParams.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

static constexpr int32_t largestWeight = 1 << 15;

/// Rounds one group. What the rounded sum lacks goes to the weights that
/// rounding moved farthest, the first among equals.
static void quantizeGroup(llvm::ArrayRef<double> weights, int bits,
                          std::vector<int32_t> &result) {
  const size_t first = result.size();
  double sum = 0;
  int64_t rest = 0;
  for (double weight : weights) {
    sum += weight;
    const double scaled = roundHalfEven(std::ldexp(weight, bits));
    result.push_back(static_cast<int32_t>(scaled));
    rest -= result.back();
  }
  rest += static_cast<int64_t>(roundHalfEven(std::ldexp(sum, bits)));
  for (int32_t step = rest < 0 ? -1 : 1; rest != 0; rest -= step) {
    size_t best = weights.size();
    double most = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      const double moved =
          (std::ldexp(weights[i], bits) - result[first + i]) * step;
      const bool hasRoom = std::abs(result[first + i] + step) <= largestWeight;
      if (hasRoom && (best == weights.size() || moved > most)) {
        best = i;
        most = moved;
      }
    }
    if (best == weights.size())
      return;
    result[first + best] += step;
  }
}

std::optional<IntegerTaps>
numerics::quantizeTaps(llvm::ArrayRef<double> weights, int64_t taps) {
  double largest = 0;
  for (double weight : weights) {
    if (!std::isfinite(weight))
      return std::nullopt;
    largest = std::max(largest, std::fabs(weight));
  }
  if (largest > largestWeight)
    return std::nullopt;
  IntegerTaps result;
  while (std::ldexp(largest, result.bits) > largestWeight)
    --result.bits;
  for (size_t i = 0; i < weights.size(); i += taps) {
    quantizeGroup(weights.slice(i, taps), result.bits, result.weights);
    int64_t sum = 0;
    for (int64_t tap = 0; tap < taps; ++tap)
      sum += std::abs(static_cast<int64_t>(result.weights[i + tap]));
    result.largestSum = std::max(result.largestSum, sum);
  }
  return result;
}
