// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the qint ops that move values.

#include "VerifyShapes.h"
#include "qopt/IR/Qint.h"

using namespace mlir;
using namespace mlir::qint;

LogicalResult ReshapeOp::verify() {
  // (C1), (C2)
  return failure(
      failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyReshape(*this, getInput().getType(), getType())) ||
      failed(qopt::verifyOneElementType(*this)));
}

LogicalResult TransposeOp::verify() {
  // (C1) to (C3)
  return failure(failed(qopt::verifySizes(*this)) ||
                 failed(qopt::verifyTranspose(*this, getInput().getType(),
                                              getType(), getPermutation())) ||
                 failed(qopt::verifyOneElementType(*this)));
}

LogicalResult ConcatOp::verify() {
  // (C1) to (C4)
  return failure(failed(qopt::verifySizes(*this)) ||
                 failed(qopt::verifyConcat(*this, getInputs().getTypes(),
                                           getType(), getAxis())) ||
                 failed(qopt::verifyOneElementType(*this)));
}

LogicalResult PadOp::verify() {
  // (C1), (C2)
  if (failed(qopt::verifySizes(*this)) ||
      failed(
          qopt::verifyPad(*this, getInput().getType(), getType(), getPads())) ||
      failed(qopt::verifyOneElementType(*this)))
    return failure();
  // (C3)
  int32_t half = 1 << (getType().getElementTypeBitWidth() - 1);
  if (getValue() < -half || getValue() >= half)
    return emitOpError("expects a value in [")
           << -half << ", " << half - 1 << "], but got " << getValue();
  return success();
}

LogicalResult SliceOp::verify() {
  // (C1) to (C3)
  return failure(
      failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifySlice(*this, getInput().getType(), getType(),
                               getStarts(), getSteps())) ||
      failed(qopt::verifyOneElementType(*this)));
}

LogicalResult GatherOp::verify() {
  // (C1) to (C4)
  return failure(
      failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyGather(*this, getInput().getType(), getType(),
                                getAxis(), getIndices())) ||
      failed(qopt::verifyOneElementType(*this)));
}
