// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Range reduction and minimax polynomials (Remez, relative error below 2^-26
// for each) behind the float kernels' elementary functions.

#include "qopt/Codegen/Kernels/FloatMath.h"
#include "Arith.h"
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

Value absolute(KernelBuilder &k, Value x) {
  Type ints = intLike(x.getType());
  Value bits = bitsAs(k, x, ints);
  Value kept = andI(k, bits, 0x7fffffff);
  return bitsAs(k, kept, x.getType());
}

/// `magnitude` with the sign of `x`; `magnitude >= 0`.
Value withSignOf(KernelBuilder &k, Value magnitude, Value x) {
  Type ints = intLike(x.getType());
  Value bits = bitsAs(k, x, ints);
  Value sign = andI(k, bits, INT32_MIN);
  Value value = bitsAs(k, magnitude, ints);
  return bitsAs(k, orI(k, value, sign), x.getType());
}

} // namespace

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

Value floatExp(KernelBuilder &k, Value x) {
  Type type = x.getType(), ints = intLike(type);
  // Beyond these the result is 0 or infinity, and n stays in [-151, 129].
  x = floatMax(k, x, k.constantF(type, -104.0f));
  x = floatMin(k, x, k.constantF(type, 89.0f));
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
  Value square = mulF(k, r, r);
  Value result = addF(k, k.constantF(type, 1.0f), fma(k, square, tail, r));
  // Two factors, since 2^n alone may be subnormal or too large.
  Value half = shiftRight(k, n, 1);
  Value rest = subI(k, n, half);
  result = mulF(k, result, powerOfTwo(k, half, type));
  return mulF(k, result, powerOfTwo(k, rest, type));
}

Value floatTanh(KernelBuilder &k, Value x) {
  Type type = x.getType();
  Value one = k.constantF(type, 1.0f), two = k.constantF(type, 2.0f);
  Value magnitude = absolute(k, x);
  // Large: 1 - 2 / (e^(2|x|) + 1).
  Value e = floatExp(k, addF(k, magnitude, magnitude));
  Value quotient = divF(k, two, addF(k, e, one));
  Value large = withSignOf(k, subF(k, one, quotient), x);
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
  Value e = floatExp(k, subF(k, k.constantF(type, 0.0f), absolute(k, x)));
  Value positive = compare(k, CmpFPredicate::OGE, x, k.constantF(type, 0.0f));
  Value numerator = select(k, positive, one, e);
  return divF(k, numerator, addF(k, e, one));
}

} // namespace mlir::qopt::codegen
