// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The accumulators of a layer in two parts, joined and rounded once.

#include "LaneKernel.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {

/// `round(value / 2^shift)`.
static Value roundShift(KernelBuilder &k, Value value, Value shift,
                        qint::Rounding rounding) {
  Value one = k.constant(value.getType(), 1);
  Value half = shiftLeft(k, one, subI(k, shift, 1));
  if (rounding == qint::Rounding::HalfUp)
    return shiftRight(k, addI(k, value, half), shift);
  // Just below a half beside an even number, a half beside an odd one.
  Value odd = andI(k, shiftRight(k, value, shift), 1);
  Value below = addI(k, subI(k, half, 1), odd);
  return shiftRight(k, addI(k, value, below), shift);
}

LogicalResult emit(KernelContext &context, qint::SumPartsOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const View &to = out[0];
  qint::RequantAttr requant = op.getRequant();
  const int64_t axis = op.getAxis();
  LaneKernel kernel(context, to,
                    {resultOf(to), NestOperand::of(in[0], to.shape),
                     NestOperand::of(in[1], to.shape),
                     channelsOf(context, requant.getMultiplier(), axis, to),
                     channelsOf(context, requant.getShift(), axis, to)});
  const int64_t lowBits = op.getLowBits(), zeroPoint = requant.getZeroPoint();
  const int64_t low = requant.getClampMin(), high = requant.getClampMax();
  const qint::Rounding rounding = requant.getRounding();
  kernel.emit(op.getLoc(), "sum_parts",
              "b" + Twine(lowBits) + "z" + Twine(zeroPoint) + "[" + Twine(low) +
                  "," + Twine(high) + "]" + stringifyRounding(rounding),
              [&](KernelBuilder &k, ArrayRef<Value> values) {
                Value acc =
                    addI(k, shiftLeft(k, values[0], lowBits), values[1]);
                Value rounded =
                    roundShift(k, mulI(k, acc, values[2]), values[3], rounding);
                return k.clampS(addI(k, rounded, zeroPoint), low, high);
              });
  return success();
}

} // namespace mlir::qopt::codegen
