// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the vector ops that kernels are written in.

#include "qopt/IR/Qint.h"

using namespace mlir;
using namespace mlir::qint;

static int64_t lanesOf(Value value) {
  return cast<VectorType>(value.getType()).getNumElements();
}

LogicalResult Dot4Op::verify() {
  // (C1)
  if (lanesOf(getU()) != 4 * lanesOf(getAcc()))
    return emitOpError("expects ")
           << 4 * lanesOf(getAcc()) << " lanes of i8, but got "
           << lanesOf(getU());
  return success();
}

LogicalResult Dot2Op::verify() {
  // (C1)
  if (lanesOf(getA()) != 2 * lanesOf(getAcc()))
    return emitOpError("expects ")
           << 2 * lanesOf(getAcc()) << " lanes of i16, but got "
           << lanesOf(getA());
  return success();
}

LogicalResult PackOp::verify() {
  auto in = cast<VectorType>(getLhs().getType());
  auto out = cast<VectorType>(getResult().getType());
  // (C1)
  int64_t width = in.getElementTypeBitWidth();
  if ((in.getNumElements() * width) % 128 != 0)
    return emitOpError("expects a multiple of 128 bits, but got ") << in;
  // (C2)
  if (out.getElementTypeBitWidth() * 2 != width ||
      out.getNumElements() != 2 * in.getNumElements())
    return emitOpError("expects twice the lanes at half the width of ")
           << in << ", but got " << out;
  return success();
}

LogicalResult LookupOp::verify() {
  // (C1)
  auto table = cast<VectorType>(getTable().getType());
  auto index = cast<VectorType>(getIndex().getType());
  int64_t entries = table.getNumElements();
  bool isByte = table.getElementTypeBitWidth() == 8;
  if (isByte ? entries != 256
             : entries != 32 && entries != 64 && entries != 128)
    return emitOpError("expects 256 entries of i8, or 32, 64 or 128 of i16, "
                       "but got ")
           << table;
  if (index.getElementType() != table.getElementType())
    return emitOpError("expects indices of the table's type, but got ")
           << index;
  // (C2)
  if (lanesOf(getIndex()) % 16 != 0)
    return emitOpError("expects a multiple of 16 lanes, but got ")
           << lanesOf(getIndex());
  return success();
}
