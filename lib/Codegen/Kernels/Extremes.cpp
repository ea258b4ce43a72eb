// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The larger and the smaller of two tensors' elements, integer and float.

#include "Extremes.h"
#include "Arith.h"
#include "Operands.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {

Value extremeOf(KernelBuilder &k, Value a, Value b, bool isMax,
                ElementKind kind, int32_t storageBias) {
  if (kind == ElementKind::F32)
    return isMax ? floatMax(k, a, b) : floatMin(k, a, b);
  if (storageBias)
    return isMax ? maxU(k, a, b) : minU(k, a, b);
  return isMax ? maxS(k, a, b) : minS(k, a, b);
}

static LogicalResult emitExtreme(KernelContext &context, Operation *op,
                                 bool isMax, ArrayRef<View> in,
                                 const View &out) {
  auto operands = binaryOperands(context, op, in, out);
  if (failed(operands))
    return failure();
  int64_t lanes = context.isa.bytes() / out.elementBytes();
  ElementwiseNest nest(out.shape, *operands, lanes);
  // Both operands are compared as the result stands in memory.
  auto load = [&](KernelBuilder &k, const Chunk &chunk, unsigned index) {
    Value x = nest.load(k, chunk, index, lanes);
    return (*operands)[index].storageBias == out.storageBias ? x
                                                             : xorI(k, x, 128);
  };
  context.emitKernel(op->getLoc(), isMax ? "max" : "min", nest.key(),
                     nest.args(), [&](KernelBuilder &k, ValueRange args) {
                       nest.run(k, args, [&](const Chunk &chunk) {
                         nest.store(k, chunk,
                                    extremeOf(k, load(k, chunk, 1),
                                              load(k, chunk, 2), isMax,
                                              out.kind, out.storageBias));
                       });
                     });
  return success();
}

LogicalResult emit(KernelContext &context, qint::MaxOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitExtreme(context, op, /*isMax=*/true, in, out[0]);
}

LogicalResult emit(KernelContext &context, qint::MinOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitExtreme(context, op, /*isMax=*/false, in, out[0]);
}

LogicalResult emit(KernelContext &context, qopt::MaxOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitExtreme(context, op, /*isMax=*/true, in, out[0]);
}

LogicalResult emit(KernelContext &context, qopt::MinOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitExtreme(context, op, /*isMax=*/false, in, out[0]);
}

} // namespace mlir::qopt::codegen
