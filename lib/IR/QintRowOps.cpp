// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the qint ops on whole rows: normalizations, the logarithm of
// softmax, attention, sums of powers, positions of extremes.

#include "QintVerify.h"
#include "VerifyShapes.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Shapes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qint;

//===----------------------------------------------------------------------===//
// log_softmax
//===----------------------------------------------------------------------===//

LogicalResult LogSoftmaxOp::verify() {
  // (C1) to (C3)
  if (failed(verifyExponentials(*this, getInput().getType(), getType(),
                                getAxis(), getExpTable())))
    return failure();
  // (C4)
  RequantAttr requant = getRequant();
  if (failed(expectMultipliers(*this, requant, 2)) ||
      failed(verifyOutput(*this, requant, getType())))
    return failure();
  if (requant.getShift().size() != 2 ||
      requant.getRounding() != Rounding::HalfUp)
    return emitOpError("expects two shifts and halves rounded up");
  constexpr int32_t limit = 1 << 26;
  if (requant.getMultiplier()[1] >= limit)
    return emitOpError("expects a second multiplier below 2^26, but got ")
           << requant.getMultiplier()[1];
  // (C5)
  double length = getInput().getType().getDimSize(getAxis());
  const bool isWide = getInput().getType().getElementTypeBitWidth() == 16;
  double largest = (isWide ? 65535.0 : 255.0) * requant.getMultiplier()[0] +
                   std::ldexp(requant.getMultiplier()[1] * std::log(length),
                              30 - requant.getShift()[1]) +
                   std::ldexp(1.0, requant.getShift()[0] - 1);
  if (largest > (isWide ? 0x1p46 : 0x1p31) - 2)
    return emitOpError("expects sums inside ") << (isWide ? 47 : 32) << " bits";
  return success();
}

//===----------------------------------------------------------------------===//
// attend
//===----------------------------------------------------------------------===//

LogicalResult AttendOp::verify() {
  // (C1)
  RankedTensorType logits = getLogits().getType();
  RankedTensorType values = getValues().getType();
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyMatMul(*this, logits, values, getType())))
    return failure();
  if (logits.getElementTypeBitWidth() != 8 ||
      values.getElementTypeBitWidth() != 8)
    return emitOpError("expects i8 logits and values, but got ")
           << logits << " and " << values;
  // (C2)
  ArrayRef<int32_t> table = getExpTable();
  if (table.size() != 256 || table.front() != 255 ||
      llvm::any_of(table, [](int32_t e) { return e < 0 || e > 255; }))
    return emitOpError("expects 256 table entries in [0, 255] that start with "
                       "255, but got ")
           << table.size() << " that start with "
           << (table.empty() ? 0 : table.front());
  // (C3)
  if (failed(expectMultipliers(*this, getRequant(), 1)) ||
      failed(expectFits(*this, "the values' zero point", getValuesZeroPoint(),
                        values)) ||
      failed(verifyOutput(*this, getRequant(), getType())))
    return failure();
  if (getRequant().getRounding() != Rounding::HalfUp)
    return emitOpError("expects an average to round half up");
  // (C4)
  int64_t most =
      INT32_MAX / (255 * largestDifference(values, getValuesZeroPoint()));
  if (logits.getShape().back() > most)
    return emitOpError("expects at most ")
           << most << " terms a sum, but got " << logits.getShape().back();
  return success();
}

//===----------------------------------------------------------------------===//
// layer_norm
//===----------------------------------------------------------------------===//

int64_t LayerNormOp::getRowLength() {
  int64_t length = 1;
  for (int64_t axis : getAxes())
    length *= getInput().getType().getDimSize(axis);
  return length;
}

/// (C5): the largest `n sum (x - z)^2 - S^2` is that of a row of both ends,
/// or of the farther end.
static LogicalResult verifyVariance(LayerNormOp op, int64_t length) {
  int32_t shift = op.getVarianceShift();
  if (shift < 0 || shift % 2 != 0 || shift > 60 || op.getEpsilon() < 0)
    return op.emitOpError("expects an even variance shift in [0, 60] and an "
                          "epsilon of at least 0, but got ")
           << shift << " and " << op.getEpsilon();
  auto [low, high] = elementRange(op.getInput().getType());
  __int128 range = op.getCenter()
                       ? high - low
                       : 2 * largestDifference(op.getInput().getType(),
                                               op.getInputZeroPoint());
  __int128 largest =
      ((range * range * length * length / 4 + 1) << shift) + op.getEpsilon();
  if (largest >> 62)
    return op.emitOpError("expects variances below 2^62");
  return success();
}

LogicalResult LayerNormOp::verify() {
  // (C1)
  RankedTensorType input = getInput().getType();
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyNormAxes(*this, input, getType(), getAxes())))
    return failure();
  // (C2)
  int64_t length = getRowLength();
  int64_t longest = input.getElementTypeBitWidth() == 8 ? 1 << 22 : 1 << 15;
  if (length > longest)
    return emitOpError("expects rows of at most ")
           << longest << " elements, but got " << length;
  // (C3)
  if (failed(
          qopt::verifyNormPower(*this, getPower(), getCenter(),
                                getEpsilon() == 0 && getVarianceShift() == 0)))
    return failure();
  // (C4)
  for (DenseElementsAttr factors : {getGammaAttr(), getBetaAttr()})
    if (factors && failed(qopt::verifyFactors(*this, input, factors.getType())))
      return failure();
  if (llvm::is_contained(getGamma().getValues<int32_t>(), INT32_MIN))
    return emitOpError("expects gamma other than -2^31");
  constexpr int32_t limit = 1 << 30;
  if (DenseElementsAttr beta = getBetaAttr())
    for (int32_t value : beta.getValues<int32_t>())
      if (value < -limit || value > limit)
        return emitOpError("expects beta in [-2^30, 2^30], but got ") << value;
  // (C5)
  if (getPower() == 2 && failed(verifyVariance(*this, length)))
    return failure();
  // (C6)
  RequantAttr requant = getRequant();
  if (requant.getMultiplier() != ArrayRef<int32_t>(1) ||
      requant.getShift().front() > 24)
    return emitOpError("expects a multiplier of 1 and a shift in [1, 24]");
  // (C7)
  return verifyScaled(*this, input, getInputZeroPoint(), requant, getType());
}

//===----------------------------------------------------------------------===//
// reduce_power, arg_max, arg_min
//===----------------------------------------------------------------------===//

LogicalResult ReducePowerOp::verify() {
  if (failed(verifyReducedSum(*this, "sum")))
    return failure();
  // (C5)
  if (getPower() != 1 && getPower() != 2)
    return emitOpError("expects power 1 or 2, but got ") << getPower();
  std::optional<int32_t> root = getRootShift();
  if (!root)
    return success();
  if (getPower() != 2 || *root < 0 || *root > 30)
    return emitOpError("expects a root shift in [0, 30] with power 2, but got ")
           << *root << " with " << getPower();
  RankedTensorType input = getInput().getType();
  int64_t count = countReduced(input, getAxes());
  __int128 size = largestDifference(input, getInputZeroPoint());
  if ((size * size * count << (2 * *root)) >> 62)
    return emitOpError("expects sums below 2^62 under the root");
  return success();
}

template <typename ArgOp> static LogicalResult verifyArg(ArgOp op) {
  // (C1)
  if (failed(qopt::verifySizes(op)) ||
      failed(qopt::verifyArgExtreme(op, op.getInput().getType(), op.getType(),
                                    op.getAxis(), op.getKeepDims())))
    return failure();
  // (C2)
  int64_t last = op.getInput().getType().getDimSize(op.getAxis()) - 1;
  return failure(
      failed(expectFits(op, "indices", op.getZeroPoint(), op.getType())) ||
      failed(
          expectFits(op, "indices", op.getZeroPoint() + last, op.getType())));
}

LogicalResult ArgMaxOp::verify() { return verifyArg(*this); }
LogicalResult ArgMinOp::verify() { return verifyArg(*this); }
