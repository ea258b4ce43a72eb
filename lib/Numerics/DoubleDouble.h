// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unevaluated sums of two float64 (about 104 bits), enough to round every table
// entry correctly without libm. Compile with -ffp-contract=off.
#pragma once

#include "qopt/Numerics/QuantParams.h"

namespace mlir::qopt::numerics {

/// `hi + lo` with `|lo| <= ulp(hi) / 2`. Values stay inside +-2^900.
struct DoubleDouble {
  double hi;
  double lo = 0;

  constexpr DoubleDouble(double value) : hi(value) {}
  constexpr DoubleDouble(double hi, double lo) : hi(hi), lo(lo) {}
};

/// `a + b` exactly, where `|a| >= |b|` or `a == 0`.
inline DoubleDouble quickTwoSum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

/// `a + b` exactly (Knuth).
inline DoubleDouble twoSum(double a, double b) {
  const double sum = a + b;
  const double rest = sum - a;
  return {sum, (a - (sum - rest)) + (b - rest)};
}

/// `a * b` exactly (Dekker), unless the error underflows.
inline DoubleDouble twoProduct(double a, double b) {
  const double splitter = 134217729.0; // 2^27 + 1
  const double product = a * b;
  const double bigA = splitter * a, highA = bigA - (bigA - a), lowA = a - highA;
  const double bigB = splitter * b, highB = bigB - (bigB - b), lowB = b - highB;
  return {product, ((highA * highB - product) + highA * lowB + lowA * highB) +
                       lowA * lowB};
}

inline DoubleDouble operator-(DoubleDouble a) { return {-a.hi, -a.lo}; }

inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  DoubleDouble high = twoSum(a.hi, b.hi);
  const DoubleDouble low = twoSum(a.lo, b.lo);
  high = quickTwoSum(high.hi, high.lo + low.hi);
  return quickTwoSum(high.hi, high.lo + low.lo);
}

inline DoubleDouble operator-(DoubleDouble a, DoubleDouble b) {
  return a + (-b);
}

inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble high = twoProduct(a.hi, b.hi);
  return quickTwoSum(high.hi, high.lo + (a.hi * b.lo + a.lo * b.hi));
}

/// Exact where the quotient is a float64: the remainder is then 0.
inline DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
  const double first = a.hi / b.hi;
  DoubleDouble rest = a - b * DoubleDouble(first);
  const double second = rest.hi / b.hi;
  rest = rest - b * DoubleDouble(second);
  const double third = rest.hi / b.hi;
  return quickTwoSum(first, second) + DoubleDouble(third);
}

inline bool operator<(DoubleDouble a, DoubleDouble b) {
  return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

/// The nearest integer, ties to even, for `|a| < 2^50`.
inline double roundHalfEven(DoubleDouble a) {
  const double nearest = roundHalfEven(a.hi);
  // Exact: both are multiples of ulp(hi) and their difference is at most 1/2.
  const DoubleDouble rest = twoSum(a.hi - nearest, a.lo);
  if (rest.hi > 0.5 || (rest.hi == 0.5 && rest.lo > 0))
    return nearest + 1;
  if (rest.hi < -0.5 || (rest.hi == -0.5 && rest.lo < 0))
    return nearest - 1;
  // A tie of the whole value is a float64, so `hi` was rounded to even.
  return nearest;
}

/// `e^x` to about 95 bits for `x <= 709.78`; 0 below -745.2.
DoubleDouble expDoubleDouble(DoubleDouble x);

} // namespace mlir::qopt::numerics
