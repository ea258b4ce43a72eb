// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions by argument reduction and series whose terms all have
// one sign, so that no sum cancels.

#include "Elementary.h"
#include "qopt/Numerics/ScalarFunctions.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

// ln 2 in three parts of which the first leaves products with |k| < 2^11 exact.
static constexpr double ln2High = 0x1.62e42fefa0000p-1;
static constexpr double ln2Mid = 0x1.cf79abc9e3b39p-40;
static constexpr double ln2Low = 0x1.007e5ed5e81e7p-93;

namespace {
/// `e^x = (1 + fraction) 2^exponent`. The exponent is 0 for `|x| < 0.34`.
struct Exponential {
  DoubleDouble fraction;
  int exponent;
};
} // namespace

/// False once `term` is below the last bit of `sum`, and for NaN.
static bool isSeen(DoubleDouble term, DoubleDouble sum) {
  const double next = sum.lo + term.hi;
  return next < sum.lo || next > sum.lo;
}

static Exponential exponential(DoubleDouble x) {
  const double k = roundHalfEven(x.hi * 0x1.71547652b82fep+0);
  DoubleDouble r = x - DoubleDouble(k * ln2High);
  r = r - twoProduct(k, ln2Mid);
  r = r - DoubleDouble(k * ln2Low);
  // exp(r) = exp(r / 2^9)^(2^9); |r / 2^9| < 2^-10, so that Taylor terms soon
  // fall below the last bit of the sum. The sum omits the 1 so that squaring,
  // (1 + p)^2 - 1 = 2 p + p^2, keeps its low bits.
  const int squarings = 9;
  r = r * DoubleDouble(0x1p-9);
  DoubleDouble p = r;
  DoubleDouble term = r;
  for (double n = 2; isSeen(term, p); ++n) {
    term = term * r / DoubleDouble(n);
    p = p + term;
  }
  for (int i = 0; i < squarings; ++i)
    p = p * DoubleDouble(2.0) + p * p;
  return {p, static_cast<int>(k)};
}

DoubleDouble numerics::expDoubleDouble(DoubleDouble x) {
  if (x.hi < -745.2)
    return 0.0;
  if (x.hi > 709.7827128933840)
    return std::numeric_limits<double>::infinity();
  const auto [fraction, exponent] = exponential(x);
  const DoubleDouble p = fraction + DoubleDouble(1.0);
  return {std::ldexp(p.hi, exponent), std::ldexp(p.lo, exponent)};
}

double numerics::expDouble(double x) {
  return std::isnan(x) ? x : expDoubleDouble(x).hi;
}

DoubleDouble numerics::expMinusOne(DoubleDouble x) {
  if (std::fabs(x.hi) < 0.25)
    return exponential(x).fraction;
  const DoubleDouble e = expDoubleDouble(x);
  return std::isinf(e.hi) ? e : e - DoubleDouble(1.0);
}

/// `2 atanh z = 2 (z + z^3 / 3 + z^5 / 5 + ...)`, which is
/// `ln((1 + z) / (1 - z))`; `|z| <= 1/3`.
static DoubleDouble twiceAtanh(DoubleDouble z) {
  const DoubleDouble square = z * z;
  DoubleDouble power = z, sum = z, term = z;
  for (double n = 3; isSeen(term, sum); n += 2) {
    power = power * square;
    term = power / DoubleDouble(n);
    sum = sum + term;
  }
  return sum + sum;
}

DoubleDouble numerics::logDoubleDouble(DoubleDouble x) {
  int exponent;
  double mantissa = std::frexp(x.hi, &exponent);
  if (mantissa < 0x1.6a09e667f3bcdp-1) {
    mantissa *= 2;
    --exponent;
  }
  const DoubleDouble m(mantissa, std::ldexp(x.lo, -exponent));
  const DoubleDouble one(1.0);
  const DoubleDouble rest = twiceAtanh((m - one) / (m + one));
  const double k = exponent;
  return DoubleDouble(k * ln2High) + twoProduct(k, ln2Mid) +
         DoubleDouble(k * ln2Low) + rest;
}

DoubleDouble numerics::softplus(DoubleDouble x) {
  const DoubleDouble e = expDoubleDouble(std::min(x, -x));
  const DoubleDouble rest = twiceAtanh(e / (e + DoubleDouble(2.0)));
  return x.hi > 0 ? x + rest : rest;
}

DoubleDouble numerics::sigmoid(DoubleDouble x) {
  const DoubleDouble e = expDoubleDouble(std::min(x, -x));
  return (x.hi < 0 ? e : DoubleDouble(1.0)) / (DoubleDouble(1.0) + e);
}

DoubleDouble numerics::tanh(DoubleDouble x) {
  if (x.hi < 0)
    return -tanh(-x);
  const DoubleDouble m = expMinusOne(x * DoubleDouble(-2.0));
  return -m / (m + DoubleDouble(2.0));
}

DoubleDouble numerics::erf(DoubleDouble x) {
  if (x.hi < 0)
    return -erf(-x);
  // 1 - erf(9) < 2^-119.
  if (x.hi >= 9)
    return 1.0;
  // erf x = 2 / sqrt(pi) e^(-x^2) sum of 2^n x^(2n + 1) / (1 3 5 ... (2n + 1)).
  const DoubleDouble square = x * x, twice = square + square;
  DoubleDouble sum = x, term = x;
  for (double n = 3; isSeen(term, sum); n += 2) {
    term = term * twice / DoubleDouble(n);
    sum = sum + term;
  }
  const DoubleDouble twoOverRootPi(0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56);
  return twoOverRootPi * expDoubleDouble(-square) * sum;
}

/// `x - x^3 / 3! + ...` or `1 - x^2 / 2! + ...`: from `term`, whose power of `x`
/// is `n`; `|x| <= pi / 4`.
static DoubleDouble alternatingSeries(DoubleDouble x, DoubleDouble term,
                                      double n) {
  const DoubleDouble square = x * x;
  DoubleDouble sum = term;
  do {
    term = -(term * square / DoubleDouble((n + 1) * (n + 2)));
    sum = sum + term;
    n += 2;
  } while (isSeen(term, sum));
  return sum;
}

/// `sin(x + quarters pi / 2)`.
static DoubleDouble sineOf(DoubleDouble x, int quarters) {
  if (!(std::fabs(x.hi) < 0x1p40))
    x = 0.0;
  // pi / 2 in three parts, the products with k being exact.
  const double third = -0x1.f1976b7ed8fbcp-110;
  const double k = roundHalfEven(x.hi / halfPi.hi);
  DoubleDouble r = x - twoProduct(k, halfPi.hi);
  r = r - twoProduct(k, halfPi.lo);
  r = r - DoubleDouble(k * third);
  const auto quadrant = static_cast<int64_t>(k) + quarters;
  const DoubleDouble value = quadrant & 1 ? alternatingSeries(r, 1.0, 0)
                                          : alternatingSeries(r, r, 1);
  return quadrant & 2 ? -value : value;
}

DoubleDouble numerics::sine(DoubleDouble x) { return sineOf(x, 0); }
DoubleDouble numerics::cosine(DoubleDouble x) { return sineOf(x, 1); }

DoubleDouble numerics::arctangent(DoubleDouble x) {
  const DoubleDouble one(1.0);
  if (x.hi < 0)
    return -arctangent(-x);
  if (x.hi > 1)
    return halfPi - arctangent(one / x);
  // atan x = 2 atan(x / (1 + sqrt(1 + x^2))); after four times x < 0.05.
  const int halvings = 4;
  for (int i = 0; i < halvings; ++i)
    x = x / (one + squareRoot(one + x * x));
  const DoubleDouble square = x * x;
  DoubleDouble power = x, sum = x, term = x;
  for (double n = 3; isSeen(term, sum); n += 2) {
    power = -(power * square);
    term = power / DoubleDouble(n);
    sum = sum + term;
  }
  return sum * DoubleDouble(1 << halvings);
}

DoubleDouble numerics::squareRoot(DoubleDouble x) {
  // IEEE 754 defines the root of a float64 to the bit.
  const double first = std::sqrt(x.hi);
  if (first == 0)
    return 0.0;
  DoubleDouble root(first);
  for (int i = 0; i < 2; ++i) {
    const DoubleDouble rest = x - root * root;
    root = root + DoubleDouble(rest.hi / (2 * first));
  }
  return root;
}

DoubleDouble numerics::floorOf(DoubleDouble x) {
  const double whole = std::floor(x.hi);
  if (whole != x.hi)
    return whole;
  return quickTwoSum(whole, std::floor(x.lo));
}
