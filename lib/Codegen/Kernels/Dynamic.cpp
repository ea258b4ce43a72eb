// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of all samples onto their grids, to 8 bits and to float32 bits, by
// what the samples' records say.

#include "Dynamic.h"
#include "Arith.h"
#include "DynamicRecords.h"
#include "LaneKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::qopt::codegen {
namespace {

/// One field of a record, the same for all elements of a sample.
NestOperand fieldOf(const View &record, int64_t field, const View &like) {
  NestOperand operand;
  operand.arg = KernelArg::read(record);
  operand.kind = ElementKind::I32;
  operand.origin = record.origin() + field * record.strides[1];
  operand.strides.assign(like.rank(), 0);
  if (record.shape[0] > 1)
    operand.strides[0] = record.strides[0];
  return operand;
}

/// The result `to`, what is read in its shape, and fields of the record behind
/// that.
std::vector<NestOperand> operandsOf(const View &to, ArrayRef<View> in,
                                    ArrayRef<int64_t> fields) {
  std::vector<NestOperand> operands = {resultOf(to)};
  for (const View &view : in.drop_back())
    operands.push_back(NestOperand::of(view, to.shape));
  for (int64_t field : fields)
    operands.push_back(fieldOf(in.back(), field, to));
  return operands;
}

Value clampTo(KernelBuilder &k, Value value, Value lower, Value upper) {
  return minS(k, maxS(k, value, lower), upper);
}

/// The float32 nearest to `value 2^exponent`, as its bits.
Value toReal(KernelBuilder &k, Value value, Value exponent) {
  Value magnitude =
      maxS(k, value, subI(k, k.constant(value.getType(), 0), value));
  // All in i64: of the leading zeros, 32 are not those of an i32.
  Value room = subI(k,
                    Value(LLVM::CountLeadingZerosOp::create(
                        k.b, k.loc, value.getType(), magnitude,
                        /*is_zero_poison=*/false)),
                    32);
  Value normal = shiftLeft(k, magnitude, room);
  Value odd = andI(k, shiftRight(k, normal, 8), 1);
  Value mantissa = shiftRight(k, addI(k, addI(k, normal, odd), 0x7f), 8);
  Value field = addI(k, subI(k, exponent, room), 158);
  Value bits = subI(k, addI(k, shiftLeft(k, field, 23), mantissa), 0x800000);
  using P = arith::CmpIPredicate;
  Value zero = k.constant(value.getType(), 0);
  Value infinity = k.constant(value.getType(), 0x7f800000);
  bits = select(k, compare(k, P::sge, field, k.constant(value.getType(), 255)),
                infinity, bits);
  bits = select(k, compare(k, P::sle, field, zero), zero, bits);
  Value sign = select(k, compare(k, P::slt, value, zero),
                      k.constant(value.getType(), INT64_C(1) << 31), zero);
  return select(k, compare(k, P::eq, value, zero), zero, orI(k, bits, sign));
}

} // namespace

LogicalResult emit(KernelContext &context, qint::RealToGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  LaneKernel kernel(context, out[0],
                    operandsOf(out[0], in, {GridField::LeftShift}));
  kernel.emit(op.getLoc(), "real_to_grid", "",
              [](KernelBuilder &k, ArrayRef<Value> values) {
                Value zero = k.constant(values[0].getType(), 0);
                Value magnitude = magnitudeBits(k, values[0]);
                Value field = shiftRight(k, magnitude, 23);
                Value mantissa = orI(k, andI(k, magnitude, 0x7fffff), 0x800000);
                Value shift = minS(k, subI(k, values[1], field), 31);
                Value value = shiftRight(k, shiftLeft(k, mantissa, 7), shift);
                using P = arith::CmpIPredicate;
                value = select(k, compare(k, P::slt, values[0], zero),
                               subI(k, zero, value), value);
                return select(k, compare(k, P::eq, field, zero), zero, value);
              });
  return success();
}

LogicalResult emit(KernelContext &context, qint::LayerToGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const View &to = out[0], &grid = in[1];
  LaneKernel kernel(context, to,
                    {resultOf(to), NestOperand::of(in[0], to.shape),
                     channelsOf(context, op.getMultipliers(), op.getAxis(), to),
                     channelsOf(context, op.getBiases(), op.getAxis(), to),
                     fieldOf(grid, GridField::LeftMantissa, to),
                     fieldOf(grid, GridField::LeftShift, to),
                     fieldOf(grid, GridField::RightShift, to),
                     fieldOf(grid, GridField::Lower, to),
                     fieldOf(grid, GridField::Upper, to)});
  const int64_t zeroPoint = op.getZeroPoint();
  const bool hasBias = !op.getBiases().empty();
  kernel.emit(op.getLoc(), "layer_to_grid",
              "z" + Twine(zeroPoint) + (hasBias ? "b" : ""),
              [&](KernelBuilder &k, ArrayRef<Value> values) {
                Value factor =
                    shiftRounding(k, mulI(k, values[1], values[3]),
                                  k.constant(values[0].getType(), 30));
                Value acc = subI(k, values[0], zeroPoint);
                Value sum = shiftRounding(k, mulI(k, acc, factor), values[4]);
                if (hasBias)
                  sum = addI(k, sum, shiftRounding(k, values[2], values[5]));
                return clampTo(k, sum, values[6], values[7]);
              });
  return success();
}

LogicalResult emit(KernelContext &context, qint::SumToGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  LaneKernel kernel(context, out[0],
                    operandsOf(out[0], in,
                               {GridField::LeftMantissa, GridField::LeftShift,
                                GridField::RightMantissa, GridField::RightShift,
                                GridField::Lower, GridField::Upper}));
  const int64_t left = op.getLhsZeroPoint(), right = op.getRhsZeroPoint();
  kernel.emit(op.getLoc(), "sum_to_grid",
              "z" + Twine(left) + "," + Twine(right),
              [&](KernelBuilder &k, ArrayRef<Value> values) {
                auto term = [&](Value q, int64_t zeroPoint, Value mantissa,
                                Value shift) {
                  return shiftRounding(
                      k, mulI(k, subI(k, q, zeroPoint), mantissa), shift);
                };
                Value sum = addI(k, term(values[0], left, values[2], values[3]),
                                 term(values[1], right, values[4], values[5]));
                return clampTo(k, sum, values[6], values[7]);
              });
  return success();
}

LogicalResult emit(KernelContext &context, qint::ProductToGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  LaneKernel kernel(context, out[0],
                    operandsOf(out[0], in,
                               {GridField::LeftMantissa, GridField::LeftShift,
                                GridField::Lower, GridField::Upper}));
  const int64_t left = op.getLhsZeroPoint(), right = op.getRhsZeroPoint();
  kernel.emit(
      op.getLoc(), "product_to_grid", "z" + Twine(left) + "," + Twine(right),
      [&](KernelBuilder &k, ArrayRef<Value> values) {
        Value product =
            mulI(k, subI(k, values[0], left), subI(k, values[1], right));
        return clampTo(k,
                       shiftRounding(k, mulI(k, product, values[2]), values[3]),
                       values[4], values[5]);
      });
  return success();
}

LogicalResult emit(KernelContext &context, qint::GridToFixedOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  LaneKernel kernel(context, out[0],
                    operandsOf(out[0], in, {GridField::Exponent}));
  const int64_t exponent = op.getExponent();
  kernel.emit(op.getLoc(), "grid_to_fixed", Twine(exponent),
              [&](KernelBuilder &k, ArrayRef<Value> values) {
                Value left = subI(k, values[1], exponent);
                Value right = subI(k, k.constant(left.getType(), 0), left);
                Value scaled = shiftLeft(k, values[0], k.clampS(left, 0, 32));
                return k.clampS(
                    shiftRounding(k, scaled, k.clampS(right, 0, 62)), INT16_MIN,
                    INT16_MAX);
              });
  return success();
}

LogicalResult emit(KernelContext &context, qint::GridQuantizeOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  LaneKernel kernel(
      context, out[0],
      operandsOf(out[0], in, {ScaleField::Multiplier, ScaleField::Shift}));
  const int64_t zeroPoint = op.getZeroPoint();
  kernel.emit(op.getLoc(), "grid_quantize", "z" + Twine(zeroPoint),
              [&](KernelBuilder &k, ArrayRef<Value> values) {
                Value rounded =
                    shiftRounding(k, mulI(k, values[0], values[1]), values[2]);
                return k.clampS(addI(k, rounded, zeroPoint), -128, 127);
              });
  return success();
}

LogicalResult emit(KernelContext &context, qint::GridToRealOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  LaneKernel kernel(context, out[0],
                    operandsOf(out[0], in, {GridField::Exponent}));
  kernel.emit(op.getLoc(), "grid_to_real", "",
              [](KernelBuilder &k, ArrayRef<Value> values) {
                return toReal(k, values[0], values[1]);
              });
  return success();
}

} // namespace mlir::qopt::codegen
