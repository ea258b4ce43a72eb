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
/// additions.
template <int Words, int LowestExponent> class ExactSum {
public:
  /// Little-endian.
  using Digits = std::array<uint32_t, Words>;

  /// Adds a finite `x` that is a multiple of `2^LowestExponent`.
  void add(double x);
  void merge(const ExactSum &other);

  /// The sum rounded to double, from the top 63 significant bits: a relative
  /// error below 2^-52.
  double value() const;

  const Digits &digits() const { return words; }
  static ExactSum fromDigits(const Digits &digits) {
    ExactSum result;
    result.words = digits;
    return result;
  }

private:
  Digits words{};
};

/// Sums of up to 2^64 float32 values.
using FloatSum = ExactSum<11, -149>;
/// Sums of up to 2^64 squares of float32 values.
using SquareSum = ExactSum<20, -298>;

extern template class ExactSum<11, -149>;
extern template class ExactSum<20, -298>;

} // namespace mlir::qopt::observers
