// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer normalization of rows: exact sums, a root digit by digit, and four
// operations of 32 bits an element (docs/arithmetic.md, "Layer
// normalization").

#include "Arith.h"
#include "NormRows.h"
#include "Operands.h"
#include "Roots.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Numerics/Normalize.h"

namespace mlir::qopt::codegen {
namespace {

/// What the elements of a row need: vectors of i32.
struct RowParams {
  Value sum, inverse, left, right;
};

class LayerNormBody {
public:
  LayerNormBody(KernelBuilder &k, qint::LayerNormOp op, const NormRows &rows,
                const NestOperand &input, const OutputType &output)
      : k(k), op(op), rows(rows), input(input), output(output),
        rule{op.getRowLength(), op.getCenter(),
             static_cast<int>(op.getPower())} {
    int64_t reach = input.kind == ElementKind::I8 ? 255 : 65535;
    isWide = rule.power == 2 && reach * reach > UINT32_MAX / rule.length;
  }

  void emit(const Chunk &chunk) {
    SmallVector<RowParams, 4> params = paramsOf(chunk);
    rows.forTerms(k, chunk, {}, [&](const Chunk &terms, ValueRange) {
      WideLanes values;
      for (auto [part, x] : llvm::enumerate(load(terms)))
        values.push_back(
            element(terms, part, x, params[rows.isAlongTerms() ? 0 : part]));
      storeLanes(k, terms.memories[0], terms.positions[0],
                 narrow(k, values, output, LaneOrder::Natural), terms.count);
      return SmallVector<Value>();
    });
  }

private:
  /// Elements less the zero point where that matters, as i32.
  WideLanes load(const Chunk &terms) {
    auto type = k.vec(k.isa.bytes(), k.elementType(input.kind));
    Value x = rows.load(k, terms, 1, type.getNumElements());
    // The mean takes any constant with it.
    if (rule.isCentered)
      return widen(k, asUnsigned(k, x, input), LaneOrder::Natural);
    return centered(k, x, input, op.getInputZeroPoint());
  }

  /// `part` of a vector with zeros from lane `count` of the whole on.
  Value keepFirst(Value vector, unsigned part, int64_t count) {
    int64_t lanes = k.isa.lanes(), left = count - part * lanes;
    if (!rows.isAlongTerms() || left >= lanes)
      return vector;
    SmallVector<int64_t> mask(lanes, 0);
    for (int64_t lane = 0; lane < left; ++lane)
      mask[lane] = -1;
    return andI(k, vector, k.constantVector(k.i32(), mask));
  }

  /// Sums of elements and of their powers: a vector of i32 each for the four
  /// parts, then one of i32 or i64 each.
  SmallVector<Value> sums(const Chunk &chunk) {
    int64_t lanes = k.isa.lanes();
    SmallVector<Value> init(4, k.constant(k.vec(lanes, k.i32()), 0));
    init.append(4, k.constant(k.vec(lanes, isWide ? k.i64() : k.i32()), 0));
    return rows.forTerms(
        k, chunk, init, [&](const Chunk &terms, ValueRange carried) {
          SmallVector<Value> next(carried);
          for (auto [part, value] : llvm::enumerate(load(terms))) {
            Value x = keepFirst(value, part, terms.count);
            if (rule.isCentered)
              next[part] = addI(k, next[part], x);
            Value power =
                rule.power == 2
                    ? mulI(k, x, x)
                    : maxS(k, x, subI(k, k.constant(x.getType(), 0), x));
            next[4 + part] = addI(k, next[4 + part],
                                  isWide ? k.extendU(power, k.i64()) : power);
          }
          return next;
        });
  }

  SmallVector<RowParams, 4> paramsOf(const Chunk &chunk) {
    SmallVector<Value> parts = sums(chunk);
    SmallVector<RowParams, 4> result;
    if (!rows.isAlongTerms()) {
      for (unsigned part = 0; part < 4; ++part)
        result.push_back(
            rowParams(parts[part], k.extendU(parts[4 + part], k.i64())));
      return result;
    }
    Value sum, power;
    for (unsigned part = 0; part < 4; ++part) {
      Value wide = k.extendU(parts[4 + part], k.i64());
      sum = part ? addI(k, sum, parts[part]) : parts[part];
      power = part ? addI(k, power, wide) : wide;
    }
    auto reduce = [&](Value vector) -> Value {
      return vector::ReductionOp::create(k.b, k.loc, vector::CombiningKind::ADD,
                                         vector);
    };
    RowParams row = rowParams(reduce(sum), reduce(power));
    auto splat = [&](Value value) { return k.splat(value, k.isa.lanes()); };
    result.push_back({splat(row.sum), splat(row.inverse), splat(row.left),
                      splat(row.right)});
    return result;
  }

  /// From sums of i32 and of powers of i64, scalars or vectors.
  RowParams rowParams(Value sum, Value power) {
    Value value = power;
    int64_t top = 30;
    SmallVector<int, 6> steps = {16, 8, 4, 2, 1};
    if (rule.power == 2) {
      value = mulI(k, value, rule.length);
      if (rule.isCentered) {
        Value wide = k.extendS(sum, k.i64());
        value = subI(k, value, mulI(k, wide, wide));
      }
      value =
          addI(k, shiftLeft(k, value, op.getVarianceShift()), op.getEpsilon());
      top = 60;
      steps = {32, 16, 8, 4, 2};
    }
    value = maxS(k, value, 1);
    Value shift = k.constant(value.getType(), op.getVarianceShift());
    for (int step : steps) {
      // Below 2^(top + steps' parity - step) there is room for the step.
      int64_t room = int64_t(1) << (top + (rule.power == 2 ? 2 : 1) - step);
      Value isSmall = compare(k, arith::CmpIPredicate::slt, value,
                              k.constant(value.getType(), room));
      value = select(k, isSmall, shiftLeft(k, value, step), value);
      shift = select(k, isSmall, addI(k, shift, step), shift);
    }
    if (rule.power == 2) {
      value = squareRoot(k, value);
      shift = shiftRight(k, shift, 1);
    }
    Value whole = k.constant(value.getType(), int64_t(1) << 61);
    Value inverse = minS(k, binary<arith::DivUIOp>(k, whole, value), INT32_MAX);
    shift = minS(k, subI(k, shift, numerics::normHeadroom(rule)), 30);
    Value zero = k.constant(shift.getType(), 0);
    Value left = maxS(k, shift, zero), right = maxS(k, subI(k, zero, shift), 0);
    return {sum, k.truncate(inverse, k.i32()), k.truncate(left, k.i32()),
            k.truncate(right, k.i32())};
  }

  Value mulHigh(Value a, Value b) {
    return qint::MulHighOp::create(k.b, k.loc, a.getType(), a, b);
  }

  /// The result of one part of a chunk, i32, not yet clamped.
  Value element(const Chunk &terms, unsigned part, Value x,
                const RowParams &row) {
    int64_t lanes = k.isa.lanes();
    Value difference = mulI(k, x, rule.length);
    if (rule.isCentered)
      difference = subI(k, difference, row.sum);
    difference = shiftRight(k, shiftLeft(k, difference, row.left), row.right);
    Value normal = mulHigh(difference, row.inverse);
    Value acc = mulHigh(normal, rows.load(k, terms, 2, lanes, part * lanes));
    if (op.getBeta())
      acc = addI(k, acc, rows.load(k, terms, 3, lanes, part * lanes));
    int64_t shift = op.getRequant().getShift().front();
    int64_t half = int64_t(1) << (shift - 1);
    if (op.getRequant().getRounding() == qint::Rounding::HalfEven) {
      Value odd = andI(k, shiftRight(k, acc, shift), 1);
      acc = addI(k, acc, addI(k, odd, half - 1));
    } else {
      acc = addI(k, acc, half);
    }
    return addI(k, shiftRight(k, acc, shift), output.zeroPoint);
  }

  KernelBuilder &k;
  qint::LayerNormOp op;
  const NormRows &rows;
  const NestOperand &input;
  const OutputType &output;
  numerics::NormRule rule;
  /// Sums of squares need 64 bits.
  bool isWide;
};

} // namespace

LogicalResult emit(KernelContext &context, qint::LayerNormOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  int64_t lanes = context.isa.bytes();
  NormRows rows(context, in[0], out[0], op.getAxes(),
                {op.getGammaAttr(), op.getBetaAttr()}, lanes, lanes);
  NestOperand input = NestOperand::of(in[0], in[0].shape);
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  std::string params;
  llvm::raw_string_ostream(params)
      << 'n' << op.getRowLength() << (op.getCenter() ? "c" : "") << 'p'
      << op.getPower() << 'z' << op.getInputZeroPoint() << 'v'
      << op.getVarianceShift() << 'e' << op.getEpsilon() << 'f'
      << op.getRequant().getShift().front()
      << (op.getRequant().getRounding() == qint::Rounding::HalfEven ? "even "
                                                                    : " ")
      << (op.getBeta() ? "b " : "") << output.key() << ' ' << rows.key();
  context.emitKernel(op.getLoc(), "layer_norm", params, rows.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       rows.run(k, args, [&](const Chunk &chunk) {
                         LayerNormBody(k, op, rows, input, output).emit(chunk);
                       });
                     });
  return success();
}

} // namespace mlir::qopt::codegen
