// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that every qopt op makes.

#include "QoptVerify.h"
#include "VerifyShapes.h"
#include "qopt/IR/QuantTypes.h"

using namespace mlir;
using namespace mlir::qopt;

/// Whether `operand` may have a per-axis type or i32 storage (D3).
static bool isParameterOperand(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isa<DequantizeOp>(op))
    return true;
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  return quantizable && (quantizable.getWeightOperand() == &operand ||
                         quantizable.getBiasOperand() == &operand);
}

static LogicalResult verifyType(Operation *op, Type type, bool isParameter) {
  // (D2)
  if (failed(verifyQuantType([&] { return op->emitOpError(); }, type)))
    return failure();
  // (D3)
  if (isParameter || !isQuantized(type))
    return success();
  auto element = cast<quant::QuantizedType>(getElementTypeOrSelf(type));
  if (isPerAxis(type))
    return op->emitOpError("expects one scale for an activation, but got ")
           << type;
  if (element.getStorageTypeIntegralWidth() == 32)
    return op->emitOpError("expects i8 or i16 storage for an activation, but "
                           "got ")
           << type;
  return success();
}

LogicalResult mlir::qopt::verifyConversionTensors(Operation *op) {
  // (D1)
  if (failed(verifySizes(op)))
    return failure();
  for (OpOperand &operand : op->getOpOperands())
    if (failed(verifyType(op, operand.get().getType(),
                          isParameterOperand(operand))))
      return failure();
  for (Type type : op->getResultTypes())
    if (failed(verifyType(op, type, isa<ConstantOp>(op))))
      return failure();
  return success();
}

LogicalResult mlir::qopt::verifyTensors(Operation *op) {
  if (failed(verifyConversionTensors(op)))
    return failure();
  // (D4)
  bool quantized = isQuantized(op->getResult(0).getType());
  for (Type type : op->getOperandTypes())
    if (isQuantized(type) != quantized)
      return op->emitOpError("expects tensors all f32 or all quantized, but "
                             "got ")
             << type << " and " << op->getResult(0).getType();
  return success();
}

LogicalResult mlir::qopt::verifyActivation(Operation *op, FnAttr activation) {
  if (!activation || activation.isClamp())
    return success();
  return op->emitOpError("expects a clamp as activation, but got ")
         << activation;
}
