// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each scalar function as vector arithmetic.

#include "FloatChain.h"
#include "Arith.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include <cmath>

namespace mlir::qopt::codegen {
namespace {

using arith::CmpFPredicate;

Value constantLike(KernelBuilder &k, Value x, double value) {
  return k.constantF(x.getType(), static_cast<float>(value));
}

/// 1 where `x predicate c`, else 0.
Value indicator(KernelBuilder &k, CmpFPredicate predicate, Value x, double c) {
  Value holds = compare(k, predicate, x, constantLike(k, x, c));
  return select(k, holds, constantLike(k, x, 1), constantLike(k, x, 0));
}

Value isZero(KernelBuilder &k, Value x) {
  return compare(k, CmpFPredicate::OEQ, x, constantLike(k, x, 0));
}

Value reciprocal(KernelBuilder &k, Value x) {
  Value quotient = divF(k, constantLike(k, x, 1), x);
  return select(k, isZero(k, x), constantLike(k, x, INFINITY), quotient);
}

Value wholePower(KernelBuilder &k, Value x, double exponent) {
  Value power;
  for (auto n = static_cast<unsigned>(std::fabs(exponent)); n != 0; n >>= 1) {
    if (n & 1)
      power = power ? mulF(k, power, x) : x;
    if (n > 1)
      x = mulF(k, x, x);
  }
  if (!power)
    return constantLike(k, x, 1);
  return exponent < 0 ? reciprocal(k, power) : power;
}

Value power(KernelBuilder &k, Value x, double exponent) {
  bool isWhole = exponent == std::floor(exponent);
  if (isWhole && std::fabs(exponent) <= 64)
    return wholePower(k, x, exponent);
  if (exponent == 0.5)
    return floatSqrt(k, x);
  Value log = floatLog(k, isWhole ? floatAbs(k, x) : x);
  Value result = floatExp(k, mulF(k, log, constantLike(k, x, exponent)));
  if (!isWhole)
    return floatNaNBelowZero(k, x, result);
  if (std::fmod(exponent, 2) == 0)
    return result;
  result = floatWithSign(k, result, x);
  // The limit at 0 is that from above.
  return select(k, isZero(k, x), floatAbs(k, result), result);
}

Value elu(KernelBuilder &k, Value x, double alpha, double divisor) {
  Value argument = divisor == 1 ? x : divF(k, x, constantLike(k, x, divisor));
  Value negative =
      mulF(k, floatExpMinusOne(k, argument), constantLike(k, x, alpha));
  Value isNegative = compare(k, CmpFPredicate::OLT, x, constantLike(k, x, 0));
  return select(k, isNegative, negative, x);
}

Value apply(KernelBuilder &k, Value x, FnAttr fn) {
  auto param = [&](unsigned i) {
    return constantLike(k, x, fn.getParams()[i]);
  };
  switch (fn.getFunction()) {
  case Function::Relu:
  case Function::Clip:
    return floatClamp(k, x, fn.getClampMin(), fn.getClampMax());
  case Function::LeakyRelu: {
    Value negative = compare(k, CmpFPredicate::OLT, x, constantLike(k, x, 0));
    return select(k, negative, mulF(k, x, param(0)), x);
  }
  case Function::Sigmoid:
    return floatSigmoid(k, x);
  case Function::Tanh:
    return floatTanh(k, x);
  case Function::HardSigmoid:
    return floatClamp(k, fma(k, x, param(0), param(1)), 0, 1);
  case Function::HardSwish: {
    Value gate =
        fma(k, x, constantLike(k, x, 1.0f / 6.0f), constantLike(k, x, 0.5));
    return mulF(k, x, floatClamp(k, gate, 0, 1));
  }
  case Function::Affine:
    // 0 x is 0 for an infinite x, too.
    return fn.getParams()[0] == 0 ? param(1) : fma(k, x, param(0), param(1));
  case Function::Elu:
    return elu(k, x, fn.getParams()[0], fn.getParams()[1]);
  case Function::Softplus:
    return floatSoftplus(k, x);
  case Function::Erf:
    return floatErf(k, x);
  case Function::Exp:
    return floatExp(k, x);
  case Function::Log:
    return floatLog(k, x);
  case Function::Sqrt:
    return floatSqrt(k, x);
  case Function::Reciprocal:
    return reciprocal(k, x);
  case Function::Pow:
    return power(k, x, fn.getParams()[0]);
  case Function::Abs:
    return floatAbs(k, x);
  case Function::Sign:
    return subF(k, indicator(k, CmpFPredicate::OGT, x, 0),
                indicator(k, CmpFPredicate::OLT, x, 0));
  case Function::Floor:
    return floatFloor(k, x);
  case Function::Ceil: {
    Value zero = constantLike(k, x, 0);
    return subF(k, zero, floatFloor(k, subF(k, zero, x)));
  }
  case Function::Round:
    return floatRound(k, x);
  case Function::Greater:
    return indicator(k, CmpFPredicate::OGT, x, fn.getParams()[0]);
  case Function::GreaterOrEqual:
    return indicator(k, CmpFPredicate::OGE, x, fn.getParams()[0]);
  case Function::Equal:
    return indicator(k, CmpFPredicate::OEQ, x, fn.getParams()[0]);
  case Function::Sin:
    return floatSin(k, x, /*quarters=*/0);
  case Function::Cos:
    return floatSin(k, x, /*quarters=*/1);
  case Function::Atan:
    return floatAtan(k, x);
  default:
    return x;
  }
}

/// The product, 0 where a factor is.
Value multiply(KernelBuilder &k, Value a, Value b) {
  Value zero = orI(k, isZero(k, a), isZero(k, b));
  return select(k, zero, constantLike(k, a, 0), mulF(k, a, b));
}

/// The quotient; by 0, infinity of the dividend's sign or, of 0, 0.
Value divide(KernelBuilder &k, Value a, Value b) {
  Value infinity = floatWithSign(k, constantLike(k, a, INFINITY), a);
  Value limit = select(k, isZero(k, a), constantLike(k, a, 0), infinity);
  return select(k, isZero(k, b), limit, divF(k, a, b));
}

Value combine(KernelBuilder &k, Function function, Value a, Value b) {
  switch (function) {
  case Function::Add:
    return addF(k, a, b);
  case Function::Sub:
    return subF(k, a, b);
  case Function::Mul:
    return multiply(k, a, b);
  case Function::Div:
    return divide(k, a, b);
  case Function::Min:
    return floatMin(k, a, b);
  default:
    return floatMax(k, a, b);
  }
}

} // namespace

Value floatChain(KernelBuilder &k, Value x, ArrayAttr functions) {
  SmallVector<Value> stack;
  for (auto fn : functions.getAsRange<FnAttr>()) {
    Function function = fn.getFunction();
    if (function == Function::Push)
      stack.push_back(x);
    else if (function == Function::Swap)
      std::swap(x, stack.back());
    else if (fn.getScalarFunction().getPops() == 1)
      x = combine(k, function, stack.pop_back_val(), x);
    else
      x = apply(k, x, fn);
  }
  return x;
}

} // namespace mlir::qopt::codegen
