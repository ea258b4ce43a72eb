// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands of elementwise ops.

#include "Operands.h"

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

} // namespace mlir::qopt::codegen
