// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One record a sample: the grid of its values, the scale of its integers.

#include "DynamicRecords.h"
#include "Arith.h"
#include "Dynamic.h"
#include "Fold.h"
#include "Reduction.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Numerics/Dynamic.h"

namespace mlir::qopt::codegen {

Value shiftRounding(KernelBuilder &k, Value value, Value shift) {
  Value one = k.constant(value.getType(), 1);
  Value half = shiftRight(k, shiftLeft(k, one, shift), 1);
  return shiftRight(k, addI(k, value, half), shift);
}

Value magnitudeBits(KernelBuilder &k, Value bits) {
  Value magnitude = andI(k, bits, 0x7fffffff);
  Value zero = k.constant(bits.getType(), 0);
  Value isNan = compare(k, arith::CmpIPredicate::ugt, magnitude,
                        k.constant(bits.getType(), 0x7f800000));
  return select(k, isNan, zero, minS(k, magnitude, 0x7f7fffff));
}

namespace {

/// Reads and writes the rows of records.
struct Record {
  const View &view;
  Value memory;

  Value positionOf(KernelBuilder &k, Value sample, int64_t field) const {
    return k.add(k.mul(sample, view.strides[0] * 4),
                 (view.origin() + field * view.strides[1]) * 4);
  }
  /// As an i64.
  Value load(KernelBuilder &k, Value sample, int64_t field) const {
    return k.extendS(k.load(memory, positionOf(k, sample, field), k.i32()),
                     k.i64());
  }
  void store(KernelBuilder &k, Value sample, ArrayRef<Value> fields) const {
    for (auto [field, value] : llvm::enumerate(fields))
      k.store(memory, positionOf(k, sample, field), k.truncate(value, k.i32()));
  }
};

/// The elements of one sample of `view`.
LoopSpace sampleSpace(const View &view, bool isWhole) {
  LoopSpace space;
  space.strides.emplace_back();
  for (int64_t axis = isWhole ? 0 : 1; axis < view.rank(); ++axis) {
    space.sizes.push_back(view.shape[axis]);
    space.strides[0].push_back(view.strides[axis]);
  }
  if (space.sizes.empty()) {
    space.sizes.push_back(1);
    space.strides[0].push_back(1);
  }
  space.normalize();
  return space;
}

using Magnitude = llvm::function_ref<Value(KernelBuilder &, Value)>;

/// The largest magnitude of a sample's elements, an i32 that is not negative.
Value largestOf(KernelBuilder &k, const LoopSpace &space, Value memory,
                Value position, Magnitude magnitude) {
  auto larger = [&](Value best, Value element) {
    return SmallVector<Value>{maxU(k, best, magnitude(k, element))};
  };
  if (space.innerStride(0) != 1)
    return fold(k, space, 4, position, k.constant(k.i32(), 0),
                [&](Value at, ValueRange best) {
                  return larger(best[0], k.load(memory, at, k.i32()));
                })[0];
  const int64_t lanes = k.isa.lanes(), size = space.innerSize();
  const int64_t whole = size - size % lanes;
  VectorType type = k.vec(lanes, k.i32());
  auto row = [&](Value at, ValueRange init) {
    SmallVector<Value> best =
        k.loop(0, whole, lanes, init, [&](Value iv, ValueRange carried) {
          Value element = k.load(memory, k.add(at, k.mul(iv, 4)), type);
          return larger(carried[0], element);
        });
    if (whole == size)
      return best;
    return larger(best[0],
                  k.loadTail(memory, k.add(at, whole * 4), type, size - whole));
  };
  Value best =
      fold(k, dropInner(space), 4, position, k.constant(type, 0), row)[0];
  return vector::ReductionOp::create(k.b, k.loc, vector::CombiningKind::MAXUI,
                                     best);
}

/// A kernel that finds one record a sample in the elements of `in[0]`.
void emitSearch(
    KernelContext &context, Location loc, StringRef family, const Twine &params,
    ArrayRef<View> in, const View &out, Magnitude magnitude,
    llvm::function_ref<SmallVector<Value>(KernelBuilder &, Value largest,
                                          Value sample, ValueRange args)>
        finish) {
  const View &from = in[0];
  SmallVector<KernelArg> args;
  for (const View &view : in)
    args.push_back(KernelArg::read(view));
  args.push_back(KernelArg::write(out));
  const int64_t samples = out.shape[0];
  LoopSpace space = sampleSpace(from, samples == 1);
  context.emitKernel(
      loc, family, params, args, [&](KernelBuilder &k, ValueRange values) {
        k.loop(0, samples, 1, [&](Value sample) {
          Value position = k.index(from.origin() * 4);
          if (samples > 1)
            position =
                k.add(k.mul(sample, from.strides[0] * 4), from.origin() * 4);
          Value largest = largestOf(k, space, values[0], position, magnitude);
          Record{out, values.back()}.store(
              k, sample,
              finish(k, k.extendU(largest, k.i64()), sample, values));
        });
      });
}

/// A kernel that makes each row of `out` from the rows of `in`, each given as
/// its fields.
void emitRows(KernelContext &context, Location loc, StringRef family,
              const Twine &params, ArrayRef<View> in, const View &out,
              llvm::function_ref<SmallVector<Value>(
                  KernelBuilder &, ArrayRef<SmallVector<Value>>)>
                  compute) {
  SmallVector<KernelArg> args;
  for (const View &view : in)
    args.push_back(KernelArg::read(view));
  args.push_back(KernelArg::write(out));
  context.emitKernel(
      loc, family, params, args, [&](KernelBuilder &k, ValueRange values) {
        k.loop(0, out.shape[0], 1, [&](Value sample) {
          SmallVector<SmallVector<Value>> rows;
          for (auto [i, view] : llvm::enumerate(in)) {
            rows.emplace_back();
            for (int64_t field = 0; field < view.shape[1]; ++field)
              rows.back().push_back(
                  Record{view, values[i]}.load(k, sample, field));
          }
          Record{out, values.back()}.store(k, sample, compute(k, rows));
        });
      });
}

Value constant(KernelBuilder &k, int64_t value) {
  return k.constant(k.i64(), value);
}

/// An end of a clamp in units of `2^exponent`.
Value alignEnd(KernelBuilder &k, ArrayRef<int32_t> end, Value exponent,
               int64_t infinite) {
  if (end.empty())
    return constant(k, infinite);
  Value difference = subI(k, constant(k, end[1]), exponent);
  Value left = k.clampS(difference, 0, 32);
  Value right = k.clampS(subI(k, constant(k, 0), difference), 0, 62);
  Value scaled = shiftLeft(k, constant(k, end[0]), left);
  return k.clampS(shiftRounding(k, scaled, right), -INT32_MAX, INT32_MAX);
}

template <typename Op>
void appendEnds(KernelBuilder &k, Op op, Value exponent,
                SmallVector<Value> &fields) {
  fields.push_back(alignEnd(k, op.getClampMin(), exponent, -INT32_MAX));
  fields.push_back(alignEnd(k, op.getClampMax(), exponent, INT32_MAX));
}

template <typename Op> std::string clampKey(Op op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (ArrayRef<int32_t> end : {op.getClampMin(), op.getClampMax()}) {
    os << ' ';
    llvm::interleave(end, os, ",");
  }
  return text;
}

} // namespace

LogicalResult emit(KernelContext &context, qint::RealGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  emitSearch(context, op.getLoc(), "real_grid", "", in, out[0], magnitudeBits,
             [](KernelBuilder &k, Value largest, Value, ValueRange) {
               Value field = shiftRight(k, largest, 23);
               Value isZero =
                   compare(k, arith::CmpIPredicate::eq, field, constant(k, 0));
               Value exponent =
                   select(k, isZero, constant(k, numerics::zeroExponent),
                          subI(k, field, 157));
               Value zero = constant(k, 0);
               return SmallVector<Value>{zero,
                                         field,
                                         zero,
                                         zero,
                                         exponent,
                                         constant(k, -INT32_MAX),
                                         constant(k, INT32_MAX)};
             });
  return success();
}

LogicalResult emit(KernelContext &context, qint::GridScaleOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const int64_t steps = op.getSteps();
  const int64_t fraction = steps == 255 ? 53 : 54, extra = steps == 255 ? 6 : 5;
  auto magnitude = [](KernelBuilder &k, Value value) -> Value {
    return maxS(k, value, subI(k, k.constant(value.getType(), 0), value));
  };
  auto finish = [&](KernelBuilder &k, Value largest, Value sample,
                    ValueRange args) {
    Value exponent =
        Record{in[1], args[1]}.load(k, sample, GridField::Exponent);
    Value isZero =
        compare(k, arith::CmpIPredicate::eq, largest, constant(k, 0));
    // A sample of zeros must not divide by zero.
    Value divisor = maxS(k, largest, 1);
    Value room = subI(
        k,
        Value(LLVM::CountLeadingZerosOp::create(k.b, k.loc, k.i64(), divisor,
                                                /*is_zero_poison=*/false)),
        33);
    Value normal = shiftLeft(k, divisor, room);
    auto divide = [&](Value a, Value b) -> Value {
      return arith::DivUIOp::create(k.b, k.loc, a, b);
    };
    const numerics::DynamicScale none;
    auto unlessZero = [&](int64_t ifZero, Value value) {
      return select(k, isZero, constant(k, ifZero), value);
    };
    return SmallVector<Value>{
        unlessZero(none.mantissa,
                   divide(shiftLeft(k, normal, extra), constant(k, steps))),
        unlessZero(none.exponent, subI(k, subI(k, exponent, room), extra)),
        unlessZero(none.multiplier,
                   divide(constant(k, steps << fraction), normal)),
        unlessZero(none.shift, subI(k, constant(k, fraction), room))};
  };
  emitSearch(context, op.getLoc(), "grid_scale", Twine(steps), in, out[0],
             magnitude, finish);
  return success();
}

LogicalResult emit(KernelContext &context, qint::LayerGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const int64_t bits = op.getAccumulatorBits();
  std::optional<int32_t> bias = op.getBiasExponent();
  std::string key;
  llvm::raw_string_ostream(key) << bits << ' ' << op.getMultiplierExponent();
  if (bias)
    llvm::raw_string_ostream(key) << ' ' << *bias;
  emitRows(context, op.getLoc(), "layer_grid", key + clampKey(op), in, out[0],
           [&](KernelBuilder &k, ArrayRef<SmallVector<Value>> rows) {
             Value own = addI(k, rows[0][ScaleField::Exponent],
                              op.getMultiplierExponent() + 30 + bits);
             Value exponent = bias ? maxS(k, own, *bias) : own;
             Value zero = constant(k, 0), rightShift = zero;
             if (bias)
               rightShift = minS(k, subI(k, exponent, *bias), 62);
             SmallVector<Value> fields = {
                 rows[0][ScaleField::Mantissa],
                 minS(k, addI(k, subI(k, exponent, own), bits), 62), zero,
                 rightShift, exponent};
             appendEnds(k, op, exponent, fields);
             return fields;
           });
  return success();
}

LogicalResult emit(KernelContext &context, qint::SumGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  emitRows(context, op.getLoc(), "sum_grid", clampKey(op), in, out[0],
           [&](KernelBuilder &k, ArrayRef<SmallVector<Value>> rows) {
             Value left = rows[0][ScaleField::Exponent];
             Value right = rows[1][ScaleField::Exponent];
             Value exponent = addI(k, maxS(k, left, right), 8);
             SmallVector<Value> fields = {rows[0][ScaleField::Mantissa],
                                          minS(k, subI(k, exponent, left), 62),
                                          rows[1][ScaleField::Mantissa],
                                          minS(k, subI(k, exponent, right), 62),
                                          exponent};
             appendEnds(k, op, exponent, fields);
             return fields;
           });
  return success();
}

LogicalResult emit(KernelContext &context, qint::ProductGridOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const int64_t bits = op.getProductBits();
  emitRows(context, op.getLoc(), "product_grid", Twine(bits) + clampKey(op), in,
           out[0], [&](KernelBuilder &k, ArrayRef<SmallVector<Value>> rows) {
             Value mantissa =
                 shiftRounding(k,
                               mulI(k, rows[0][ScaleField::Mantissa],
                                    rows[1][ScaleField::Mantissa]),
                               constant(k, 30));
             Value exponent = addI(k,
                                   addI(k, rows[0][ScaleField::Exponent],
                                        rows[1][ScaleField::Exponent]),
                                   30 + bits);
             Value zero = constant(k, 0);
             SmallVector<Value> fields = {mantissa, constant(k, bits), zero,
                                          zero, exponent};
             appendEnds(k, op, exponent, fields);
             return fields;
           });
  return success();
}

} // namespace mlir::qopt::codegen
