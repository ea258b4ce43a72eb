// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and interface methods of the qopt ops that compute.

#include "QoptVerify.h"
#include "VerifyShapes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

/// The type of an optional bias, or null.
static RankedTensorType biasType(Value bias) {
  return bias ? cast<RankedTensorType>(bias.getType()) : RankedTensorType();
}

//===----------------------------------------------------------------------===//
// conv, gemm
//===----------------------------------------------------------------------===//

LogicalResult ConvOp::verify() {
  // (C1) to (C5)
  if (failed(verifyTensors(*this)) ||
      failed(verifyConv(*this, getInput().getType(), getWeight().getType(),
                        biasType(getBias()), getResult().getType(),
                        {getStrides(), getPads(), getDilations()},
                        getGroups())))
    return failure();
  // (C6)
  return verifyActivation(*this, getActivationAttr());
}

OpOperand *ConvOp::getWeightOperand() { return &getWeightMutable(); }

OpOperand *ConvOp::getBiasOperand() {
  return getBias() ? &getOperation()->getOpOperand(2) : nullptr;
}

LogicalResult GemmOp::verify() {
  // (C1) to (C4)
  if (failed(verifyTensors(*this)) ||
      failed(verifyGemm(*this, getInput().getType(), getWeight().getType(),
                        biasType(getBias()), getResult().getType())))
    return failure();
  // (C5)
  return verifyActivation(*this, getActivationAttr());
}

OpOperand *GemmOp::getWeightOperand() { return &getWeightMutable(); }

OpOperand *GemmOp::getBiasOperand() {
  return getBias() ? &getOperation()->getOpOperand(2) : nullptr;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

template <typename BinaryOp> static LogicalResult verifyBinary(BinaryOp op) {
  // (C1)
  if (failed(verifyTensors(op)) ||
      failed(verifyBroadcast(op, op.getLhs().getType(), op.getRhs().getType(),
                             op.getResult().getType())))
    return failure();
  // (C2)
  return verifyActivation(op, op.getActivationAttr());
}

LogicalResult AddOp::verify() { return verifyBinary(*this); }
LogicalResult SubOp::verify() { return verifyBinary(*this); }
LogicalResult MulOp::verify() { return verifyBinary(*this); }
LogicalResult DivOp::verify() { return verifyBinary(*this); }

template <typename ExtremeOp> static LogicalResult verifyExtreme(ExtremeOp op) {
  // (C1), (C2)
  return failure(
      failed(verifyTensors(op)) ||
      failed(verifyBroadcast(op, op.getLhs().getType(), op.getRhs().getType(),
                             op.getResult().getType())) ||
      failed(verifyOneElementType(op)));
}

LogicalResult MaxOp::verify() { return verifyExtreme(*this); }
ScaleRule MaxOp::getScaleRule() { return ScaleRule::Shared; }
LogicalResult MinOp::verify() { return verifyExtreme(*this); }
ScaleRule MinOp::getScaleRule() { return ScaleRule::Shared; }

LogicalResult MatMulOp::verify() {
  // (C1), (C2)
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifyMatMul(*this, getLhs().getType(), getRhs().getType(),
                          getResult().getType())));
}

LogicalResult AttendOp::verify() {
  // (C1), (C2) of matmul
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifyMatMul(*this, getLogits().getType(), getValues().getType(),
                          getResult().getType())));
}

LogicalResult UnaryOp::verify() {
  // (C1)
  if (getFunctions().empty())
    return emitOpError("expects at least one function, but got 0");
  if (failed(verifyTensors(*this)))
    return failure();
  // (C2)
  if (failed(
          verifySameShape(*this, getInput().getType(), getResult().getType())))
    return failure();
  // (C3)
  if (!numerics::isBalanced(getChain()))
    return emitOpError("expects functions that take from the stack what they "
                       "put there, but got ")
           << getFunctions();
  return success();
}

SmallVector<numerics::ScalarFunction> UnaryOp::getChain() {
  SmallVector<numerics::ScalarFunction> chain;
  for (FnAttr function : getFunctions().getAsRange<FnAttr>())
    chain.push_back(function.getScalarFunction());
  return chain;
}

LogicalResult BatchNormOp::verify() {
  if (failed(verifyTensors(*this)))
    return failure();
  // (C1)
  RankedTensorType input = getInput().getType();
  if (input.getRank() < 2)
    return emitOpError("expects input of rank 2 or more, but got ")
           << input.getRank();
  for (Value parameter : {getScale(), getShift()}) {
    auto type = cast<RankedTensorType>(parameter.getType());
    if (type.getRank() != 1 || type.getDimSize(0) != input.getDimSize(1))
      return emitOpError("expects scale and shift of shape ")
             << input.getDimSize(1) << ", but got "
             << shapeText(type.getShape());
  }
  // (C2)
  return verifySameShape(*this, input, getResult().getType());
}

LogicalResult SoftmaxOp::verify() {
  // (C1), (C2)
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifyAxis(*this, getAxis(), getInput().getType().getRank())) ||
      failed(
          verifySameShape(*this, getInput().getType(), getResult().getType())));
}

ScaleRule SoftmaxOp::getScaleRule() { return ScaleRule::Fixed; }

std::pair<double, double> SoftmaxOp::getFixedRange(int, bool) {
  return {0.0, 1.0};
}

LogicalResult LogSoftmaxOp::verify() {
  // As softmax.
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifyAxis(*this, getAxis(), getInput().getType().getRank())) ||
      failed(
          verifySameShape(*this, getInput().getType(), getResult().getType())));
}

LogicalResult LayerNormOp::verify() {
  // (C1)
  RankedTensorType input = getInput().getType();
  if (failed(verifyTensors(*this)) ||
      failed(verifyNormAxes(*this, input, getResult().getType(), getAxes())))
    return failure();
  // (C2)
  double epsilon = getEpsilon().convertToDouble();
  if (!std::isfinite(epsilon) || epsilon < 0)
    return emitOpError("expects a finite epsilon of at least 0, but got ")
           << getEpsilonAttr();
  // (C3)
  if (failed(verifyNormPower(*this, getPower(), getCenter(), epsilon == 0)))
    return failure();
  // (C4)
  for (DenseElementsAttr factors : {getGammaAttr(), getBetaAttr()}) {
    if (!factors)
      continue;
    if (failed(verifyFactors(*this, input, factors.getType())))
      return failure();
    for (float value : factors.getValues<float>())
      if (!std::isfinite(value))
        return emitOpError("expects finite values of gamma and beta, but got ")
               << value;
  }
  // (C5)
  return verifyActivation(*this, getActivationAttr());
}

//===----------------------------------------------------------------------===//
// Pools and reductions
//===----------------------------------------------------------------------===//

LogicalResult MaxPoolOp::verify() {
  // (C1) to (C4)
  if (failed(verifyTensors(*this)) ||
      failed(verifyPool(*this, getInput().getType(), getResult().getType(),
                        getKernel(),
                        {getStrides(), getPads(), getDilations()})))
    return failure();
  // (C5)
  return verifyOneElementType(*this);
}

ScaleRule MaxPoolOp::getScaleRule() { return ScaleRule::Shared; }

LogicalResult AvgPoolOp::verify() {
  // (C1) to (C4)
  return failure(failed(verifyTensors(*this)) ||
                 failed(verifyPool(*this, getInput().getType(),
                                   getResult().getType(), getKernel(),
                                   {getStrides(), getPads(), getDilations()})));
}

template <typename ReduceOp> static LogicalResult verifyReduction(ReduceOp op) {
  // (C1), (C2)
  return failure(
      failed(verifyTensors(op)) ||
      failed(verifyReduce(op, op.getInput().getType(), op.getResult().getType(),
                          op.getAxes(), op.getKeepDims())));
}

LogicalResult ReduceMeanOp::verify() { return verifyReduction(*this); }
LogicalResult ReduceSumOp::verify() { return verifyReduction(*this); }

LogicalResult ReduceL1Op::verify() { return verifyReduction(*this); }
LogicalResult ReduceL2Op::verify() { return verifyReduction(*this); }
LogicalResult ReduceSumSquareOp::verify() { return verifyReduction(*this); }

LogicalResult ReduceMaxOp::verify() {
  // (C1) and (C2), then (C3)
  return failure(failed(verifyReduction(*this)) ||
                 failed(verifyOneElementType(*this)));
}

ScaleRule ReduceMaxOp::getScaleRule() { return ScaleRule::Shared; }

LogicalResult ReduceMinOp::verify() {
  // (C1) and (C2), then (C3)
  return failure(failed(verifyReduction(*this)) ||
                 failed(verifyOneElementType(*this)));
}

ScaleRule ReduceMinOp::getScaleRule() { return ScaleRule::Shared; }

template <typename ArgOp> static LogicalResult verifyArg(ArgOp op) {
  // (C1), (C2)
  return failure(failed(verifyTensors(op)) ||
                 failed(verifyArgExtreme(op, op.getInput().getType(),
                                         op.getResult().getType(), op.getAxis(),
                                         op.getKeepDims())));
}

/// Indices at a scale of 1.
static std::pair<double, double> getIndexRange(int bits, bool symmetric) {
  return {0.0, std::ldexp(1.0, symmetric ? bits - 1 : bits)};
}

LogicalResult ArgMaxOp::verify() { return verifyArg(*this); }
ScaleRule ArgMaxOp::getScaleRule() { return ScaleRule::Fixed; }
std::pair<double, double> ArgMaxOp::getFixedRange(int bits, bool symmetric) {
  return getIndexRange(bits, symmetric);
}

LogicalResult ArgMinOp::verify() { return verifyArg(*this); }
ScaleRule ArgMinOp::getScaleRule() { return ScaleRule::Fixed; }
std::pair<double, double> ArgMinOp::getFixedRange(int bits, bool symmetric) {
  return getIndexRange(bits, symmetric);
}

LogicalResult InterpolateOp::verify() {
  // (C1) to (C3)
  return failure(failed(verifyTensors(*this)) ||
                 failed(verifyInterpolate(
                     *this, getInput().getType(), getResult().getType(),
                     {getRowIndices(), getRowWeights().size()},
                     {getColumnIndices(), getColumnWeights().size()})));
}
