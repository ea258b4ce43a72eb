// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer quotients of elements (docs/arithmetic.md, "Div").

#include "Arith.h"
#include "Operands.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// `floor((2 n + d) / (2 d))` with `n = a M` and `d = b 2^S`, both negated
/// where `d < 0`; beyond any result's range, on the side of `a`, where b = 0.
Value roundedQuotient(KernelBuilder &k, Value a, Value b, int64_t multiplier,
                      int shift) {
  constexpr int64_t limit = int64_t(1) << 30;
  using P = arith::CmpIPredicate;
  Value zero32 = k.constant(a.getType(), 0);
  Value isZero = compare(k, P::eq, b, zero32);
  Value isNegative = compare(k, P::slt, b, zero32);
  Value sign = select(k, isNegative, subI(k, zero32, a), a);
  Value size = select(k, isNegative, subI(k, zero32, b), b);
  size = select(k, isZero, k.constant(b.getType(), 1), size);
  Value n = mulI(k, k.extendS(sign, k.i64()), multiplier);
  Value d = shiftLeft(k, k.extendS(size, k.i64()), shift);
  Value dividend = addI(k, shiftLeft(k, n, 1), d);
  Value divisor = shiftLeft(k, d, 1);
  Value quotient = binary<arith::DivSIOp>(k, dividend, divisor);
  Value rest = subI(k, dividend, mulI(k, quotient, divisor));
  // Division truncates; an arithmetic shift gives -1 for a negative rest.
  quotient = addI(k, quotient, shiftRight(k, rest, 63));
  Value result = k.truncate(k.clampS(quotient, -limit, limit), k.i32());
  Value end =
      select(k, compare(k, P::sgt, a, zero32), k.constant(a.getType(), limit),
             select(k, compare(k, P::slt, a, zero32),
                    k.constant(a.getType(), -limit), zero32));
  return select(k, isZero, end, result);
}

} // namespace

LogicalResult emit(KernelContext &context, qint::DivOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  auto operands = binaryOperands(context, op, in, out[0]);
  if (failed(operands))
    return failure();
  ElementwiseNest nest(out[0].shape, *operands, context.isa.bytes());
  int64_t multiplier = op.getRequant().getMultiplierFor(0);
  int shift = op.getRequant().getShiftFor(0);
  int64_t za = op.getLhsZeroPoint(), zb = op.getRhsZeroPoint();
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  std::string params;
  llvm::raw_string_ostream(params) << multiplier << '>' << shift << 'z' << za
                                   << ',' << zb << ' ' << output.key();
  emitNest(context, op.getLoc(), "div", params, nest,
           [&](KernelBuilder &k, const Chunk &chunk) {
             auto values = [&](unsigned index, int64_t zeroPoint) {
               return centered(k, nest.load(k, chunk, index, k.isa.bytes()),
                               (*operands)[index], zeroPoint);
             };
             WideLanes quotients;
             for (auto [a, b] : llvm::zip(values(1, za), values(2, zb)))
               quotients.push_back(
                   addI(k, roundedQuotient(k, a, b, multiplier, shift),
                        output.zeroPoint));
             return narrow(k, quotients, output, LaneOrder::Natural);
           });
  return success();
}

} // namespace mlir::qopt::codegen
