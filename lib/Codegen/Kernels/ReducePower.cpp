// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer sums of magnitudes and squares over axes, and their roots
// (docs/arithmetic.md, "Norms").

#include "Arith.h"
#include "Operands.h"
#include "Reduction.h"
#include "Roots.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Numerics/Normalize.h"
#include <cmath>

namespace mlir::qopt::codegen {
namespace {

class PowerSum {
public:
  PowerSum(qint::ReducePowerOp op, const Reduction &r)
      : op(op), r(r), isByte(r.from.kind == ElementKind::I8) {
    int64_t low = isByte ? -128 : -32768, high = -low - 1;
    int64_t zero = op.getInputZeroPoint();
    int64_t reach = std::max(zero - low, high - zero);
    largest =
        (op.getPower() == 1 ? reach : reach * reach) * r.terms.numElements();
    isWide = largest > INT32_MAX;
  }

  /// No sum or root is larger.
  int64_t bound() {
    auto shift = op.getRootShift();
    return shift ? numerics::squareRootFloor(largest << (2 * *shift)) : largest;
  }

  /// The accumulators of a chunk of results, ready to be rescaled.
  WideLanes emit(KernelBuilder &k, const Chunk &chunk, Value memory,
                 int64_t usedBytes) {
    int64_t lanes = k.isa.lanes();
    auto type = k.vec(k.isa.bytes(), k.elementType(r.from.kind));
    SmallVector<Value> init(
        4, k.constant(k.vec(lanes, isWide ? k.i64() : k.i32()), 0));
    auto add = [&](Value x, ValueRange sums) { return addTerms(k, x, sums); };
    WideLanes sums;
    if (r.alongTerms) {
      sums.assign(4, total(k, sumAlong(k, r, memory, chunk.positions[1], type,
                                       init, add)));
    } else {
      llvm::append_range(
          sums, fold(k, r.terms, byteWidth(r.from.kind), chunk.positions[1],
                     init, [&](Value at, ValueRange carried) {
                       return add(loadPart(k, memory, at, type, chunk.count,
                                           usedBytes),
                                  carried);
                     }));
    }
    if (std::optional<int32_t> shift = op.getRootShift())
      for (Value &sum : sums)
        sum = k.truncate(
            squareRoot(k, shiftLeft(k, k.extendU(sum, k.i64()), 2 * *shift)),
            k.i32());
    return sums;
  }

private:
  SmallVector<Value> addTerms(KernelBuilder &k, Value loaded, ValueRange sums) {
    SmallVector<Value> next;
    for (auto [sum, x] :
         llvm::zip(sums, centered(k, loaded, r.from, op.getInputZeroPoint()))) {
      Value zero = k.constant(x.getType(), 0);
      Value power =
          op.getPower() == 1 ? maxS(k, x, subI(k, zero, x)) : mulI(k, x, x);
      next.push_back(addI(k, sum, isWide ? k.extendU(power, k.i64()) : power));
    }
    return next;
  }

  /// The sum of all lanes in every lane, less what lanes past the terms added.
  Value total(KernelBuilder &k, ArrayRef<Value> parts) {
    Value sum = parts[0];
    for (Value part : parts.drop_front())
      sum = addI(k, sum, part);
    Value scalar = vector::ReductionOp::create(k.b, k.loc,
                                               vector::CombiningKind::ADD, sum);
    int64_t size = r.terms.innerSize(), past = -size & (k.isa.bytes() - 1);
    // Zeros in memory.
    int64_t empty = isByte && r.from.storageBias ? -128 : 0;
    empty -= op.getInputZeroPoint();
    empty = op.getPower() == 1 ? std::abs(empty) : empty * empty;
    scalar = subI(k, scalar, empty * past * (r.terms.numElements() / size));
    return k.splat(scalar, k.isa.lanes());
  }

  qint::ReducePowerOp op;
  const Reduction &r;
  bool isByte, isWide;
  int64_t largest;
};

} // namespace

LogicalResult emit(KernelContext &context, qint::ReducePowerOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  Reduction r(in[0], out[0], op.getAxes(), op.getKeepDims());
  PowerSum powers(op, r);
  Rescale rescale = Rescale::of(op.getRequant(), powers.bound());
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  ElementwiseNest nest(r.shape, {r.to, r.from},
                       r.alongTerms ? 1 : context.isa.bytes());
  std::string params;
  llvm::raw_string_ostream(params)
      << r.key(op.getAxes()) << ' ' << nest.key() << " z"
      << op.getInputZeroPoint() << 'p' << op.getPower() << 'r'
      << op.getRootShift().value_or(-1) << ' ' << rescale.key() << ' '
      << output.key();
  context.emitKernel(op.getLoc(), "reduce_power", params, nest.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       nest.run(k, args, [&](const Chunk &chunk) {
                         WideLanes sums =
                             powers.emit(k, chunk, args[1], in[0].spanBytes());
                         storeLanes(k, args[0], chunk.positions[0],
                                    requantize(k, sums, rescale, {}, output,
                                               LaneOrder::Natural),
                                    chunk.count);
                       });
                     });
  return success();
}

} // namespace mlir::qopt::codegen
