// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From accumulators to outputs with exactly one rounding: the integer
// formulas that every target must equal (docs/arithmetic.md, "Requantize").
#pragma once

#include <cstdint>

namespace mlir::qopt::numerics {

/// How a tie is rounded: toward +infinity (default) or to the even neighbour.
enum class Rounding { HalfUp, HalfEven };

/// `lo <= hi`.
inline int64_t clamp(int64_t value, int64_t lo, int64_t hi) {
  return value < lo ? lo : (value > hi ? hi : value);
}

/// The quotient `value / 2^shift` rounded once, `0 <= shift <= 62`. Exact for
/// every 127-bit value whose quotient fits int64.
inline int64_t roundShift(__int128 value, int shift, Rounding rounding) {
  const __int128 unit = static_cast<__int128>(1) << shift;
  const __int128 result = (value + unit / 2) >> shift;
  const bool isTie = 2 * (value & (unit - 1)) == unit;
  const bool down = rounding == Rounding::HalfEven && isTie && (result & 1);
  return static_cast<int64_t>(result - down);
}

/// `clamp(round(acc * multiplier / 2^shift) + zeroPoint, qmin, qmax)`, one
/// rounding. Any `acc`, `multiplier > 0`, `0 <= shift <= 62`.
inline int32_t requantize(int64_t acc, int32_t multiplier, int shift,
                          int32_t zeroPoint, int32_t qmin, int32_t qmax,
                          Rounding rounding = Rounding::HalfUp) {
  const __int128 product = static_cast<__int128>(acc) * multiplier;
  // The rounded product can leave int64 when the shift is small; the clamp
  // below makes any value beyond +-2^62 the same as that bound.
  const __int128 limit = static_cast<__int128>(1) << (62 + shift);
  const __int128 bounded =
      product > limit ? limit : (product < -limit ? -limit : product);
  return static_cast<int32_t>(
      clamp(roundShift(bounded, shift, rounding) + zeroPoint, qmin, qmax));
}

/// `requantize` of a sum of window taps (docs/arithmetic.md, "Average pool"): a
/// tie that goes to even is one to 16 fraction bits, and the result is what is
/// even, or `withZero` false, the result less its zero point.
inline int32_t requantizeAverage(int64_t acc, int32_t multiplier, int shift,
                                 int32_t zeroPoint, int32_t qmin, int32_t qmax,
                                 Rounding rounding, bool withZero) {
  if (rounding == Rounding::HalfUp)
    return requantize(acc, multiplier, shift, zeroPoint, qmin, qmax, rounding);
  __int128 value = static_cast<__int128>(acc) * multiplier;
  if (shift > 16) {
    value = roundShift(value, shift - 16, Rounding::HalfUp);
    shift = 16;
  }
  if (!withZero)
    return static_cast<int32_t>(
        clamp(roundShift(value, shift, rounding) + zeroPoint, qmin, qmax));
  value += static_cast<__int128>(zeroPoint) << shift;
  return static_cast<int32_t>(
      clamp(roundShift(value, shift, rounding), qmin, qmax));
}

/// `clamp(round((a * multiplierA + b * multiplierB) / 2^shift) + zeroPoint)`,
/// one rounding; `a` and `b` are operands less their zero points, `b` negated
/// for a subtraction. `|a|, |b| < 2^31`, `0 <= shift <= 62`.
inline int32_t requantizeSum(int64_t a, int32_t multiplierA, int64_t b,
                             int32_t multiplierB, int shift, int32_t zeroPoint,
                             int32_t qmin, int32_t qmax,
                             Rounding rounding = Rounding::HalfUp) {
  const __int128 sum = static_cast<__int128>(a) * multiplierA +
                       static_cast<__int128>(b) * multiplierB;
  return static_cast<int32_t>(
      clamp(roundShift(sum, shift, rounding) + zeroPoint, qmin, qmax));
}

/// `clamp(round(a * multiplier / (b * 2^shift)) + zeroPoint, qmin, qmax)`, half
/// toward +infinity; `a` and `b` are operands less their zero points. A zero
/// divisor gives the end on `a`'s side, the zero point where `a` is zero.
/// `|a|, |b| < 2^17`, `multiplier > 0`, `0 <= shift <= 44`.
inline int32_t requantizeQuotient(int64_t a, int64_t b, int32_t multiplier,
                                  int shift, int32_t zeroPoint, int32_t qmin,
                                  int32_t qmax) {
  if (b == 0)
    return a > 0   ? qmax
           : a < 0 ? qmin
                   : static_cast<int32_t>(clamp(zeroPoint, qmin, qmax));
  const int64_t n = (b < 0 ? -a : a) * multiplier;
  const int64_t d = (b < 0 ? -b : b) << shift;
  const int64_t dividend = 2 * n + d, divisor = 2 * d;
  int64_t quotient = dividend / divisor;
  if (dividend % divisor < 0)
    --quotient;
  return static_cast<int32_t>(clamp(quotient + zeroPoint, qmin, qmax));
}

} // namespace mlir::qopt::numerics
