// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of two computed matrices: a nest over the results with the sum
// along k inside, whatever the layouts. Lanes are neighbouring results.

#include "Arith.h"
#include "Operands.h"
#include "Products.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// One operand: its element at k = 0 for each result, and the way along k.
struct Factor {
  NestOperand operand;
  /// Bytes from one k to the next.
  int64_t step = 0;
};

/// `value`, whose axis `inner` from the end runs along k.
FailureOr<Factor> factorOf(KernelContext &context, Operation *op, Value value,
                           const View &view, const View &out, int64_t inner) {
  Factor factor;
  NestOperand &operand = factor.operand;
  SmallVector<int64_t> shape(cast<ShapedType>(value.getType()).getShape());
  SmallVector<int64_t> strides(view.strides.begin(), view.strides.end());
  if (view.buffer >= 0) {
    operand.arg = KernelArg::read(view);
    operand.kind = view.kind;
    operand.storageBias = view.storageBias;
    operand.origin = view.origin();
  } else {
    FailureOr<ConstantData> data = readConstant(value);
    if (failed(data))
      return op->emitOpError("expects operands in memory or constants");
    operand.kind = data->kind;
    operand.arg = KernelArg::constant(context.constants.append(data->bytes),
                                      data->bytes.size());
    strides = rowMajorStrides(shape);
  }
  int64_t rank = shape.size(), along = rank - inner;
  factor.step = strides[along] * byteWidth(operand.kind);
  operand.strides.assign(out.rank() - rank, 0);
  for (int64_t axis = 0; axis < rank; ++axis)
    operand.strides.push_back(
        axis == along || shape[axis] == 1 ? 0 : strides[axis]);
  return factor;
}

struct MatMulNest {
  Factor left, right;
  int64_t terms;
  int64_t lanes;
  ElementwiseNest nest;

  MatMulNest(const Factor &left, const Factor &right, const View &out,
             int64_t terms, int64_t lanes)
      : left(left), right(right), terms(terms), lanes(lanes),
        nest(out.shape,
             {NestOperand::of(out, out.shape, true), left.operand,
              right.operand},
             lanes) {}

  const Factor &factor(unsigned index) const {
    return index == 1 ? left : right;
  }
  /// What a kernel bakes in besides the nest.
  std::string termsKey() const {
    return "k" + std::to_string(terms) + "*" + std::to_string(left.step) + "," +
           std::to_string(right.step);
  }
  /// The elements of operand `index` for a chunk of results, `k` steps on.
  Value load(KernelBuilder &k, const Chunk &chunk, unsigned index,
             Value term) const {
    Chunk at = chunk;
    at.positions[index] =
        k.add(chunk.positions[index], k.mul(term, factor(index).step));
    return nest.load(k, at, index, lanes);
  }
};

FailureOr<MatMulNest> nestOf(KernelContext &context, Operation *op,
                             ArrayRef<View> in, const View &out,
                             int64_t lanes) {
  auto left = factorOf(context, op, op->getOperand(0), in[0], out, 1);
  auto right = factorOf(context, op, op->getOperand(1), in[1], out, 2);
  if (failed(left) || failed(right))
    return failure();
  int64_t terms =
      cast<ShapedType>(op->getOperand(0).getType()).getShape().back();
  return MatMulNest(*left, *right, out, terms, lanes);
}

/// Products of bytes: two k at once, as pairs of words.
class BytePairs {
public:
  BytePairs(KernelBuilder &k, const MatMulNest &m, const Chunk &chunk,
            std::array<int64_t, 2> zeroPoints)
      : k(k), m(m), chunk(chunk), zeroPoints(zeroPoints) {}

  WideLanes sum() {
    SmallVector<Value> sums(4, k.constant(k.vec(k.isa.lanes(), k.i32()), 0));
    sums = k.loop(0, m.terms / 2, 1, sums, [&](Value iv, ValueRange carried) {
      Value term = k.mul(iv, 2);
      return add(carried, term, k.add(term, 1));
    });
    if (m.terms % 2)
      sums = add(sums, k.index(m.terms - 1), Value());
    return WideLanes(sums.begin(), sums.end());
  }

private:
  /// The operand's bytes with bias 128.
  Value bytes(unsigned index, Value term) {
    return asUnsigned(k, m.load(k, chunk, index, term),
                      m.factor(index).operand);
  }

  /// Words `q - z` of terms `first` and `second`, which is zero where it is
  /// null, in blocked order.
  WideLanes words(unsigned index, Value first, Value second) {
    int64_t zero = zeroPoints[index - 1] + registerBias(ElementKind::I8);
    Value a = bytes(index, first);
    Value b = second ? bytes(index, second)
                     : k.constant(a.getType(), static_cast<int8_t>(zero));
    WideLanes result = wordPairs(k, a, b);
    for (Value &pair : result)
      pair = subI(k, pair, zero);
    return result;
  }

  SmallVector<Value> add(ValueRange sums, Value first, Value second) {
    WideLanes a = words(1, first, second), b = words(2, first, second);
    SmallVector<Value> next;
    for (auto [sum, x, y] : llvm::zip(sums, a, b))
      next.push_back(
          qint::Dot2Op::create(k.b, k.loc, sum.getType(), sum, x, y));
    return next;
  }

  KernelBuilder &k;
  const MatMulNest &m;
  const Chunk &chunk;
  std::array<int64_t, 2> zeroPoints;
};

/// Products of any integers, one k at a time.
WideLanes sumWide(KernelBuilder &k, const MatMulNest &m, const Chunk &chunk,
                  std::array<int64_t, 2> zeroPoints) {
  SmallVector<Value> sums(4, k.constant(k.vec(k.isa.lanes(), k.i32()), 0));
  auto values = [&](unsigned index, Value term) {
    return centered(k, m.load(k, chunk, index, term), m.factor(index).operand,
                    zeroPoints[index - 1]);
  };
  sums = k.loop(0, m.terms, 1, sums, [&](Value term, ValueRange carried) {
    SmallVector<Value> next;
    for (auto [sum, x, y] :
         llvm::zip(carried, values(1, term), values(2, term)))
      next.push_back(addI(k, sum, mulI(k, x, y)));
    return next;
  });
  return WideLanes(sums.begin(), sums.end());
}

/// `factor` times the sum of each row of the left side, for zero points of the
/// right side.
void sumRows(KernelBuilder &k, Value from, Value first, const View &left,
             Value to, int64_t offset, int64_t factor) {
  int64_t terms = left.shape.back(), chunk = k.isa.bytes();
  auto type = k.vec(chunk, k.i8());
  Value ones = k.constant(type, 1);
  k.loop(0, left.shape[left.rank() - 2], 1, [&](Value row) {
    Value at = k.add(first, k.mul(row, left.strides[left.rank() - 2]));
    auto add = [&](Value sum, Value index, int64_t count) -> Value {
      Value x =
          loadPart(k, from, k.add(at, index), type, count, left.spanBytes());
      if (count < chunk) {
        SmallVector<int64_t> mask(chunk, 0);
        std::fill_n(mask.begin(), count, -1);
        x = andI(k, x, k.constantVector(k.i8(), mask));
      }
      return qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum, x, ones);
    };
    int64_t whole = terms - terms % chunk;
    Value sum =
        k.loop(0, whole, chunk, {k.constant(k.vec(k.isa.lanes(), k.i32()), 0)},
               [&](Value index, ValueRange carried) {
                 return SmallVector<Value>{add(carried[0], index, chunk)};
               })[0];
    if (whole < terms)
      sum = add(sum, k.index(whole), terms - whole);
    Value total = vector::ReductionOp::create(k.b, k.loc,
                                              vector::CombiningKind::ADD, sum);
    k.store(to, k.add(k.mul(row, 4), offset), mulI(k, total, factor));
  });
}

/// The product on register tiles.
void emitTiled(KernelContext &context, qint::MatMulOp op, ArrayRef<View> in,
               ArrayRef<View> outs) {
  const View &left = in[0], &right = in[1], &out = outs[0];
  int64_t rank = out.rank(), terms = left.shape.back();
  TileGemm gemm =
      productGemm(out.shape[rank - 2], terms, out.shape.back(), out);
  gemm.rows[0].inStride = left.strides[left.rank() - 2];
  gemm.rows[0].outStride = out.strides[rank - 2] * out.elementBytes();
  // Bytes of the left side are `a + 128`: of a sum of `(a - za)(b - zb)`, the
  // tiles compute that of `(a + 128) b`.
  int64_t leftZero = int64_t(op.getLhsZeroPoint()) + left.storageBias;
  int64_t rightZero = op.getRhsZeroPoint();
  gemm.hasBias = leftZero != 0;
  setOutput(gemm, op.getRequant(), out);
  chooseTileForm(gemm.requant, op.getRequant().getMultiplier(),
                 op.getRequant().getShift(), /*channels=*/1, out.kind);
  TilePlan plan = planTiles(gemm, context.isa);
  ProductScratch scratch(gemm, plan, /*hasLeft=*/false);
  if (rightZero != 0)
    gemm.rowOffsets = scratch.rowOffsets;
  ProductBatches batches(left, right, out);
  std::string key = tileKey(gemm);
  llvm::raw_string_ostream(key) << 'z' << leftZero << ',' << rightZero;
  context.emitKernel(
      op.getLoc(), "matmul", key,
      {KernelArg::read(left), KernelArg::read(right), KernelArg::write(outs[1]),
       KernelArg::write(out)},
      [&](KernelBuilder &k, ValueRange args) {
        ProductPacker packer(k, gemm, plan, right, args[1], args[2]);
        auto pack = [&](Value at) {
          packer.pack(at, -leftZero, terms * leftZero * rightZero);
        };
        if (batches.sharesRight())
          pack(k.index(right.origin()));
        batches.run(k, [&](Value leftAt, Value rightAt, Value outAt) {
          if (!batches.sharesRight())
            pack(rightAt);
          if (rightZero != 0)
            sumRows(k, args[0], leftAt, left, args[2], gemm.rowOffsets,
                    -rightZero);
          emitTileLoops(k, gemm, plan, {args[0], args[2], args[3], args[2], {}},
                        {leftAt, k.index(0), outAt});
        });
      });
}

} // namespace

LogicalResult emit(KernelContext &context, qint::MatMulOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  // Tiles read the left side by four bytes.
  bool isReadable =
      in[0].buffer >= 0 &&
      (in[0].shape.back() % 4 == 0 || context.buffers[in[0].buffer].hasSlack);
  if (out.size() > 1 && canTile(in[0], in[1], out[0]) && isReadable) {
    emitTiled(context, op, in, out);
    return success();
  }
  auto m = nestOf(context, op, in, out[0], context.isa.bytes());
  if (failed(m))
    return failure();
  bool isBytes = m->left.operand.kind == ElementKind::I8 &&
                 m->right.operand.kind == ElementKind::I8;
  LaneOrder order = isBytes ? LaneOrder::Blocked : LaneOrder::Natural;
  Rescale rescale = Rescale::of(op.getRequant(), INT32_MAX);
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  std::array<int64_t, 2> zeroPoints = {op.getLhsZeroPoint(),
                                       op.getRhsZeroPoint()};
  std::string params;
  llvm::raw_string_ostream(params)
      << 'z' << zeroPoints[0] << ',' << zeroPoints[1] << ' ' << rescale.key()
      << ' ' << output.key() << ' ' << m->termsKey();
  emitNest(context, op.getLoc(), "matmul", params, m->nest,
           [&](KernelBuilder &k, const Chunk &chunk) {
             WideLanes sums = isBytes
                                  ? BytePairs(k, *m, chunk, zeroPoints).sum()
                                  : sumWide(k, *m, chunk, zeroPoints);
             return requantize(k, sums, rescale, {}, output, order);
           });
  return success();
}

LogicalResult emit(KernelContext &context, qopt::MatMulOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitFloatProduct(context, op, in, out[0]);
}

LogicalResult emitFloatProduct(KernelContext &context, Operation *op,
                               ArrayRef<View> in, const View &out) {
  int64_t lanes = 2 * context.isa.lanes();
  auto m = nestOf(context, op, in, out, lanes);
  if (failed(m))
    return failure();
  context.emitKernel(
      op->getLoc(), "matmul_f32", m->termsKey() + " " + m->nest.key(),
      m->nest.args(), [&](KernelBuilder &k, ValueRange args) {
        m->nest.run(k, args, [&](const Chunk &chunk) {
          Value zero = k.constantF(k.vec(lanes, k.f32()), 0.0f);
          // Along k in order, so that every machine adds up
          // alike.
          Value sum = k.loop(0, m->terms, 1, {zero},
                             [&](Value term, ValueRange carried) {
                               return SmallVector<Value>{
                                   fma(k, m->load(k, chunk, 1, term),
                                       m->load(k, chunk, 2, term), carried[0])};
                             })[0];
          m->nest.store(k, chunk, sum);
        });
      });
  return success();
}

} // namespace mlir::qopt::codegen
