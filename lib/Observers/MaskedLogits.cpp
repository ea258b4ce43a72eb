// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds masked logits by the gap in the histogram above them.

#include "qopt/Observers/MaskedLogits.h"
#include "ChunkKernels.h"
#include <utility>

using namespace mlir::qopt;
using namespace mlir::qopt::observers;

/// The bin of a magnitude.
static size_t binOf(float magnitude) { return orderedKey(magnitude) >> 16; }

static float lowerEdge(size_t bin) {
  return fromOrderedKey(static_cast<int32_t>(bin << 16));
}

static constexpr size_t negative = 0x8000, octave = 128;
/// Logits of the size of others, however rare, are not masked.
static constexpr float leastMasked = 32;

/// Of the magnitudes of negative values the first bin of masked ones, and the
/// last of others (0 where there are none); nothing where no value is masked.
static std::optional<std::pair<size_t, size_t>>
findGap(const TensorStats &stats) {
  std::optional<std::pair<size_t, size_t>> gap;
  size_t above = binOf(-stats.min);
  for (size_t bin = above + 1; bin-- > 0;) {
    const bool isEmpty = stats.histogram[negative + bin] == 0;
    if (isEmpty && bin > 0)
      continue;
    if (above - bin > octave && lowerEdge(above) >= leastMasked)
      gap = {above, isEmpty ? 0 : bin};
    above = bin;
  }
  return gap;
}

std::optional<TensorStats> observers::raiseMasked(const TensorStats &stats) {
  if (stats.count == 0 || stats.min > -leastMasked)
    return std::nullopt;
  const auto gap = findGap(stats);
  if (!gap)
    return std::nullopt;
  const auto [masked, other] = *gap;
  // The lower end of the negative bin, or 0.
  const float floor = -(other ? lowerEdge(other + 1) : 0) - maskedDistance;
  TensorStats raised;
  raised.merge(stats);
  raised.min = floor;
  raised.sumOfMins = FloatSum();
  raised.sumOfMins.add(static_cast<double>(floor) * stats.samples);
  uint64_t *counts = raised.histogram.data();
  uint64_t moved = 0;
  for (size_t bin = masked; bin <= binOf(-stats.min); ++bin)
    moved += std::exchange(counts[negative + bin], 0);
  counts[negative + binOf(-floor)] += moved;
  return raised;
}
