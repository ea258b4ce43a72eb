// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Range reduction and minimax polynomials (Remez, relative error below 2^-26
// for each) behind the float kernels' elementary functions.

#include "qopt/Codegen/Kernels/FloatMath.h"
#include "Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <cmath>

namespace mlir::qopt::codegen {
namespace {

using arith::CmpFPredicate;

/// i32 of the same shape as the vector type `type`.
Type intLike(Type type) {
  return VectorType::get(cast<VectorType>(type).getShape(),
                         IntegerType::get(type.getContext(), 32));
}

/// `coefficients[0] + coefficients[1] x + ...` by Horner's rule.
Value polynomial(KernelBuilder &k, Value x, ArrayRef<float> coefficients) {
  Type type = x.getType();
  Value sum = k.constantF(type, coefficients.back());
  for (float c : llvm::reverse(coefficients.drop_back()))
    sum = fma(k, sum, x, k.constantF(type, c));
  return sum;
}

/// `2^n` for i32 `n` in [-126, 127].
Value powerOfTwo(KernelBuilder &k, Value n, Type type) {
  Value biased = addI(k, n, 127);
  Value bits = shiftLeft(k, biased, 23);
  return bitsAs(k, bits, type);
}

/// `e^x = (1 + fraction) 2^exponent`.
struct Exponential {
  Value fraction;
  /// i32.
  Value exponent;
};

/// For `|x| <= 104`.
Exponential reduceExp(KernelBuilder &k, Value x) {
  Type type = x.getType(), ints = intLike(type);
  // Adding 1.5 * 2^23 leaves the nearest integer in the low mantissa bits.
  Value magic = k.constantF(type, 0x1.8p23f);
  Value shifted = fma(k, x, k.constantF(type, 0x1.715476p0f), magic);
  Value rounded = subF(k, shifted, magic);
  Value n = subI(k, bitsAs(k, shifted, ints), bitsAs(k, magic, ints));
  // ln 2 in two parts; the first has trailing zeros, so its product is exact.
  Value r = fma(k, rounded, k.constantF(type, -0x1.62e400p-1f), x);
  r = fma(k, rounded, k.constantF(type, -0x1.7f7d1cp-20f), r);
  // (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2.
  Value tail = polynomial(k, r,
                          {0.5f, 0.16666576266288757f, 0.04166685417294502f,
                           0.008363200351595879f, 0.0013901309575885534f});
  return {fma(k, mulF(k, r, r), tail, r), n};
}

} // namespace

Value floatAbs(KernelBuilder &k, Value x) {
  Type ints = intLike(x.getType());
  Value bits = bitsAs(k, x, ints);
  Value kept = andI(k, bits, 0x7fffffff);
  return bitsAs(k, kept, x.getType());
}

Value floatWithSign(KernelBuilder &k, Value magnitude, Value x) {
  Type ints = intLike(x.getType());
  Value bits = bitsAs(k, x, ints);
  Value sign = andI(k, bits, INT32_MIN);
  Value value = bitsAs(k, magnitude, ints);
  return bitsAs(k, orI(k, value, sign), x.getType());
}

Value fma(KernelBuilder &k, Value x, Value y, Value z) {
  return vector::FMAOp::create(k.b, k.loc, x, y, z);
}

Value floatMax(KernelBuilder &k, Value x, Value y) {
  Value greater = compare(k, CmpFPredicate::OGT, x, y);
  return select(k, greater, x, y);
}

Value floatMin(KernelBuilder &k, Value x, Value y) {
  Value less = compare(k, CmpFPredicate::OLT, x, y);
  return select(k, less, x, y);
}

Value floatClamp(KernelBuilder &k, Value x, double low, double high) {
  if (low != -INFINITY)
    x = floatMax(k, x, k.constantF(x.getType(), static_cast<float>(low)));
  if (high != INFINITY)
    x = floatMin(k, x, k.constantF(x.getType(), static_cast<float>(high)));
  return x;
}

Value floatNaNBelowZero(KernelBuilder &k, Value x, Value value) {
  Type type = x.getType();
  Value negative = compare(k, CmpFPredicate::OLT, x, k.constantF(type, 0.0f));
  return select(k, negative, k.constantF(type, NAN), value);
}

Value floatExp(KernelBuilder &k, Value x) {
  Type type = x.getType();
  // Beyond these the result is 0 or infinity, and n stays in [-151, 129].
  x = floatMax(k, x, k.constantF(type, -104.0f));
  x = floatMin(k, x, k.constantF(type, 89.0f));
  Exponential e = reduceExp(k, x);
  Value result = addF(k, k.constantF(type, 1.0f), e.fraction);
  // Two factors, since 2^n alone may be subnormal or too large.
  Value half = shiftRight(k, e.exponent, 1);
  Value rest = subI(k, e.exponent, half);
  result = mulF(k, result, powerOfTwo(k, half, type));
  return mulF(k, result, powerOfTwo(k, rest, type));
}

Value floatExpMinusOne(KernelBuilder &k, Value x) {
  Type type = x.getType();
  // Below, the result is -1; above, infinity.
  x = floatMax(k, x, k.constantF(type, -30.0f));
  Value large = floatExp(k, x);
  Exponential e = reduceExp(k, floatMin(k, x, k.constantF(type, 40.0f)));
  Value power = powerOfTwo(k, e.exponent, type);
  Value whole = subF(k, power, k.constantF(type, 1.0f));
  Value small = fma(k, power, e.fraction, whole);
  Value isLarge = compare(k, CmpFPredicate::OGT, x, k.constantF(type, 20.0f));
  return select(k, isLarge, large, small);
}

/// `2 atanh s`, that is `ln((1 + s) / (1 - s))`; `|s| <= 1/3`.
static Value twiceAtanh(KernelBuilder &k, Value s) {
  Type type = s.getType();
  Value z = mulF(k, s, s);
  Value p = polynomial(k, z,
                       {0x1.555558p-1f, 0x1.9996d8p-2f, 0x1.25051p-2f,
                        0x1.b72bb6p-3f, 0x1.f08b0cp-3f});
  return mulF(k, s, fma(k, z, p, k.constantF(type, 2.0f)));
}

Value floatLog(KernelBuilder &k, Value x) {
  Type type = x.getType(), ints = intLike(type);
  Value zero = k.constantF(type, 0.0f), one = k.constantF(type, 1.0f);
  Value infinity = k.constantF(type, INFINITY);
  Value tiny = compare(k, CmpFPredicate::OLT, x, k.constantF(type, 0x1p-126f));
  Value scaled = mulF(k, x, k.constantF(type, 0x1p23f));
  Value bits = bitsAs(k, select(k, tiny, scaled, x), ints);
  // The mantissa lies in [sqrt(1/2), sqrt(2)).
  Value n = shiftRight(k, subI(k, bits, 0x3f3504f3), 23);
  Value m = bitsAs(k, subI(k, bits, shiftLeft(k, n, 23)), type);
  Value f = subF(k, m, one);
  Value rest = twiceAtanh(k, divF(k, f, addF(k, f, k.constantF(type, 2.0f))));
  Value exponent = arith::SIToFPOp::create(k.b, k.loc, type, n);
  exponent =
      select(k, tiny, subF(k, exponent, k.constantF(type, 23.0f)), exponent);
  // ln 2 in two parts; the first has trailing zeros, so its product is exact.
  Value low = fma(k, exponent, k.constantF(type, 0x1.7f7d1cp-20f), rest);
  Value result = fma(k, exponent, k.constantF(type, 0x1.62e400p-1f), low);
  Value isZero = compare(k, CmpFPredicate::OEQ, x, zero);
  result = select(k, isZero, k.constantF(type, -INFINITY), result);
  Value finite = compare(k, CmpFPredicate::OLT, x, infinity);
  return floatNaNBelowZero(k, x, select(k, finite, result, infinity));
}

Value floatSoftplus(KernelBuilder &k, Value x) {
  Type type = x.getType();
  Value zero = k.constantF(type, 0.0f), two = k.constantF(type, 2.0f);
  Value e = floatExp(k, subF(k, zero, floatAbs(k, x)));
  // e / (e + 2) would lose the last bits of a subnormal e.
  Value rest = twiceAtanh(k, divF(k, e, addF(k, e, two)));
  Value tail = compare(k, CmpFPredicate::OLT, e, k.constantF(type, 0x1p-26f));
  return addF(k, floatMax(k, x, zero), select(k, tail, e, rest));
}

Value floatErf(KernelBuilder &k, Value x) {
  Type type = x.getType();
  Value one = k.constantF(type, 1.0f), zero = k.constantF(type, 0.0f);
  Value magnitude = floatAbs(k, x);
  // Large: 1 - e^-g, g = -ln(1 - erf x) on [0.9, 4]; erf 4 rounds to 1.
  Value g = polynomial(k, floatMin(k, magnitude, k.constantF(type, 4.0f)),
                       {0x1.5d326cp-13f, 0x1.20b74ep+0f, 0x1.4621c6p-1f,
                        0x1.aa72dep-4f, -0x1.6d9c82p-6f, 0x1.91cca6p-9f,
                        -0x1.9fb2ecp-13f});
  Value tail = floatExp(k, subF(k, zero, g));
  Value large = floatWithSign(k, subF(k, one, tail), x);
  // Small: erf x / x - 1 on x^2 <= 0.9^2.
  Value p = polynomial(k, mulF(k, x, x),
                       {0x1.06eba8p-3f, -0x1.812740p-2f, 0x1.ce2d60p-4f,
                        -0x1.b8007ep-6f, 0x1.54423ep-8f, -0x1.a5b7c4p-11f,
                        0x1.4e382ap-14f});
  Value small = fma(k, x, p, x);
  Value isSmall =
      compare(k, CmpFPredicate::OLT, magnitude, k.constantF(type, 0.9f));
  return select(k, isSmall, small, large);
}

/// `x - count step`, computed in f64.
static Value lessMultiples(KernelBuilder &k, Value x, Value count,
                           double step) {
  auto wide = VectorType::get(cast<VectorType>(x.getType()).getShape(),
                              k.b.getF64Type());
  auto widen = [&](Value value) -> Value {
    return arith::ExtFOp::create(k.b, k.loc, wide, value);
  };
  Value steps =
      arith::ConstantOp::create(k.b, k.loc, DenseElementsAttr::get(wide, step));
  Value rest = subF(k, widen(x), mulF(k, widen(count), steps));
  return arith::TruncFOp::create(k.b, k.loc, x.getType(), rest);
}

Value floatSin(KernelBuilder &k, Value x, int quarters) {
  Type type = x.getType(), ints = intLike(type);
  Value one = k.constantF(type, 1.0f), zero = k.constantF(type, 0.0f);
  Value isHuge = compare(k, CmpFPredicate::OGE, floatAbs(k, x),
                         k.constantF(type, 0x1p22f));
  x = select(k, isHuge, zero, x);
  // As in reduceExp.
  Value magic = k.constantF(type, 0x1.8p23f);
  Value shifted = fma(k, x, k.constantF(type, 0x1.45f306p-1f), magic);
  Value rounded = subF(k, shifted, magic);
  Value n = subI(k, bitsAs(k, shifted, ints), bitsAs(k, magic, ints));
  Value r = lessMultiples(k, x, rounded, 1.57079632679489661923);
  Value z = mulF(k, r, r);
  // (sin r / r - 1) / r^2 and (cos r - 1 + r^2 / 2) / r^4 on |r| <= 0.92: for
  // large x, `rounded` is not always the nearest multiple.
  Value p = polynomial(
      k, z,
      {-0x1.555556p-3f, 0x1.1110fap-7f, -0x1.a00646p-13f, 0x1.6aee80p-19f});
  Value sine = fma(k, mulF(k, r, z), p, r);
  Value q =
      polynomial(k, z, {0x1.55553ap-5f, -0x1.6c039ap-10f, 0x1.97c3b0p-16f});
  Value head = fma(k, z, k.constantF(type, -0.5f), one);
  Value cosine = fma(k, mulF(k, z, z), q, head);
  Value quadrant = addI(k, n, quarters);
  Value isOdd = compare(k, arith::CmpIPredicate::ne, andI(k, quadrant, 1),
                        k.constant(ints, 0));
  Value value = bitsAs(k, select(k, isOdd, cosine, sine), ints);
  Value sign = shiftLeft(k, andI(k, quadrant, 2), 30);
  return bitsAs(k, xorI(k, value, sign), type);
}

Value floatAtan(KernelBuilder &k, Value x) {
  Type type = x.getType();
  Value one = k.constantF(type, 1.0f), magnitude = floatAbs(k, x);
  Value isLarge = compare(k, CmpFPredicate::OGT, magnitude, one);
  Value t = select(k, isLarge, divF(k, one, magnitude), magnitude);
  // (atan t / t - 1) / t^2 on t^2 <= 1.
  Value z = mulF(k, t, t);
  Value p = polynomial(k, z,
                       {-0x1.55553ep-2f, 0x1.9991fep-3f, -0x1.2421b6p-3f,
                        0x1.c099fep-4f, -0x1.58348ep-4f, 0x1.dac9dcp-5f,
                        -0x1.fed150p-6f, 0x1.65a64cp-7f, -0x1.d62fd2p-10f});
  Value small = fma(k, mulF(k, t, z), p, t);
  Value large = subF(k, k.constantF(type, 0x1.921fb6p+0f), small);
  return floatWithSign(k, select(k, isLarge, large, small), x);
}

Value floatSqrt(KernelBuilder &k, Value x) {
  // The sign of the NaN that instructions give differs between machines.
  Value positive = floatMax(k, x, k.constantF(x.getType(), 0.0f));
  Value root = LLVM::SqrtOp::create(k.b, k.loc, positive);
  return floatNaNBelowZero(k, x, root);
}

Value floatRound(KernelBuilder &k, Value x) {
  Type type = x.getType();
  // A sum beyond 2^23 has no fraction bits; from there on x has none.
  Value magic = floatWithSign(k, k.constantF(type, 0x1p23f), x);
  Value rounded = subF(k, addF(k, x, magic), magic);
  Value hasFraction = compare(k, CmpFPredicate::OLT, floatAbs(k, x),
                              k.constantF(type, 0x1p23f));
  return select(k, hasFraction, rounded, x);
}

Value floatFloor(KernelBuilder &k, Value x) {
  Value rounded = floatRound(k, x);
  Value less = subF(k, rounded, k.constantF(x.getType(), 1.0f));
  Value above = compare(k, CmpFPredicate::OGT, rounded, x);
  return select(k, above, less, rounded);
}

Value floatTanh(KernelBuilder &k, Value x) {
  Type type = x.getType();
  Value one = k.constantF(type, 1.0f), two = k.constantF(type, 2.0f);
  Value magnitude = floatAbs(k, x);
  // Large: 1 - 2 / (e^(2|x|) + 1).
  Value e = floatExp(k, addF(k, magnitude, magnitude));
  Value quotient = divF(k, two, addF(k, e, one));
  Value large = floatWithSign(k, subF(k, one, quotient), x);
  // Small: (tanh x / x - 1) / x^2 on x^2 <= 0.625^2.
  Value z = mulF(k, x, x);
  Value p = polynomial(k, z,
                       {-0x1.555552p-2f, 0x1.111048p-3f, -0x1.b9ea3cp-5f,
                        0x1.636618p-6f, -0x1.0b5b9ep-7f, 0x1.16fce6p-9f});
  Value small = fma(k, mulF(k, x, z), p, x);
  Value isSmall =
      compare(k, CmpFPredicate::OLT, magnitude, k.constantF(type, 0.625f));
  return select(k, isSmall, small, large);
}

Value floatSigmoid(KernelBuilder &k, Value x) {
  Type type = x.getType();
  Value one = k.constantF(type, 1.0f);
  // e^-|x| never overflows, and keeps small results exact to their last bits.
  Value e = floatExp(k, subF(k, k.constantF(type, 0.0f), floatAbs(k, x)));
  Value positive = compare(k, CmpFPredicate::OGE, x, k.constantF(type, 0.0f));
  Value numerator = select(k, positive, one, e);
  return divF(k, numerator, addF(k, e, one));
}

} // namespace mlir::qopt::codegen
