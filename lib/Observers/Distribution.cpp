// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cumulative moments of the log-bin histogram.

#include "Distribution.h"
#include "ChunkKernels.h"
#include <cmath>
#include <cstring>

using namespace mlir::qopt::observers;

/// A float's bin in ascending order: -32768 to 32767; minus zero's is -1.
static int orderedBin(float x) { return orderedKey(x) >> 16; }

double Distribution::edge(int bin) const {
  // Ordered bin `-1 - b` holds the negatives of bin `b`; its upper edge is the
  // negative of the lower edge of `b`.
  const uint32_t bits = static_cast<uint32_t>(std::abs(bin)) << 16;
  float magnitude;
  std::memcpy(&magnitude, &bits, sizeof(magnitude));
  return std::copysign(magnitude, static_cast<float>(bin));
}

Distribution::Distribution(const TensorStats &stats)
    // A smallest value of 0 may have been counted as minus zero.
    : firstBin(orderedBin(stats.min == 0 ? -0.0f : stats.min)),
      lowest(stats.min), highest(stats.max) {
  const int lastBin = orderedBin(stats.max);
  // Untouched pages cost no memory.
  edges.reserve(Histogram::numBins);
  counts.reserve(Histogram::numBins);
  cumulative.reserve(Histogram::numBins);
  for (int bin = firstBin; bin <= lastBin; ++bin) {
    const size_t stored = bin >= 0 ? bin : 0x8000 + (-1 - bin);
    edges.push_back(std::clamp(edge(bin), lowest, highest));
    counts.push_back(static_cast<double>(stats.histogram[stored]));
  }
  edges.push_back(highest);
  // Zeros are exact, not spread over the bin of the subnormals.
  zeroCount = static_cast<double>(stats.histogram[0]) +
              static_cast<double>(stats.histogram[0x8000]);
  Moments sum;
  cumulative.push_back(sum);
  for (size_t i = 0; i < counts.size(); ++i) {
    const double a = edges[i], b = edges[i + 1], n = counts[i];
    sum.n += n;
    sum.x += n * (a + b) / 2;
    sum.xx += n * (a * a + a * b + b * b) / 3;
    cumulative.push_back(sum);
  }
}

Moments Distribution::below(double x) const {
  if (x <= lowest)
    return {};
  if (x > highest)
    return all();
  const int index = orderedBin(static_cast<float>(x)) - firstBin;
  const double a = edges[index], b = edges[index + 1];
  // Rounding to float32 may have moved `x` over an edge, by 2^-17 of a bin.
  const double end = std::clamp(x, a, b);
  const double n = counts[index] * (end < b ? (end - a) / (b - a) : 1.0);
  const Moments &base = cumulative[index];
  return {base.n + n, base.x + n * (a + end) / 2,
          base.xx + n * (a * a + a * end + end * end) / 3};
}

double Distribution::quantile(double share) const {
  const double target = share * all().n;
  auto above = std::upper_bound(
      cumulative.begin(), cumulative.end(), target,
      [](double value, const Moments &moments) { return value < moments.n; });
  if (above == cumulative.end())
    return highest;
  const size_t index = above - cumulative.begin() - 1;
  const double inside = (target - cumulative[index].n) / counts[index];
  return edges[index] + inside * (edges[index + 1] - edges[index]);
}
