// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Averages weighted by softmax: weights of a byte and their row sums first,
// then the tile product, whose rows have multipliers of their own
// (docs/arithmetic.md, "Attention").

#include "Arith.h"
#include "Products.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Numerics/Attention.h"

namespace mlir::qopt::codegen {
namespace {

/// The weights of a matrix of logits.
class WeightRows {
public:
  WeightRows(KernelBuilder &k, qint::AttendOp op, const View &logits,
             const TileGemm &gemm, const ProductScratch &scratch,
             ValueRange args)
      : k(k), logits(logits), gemm(gemm), scratch(scratch),
        zeroPoint(op.getValuesZeroPoint()),
        multiplier(op.getRequant().getMultiplierFor(0)), from(args[0]),
        to(args[2]), table(args[4]), length(logits.shape.back()) {
    if (k.isa.hasVbmi)
      entries = k.load(table, k.index(0), k.vec(256, k.i8()));
  }

  void emit(Value first) {
    int64_t rank = logits.rank();
    k.loop(0, logits.shape[rank - 2], 1, [&](Value row) {
      Value in = k.add(first, k.mul(row, logits.strides[rank - 2]));
      Value out = k.add(k.mul(row, weightStride(gemm)), scratch.left);
      Value sum = entries ? lookUpRow(in, out) : loadRow(in, out);
      storeRowValues(k.mul(row, 4), sum);
    });
  }

private:
  int64_t chunk() const { return k.isa.bytes(); }

  SmallVector<Value> chunks(
      ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)> body) {
    int64_t whole = length - length % chunk();
    SmallVector<Value> values =
        k.loop(0, whole, chunk(), init, [&](Value iv, ValueRange carried) {
          return body(iv, chunk(), carried);
        });
    if (whole < length)
      values = body(k.index(whole), length - whole, values);
    return values;
  }

  /// `vector` with zeros from lane `count` on.
  Value keepFirst(Value vector, int64_t count) {
    if (count >= chunk())
      return vector;
    SmallVector<int64_t> mask(chunk(), 0);
    std::fill_n(mask.begin(), count, -1);
    return andI(k, vector, k.constantVector(k.i8(), mask));
  }

  /// Bytes with bias 128; those past `count` are 0.
  Value bytesAt(Value row, Value index, int64_t count) {
    Value x = loadPart(k, from, k.add(row, index), k.vec(chunk(), k.i8()),
                       count, logits.spanBytes());
    if (logits.storageBias == 0)
      x = xorI(k, x, 128);
    return keepFirst(x, count);
  }

  Value largest(Value row) {
    Value zero = k.constant(k.vec(chunk(), k.i8()), 0);
    Value best =
        chunks({zero}, [&](Value index, int64_t count, ValueRange carried) {
          return SmallVector<Value>{
              maxU(k, carried[0], bytesAt(row, index, count))};
        })[0];
    return k.splat(reduce(best, vector::CombiningKind::MAXUI), chunk());
  }

  Value reduce(Value vector, vector::CombiningKind kind) {
    return vector::ReductionOp::create(k.b, k.loc, kind, vector);
  }

  /// The weights of a row by byte shuffles; their sum.
  Value lookUpRow(Value in, Value out) {
    Value maximum = largest(in);
    Value ones = k.constant(k.vec(chunk(), k.i8()), 1);
    Value sums = chunks(
        {k.constant(k.vec(k.isa.lanes(), k.i32()), 0)},
        [&](Value index, int64_t count, ValueRange carried) {
          Value distance = subI(k, maximum, bytesAt(in, index, count));
          Value weights =
              keepFirst(qint::LookupOp::create(k.b, k.loc, distance.getType(),
                                               entries, distance),
                        count);
          k.storeTail(to, k.add(out, index), weights, count);
          return SmallVector<Value>{qint::Dot4Op::create(
              k.b, k.loc, carried[0].getType(), carried[0], weights, ones)};
        })[0];
    return reduce(sums, vector::CombiningKind::ADD);
  }

  /// The same with one load a weight: distances first, in place.
  Value loadRow(Value in, Value out) {
    Value maximum = largest(in);
    chunks({}, [&](Value index, int64_t count, ValueRange) {
      Value distance = subI(k, maximum, bytesAt(in, index, count));
      k.storeTail(to, k.add(out, index), distance, count);
      return SmallVector<Value>();
    });
    return k.loop(0, length, 1, {k.constant(k.i32(), 0)},
                  [&](Value index, ValueRange carried) {
                    Value at = k.add(out, index);
                    Value entry = arith::IndexCastUIOp::create(
                        k.b, k.loc, k.b.getIndexType(), k.load(to, at, k.i8()));
                    Value weight = k.load(table, entry, k.i8());
                    k.store(to, at, weight);
                    return SmallVector<Value>{
                        addI(k, carried[0], k.extendU(weight, k.i32()))};
                  })[0];
  }

  /// The row's offset and its multiplier from its sum.
  void storeRowValues(Value row, Value sum) {
    if (gemm.rowOffsets >= 0)
      k.store(to, k.add(row, gemm.rowOffsets), mulI(k, sum, -zeroPoint));
    Value divisor = k.extendU(sum, k.i64());
    int64_t scaled = multiplier << (numerics::attentionBits + 1);
    Value quotient = binary<arith::DivUIOp>(k, addI(k, divisor, scaled),
                                            shiftLeft(k, divisor, 1));
    if (gemm.requant.form == TileRequant::Form::Narrow)
      quotient = shiftLeft(k, quotient, 1);
    k.store(to, k.add(row, gemm.rowMultipliers), k.truncate(quotient, k.i32()));
  }

  KernelBuilder &k;
  const View &logits;
  const TileGemm &gemm;
  const ProductScratch &scratch;
  int64_t zeroPoint, multiplier;
  Value from, to, table, entries;
  int64_t length;
};

/// The form for any multiplier below 2^30: none is known here.
void chooseRowForm(TileRequant &requant, int32_t shift, ElementKind out) {
  bool isNarrow = out == ElementKind::I8 && shift >= 32 && shift <= 38;
  requant.form = isNarrow      ? TileRequant::Form::Narrow
                 : shift >= 33 ? TileRequant::Form::Wide
                               : TileRequant::Form::Exact;
  requant.multiplier = {0};
  requant.shift = {isNarrow ? shift - 31 : shift >= 33 ? shift - 32 : shift};
}

} // namespace

LogicalResult emit(KernelContext &context, qint::AttendOp op, ArrayRef<View> in,
                   ArrayRef<View> outs) {
  const View &logits = in[0], &values = in[1], &out = outs[0];
  if (outs.size() < 2 || !canTile(logits, values, out))
    return op.emitOpError("expects dense rows in memory");
  int64_t rank = out.rank();
  TileGemm gemm = productGemm(out.shape[rank - 2], logits.shape.back(),
                              out.shape.back(), out);
  gemm.hasBias = false;
  setOutput(gemm, op.getRequant(), out);
  chooseRowForm(gemm.requant, op.getRequant().getShiftFor(0), out.kind);
  gemm.rows[0].inStride = weightStride(gemm);
  gemm.rows[0].outStride = out.strides[rank - 2] * out.elementBytes();
  TilePlan plan = planTiles(gemm, context.isa);
  ProductScratch scratch(gemm, plan, /*hasLeft=*/true);
  gemm.rowMultipliers = scratch.rowMultipliers;
  if (op.getValuesZeroPoint() != 0)
    gemm.rowOffsets = scratch.rowOffsets;

  SmallVector<uint8_t> table(op.getExpTable().begin(), op.getExpTable().end());
  ProductBatches batches(logits, values, out);
  std::string key = tileKey(gemm);
  llvm::raw_string_ostream(key) << 'z' << op.getValuesZeroPoint() << 'm'
                                << op.getRequant().getMultiplierFor(0);
  context.emitKernel(
      op.getLoc(), "attend", key,
      {KernelArg::read(logits), KernelArg::read(values),
       KernelArg::write(outs[1]), KernelArg::write(out),
       KernelArg::constant(context.constants.append(table), table.size(),
                           /*mayOverRead=*/false)},
      [&](KernelBuilder &k, ValueRange args) {
        WeightRows rows(k, op, logits, gemm, scratch, args);
        ProductPacker packer(k, gemm, plan, values, args[1], args[2]);
        if (batches.sharesRight())
          packer.pack(k.index(values.origin()), 0, 0);
        batches.run(k, [&](Value logitsAt, Value valuesAt, Value outAt) {
          if (!batches.sharesRight())
            packer.pack(valuesAt, 0, 0);
          rows.emit(logitsAt);
          emitTileLoops(k, gemm, plan, {args[2], args[2], args[3], args[2], {}},
                        {k.index(scratch.left), k.index(0), outAt});
        });
      });
  return success();
}

LogicalResult emit(KernelContext &context, qopt::AttendOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  emitFloatSoftmax(context, op.getLoc(), in[0].rank() - 1, in[0], out[1]);
  return emitFloatProduct(context, op, {out[1], in[1]}, out[0]);
}

} // namespace mlir::qopt::codegen
