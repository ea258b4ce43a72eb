// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector loops, compiled for several x86 levels and picked at load time. All
// arithmetic in them is exact, so the pick cannot show in a result.

#include "ChunkKernels.h"
#include <algorithm>

using namespace mlir::qopt::observers;

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__clang__)
#define QOPT_CLONES                                                            \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define QOPT_CLONES
#endif

namespace {
constexpr size_t lanes = 16;
static_assert(chunkSize % lanes == 0, "whole vectors fill a chunk");
typedef int32_t Ints __attribute__((vector_size(lanes * 4), aligned(4)));
typedef uint32_t Words __attribute__((vector_size(lanes * 4), aligned(4)));
typedef float Floats __attribute__((vector_size(lanes * 4), aligned(4)));
typedef double Doubles __attribute__((vector_size(lanes * 8)));
} // namespace

int Extremes::largestField() const {
  const int32_t magnitude =
      std::max(maxKey, ~minKey); // ~key is the magnitude of a negative value
  return std::max(magnitude >> 23, 1);
}

void Extremes::merge(const Extremes &other) {
  minKey = std::min(minKey, other.minKey);
  maxKey = std::max(maxKey, other.maxKey);
  minMagnitude = std::min(minMagnitude, other.minMagnitude);
}

static void addOne(Extremes &extremes, float x) {
  const int32_t key = orderedKey(x);
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  extremes.minKey = std::min(extremes.minKey, key);
  extremes.maxKey = std::max(extremes.maxKey, key);
  extremes.minMagnitude =
      std::min(extremes.minMagnitude, (bits & 0x7fffffff) - 1);
}

QOPT_CLONES static void vectorExtremes(const float *data, size_t size,
                                       int32_t *minKeys, int32_t *maxKeys,
                                       uint32_t *minMagnitudes) {
  Ints minKey, maxKey;
  Words minMagnitude;
  std::memcpy(&minKey, minKeys, sizeof(minKey));
  std::memcpy(&maxKey, maxKeys, sizeof(maxKey));
  std::memcpy(&minMagnitude, minMagnitudes, sizeof(minMagnitude));
  for (size_t i = 0; i < size; i += lanes) {
    Ints bits;
    std::memcpy(&bits, data + i, sizeof(bits));
    const Ints key = bits ^ ((bits < 0) & 0x7fffffff);
    minKey = key < minKey ? key : minKey;
    maxKey = key > maxKey ? key : maxKey;
    const Words magnitude = ((Words)bits & 0x7fffffff) - 1;
    minMagnitude = magnitude < minMagnitude ? magnitude : minMagnitude;
  }
  std::memcpy(minKeys, &minKey, sizeof(minKey));
  std::memcpy(maxKeys, &maxKey, sizeof(maxKey));
  std::memcpy(minMagnitudes, &minMagnitude, sizeof(minMagnitude));
}

Extremes mlir::qopt::observers::findExtremes(const float *data, size_t size) {
  int32_t minKeys[lanes], maxKeys[lanes];
  uint32_t minMagnitudes[lanes];
  std::fill_n(minKeys, lanes, INT32_MAX);
  std::fill_n(maxKeys, lanes, INT32_MIN);
  std::fill_n(minMagnitudes, lanes, UINT32_MAX);
  const size_t whole = size / lanes * lanes;
  vectorExtremes(data, whole, minKeys, maxKeys, minMagnitudes);
  Extremes result;
  for (size_t i = 0; i < lanes; ++i) {
    result.minKey = std::min(result.minKey, minKeys[i]);
    result.maxKey = std::max(result.maxKey, maxKeys[i]);
    result.minMagnitude = std::min(result.minMagnitude, minMagnitudes[i]);
  }
  for (size_t i = whole; i < size; ++i)
    addOne(result, data[i]);
  return result;
}

QOPT_CLONES static void vectorSums(const float *data, size_t size,
                                   int32_t threshold, double splitter,
                                   ChunkSums &out) {
  Doubles sum = {}, high = {}, low = {};
  const Doubles split = splitter - Doubles{};
  for (size_t i = 0; i < size; i += lanes) {
    Ints bits;
    std::memcpy(&bits, data + i, sizeof(bits));
    const Ints taken = bits & ((bits & 0x7fffffff) >= threshold);
    const Doubles x = __builtin_convertvector((Floats)taken, Doubles);
    const Doubles square = x * x;
    const Doubles rounded = (square + split) - split;
    sum += x;
    high += rounded;
    low += square - rounded;
  }
  for (size_t i = 0; i < lanes; ++i) {
    out.sum += sum[i];
    out.squareHigh += high[i];
    out.squareLow += low[i];
  }
}

ChunkSums mlir::qopt::observers::sumChunk(const float *data, size_t size,
                                          int largestField) {
  const int32_t threshold = smallestTaken(largestField);
  const double splitter = squareSplitter(largestField);
  ChunkSums out;
  const size_t whole = size / lanes * lanes;
  vectorSums(data, whole, threshold, splitter, out);
  if (whole != size) {
    float rest[lanes] = {};
    std::copy(data + whole, data + size, rest);
    vectorSums(rest, lanes, threshold, splitter, out);
  }
  return out;
}

/// Offsets of the groups of `lanes` values that hold a left-out one.
QOPT_CLONES static size_t groupsWithLeftOut(const float *data, size_t size,
                                            int32_t threshold,
                                            uint32_t *offsets) {
  size_t found = 0;
  for (size_t i = 0; i < size; i += lanes) {
    Words bits;
    std::memcpy(&bits, data + i, sizeof(bits));
    // Zero wraps around and compares as the largest.
    const Words magnitude = (bits & 0x7fffffffu) - 1;
    const Ints small = magnitude < static_cast<uint32_t>(threshold) - 1;
    offsets[found] = static_cast<uint32_t>(i);
    found -= __builtin_reduce_or(small); // True is -1.
  }
  return found;
}

size_t mlir::qopt::observers::collectLeftOut(const float *data, size_t size,
                                             int largestField, float *out) {
  uint32_t offsets[chunkSize / lanes];
  const size_t whole = size / lanes * lanes;
  const size_t groups =
      groupsWithLeftOut(data, whole, smallestTaken(largestField), offsets);
  size_t found = 0;
  auto take = [&](size_t first, size_t end) {
    for (size_t i = first; i < end; ++i)
      if (isLeftOut(data[i], largestField))
        out[found++] = data[i];
  };
  for (size_t g = 0; g < groups; ++g)
    take(offsets[g], offsets[g] + lanes);
  take(whole, size);
  return found;
}

QOPT_CLONES static int32_t
vectorPosition(const float *__restrict data, size_t channels, int32_t threshold,
               double splitter, float *__restrict min, float *__restrict max,
               double *__restrict sum, double *__restrict high,
               double *__restrict low) {
  int32_t leftOut = 0;
  for (size_t c = 0; c < channels; ++c) {
    // Adding +0 turns -0 into it.
    const float value = data[c] + 0.0f;
    min[c] = value < min[c] ? value : min[c];
    max[c] = value > max[c] ? value : max[c];
    int32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    const int32_t magnitude = bits & 0x7fffffff;
    leftOut |= (magnitude < threshold) & (magnitude != 0);
    const double x = magnitude < threshold ? 0.0 : static_cast<double>(value);
    const double square = x * x;
    const double rounded = (square + splitter) - splitter;
    sum[c] += x;
    high[c] += rounded;
    low[c] += square - rounded;
  }
  return leftOut;
}

bool mlir::qopt::observers::addPosition(const float *data, size_t channels,
                                        int largestField,
                                        const ChannelArrays &arrays) {
  return vectorPosition(data, channels, smallestTaken(largestField),
                        squareSplitter(largestField), arrays.min, arrays.max,
                        arrays.sum, arrays.squareHigh, arrays.squareLow) != 0;
}
