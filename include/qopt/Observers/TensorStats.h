// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one tensor's values looked like over all samples: an exact state that
// merges to the same bits in any order.
#pragma once

#include "qopt/Observers/ExactSum.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mlir::qopt::observers {

/// Values of one tensor of one sample: `planes` planes of `rows` rows of
/// `rowLength` contiguous floats; strides count floats. NHWC with a halo is one
/// plane of H rows of W * C; padded channels are H planes of W rows of C.
struct StridedValues {
  const float *base = nullptr;
  size_t rowLength = 0;
  size_t rows = 1;
  size_t rowStride = 0;
  size_t planes = 1;
  size_t planeStride = 0;

  size_t size() const { return rowLength * rows * planes; }
};

/// Counts of values by their bfloat16 truncation: sign, exponent and 7 mantissa
/// bits, 128 bins an octave, edges that no data can move. Bin `b` below 0x8000
/// holds `[edge(b), edge(b + 1))`, bin `0x8000 + b` their negatives.
class Histogram {
public:
  static constexpr size_t numBins = 65536;

  uint64_t operator[](size_t bin) const { return bins ? bins.get()[bin] : 0; }
  /// The counts for update; allocated (zero) on first use.
  uint64_t *data();
  bool empty() const { return !bins; }

private:
  struct Free {
    void operator()(uint64_t *pointer) const;
  };
  // From calloc: untouched pages of the 512 KiB cost no memory.
  std::unique_ptr<uint64_t, Free> bins;
};

/// Per-channel state, only where asked for.
struct ChannelStats {
  float min = 0;
  float max = 0;
  FloatSum sum;
  SquareSum sumOfSquares;
};

/// The state of one tensor. Default-constructed: no values.
class TensorStats {
public:
  /// `channels` > 0 asks for per-channel state; the innermost dimension (the
  /// row) then runs over channels, `rowLength` a multiple of it.
  explicit TensorStats(size_t channels = 0) : channelStats(channels) {}

  /// Adds all values of one sample's tensor, 0.3-1 ns a value. On a NaN or an
  /// infinity the position of the first one (in row order) is returned and the
  /// state, which may hold part of the sample, must be discarded; -1 otherwise.
  int64_t observe(const StridedValues &values);
  int64_t observe(const float *data, size_t size) {
    return observe(StridedValues{data, size});
  }
  int64_t observeRows(const float *base, size_t rows, size_t rowLength,
                      size_t rowStride) {
    return observe(StridedValues{base, rowLength, rows, rowStride});
  }

  /// Adds another state of the same tensor. Commutative and associative.
  void merge(const TensorStats &other);

  uint64_t count = 0;
  /// Samples observed (calls with at least one value).
  uint64_t samples = 0;
  /// Extremes; 0 where `count` is 0. -0 counts as 0.
  float min = 0;
  float max = 0;
  FloatSum sum;
  SquareSum sumOfSquares;
  /// Sums over samples of the sample's smallest and largest value.
  FloatSum sumOfMins;
  FloatSum sumOfMaxs;
  Histogram histogram;
  std::vector<ChannelStats> channelStats;

  double mean() const;
  /// `E[x^2]`.
  double secondMoment() const;
};

} // namespace mlir::qopt::observers
