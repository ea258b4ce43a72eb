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

DoubleDouble numerics::expDoubleDouble(DoubleDouble x) {
  // ln 2 in three parts of which the first leaves products with |k| < 2^11
  // exact.
  const double ln2High = 0x1.62e42fefa0000p-1;
  const double ln2Mid = 0x1.cf79abc9e3b39p-40;
  const double ln2Low = 0x1.007e5ed5e81e7p-93;
  const double k = roundHalfEven(x.hi * 0x1.71547652b82fep+0);
  DoubleDouble r = x - DoubleDouble(k * ln2High);
  r = r - twoProduct(k, ln2Mid);
  r = r - DoubleDouble(k * ln2Low);
  // exp(r) = exp(r / 2^9)^(2^9); |r / 2^9| < 2^-10, so 11 Taylor terms leave
  // an error below 2^-130. The sum omits the 1 so that squaring,
  // (1 + p)^2 - 1 = 2 p + p^2, keeps its low bits.
  const int squarings = 9;
  r = r * DoubleDouble(0x1p-9);
  DoubleDouble p = r;
  DoubleDouble term = r;
  for (int n = 2; n <= 11; ++n) {
    term = term * r / DoubleDouble(static_cast<double>(n));
    p = p + term;
  }
  for (int i = 0; i < squarings; ++i)
    p = p * DoubleDouble(2.0) + p * p;
  p = p + DoubleDouble(1.0);
  const int exponent = static_cast<int>(k);
  return {std::ldexp(p.hi, exponent), std::ldexp(p.lo, exponent)};
}

double numerics::expDouble(double x) {
  if (std::isnan(x))
    return x;
  if (x > 709.7827128933840)
    return std::numeric_limits<double>::infinity();
  if (x < -745.2)
    return 0;
  if (x >= -700 && x <= 700)
    return expDoubleDouble(x).hi;
  // Near the ends of the exponent range: half the argument, squared.
  const double root = expDoubleDouble(x / 2).hi;
  return root * root;
}

static DoubleDouble sigmoid(DoubleDouble x) {
  if (x.hi < -700)
    return 0.0;
  if (x.hi > 700)
    return 1.0;
  if (x.hi < 0) {
    const DoubleDouble e = expDoubleDouble(x);
    return e / (DoubleDouble(1.0) + e);
  }
  return DoubleDouble(1.0) / (DoubleDouble(1.0) + expDoubleDouble(-x));
}

static DoubleDouble tanh(DoubleDouble x) {
  if (x.hi < 0)
    return -tanh(-x);
  if (x.hi > 300)
    return 1.0;
  if (x.hi < 0x1p-12) {
    // The series to x^9; the next term is below 2^-120 of x.
    const DoubleDouble s = x * x;
    DoubleDouble sum = DoubleDouble(62.0) / DoubleDouble(2835.0);
    sum = sum * s - DoubleDouble(17.0) / DoubleDouble(315.0);
    sum = sum * s + DoubleDouble(2.0) / DoubleDouble(15.0);
    sum = sum * s - DoubleDouble(1.0) / DoubleDouble(3.0);
    return x + x * (s * sum);
  }
  const DoubleDouble e = expDoubleDouble(x * DoubleDouble(2.0));
  return (e - DoubleDouble(1.0)) / (e + DoubleDouble(1.0));
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
  switch (function.kind) {
  case Kind::Relu:
    return x < 0 ? 0 : x;
  case Kind::Clip:
    return std::min(std::max(x, function.a), function.b);
  case Kind::LeakyRelu:
    return x < 0 ? function.a * x : x;
  case Kind::Sigmoid:
    return x < 0 ? 0 : 1;
  case Kind::Tanh:
    return x < 0 ? -1 : 1;
  case Kind::HardSigmoid:
    return std::min(std::max(function.a * x + function.b, 0.0), 1.0);
  case Kind::HardSwish:
    return x < 0 ? 0 : x;
  case Kind::Affine:
    return function.a * x + function.b;
  }
  return x;
}

/// Beyond this, Dekker's product overflows; below its inverse it loses bits.
static bool isHuge(double x) { return !(x > -0x1p400 && x < 0x1p400); }

double numerics::evaluate(const ScalarFunction &function, double x) {
  if (std::isnan(x))
    return x;
  if (isHuge(x))
    return applyHuge(function, x);
  const DoubleDouble y = apply(function, x);
  return y.hi + y.lo;
}

std::vector<int16_t> numerics::buildTable(llvm::ArrayRef<ScalarFunction> chain,
                                          const QuantParams &in,
                                          const QuantParams &out) {
  std::vector<int16_t> table;
  table.reserve(in.qmax - in.qmin + 1);
  for (int32_t q = in.qmin; q <= in.qmax; ++q) {
    DoubleDouble y =
        static_cast<double>(in.scale) * static_cast<double>(q - in.zeroPoint);
    for (const ScalarFunction &function : chain)
      y = isHuge(y.hi) ? DoubleDouble(applyHuge(function, y.hi))
                       : apply(function, y);
    // An entry beyond the output's range saturates whatever its exact value.
    const double limit = 0x1p40 * static_cast<double>(out.scale);
    double steps;
    if (y.hi > limit || y.hi < -limit || std::isnan(y.hi))
      steps = y.hi > 0 ? 0x1p40 : (y.hi < 0 ? -0x1p40 : 0);
    else
      steps = roundHalfEven(y / DoubleDouble(out.scale));
    table.push_back(static_cast<int16_t>(
        std::clamp(steps + out.zeroPoint, static_cast<double>(out.qmin),
                   static_cast<double>(out.qmax))));
  }
  return table;
}
