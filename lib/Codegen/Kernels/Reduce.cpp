// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Means, sums and extremes over axes: lanes are neighbouring results where
// there are any, else neighbouring terms of one sum.

#include "Arith.h"
#include "Extremes.h"
#include "Reduction.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// The sum of one result's terms less `zero` each, in lane 0 of the first
/// vector.
WideLanes integerAlong(KernelBuilder &k, const Reduction &r, Value memory,
                       Value position, bool flip, bool isWide) {
  bool isByte = r.from.kind == ElementKind::I8;
  int64_t lanes = k.isa.lanes();
  Type element = isWide ? k.i64() : k.i32();
  auto accType = k.vec(lanes, element);
  auto type = isByte ? k.vec(4 * lanes, k.i8()) : k.vec(lanes, k.i16());
  Value ones = k.constant(type, 1);
  Value init = k.constant(accType, 0);
  Value sum = sumAlong(
      k, r, memory, position, type, {init},
      [&](Value x, ValueRange sums) -> SmallVector<Value> {
        if (!isByte)
          return {addI(k, sums[0], k.extendS(x, element))};
        // Lanes without a term are 0 either way: the caller
        // takes the bias off by the number of terms.
        if (flip)
          return {qint::Dot4Op::create(k.b, k.loc, accType, sums[0], ones, x)};
        return {qint::Dot4Op::create(k.b, k.loc, accType, sums[0], x, ones)};
      })[0];
  Value total =
      vector::ReductionOp::create(k.b, k.loc, vector::CombiningKind::ADD, sum);
  return WideLanes(4, k.splat(total, lanes));
}

} // namespace

LogicalResult emit(KernelContext &context, qint::ReduceMeanOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  Reduction r(in[0], out[0], op.getAxes(), op.getKeepDims());
  bool isByte = in[0].kind == ElementKind::I8;
  bool flip = isByte && in[0].storageBias == 0;
  int64_t terms = r.terms.numElements();
  int64_t bound = (isByte ? 255 : 65535) * terms;
  bool isWide = bound > INT32_MAX;
  // With lanes along the terms, signed bytes are summed as they are.
  bool isBiased = isByte && !(flip && r.alongTerms);
  int64_t zero = op.getInputZeroPoint() + (isBiased ? 128 : 0);
  LaneOrder order = isByte ? LaneOrder::Blocked : LaneOrder::Natural;
  Rescale rescale = Rescale::of(op.getRequant(), bound);
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  ElementwiseNest nest(r.shape, {r.to, r.from},
                       r.alongTerms ? 1 : context.isa.bytes());
  std::string params;
  llvm::raw_string_ostream(params)
      << r.key(op.getAxes()) << ' ' << nest.key() << " z" << zero << ' '
      << rescale.key() << ' ' << output.key();
  context.emitKernel(
      op.getLoc(), "reduce_mean", params, nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        nest.run(k, args, [&](const Chunk &chunk) {
          FoldSpace space{r.terms, in[0].kind, args[1], in[0].spanBytes()};
          WideLanes sums = r.alongTerms
                               ? integerAlong(k, r, args[1], chunk.positions[1],
                                              flip, isWide)
                               : sumLanes(k, space, chunk.positions[1],
                                          chunk.count, flip, isWide);
          for (Value &sum : sums)
            sum = subI(k, sum, zero * terms);
          storeLanes(k, args[0], chunk.positions[0],
                     requantize(k, sums, rescale, {}, output, order),
                     chunk.count);
        });
      });
  return success();
}

/// What is summed up, and what becomes of the sum.
struct FloatSum {
  StringRef family;
  enum { Itself, Magnitude, Square } term = Itself;
  enum { Nothing, Mean, Root } after = Nothing;
};

template <typename OpT>
static LogicalResult emitFloatSum(KernelContext &context, OpT op,
                                  const FloatSum &form, ArrayRef<View> in,
                                  ArrayRef<View> out) {
  Reduction r(in[0], out[0], op.getAxes(), op.getKeepDims());
  // Sixteen partial sums on every machine, so that results are equal.
  constexpr int64_t partialSums = 16;
  int64_t lanes = r.alongTerms ? partialSums : context.isa.lanes();
  ElementwiseNest nest(r.shape, {r.to, r.from}, r.alongTerms ? 1 : lanes);
  float count = static_cast<float>(r.terms.numElements());
  context.emitKernel(
      op.getLoc(), form.family, r.key(op.getAxes()) + " " + nest.key(),
      nest.args(), [&](KernelBuilder &k, ValueRange args) {
        auto type = k.vec(lanes, k.f32());
        Value zero = k.constantF(type, 0.0f);
        nest.run(k, args, [&](const Chunk &chunk) {
          auto add = [&](Value x, ValueRange sums) -> SmallVector<Value> {
            if (form.term == FloatSum::Magnitude)
              x = floatAbs(k, x);
            if (form.term == FloatSum::Square)
              x = mulF(k, x, x);
            return {addF(k, sums[0], x)};
          };
          Value sum;
          if (r.alongTerms) {
            sum = sumAlong(k, r, args[1], chunk.positions[1], type, {zero},
                           add)[0];
            for (int64_t half = partialSums / 2; half > 0; half /= 2)
              sum = addF(k, k.slice(sum, 0, half), k.slice(sum, half, half));
          } else {
            sum = fold(k, r.terms, 4, chunk.positions[1], {zero},
                       [&](Value at, ValueRange sums) {
                         return add(loadPart(k, args[1], at, type, chunk.count,
                                             in[0].spanBytes()),
                                    sums);
                       })[0];
          }
          if (form.after == FloatSum::Mean)
            sum = divF(k, sum, k.constantF(sum.getType(), count));
          if (form.after == FloatSum::Root)
            sum = floatSqrt(k, sum);
          nest.store(k, chunk, sum);
        });
      });
  return success();
}

LogicalResult emit(KernelContext &context, qopt::ReduceMeanOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitFloatSum(context, op,
                      {"reduce_mean_f32", FloatSum::Itself, FloatSum::Mean}, in,
                      out);
}

LogicalResult emit(KernelContext &context, qopt::ReduceSumOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitFloatSum(context, op, {"reduce_sum_f32"}, in, out);
}

LogicalResult emit(KernelContext &context, qopt::ReduceL1Op op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitFloatSum(context, op, {"reduce_l1_f32", FloatSum::Magnitude}, in,
                      out);
}

LogicalResult emit(KernelContext &context, qopt::ReduceL2Op op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitFloatSum(context, op,
                      {"reduce_l2_f32", FloatSum::Square, FloatSum::Root}, in,
                      out);
}

LogicalResult emit(KernelContext &context, qopt::ReduceSumSquareOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitFloatSum(context, op, {"reduce_sum_square_f32", FloatSum::Square},
                      in, out);
}

//===----------------------------------------------------------------------===//
// Extremes
//===----------------------------------------------------------------------===//

/// The largest power of two up to both.
static int64_t powerUpTo(int64_t a, int64_t b) {
  return int64_t(1) << llvm::Log2_64(std::min(a, b));
}

/// One result, as a vector of one lane. Terms may be visited twice, so the
/// last block of a run may overlap the one before it.
static Value extremeAlong(KernelBuilder &k, const Reduction &r, Value memory,
                          Value position, int64_t lanes, bool isMax) {
  int64_t width = byteWidth(r.from.kind), size = r.terms.innerSize();
  lanes = powerUpTo(lanes, size);
  auto type = k.vec(lanes, k.elementType(r.from.kind));
  auto larger = [&](Value a, Value b) {
    return extremeOf(k, a, b, isMax, r.from.kind, r.from.storageBias);
  };
  auto add = [&](Value best, Value at) -> SmallVector<Value> {
    return {larger(best, k.load(memory, at, type))};
  };
  Value best = fold(
      k, dropInner(r.terms), width, position, {k.load(memory, position, type)},
      [&](Value row, ValueRange carried) {
        int64_t whole = size - size % lanes;
        SmallVector<Value> next =
            k.loop(0, whole, lanes, carried, [&](Value iv, ValueRange values) {
              return add(values[0], k.add(row, k.mul(iv, width)));
            });
        return whole == size ? next
                             : add(next[0], k.add(row, (size - lanes) * width));
      })[0];
  for (int64_t half = lanes / 2; half > 0; half /= 2)
    best = larger(k.slice(best, 0, half), k.slice(best, half, half));
  return best;
}

template <typename OpT>
static LogicalResult emitReduceExtreme(KernelContext &context, OpT op,
                                       bool isMax, ArrayRef<View> in,
                                       ArrayRef<View> out) {
  Reduction r(in[0], out[0], op.getAxes(), op.getKeepDims());
  if (r.terms.numElements() == 0)
    return op.emitOpError("expects at least one element in an extreme");
  int64_t lanes = context.isa.bytes() / in[0].elementBytes();
  ElementwiseNest nest(r.shape, {r.to, r.from}, r.alongTerms ? 1 : lanes);
  context.emitKernel(
      op.getLoc(), isMax ? "reduce_max" : "reduce_min",
      r.key(op.getAxes()) + " " + nest.key(), nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        auto type = k.vec(lanes, k.elementType(in[0].kind));
        nest.run(k, args, [&](const Chunk &chunk) {
          auto load = [&](Value at) {
            return loadPart(k, args[1], at, type, chunk.count,
                            in[0].spanBytes());
          };
          Value best;
          if (r.alongTerms)
            best =
                extremeAlong(k, r, args[1], chunk.positions[1], lanes, isMax);
          else
            best = fold(k, r.terms, in[0].elementBytes(), chunk.positions[1],
                        {load(chunk.positions[1])},
                        [&](Value at, ValueRange values) {
                          return SmallVector<Value>{
                              extremeOf(k, values[0], load(at), isMax,
                                        in[0].kind, in[0].storageBias)};
                        })[0];
          if (in[0].storageBias != out[0].storageBias)
            best = xorI(k, best, 128);
          nest.store(k, chunk, best);
        });
      });
  return success();
}

LogicalResult emit(KernelContext &context, qint::ReduceMaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitReduceExtreme(context, op, /*isMax=*/true, in, out);
}

LogicalResult emit(KernelContext &context, qint::ReduceMinOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitReduceExtreme(context, op, /*isMax=*/false, in, out);
}

LogicalResult emit(KernelContext &context, qopt::ReduceMaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitReduceExtreme(context, op, /*isMax=*/true, in, out);
}

LogicalResult emit(KernelContext &context, qopt::ReduceMinOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  return emitReduceExtreme(context, op, /*isMax=*/false, in, out);
}

} // namespace mlir::qopt::codegen
