// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the ops between levels: observe, quantize, dequantize.

#include "QoptVerify.h"
#include "VerifyShapes.h"
#include "qopt/Numerics/QuantParams.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

LogicalResult ObserveOp::verify() {
  // (C1)
  if (getId().empty())
    return emitOpError("expects an id, but got an empty one");
  // (C2)
  if (getBits() < 8 || getBits() > 16)
    return emitOpError("expects 8 to 16 bits, but got ") << getBits();
  if (getBits() > 8 && !getSymmetric() && !getScaleAttr())
    return emitOpError("expects ")
           << getBits() << " bits to be symmetric, but got asymmetric";
  // (C3)
  if (getScaleAttr() && getZeroPointAttr()) {
    double scale = getScaleAttr().getValueAsDouble();
    if (!std::isfinite(scale) || scale <= 0)
      return emitOpError("expects a finite scale above zero, but got ")
             << scale;
  } else if (getScaleAttr() || getZeroPointAttr()) {
    return emitOpError("expects scale and zero point together, but got one");
  }
  // (C4)
  if (getInput().getType() != getType())
    return emitOpError("expects input and result of one type, but got ")
           << getInput().getType() << " and " << getType();
  // (C5)
  if (getPowerOfTwo() && getScaleAttr() &&
      !numerics::isPowerOfTwo(getScaleAttr().getValueAsDouble()))
    return emitOpError("expects a scale that is a power of two, but got ")
           << getScaleAttr().getValueAsDouble();
  return verifyTensors(*this);
}

LogicalResult QuantizeOp::verify() {
  // (C1)
  return failure(
      failed(verifyConversionTensors(*this)) ||
      failed(verifySameShape(*this, getInput().getType(), getType())));
}

LogicalResult DequantizeOp::verify() {
  // (C1)
  return failure(
      failed(verifyConversionTensors(*this)) ||
      failed(verifySameShape(*this, getInput().getType(), getType())));
}

LogicalResult RequantizeOp::verify() {
  // (C1)
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifySameShape(*this, getInput().getType(), getType())));
}
