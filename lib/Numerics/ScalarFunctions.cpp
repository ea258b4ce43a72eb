// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar functions in double-double arithmetic and their tables.

#include "qopt/Numerics/ScalarFunctions.h"
#include "DoubleDouble.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

namespace {
/// `e^x = (1 + fraction) 2^exponent`. The exponent is 0 for `|x| < 0.34`.
struct Exponential {
  DoubleDouble fraction;
  int exponent;
};
} // namespace

static Exponential exponential(DoubleDouble x) {
  // ln 2 in three parts of which the first leaves products with |k| < 2^11
  // exact.
  const double ln2High = 0x1.62e42fefa0000p-1;
  const double ln2Mid = 0x1.cf79abc9e3b39p-40;
  const double ln2Low = 0x1.007e5ed5e81e7p-93;
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
  for (double n = 2; p.lo + term.hi != p.lo; ++n) {
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
  const auto [fraction, exponent] = exponential(x);
  const DoubleDouble p = fraction + DoubleDouble(1.0);
  return {std::ldexp(p.hi, exponent), std::ldexp(p.lo, exponent)};
}

double numerics::expDouble(double x) {
  if (!(x <= 709.7827128933840))
    return x + std::numeric_limits<double>::infinity(); // NaN stays NaN.
  return expDoubleDouble(x).hi;
}

/// `e^x - 1` without loss near 0.
static DoubleDouble expMinusOne(DoubleDouble x) {
  if (std::fabs(x.hi) < 0.25)
    return exponential(x).fraction;
  return expDoubleDouble(x) - DoubleDouble(1.0);
}

static DoubleDouble sigmoid(DoubleDouble x) {
  const DoubleDouble e = expDoubleDouble(std::min(x, -x));
  return (x.hi < 0 ? e : DoubleDouble(1.0)) / (DoubleDouble(1.0) + e);
}

static DoubleDouble tanh(DoubleDouble x) {
  if (x.hi < 0)
    return -tanh(-x);
  const DoubleDouble m = expMinusOne(x * DoubleDouble(-2.0));
  return -m / (m + DoubleDouble(2.0));
}

/// `min(max(x, lo), hi)`; an infinite end is no end.
static DoubleDouble clampTo(DoubleDouble x, double lo, double hi) {
  const DoubleDouble raised = x < DoubleDouble(lo) ? DoubleDouble(lo) : x;
  return DoubleDouble(hi) < raised ? DoubleDouble(hi) : raised;
}

static DoubleDouble apply(const ScalarFunction &function, DoubleDouble x) {
  using Kind = ScalarFunction::Kind;
  const DoubleDouble zero(0.0);
  switch (function.kind) {
  case Kind::Relu:
    return x < zero ? zero : x;
  case Kind::Clip:
    return clampTo(x, function.a, function.b);
  case Kind::LeakyRelu:
    return x < zero ? x * DoubleDouble(function.a) : x;
  case Kind::Sigmoid:
    return sigmoid(x);
  case Kind::Tanh:
    return tanh(x);
  case Kind::HardSigmoid:
    return clampTo(x * DoubleDouble(function.a) + DoubleDouble(function.b), 0,
                   1);
  case Kind::HardSwish:
    // x min(max(x + 3, 0), 6) / 6: one division, so that ties stay exact.
    return x * clampTo(x + DoubleDouble(3.0), 0, 6) / DoubleDouble(6.0);
  case Kind::Affine:
    return x * DoubleDouble(function.a) + DoubleDouble(function.b);
  }
  return x;
}

/// What `function` gives where double-double arithmetic would overflow.
static double applyHuge(const ScalarFunction &function, double x) {
  using Kind = ScalarFunction::Kind;
  if (std::isnan(x))
    return x;
  const bool negative = std::signbit(x);
  switch (function.kind) {
  case Kind::Relu:
  case Kind::HardSwish:
    return negative ? 0 : x;
  case Kind::Clip:
    return std::min(std::max(x, function.a), function.b);
  case Kind::LeakyRelu:
    return negative ? function.a * x : x;
  case Kind::Sigmoid:
    return negative ? 0 : 1;
  case Kind::Tanh:
    return negative ? -1 : 1;
  case Kind::HardSigmoid:
    return std::min(std::max(function.a * x + function.b, 0.0), 1.0);
  case Kind::Affine:
    return function.a * x + function.b;
  }
  return x;
}

/// Beyond this, Dekker's product overflows; below its inverse it loses bits.
/// NaN is huge, too.
static bool isHuge(double x) { return !(x > -0x1p400 && x < 0x1p400); }

double numerics::evaluate(const ScalarFunction &function, double x) {
  if (isHuge(x))
    return applyHuge(function, x);
  const DoubleDouble y = apply(function, x);
  return y.hi + y.lo;
}

/// `saturate(roundHalfEven(y / scale))`, where saturation leaves ample room for
/// every zero point. NaN gives 0.
static double toSteps(DoubleDouble y, double scale) {
  const double most = 0x1p40;
  if (std::isnan(y.hi))
    return 0;
  if (y.hi > most * scale)
    return most;
  if (y.hi < -most * scale)
    return -most;
  return roundHalfEven(y / DoubleDouble(scale));
}

std::vector<int16_t> numerics::buildTable(llvm::ArrayRef<ScalarFunction> chain,
                                          const QuantParams &in,
                                          const QuantParams &out) {
  std::vector<int16_t> table;
  for (int32_t q = in.qmin; q <= in.qmax; ++q) {
    DoubleDouble y =
        static_cast<double>(in.scale) * static_cast<double>(q - in.zeroPoint);
    for (const ScalarFunction &function : chain)
      y = isHuge(y.hi) ? DoubleDouble(applyHuge(function, y.hi))
                       : apply(function, y);
    const double steps = toSteps(y, out.scale);
    table.push_back(static_cast<int16_t>(
        std::clamp(steps + out.zeroPoint, static_cast<double>(out.qmin),
                   static_cast<double>(out.qmax))));
  }
  return table;
}
