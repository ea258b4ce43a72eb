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

/// What becomes of the sum of a result's terms.
struct MeanForm {
  /// What the zero points and biases of the terms add up to.
  int64_t offset;
  Rescale rescale;
  OutputType output;
  LaneOrder order;

  /// `bias` is what each term has beside its integer.
  MeanForm(qint::ReduceMeanOp op, ElementKind kind, int64_t terms, int64_t bias,
           const View &out)
      : offset((int64_t(op.getInputZeroPoint()) + bias) * terms),
        rescale(Rescale::of(op.getRequant(), boundOf(kind, terms))),
        output(OutputType::of(op.getRequant(), out)),
        order(kind == ElementKind::I8 ? LaneOrder::Blocked
                                      : LaneOrder::Natural) {}

  static int64_t boundOf(ElementKind kind, int64_t terms) {
    return (kind == ElementKind::I8 ? 255 : 65535) * terms;
  }
  std::string key() const {
    return "o" + std::to_string(offset) + " " + rescale.key() + " " +
           output.key();
  }
  /// Stores the means of `count` sums.
  void store(KernelBuilder &k, WideLanes sums, Value memory, Value position,
             int64_t count) const {
    for (Value &sum : sums)
      sum = subI(k, sum, offset);
    storeLanes(k, memory, position,
               requantize(k, sums, rescale, {}, output, order), count);
  }
};

} // namespace

LogicalResult emit(KernelContext &context, qint::ReduceMeanOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  Reduction r(in[0], out[0], op.getAxes(), op.getKeepDims());
  bool isByte = in[0].kind == ElementKind::I8;
  bool flip = isByte && in[0].storageBias == 0;
  int64_t terms = r.terms.numElements();
  bool isWide = MeanForm::boundOf(in[0].kind, terms) > INT32_MAX;
  // With lanes along the terms, signed bytes are summed as they are.
  bool isBiased = isByte && !(flip && r.alongTerms);
  MeanForm form(op, in[0].kind, terms, isBiased ? 128 : 0, out[0]);
  ElementwiseNest nest(r.shape, {r.to, r.from},
                       r.alongTerms ? 1 : context.isa.bytes());
  context.emitKernel(
      op.getLoc(), "reduce_mean",
      r.key(op.getAxes()) + " " + nest.key() + " " + form.key(), nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        nest.run(k, args, [&](const Chunk &chunk) {
          FoldSpace space{r.terms, in[0].kind, args[1], in[0].spanBytes()};
          WideLanes sums = r.alongTerms
                               ? integerAlong(k, r, args[1], chunk.positions[1],
                                              flip, isWide)
                               : sumLanes(k, space, chunk.positions[1],
                                          chunk.count, flip, isWide);
          form.store(k, sums, args[0], chunk.positions[0], chunk.count);
        });
      });
  return success();
}

/// One group's sums.
static void emitSums(KernelContext &context, Location loc, const View &in,
                     const View &sums) {
  constexpr int64_t rowsAndColumns[] = {2, 3};
  Reduction r(in, sums, rowsAndColumns, /*keepDims=*/true);
  ElementwiseNest nest(r.shape, {r.to, r.from}, context.isa.bytes());
  context.emitKernel(
      loc, "row_sums", nest.key(), nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        nest.run(k, args, [&](const Chunk &chunk) {
          FoldSpace space{r.terms, in.kind, args[1], in.spanBytes()};
          WideLanes lanes = sumLanes(k, space, chunk.positions[1], chunk.count,
                                     in.storageBias == 0, /*isWide=*/false);
          for (auto [i, vector] : llvm::enumerate(lanes))
            k.store(args[0], k.add(chunk.positions[0], i * context.isa.bytes()),
                    vector);
        });
      });
}

void emitRowSums(KernelContext &context, Location loc, const View &in,
                 const View &sums) {
  View rows = in, group = sums;
  rows.halo = Halo();
  rows.shape[2] = in.shape[2] / sums.shape[0];
  group.shape = {1, sums.shape[1], 1, 1};
  group.strides = {sums.strides[0], 1, sums.strides[0], sums.strides[0]};
  for (int64_t i = 0; i < sums.shape[0]; ++i) {
    emitSums(context, loc, rows, group);
    rows.offset += rows.shape[2] * rows.strides[2];
    group.offset += sums.strides[0];
  }
}

void emitMeanOfSums(KernelContext &context, qint::ReduceMeanOp op,
                    const View &sums, const View &out) {
  ArrayRef<int64_t> shape = op.getInput().getType().getShape();
  MeanForm form(op, ElementKind::I8, shape[2] * shape[3], 128, out);
  NestOperand to, from;
  to.arg = KernelArg::write(out);
  to.kind = out.kind;
  to.storageBias = out.storageBias;
  to.origin = out.origin();
  from.arg = KernelArg::read(sums);
  from.kind = sums.kind;
  from.origin = sums.origin();
  to.strides = from.strides = {1};
  ElementwiseNest nest({shape[1]}, {to, from}, context.isa.bytes());
  context.emitKernel(
      op.getLoc(), "mean_of_sums", nest.key() + " " + form.key(), nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        Type type = k.vec(k.isa.lanes(), k.i32());
        nest.run(k, args, [&](const Chunk &chunk) {
          WideLanes totals;
          for (int64_t part = 0; part < 4; ++part) {
            Value total;
            for (int64_t group = 0; group < sums.shape[0]; ++group) {
              int64_t offset =
                  4 * group * sums.strides[0] + part * k.isa.bytes();
              Value sum =
                  k.load(args[1], k.add(chunk.positions[1], offset), type);
              total = total ? addI(k, total, sum) : sum;
            }
            totals.push_back(total);
          }
          form.store(k, totals, args[0], chunk.positions[0], chunk.count);
        });
      });
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
