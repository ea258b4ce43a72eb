// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact sums of floating-point numbers as wide integers, so that adding and
// merging commute and associate to the bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mlir::qopt::observers {

/// A two's complement fixed-point number of `Words` 32-bit digits whose lowest
/// bit is worth `2^LowestExponent`. The value does not depend on the order of
/// additions; `digits()` is its one representation.
template <int Words, int LowestExponent> class ExactSum {
public:
  /// Adds a finite `x` that is a multiple of `2^LowestExponent`.
  void add(double x);
  void merge(const ExactSum &other);

  /// The sum rounded to double, from the top 63 significant bits: a relative
  /// error below 2^-52.
  double value() const;

  /// Little-endian digits, each in `[0, 2^32)`.
  std::array<uint32_t, Words> digits() const;
  static ExactSum fromDigits(const std::array<uint32_t, Words> &digits);

private:
  /// Folds carries so that every digit but the top one is in `[0, 2^32)`.
  void normalize();

  /// Digits with room for 2^30 unfolded additions each.
  std::array<int64_t, Words> words{};
  uint32_t pending = 0;
};

/// Sums of up to 2^64 float32 values.
using FloatSum = ExactSum<11, -149>;
/// Sums of up to 2^64 squares of float32 values.
using SquareSum = ExactSum<20, -298>;

extern template class ExactSum<11, -149>;
extern template class ExactSum<20, -298>;

} // namespace mlir::qopt::observers
