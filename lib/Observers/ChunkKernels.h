// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hot loops over contiguous runs of floats. Every result is exact, hence
// the same for every instruction set they are compiled for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mlir::qopt::observers {

/// Values in one exact partial sum at most; see `sumChunk`.
constexpr size_t chunkSize = 2048;
/// Octaves below the largest magnitude's exponent that `sumChunk` takes
/// exactly.
constexpr int exactOctaves = 17;

/// Integers in the order of the floats they stand for; -0 is -1.
inline int32_t orderedKey(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits ^ (bits >> 31 & 0x7fffffff);
}

inline float fromOrderedKey(int32_t key) {
  const int32_t bits = key ^ (key >> 31 & 0x7fffffff);
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

/// The bits of the smallest magnitude that `sumChunk` takes.
inline int32_t smallestTaken(int largestField) {
  return std::max(largestField - exactOctaves, 0) << 23;
}

/// True for the bits of a nonzero magnitude that `sumChunk` leaves out.
inline bool isLeftOut(int32_t magnitude, int largestField) {
  return magnitude != 0 && magnitude < smallestTaken(largestField);
}

inline bool isLeftOut(float x, int largestField) {
  int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return isLeftOut(bits & 0x7fffffff, largestField);
}

struct Extremes {
  int32_t minKey = INT32_MAX;
  int32_t maxKey = INT32_MIN;
  /// Smallest nonzero magnitude's bits, less one.
  uint32_t minMagnitude = UINT32_MAX;

  /// False with a NaN or an infinity among the values.
  bool finite() const { return maxKey < 0x7f800000 && minKey > ~0x7f800000; }
  /// The bits of the smallest nonzero magnitude; 0 for zeros.
  int32_t smallestMagnitude() const { return minMagnitude + 1; }
  /// The exponent field of the largest magnitude, at least 1 (a subnormal's
  /// grid is that of field 1).
  int largestField() const;
  /// True if `sumChunk` leaves out a value.
  bool hasLeftOut() const {
    return isLeftOut(smallestMagnitude(), largestField());
  }
  void merge(const Extremes &other);
};

Extremes findExtremes(const float *data, size_t size);

/// Three float64 whose exact sums are `sum x` and `sum x^2`.
struct ChunkSums {
  double sum = 0;
  double squareHigh = 0;
  double squareLow = 0;
};

/// Sums at most `chunkSize` values whose largest exponent field is
/// `largestField`, leaving out nonzero values more than `exactOctaves` octaves
/// below it.
///
/// Why it is exact, with E the largest exponent: values taken are multiples of
/// 2^(E-17-23) below 2^(E+1), so 2048 of them sum below 2^(E+12), 52 bits.
/// Squares are multiples of 2^(2E-80) below 2^(2E+2); the high part is a
/// multiple of 2^(2E-38) (40 + 11 bits), the rest is at most 2^(2E-39) (41 + 11
/// bits).
ChunkSums sumChunk(const float *data, size_t size, int largestField);

/// Values of `data` that `sumChunk` leaves out, in order, into `out` (room for
/// `size`); returns their number. `size <= chunkSize`, and
/// `largestField > exactOctaves`: below, nothing is left out.
size_t collectLeftOut(const float *data, size_t size, int largestField,
                      float *out);

/// Partial sums and extremes of each channel, exact for `chunkSize` positions.
struct ChannelArrays {
  float *min, *max;
  double *sum, *squareHigh, *squareLow;
};

/// Adds one position, a value of every channel; true if a value was left out of
/// the sums.
bool addPosition(const float *data, size_t channels, int largestField,
                 const ChannelArrays &arrays);

/// `2^exponent` for a normal double.
inline double powerOfTwo(int exponent) {
  const uint64_t bits = static_cast<uint64_t>(exponent + 1023) << 52;
  double result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

/// A constant `c` such that `(y + c) - c` rounds a square `y` to the grid of
/// `squareHigh`.
inline double squareSplitter(int largestField) {
  const int grid = 2 * (largestField - 127) - 38;
  return 1.5 * powerOfTwo(52 + grid);
}

} // namespace mlir::qopt::observers
