// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions of extremes along an axis: lanes are neighbouring results.

#include "Arith.h"
#include "Operands.h"
#include "Reduction.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// Compares elements of one kind.
struct Order {
  bool isMax, selectLast;

  /// Whether `x` takes the place of `best`.
  Value isBetter(KernelBuilder &k, Value x, Value best) const {
    using I = arith::CmpIPredicate;
    using F = arith::CmpFPredicate;
    if (getElementTypeOrSelf(x.getType()).isF32())
      return compare(k,
                     isMax ? (selectLast ? F::OGE : F::OGT)
                           : (selectLast ? F::OLE : F::OLT),
                     x, best);
    return compare(k,
                   isMax ? (selectLast ? I::sge : I::sgt)
                         : (selectLast ? I::sle : I::slt),
                   x, best);
  }
};

/// The positions, i32, of the extremes that `load` gives along `size`
/// elements, part by part.
SmallVector<Value>
findPositions(KernelBuilder &k, int64_t size, const Order &order,
              llvm::function_ref<SmallVector<Value>(Value)> load) {
  SmallVector<Value> init = load(k.index(0));
  size_t parts = init.size();
  for (size_t part = 0; part < parts; ++part) {
    Type type = k.i32();
    if (auto vector = dyn_cast<VectorType>(init[part].getType()))
      type = k.vec(vector.getNumElements(), type);
    init.push_back(k.constant(type, 0));
  }
  SmallVector<Value> found =
      k.loop(1, size, 1, init, [&](Value iv, ValueRange carried) {
        SmallVector<Value> next = load(iv), positions;
        Value index = arith::IndexCastOp::create(k.b, k.loc, k.i32(), iv);
        for (size_t part = 0; part < parts; ++part) {
          Value better = order.isBetter(k, next[part], carried[part]);
          Value position = carried[parts + part], here = index;
          if (auto vector = dyn_cast<VectorType>(position.getType()))
            here = k.splat(index, vector.getNumElements());
          next[part] = select(k, better, next[part], carried[part]);
          positions.push_back(select(k, better, here, position));
        }
        next.append(positions);
        return next;
      });
  return SmallVector<Value>(ArrayRef<Value>(found).drop_front(parts));
}

template <typename OpT>
LogicalResult emitPositions(KernelContext &context, OpT op, bool isMax,
                            const OutputType &output, ArrayRef<View> in,
                            ArrayRef<View> out) {
  Reduction r(in[0], out[0], op.getAxis(), op.getKeepDims());
  bool isFloat = in[0].kind == ElementKind::F32;
  Order order{isMax, op.getSelectLast()};
  int64_t axis = op.getAxis(), size = in[0].shape[axis];
  int64_t step = in[0].strides[axis] * in[0].elementBytes();
  int64_t lanes = isFloat ? context.isa.lanes() : context.isa.bytes();
  ElementwiseNest nest(r.shape, {r.to, r.from}, lanes);
  std::string params;
  llvm::raw_string_ostream(params)
      << (isMax ? "max" : "min") << axis << (op.getSelectLast() ? "last " : " ")
      << output.key() << ' ' << nest.key();
  context.emitKernel(
      op.getLoc(), isFloat ? "arg_extreme_f32" : "arg_extreme", params,
      nest.args(), [&](KernelBuilder &k, ValueRange args) {
        auto type = k.vec(lanes, k.elementType(in[0].kind));
        nest.run(k, args, [&](const Chunk &chunk) {
          auto load = [&](Value iv) -> SmallVector<Value> {
            Value x =
                loadPart(k, args[1], k.add(chunk.positions[1], k.mul(iv, step)),
                         type, chunk.count, in[0].spanBytes());
            if (isFloat)
              return {x};
            WideLanes parts =
                widen(k, asUnsigned(k, x, r.from), LaneOrder::Natural);
            // Lanes that nothing is stored of are not compared.
            parts.truncate(llvm::divideCeil(chunk.count, k.isa.lanes()));
            return parts;
          };
          SmallVector<Value> found = findPositions(k, size, order, load);
          if (isFloat) {
            Value y = arith::SIToFPOp::create(k.b, k.loc, type, found[0]);
            return nest.store(k, chunk, y);
          }
          for (Value &position : found)
            position = addI(k, position, output.zeroPoint);
          found.resize(4, found[0]);
          storeLanes(k, args[0], chunk.positions[0],
                     narrow(k, found, output, LaneOrder::Natural), chunk.count);
        });
      });
  return success();
}

/// Where the positions of an integer op go.
OutputType typeOf(const View &view, int32_t zeroPoint) {
  int32_t low = view.kind == ElementKind::I8 ? -128 : -32768;
  return {view.kind, low, -low - 1, zeroPoint, view.storageBias};
}

} // namespace

LogicalResult emit(KernelContext &context, qint::ArgMaxOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitPositions(context, op, /*isMax=*/true,
                       typeOf(out[0], op.getZeroPoint()), in, out);
}

LogicalResult emit(KernelContext &context, qint::ArgMinOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitPositions(context, op, /*isMax=*/false,
                       typeOf(out[0], op.getZeroPoint()), in, out);
}

LogicalResult emit(KernelContext &context, qopt::ArgMaxOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitPositions(context, op, /*isMax=*/true, {}, in, out);
}

LogicalResult emit(KernelContext &context, qopt::ArgMinOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitPositions(context, op, /*isMax=*/false, {}, in, out);
}

} // namespace mlir::qopt::codegen
