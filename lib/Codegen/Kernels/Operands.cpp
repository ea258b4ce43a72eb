// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands of elementwise ops.

#include "Operands.h"
#include "Arith.h"

namespace mlir::qopt::codegen {

FailureOr<NestOperand> operandOf(KernelContext &context, Operation *op,
                                 Value value, const View &view,
                                 const View &out) {
  if (view.buffer >= 0)
    return NestOperand::of(view, out.shape);
  FailureOr<ConstantData> data = readConstant(value);
  if (failed(data))
    return op->emitOpError("expects operands in memory or constants");
  return NestOperand::ofConstant(context, *data, out);
}

FailureOr<std::vector<NestOperand>> binaryOperands(KernelContext &context,
                                                   Operation *op,
                                                   ArrayRef<View> in,
                                                   const View &out) {
  std::vector<NestOperand> operands = {NestOperand::of(out, out.shape, true)};
  for (unsigned i = 0; i < 2; ++i) {
    auto operand = operandOf(context, op, op->getOperand(i), in[i], out);
    if (failed(operand))
      return failure();
    operands.push_back(*operand);
  }
  return operands;
}

Value asUnsigned(KernelBuilder &k, Value loaded, const NestOperand &operand) {
  if (operand.kind == ElementKind::I8 && operand.storageBias == 0)
    return xorI(k, loaded, 128);
  return loaded;
}

WideLanes centered(KernelBuilder &k, Value loaded, const NestOperand &operand,
                   int64_t zeroPoint) {
  WideLanes result =
      widen(k, asUnsigned(k, loaded, operand), LaneOrder::Natural);
  for (Value &part : result)
    part = subI(k, part, zeroPoint + registerBias(operand.kind));
  return result;
}

void emitNest(
    KernelContext &context, Location loc, StringRef family, const Twine &params,
    const ElementwiseNest &nest,
    llvm::function_ref<SmallVector<Value, 2>(KernelBuilder &, const Chunk &)>
        compute) {
  context.emitKernel(loc, family, params + " " + nest.key(), nest.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       nest.run(k, args, [&](const Chunk &chunk) {
                         storeLanes(k, chunk.memories[0], chunk.positions[0],
                                    compute(k, chunk), chunk.count);
                       });
                     });
}

} // namespace mlir::qopt::codegen
