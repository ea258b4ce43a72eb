// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Minimizes the Kullback-Leibler divergence over the thresholds of a histogram
// of magnitudes. Prefix sums give each of the few levels of a candidate in
// constant time.

#include "EntropyRange.h"
#include "Distribution.h"
#include <array>
#include <cmath>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::observers;
using numerics::Range;

namespace {

constexpr int numBins = 2048;

/// `ln x` of a positive normal float64 without libm, so that a range is the
/// same on every machine: the series of `2 atanh((m - 1) / (m + 1))` for
/// `x = m 2^k`, `m` within a square root of two of 1. Off by some 2^-50.
double naturalLog(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  const double f = (mantissa - 1) / (mantissa + 1);
  double sum = 0;
  for (int n = 21; n > 0; n -= 2)
    sum = sum * (f * f) + 1.0 / n;
  return exponent * 0.69314718055994531 + 2 * f * sum;
}

double xLogX(double x) { return x > 0 ? x * naturalLog(x) : 0; }

/// Counts of magnitudes in equal bins from 0 to the largest.
class Magnitudes {
public:
  Magnitudes(const Distribution &values, double largest) {
    std::array<double, numBins + 1> inside;
    for (int i = 0; i <= numBins; ++i) {
      const double end = largest * i / numBins;
      inside[i] = i == numBins ? values.all().n
                               : values.below(end).n - values.below(-end).n;
    }
    inside[0] = 0;
    std::array<double, numBins> counts;
    for (int i = 0; i < numBins; ++i)
      counts[i] = std::max(inside[i + 1] - inside[i], 0.0);
    // What is nearly zero, most values of some tensors, has no error to speak
    // of whatever the step is.
    counts[0] = counts[1];
    for (int i = 0; i < numBins; ++i) {
      mass[i + 1] = mass[i] + counts[i];
      entropy[i + 1] = entropy[i] + xLogX(counts[i]);
      filled[i + 1] = filled[i] + (counts[i] > 0);
    }
  }

  /// The divergence of the first `bins` bins, everything beyond them in the
  /// last one, from the same without what is beyond, in `levels` levels.
  double divergence(int bins, int levels) const {
    const double total = mass[numBins], inside = mass[bins];
    const double beyond = total - inside;
    // All values in the last bin would be no divergence at all.
    if (beyond > inside)
      return std::numeric_limits<double>::infinity();
    const double lastCount = inside - mass[bins - 1];
    // The sum of `p ln p` for `p = c / total` is `(sum c ln c) / total` less
    // `ln total`, which is the same for all candidates.
    double sum = entropy[bins - 1] + xLogX(lastCount + beyond);
    // A last bin that only holds what is beyond counts as filled.
    const int filledByTail = lastCount == 0 && beyond > 0;
    for (int level = 0; level < levels; ++level) {
      const int first = bins * level / levels;
      const int end = bins * (level + 1) / levels;
      const bool isLast = level + 1 == levels;
      const double own = mass[end] - mass[first];
      const double p = own + (isLast ? beyond : 0);
      if (p == 0)
        continue;
      if (own == 0)
        return std::numeric_limits<double>::infinity();
      const int holders =
          filled[end] - filled[first] + (isLast ? filledByTail : 0);
      sum -= p * naturalLog(own / (holders * inside));
    }
    return sum;
  }

private:
  /// Of everything below bin `i`: counts, their `c ln c`, bins that hold some.
  std::array<double, numBins + 1> mass{}, entropy{};
  std::array<int, numBins + 1> filled{};
};

} // namespace

Range observers::entropyRange(const TensorStats &stats, int bits,
                              bool symmetric) {
  const double min = stats.min, max = stats.max;
  const double largest = std::max(-min, max);
  const bool oneSided = !symmetric && (min >= 0 || max <= 0);
  // 16 bits are finer than any bin: clipping could only lose.
  const int levels = 1 << (oneSided ? bits : bits - 1);
  double threshold = largest;
  if (levels < numBins) {
    const Magnitudes magnitudes{Distribution(stats), largest};
    double best = std::numeric_limits<double>::infinity();
    int bestBins = numBins;
    for (int bins = numBins; bins >= levels; --bins) {
      const double divergence = magnitudes.divergence(bins, levels);
      if (divergence < best) {
        best = divergence;
        bestBins = bins;
      }
    }
    threshold = largest * bestBins / numBins;
  }
  if (symmetric)
    return {-threshold, threshold};
  return {std::max(min, -threshold), std::min(max, threshold)};
}
