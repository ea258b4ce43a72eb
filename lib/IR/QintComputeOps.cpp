// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the qint ops that compute.

#include "QintVerify.h"
#include "VerifyShapes.h"
#include "qopt/IR/QintDynamic.h"
#include "qopt/IR/Shapes.h"
#include "qopt/Numerics/PiecewiseTables.h"

using namespace mlir;
using namespace mlir::qint;

static RankedTensorType biasType(Value bias) {
  return bias ? cast<RankedTensorType>(bias.getType()) : RankedTensorType();
}

//===----------------------------------------------------------------------===//
// conv, gemm
//===----------------------------------------------------------------------===//

/// (C6) of conv and gemm.
static LogicalResult verifyAccumulators(Operation *op, RequantAttr requant) {
  if (requant == getIdentityRequant(op->getContext()))
    return success();
  return op->emitOpError("expects ")
         << getIdentityRequant(op->getContext())
         << " with an i32 result, but got " << requant;
}

/// (C2) and (C4) to (C6) of conv and gemm.
template <typename Op> static LogicalResult verifyLayer(Op op) {
  int64_t channels = op.getWeight().getType().getDimSize(0);
  // (C2)
  if (failed(expectMultipliers(op, op.getRequant(), channels, /*orOne=*/true)))
    return failure();
  // (C4)
  if (failed(expectFits(op, "the input's zero point", op.getInputZeroPoint(),
                        op.getInput().getType())))
    return failure();
  ArrayRef<int32_t> zeroPoints = op.getWeightZeroPoints();
  if (zeroPoints.size() > 1 &&
      static_cast<int64_t>(zeroPoints.size()) != channels)
    return op.emitOpError("expects 0, 1 or ")
           << channels << " weight zero points, but got " << zeroPoints.size();
  Type weight = op.getWeight().getType().getElementType();
  if (!zeroPoints.empty() && !weight.isInteger(8))
    return op.emitOpError("expects no weight zero points with weights of ")
           << weight;
  for (int32_t zeroPoint : zeroPoints)
    if (failed(expectFits(op, "weight zero points", zeroPoint,
                          op.getWeight().getType())))
      return failure();
  // (C6)
  if (op.getResult().getType().getElementType().isInteger(32))
    return verifyAccumulators(op, op.getRequant());
  // (C5)
  return verifyOutput(op, op.getRequant(), op.getResult().getType());
}

LogicalResult ConvOp::verify() {
  // (C1), (C3)
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyConv(
          *this, getInput().getType(), getWeight().getType(),
          biasType(getBias()), getResult().getType(),
          {getStrides(), getPads(), getDilations()}, getGroups())))
    return failure();
  return verifyLayer(*this);
}

LogicalResult GemmOp::verify() {
  // (C1), (C3)
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyGemm(*this, getInput().getType(),
                              getWeight().getType(), biasType(getBias()),
                              getResult().getType())))
    return failure();
  return verifyLayer(*this);
}

LogicalResult SumPartsOp::verify() {
  // (C1), (C2)
  RankedTensorType type = getType();
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifySameShape(*this, getHigh().getType(), type)) ||
      failed(qopt::verifySameShape(*this, getLow().getType(), type)) ||
      failed(qopt::verifyAxis(*this, getAxis(), type.getRank())))
    return failure();
  // (C3)
  if (getLowBits() < 1 || getLowBits() > 16)
    return emitOpError("expects 1 to 16 low bits, but got ") << getLowBits();
  // (C4), (C5)
  return failure(failed(expectMultipliers(*this, getRequant(),
                                          type.getDimSize(getAxis()),
                                          /*orOne=*/true)) ||
                 failed(verifyOutput(*this, getRequant(), type)));
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// (C1) and (C3) of add and mul.
template <typename Op> static LogicalResult verifyBinary(Op op) {
  return failure(
      failed(qopt::verifySizes(op)) ||
      failed(qopt::verifyBroadcast(op, op.getLhs().getType(),
                                   op.getRhs().getType(),
                                   op.getResult().getType())) ||
      failed(expectFits(op, "the left zero point", op.getLhsZeroPoint(),
                        op.getLhs().getType())) ||
      failed(expectFits(op, "the right zero point", op.getRhsZeroPoint(),
                        op.getRhs().getType())) ||
      failed(verifyOutput(op, op.getRequant(), op.getResult().getType())));
}

LogicalResult AddOp::verify() {
  // (C1), (C3)
  if (failed(verifyBinary(*this)))
    return failure();
  // (C2)
  if (getRequant().getMultiplier().size() != 2 ||
      getRequant().getShift().size() != 1)
    return emitOpError("expects 2 multipliers and 1 shift, but got ")
           << getRequant().getMultiplier().size() << " and "
           << getRequant().getShift().size();
  return success();
}

LogicalResult MulOp::verify() {
  // (C1), (C3), then (C2)
  return failure(failed(verifyBinary(*this)) ||
                 failed(expectMultipliers(*this, getRequant(), 1)));
}

LogicalResult DivOp::verify() {
  // (C1), (C3), then (C2)
  if (failed(verifyBinary(*this)) ||
      failed(expectMultipliers(*this, getRequant(), 1)))
    return failure();
  if (getRequant().getRounding() != Rounding::HalfUp)
    return emitOpError("expects a quotient to round half up");
  if (getRequant().getShiftFor(0) > 44)
    return emitOpError("expects a shift of at most 44, but got ")
           << static_cast<int>(getRequant().getShiftFor(0));
  return success();
}

template <typename ExtremeOp> static LogicalResult verifyExtreme(ExtremeOp op) {
  // (C1), (C2)
  return failure(
      failed(qopt::verifySizes(op)) ||
      failed(qopt::verifyBroadcast(op, op.getLhs().getType(),
                                   op.getRhs().getType(), op.getType())) ||
      failed(qopt::verifyOneElementType(op)));
}

LogicalResult MaxOp::verify() { return verifyExtreme(*this); }
LogicalResult MinOp::verify() { return verifyExtreme(*this); }

LogicalResult MatMulOp::verify() {
  // (C1)
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyMatMul(*this, getLhs().getType(), getRhs().getType(),
                                getType())))
    return failure();
  // (C2), (C3)
  if (failed(expectMultipliers(*this, getRequant(), 1)) ||
      failed(expectFits(*this, "the left zero point", getLhsZeroPoint(),
                        getLhs().getType())) ||
      failed(expectFits(*this, "the right zero point", getRhsZeroPoint(),
                        getRhs().getType())) ||
      failed(verifyOutput(*this, getRequant(), getType())))
    return failure();
  // (C4)
  int64_t terms = getLhs().getType().getShape().back();
  int64_t product = largestDifference(getLhs().getType(), getLhsZeroPoint()) *
                    largestDifference(getRhs().getType(), getRhsZeroPoint());
  if (terms > INT32_MAX / product)
    return emitOpError("expects at most ")
           << INT32_MAX / product << " terms a sum, but got " << terms;
  return success();
}

LogicalResult TableOp::verify() {
  // (C1)
  size_t entries = size_t(1) << getInput().getType().getElementTypeBitWidth();
  if (getTable().size() != entries)
    return emitOpError("expects ")
           << entries << " table entries, but got " << getTable().size();
  for (int16_t entry : getTable())
    if (failed(expectFits(*this, "table entries", entry, getType())))
      return failure();
  // (C2)
  return failure(
      failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifySameShape(*this, getInput().getType(), getType())));
}

LogicalResult PiecewiseOp::verify() {
  // (C1)
  size_t segments = getBase().size();
  if ((segments != 32 && segments != 64 && segments != 128) ||
      getSlope().size() != segments || getCurve().size() != segments)
    return emitOpError("expects 32, 64 or 128 entries of base, slope and "
                       "curve, but got ")
           << segments << ", " << getSlope().size() << " and "
           << getCurve().size();
  // (C2)
  int32_t bits = getFractionBits();
  if (bits < 0 || bits > 7)
    return emitOpError("expects 0 to 7 fraction bits, but got ") << bits;
  // (C3)
  for (size_t i = 0; i < segments; ++i) {
    int32_t piece =
        std::abs(int32_t(getSlope()[i])) + std::abs(int32_t(getCurve()[i]));
    if (piece > qopt::numerics::largestPiece)
      return emitOpError("expects |slope| + |curve| of at most ")
             << qopt::numerics::largestPiece << ", but segment " << i << " has "
             << piece;
    if (!llvm::isInt<16>(getBase()[i] >> bits))
      return emitOpError("expects a base within 16 bits, but segment ")
             << i << " has " << getBase()[i];
  }
  // (C4)
  if (failed(expectFits(*this, "the clamp's lower end", getClampMin(),
                        getType())) ||
      failed(
          expectFits(*this, "the clamp's upper end", getClampMax(), getType())))
    return failure();
  if (getClampMin() > getClampMax())
    return emitOpError("expects a clamp that is not empty, but got ")
           << getClampMin() << " to " << getClampMax();
  // (C5)
  if (getInput().getType().getElementTypeBitWidth() != 16)
    return emitOpError("expects an i16 input, but got ")
           << getInput().getType();
  return failure(
      failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifySameShape(*this, getInput().getType(), getType())));
}

LogicalResult RequantizeOp::verify() {
  // (C1), (C2), (C3)
  return failure(
      failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifySameShape(*this, getInput().getType(), getType())) ||
      failed(expectMultipliers(*this, getRequant(), 1)) ||
      failed(verifyScaled(*this, getInput().getType(), getInputZeroPoint(),
                          getRequant(), getType())));
}

LogicalResult SoftmaxOp::verify() {
  // (C1) to (C3)
  if (failed(verifyExponentials(*this, getInput().getType(), getType(),
                                getAxis(), getExpTable())))
    return failure();
  // (C4)
  if (getLevelShift() < 0 || getLevelShift() > 15)
    return emitOpError("expects a level_shift in [0, 15], but got ")
           << getLevelShift();
  if (getLevels() < 1 || getLevels() >> getLevelShift() > 1 << 30)
    return emitOpError("expects levels that are positive and at most 2^30, but "
                       "got ")
           << getLevels() << " / 2^" << getLevelShift();
  // (C5)
  if (int64_t length = getInput().getType().getDimSize(getAxis());
      length > 1 << 24)
    return emitOpError("expects rows of at most 16777216 elements, but got ")
           << length;
  return expectFits(*this, "the zero point", getZeroPoint(), getType());
}

//===----------------------------------------------------------------------===//
// Pools and reductions
//===----------------------------------------------------------------------===//

LogicalResult MaxPoolOp::verify() {
  // (C1) to (C4), then (C5)
  return failure(failed(qopt::verifySizes(*this)) ||
                 failed(qopt::verifyPool(
                     *this, getInput().getType(), getType(), getKernel(),
                     {getStrides(), getPads(), getDilations()})) ||
                 failed(qopt::verifyOneElementType(*this)));
}

LogicalResult AvgPoolOp::verify() {
  // (C1)
  RankedTensorType input = getInput().getType();
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyPool(*this, input, getType(), getKernel(),
                              {getStrides(), getPads(), getDilations()})))
    return failure();
  // (C2)
  ArrayRef<int64_t> counts = getTapCounts();
  for (size_t i = 1; i < counts.size(); ++i)
    if (counts[i] <= counts[i - 1])
      return emitOpError("expects ascending tap counts, but got [")
             << counts << "]";
  auto window = qopt::Window2D::get(input.getShape().drop_front(2), getKernel(),
                                    getStrides(), getPads(), getDilations());
  for (int64_t count : window->tapCounts())
    if (!llvm::is_contained(counts, count))
      return emitOpError("expects every tap count that occurs, but ")
             << count << " is missing";
  if (failed(expectMultipliers(*this, getRequant(), counts.size())))
    return failure();
  // (C3)
  return verifyScaled(*this, input, getInputZeroPoint(), getRequant(),
                      getType());
}

int64_t mlir::qint::countReduced(RankedTensorType input,
                                 ArrayRef<int64_t> axes) {
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= input.getDimSize(axis);
  return count;
}

LogicalResult ReduceMeanOp::verify() { return verifyReducedSum(*this, "mean"); }

template <typename ReduceOp>
static LogicalResult verifyReduceExtreme(ReduceOp op) {
  // (C1) to (C3)
  return failure(
      failed(qopt::verifySizes(op)) ||
      failed(qopt::verifyReduce(op, op.getInput().getType(), op.getType(),
                                op.getAxes(), op.getKeepDims())) ||
      failed(qopt::verifyOneElementType(op)));
}

LogicalResult ReduceMaxOp::verify() { return verifyReduceExtreme(*this); }
LogicalResult ReduceMinOp::verify() { return verifyReduceExtreme(*this); }

LogicalResult InterpolateOp::verify() {
  // (C1)
  if (failed(qopt::verifySizes(*this)) ||
      failed(qopt::verifyInterpolate(
          *this, getInput().getType(), getType(),
          {getRowIndices(), getRowWeights().size()},
          {getColumnIndices(), getColumnWeights().size()})))
    return failure();
  // (C2)
  constexpr int32_t largest = 1 << 15;
  for (ArrayRef<int32_t> weights : {getRowWeights(), getColumnWeights()})
    for (int32_t weight : weights)
      if (weight < -largest || weight > largest)
        return emitOpError("expects weights in [-32768, 32768], but got ")
               << weight;
  // (C3), (C4)
  return failure(
      failed(expectMultipliers(*this, getRequant(), 1)) ||
      failed(verifyScaled(*this, getInput().getType(), getInputZeroPoint(),
                          getRequant(), getType())));
}
