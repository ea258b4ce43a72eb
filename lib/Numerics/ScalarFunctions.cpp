// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chains of scalar functions in double-double arithmetic and their tables.

#include "qopt/Numerics/ScalarFunctions.h"
#include "Elementary.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

using Kind = ScalarFunction::Kind;

static constexpr double infinity = std::numeric_limits<double>::infinity();

int ScalarFunction::getPops() const {
  switch (kind) {
  case Kind::Swap:
  case Kind::Add:
  case Kind::Sub:
  case Kind::Mul:
  case Kind::Div:
  case Kind::Min:
  case Kind::Max:
    return 1;
  default:
    return 0;
  }
}

int ScalarFunction::getPushes() const {
  return kind == Kind::Push || kind == Kind::Swap ? 1 : 0;
}

bool numerics::isBalanced(llvm::ArrayRef<ScalarFunction> chain) {
  int depth = 0;
  for (const ScalarFunction &function : chain) {
    depth -= function.getPops();
    if (depth < 0)
      return false;
    depth += function.getPushes();
  }
  return depth == 0;
}

/// Beyond this, Dekker's product overflows; below its inverse it loses bits.
/// NaN is huge, too.
static bool isHuge(double x) { return !(x > -0x1p400 && x < 0x1p400); }

//===----------------------------------------------------------------------===//
// Two values. What no real number is goes to the limit: 0 times anything is 0,
// a division by 0 gives infinity of the dividend's sign and 0 / 0 is 0.
//===----------------------------------------------------------------------===//

static DoubleDouble multiply(DoubleDouble a, DoubleDouble b) {
  if (a.hi == 0 || b.hi == 0)
    return 0.0;
  if (isHuge(a.hi) || isHuge(b.hi) || isHuge(a.hi * b.hi))
    return a.hi * b.hi;
  return a * b;
}

static DoubleDouble divide(DoubleDouble a, DoubleDouble b) {
  if (b.hi == 0)
    return a.hi == 0 ? 0.0 : std::copysign(infinity, a.hi);
  if (isHuge(a.hi) || isHuge(b.hi) || isHuge(a.hi / b.hi))
    return a.hi / b.hi;
  return a / b;
}

static DoubleDouble applyBinary(Kind kind, DoubleDouble a, DoubleDouble b) {
  switch (kind) {
  case Kind::Add:
    return isHuge(a.hi) || isHuge(b.hi) ? DoubleDouble(a.hi + b.hi) : a + b;
  case Kind::Sub:
    return isHuge(a.hi) || isHuge(b.hi) ? DoubleDouble(a.hi - b.hi) : a - b;
  case Kind::Mul:
    return multiply(a, b);
  case Kind::Div:
    return divide(a, b);
  case Kind::Min:
    return b < a ? b : a;
  default:
    return a < b ? b : a;
  }
}

//===----------------------------------------------------------------------===//
// One value
//===----------------------------------------------------------------------===//

/// `min(max(x, lo), hi)`; an infinite end is no end.
static DoubleDouble clampTo(DoubleDouble x, double lo, double hi) {
  const DoubleDouble raised = x < DoubleDouble(lo) ? DoubleDouble(lo) : x;
  return DoubleDouble(hi) < raised ? DoubleDouble(hi) : raised;
}

static DoubleDouble elu(DoubleDouble x, double alpha, double divisor) {
  if (!(x < DoubleDouble(0.0)))
    return x;
  const DoubleDouble argument = divide(x, divisor);
  if (isHuge(argument.hi))
    return std::signbit(argument.hi) ? DoubleDouble(-alpha)
                                     : multiply(alpha, infinity);
  return multiply(expMinusOne(argument), alpha);
}

/// `x^exponent` by repeated squaring, exact while 106 bits hold it.
static DoubleDouble wholePower(DoubleDouble x, double exponent) {
  DoubleDouble power(1.0);
  for (auto n = static_cast<unsigned>(std::fabs(exponent)); n != 0; n >>= 1) {
    if (n & 1)
      power = multiply(power, x);
    x = multiply(x, x);
  }
  return exponent < 0 ? divide(1.0, power) : power;
}

/// Where the power is not real, `x` counts as 0.
static DoubleDouble pow(DoubleDouble x, double exponent) {
  if (std::isnan(x.hi))
    return x;
  const bool isWhole = exponent == std::floor(exponent);
  if (x.hi <= 0 && (x.hi == 0 || !isWhole))
    return exponent < 0 ? infinity : exponent == 0 ? 1.0 : 0.0;
  if (isWhole && std::fabs(exponent) <= 64)
    return wholePower(x, exponent);
  if (std::isinf(x.hi) && x.hi > 0)
    return exponent < 0 ? 0.0 : infinity;
  if (exponent == 0.5)
    return squareRoot(x);
  if (x.hi < 0) {
    const DoubleDouble magnitude = pow(-x, exponent);
    return std::fmod(exponent, 2) == 0 ? magnitude : -magnitude;
  }
  const DoubleDouble argument = multiply(logDoubleDouble(x), exponent);
  return isHuge(argument.hi) ? DoubleDouble(argument.hi < 0 ? 0.0 : infinity)
                             : expDoubleDouble(argument);
}

/// Functions of values up to 2^400.
static DoubleDouble apply(const ScalarFunction &function, DoubleDouble x) {
  const DoubleDouble zero(0.0), one(1.0);
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
  case Kind::Elu:
    return elu(x, function.a, function.b);
  case Kind::Softplus:
    return softplus(x);
  case Kind::Erf:
    return erf(x);
  case Kind::Exp:
    return expDoubleDouble(x);
  case Kind::Log:
    return x.hi <= 0 ? DoubleDouble(-infinity) : logDoubleDouble(x);
  case Kind::Sqrt:
    return x.hi <= 0 ? zero : squareRoot(x);
  case Kind::Reciprocal:
    return divide(one, x);
  case Kind::Pow:
    return pow(x, function.a);
  case Kind::Abs:
    return x < zero ? -x : x;
  case Kind::Sign:
    return x.hi == 0 ? 0.0 : std::copysign(1.0, x.hi);
  case Kind::Floor:
    return floorOf(x);
  case Kind::Ceil:
    return -floorOf(-x);
  case Kind::Round:
    return std::fabs(x.hi) < 0x1p50 ? DoubleDouble(roundHalfEven(x)) : x;
  case Kind::Greater:
    return DoubleDouble(function.a) < x ? one : zero;
  case Kind::GreaterOrEqual:
    return x < DoubleDouble(function.a) ? zero : one;
  case Kind::Equal:
    return x.hi == function.a && x.lo == 0 ? one : zero;
  case Kind::Sin:
    return sine(x);
  case Kind::Cos:
    return cosine(x);
  case Kind::Atan:
    return arctangent(x);
  default:
    return x;
  }
}

/// What `function` gives where double-double arithmetic would overflow.
static double applyHuge(const ScalarFunction &function, double x) {
  if (std::isnan(x))
    return x;
  const bool negative = std::signbit(x);
  switch (function.kind) {
  case Kind::Relu:
  case Kind::HardSwish:
  case Kind::Softplus:
    return negative ? 0 : x;
  case Kind::Clip:
    return std::min(std::max(x, function.a), function.b);
  case Kind::LeakyRelu:
    return negative ? function.a * x : x;
  case Kind::Sigmoid:
    return negative ? 0 : 1;
  case Kind::Tanh:
  case Kind::Erf:
  case Kind::Sign:
    return negative ? -1 : 1;
  case Kind::HardSigmoid:
    return std::min(std::max(function.a * x + function.b, 0.0), 1.0);
  case Kind::Affine:
    return function.a == 0 ? function.b : function.a * x + function.b;
  case Kind::Elu:
    return elu(x, function.a, function.b).hi;
  case Kind::Exp:
    return negative ? 0 : infinity;
  case Kind::Log:
    return negative ? -infinity : std::isinf(x) ? x : logDoubleDouble(x).hi;
  case Kind::Sqrt:
    return negative ? 0 : std::sqrt(x);
  case Kind::Reciprocal:
    return 1 / x;
  case Kind::Abs:
    return std::fabs(x);
  case Kind::Greater:
    return x > function.a;
  case Kind::GreaterOrEqual:
    return x >= function.a;
  case Kind::Equal:
    return x == function.a;
  case Kind::Sin:
    return 0;
  case Kind::Cos:
    return 1;
  case Kind::Atan:
    return std::copysign(halfPi.hi, x);
  default:
    return x;
  }
}

/// Whether `function` of `x` is no real number and no limit of one at `x`.
static bool hasNoValue(const ScalarFunction &function, DoubleDouble x) {
  switch (function.kind) {
  case Kind::Log:
  case Kind::Sqrt:
    return x.hi < 0;
  case Kind::Pow:
    return x.hi < 0 && function.a != std::floor(function.a);
  default:
    return false;
  }
}

/// What stands where there is no value.
enum class NoValue { NaN, Limit };

/// One step of a chain; `x` and the stack are its state.
static void step(const ScalarFunction &function, NoValue noValue,
                 DoubleDouble &x, llvm::SmallVectorImpl<DoubleDouble> &stack) {
  if (function.kind == Kind::Push)
    return stack.push_back(x);
  if (function.getPops() == 1) {
    if (stack.empty())
      return;
    const DoubleDouble top = stack.pop_back_val();
    if (function.kind == Kind::Swap) {
      stack.push_back(x);
      x = top;
    } else if (function.kind == Kind::Mul && (x.hi == 0 || top.hi == 0)) {
      x = 0.0;
    } else if (std::isnan(x.hi) || std::isnan(top.hi)) {
      x = std::numeric_limits<double>::quiet_NaN();
    } else {
      x = applyBinary(function.kind, top, x);
    }
  } else if (noValue == NoValue::NaN && hasNoValue(function, x)) {
    x = std::numeric_limits<double>::quiet_NaN();
  } else if (function.kind != Kind::Pow && isHuge(x.hi)) {
    x = applyHuge(function, x.hi);
  } else {
    x = apply(function, x);
  }
  // An infinite sum has no exact rest.
  if (!std::isfinite(x.hi))
    x.lo = 0;
}

static DoubleDouble evaluateChain(llvm::ArrayRef<ScalarFunction> chain,
                                  double start, NoValue noValue) {
  DoubleDouble x = start;
  llvm::SmallVector<DoubleDouble, 4> stack;
  for (const ScalarFunction &function : chain)
    step(function, noValue, x, stack);
  return x;
}

double numerics::evaluate(llvm::ArrayRef<ScalarFunction> chain, double x) {
  const DoubleDouble y = evaluateChain(chain, x, NoValue::NaN);
  return y.hi + y.lo;
}

double numerics::evaluateOrLimit(llvm::ArrayRef<ScalarFunction> chain,
                                 double x) {
  const DoubleDouble y = evaluateChain(chain, x, NoValue::Limit);
  return std::isnan(y.hi) ? 0 : y.hi + y.lo;
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
    const double x =
        static_cast<double>(in.scale) * static_cast<double>(q - in.zeroPoint);
    const double steps =
        toSteps(evaluateChain(chain, x, NoValue::Limit), out.scale);
    table.push_back(static_cast<int16_t>(
        std::clamp(steps + out.zeroPoint, static_cast<double>(out.qmin),
                   static_cast<double>(out.qmax))));
  }
  return table;
}
