// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the qint ops that find scales when the model runs.

#include "QintVerify.h"
#include "VerifyShapes.h"
#include "qopt/IR/QintDynamic.h"
#include "qopt/Numerics/Dynamic.h"

using namespace mlir;
using namespace mlir::qint;
using namespace mlir::qopt::numerics;

RequantAttr mlir::qint::getIdentityRequant(MLIRContext *context) {
  return RequantAttr::get(context, /*multiplier=*/{2}, /*shift=*/{1},
                          /*zeroPoint=*/0, INT32_MIN, INT32_MAX,
                          Rounding::HalfUp);
}

/// `record` has `fields` columns and any number of rows.
static LogicalResult expectRecord(Operation *op, RankedTensorType record,
                                  int64_t fields) {
  if (record.getRank() == 2 && record.getDimSize(0) >= 1 &&
      record.getDimSize(1) == fields)
    return success();
  return op->emitOpError("expects a record tensor<Rx")
         << fields << "xi32>, but got " << record;
}

/// (C1): `record`, whose rows are samples of `values`.
static LogicalResult expectSamples(Operation *op, RankedTensorType values,
                                   RankedTensorType record, int64_t fields) {
  if (failed(qopt::verifySizes(op)) || failed(expectRecord(op, record, fields)))
    return failure();
  int64_t rows = record.getDimSize(0);
  if (rows == 1 || (values.getRank() > 0 && values.getDimSize(0) == rows))
    return success();
  return op->emitOpError("expects 1 sample or as many as axis 0 of ")
         << values << " has indices, but got " << rows;
}

/// Both records have one row a sample.
static LogicalResult expectOneRows(Operation *op, RankedTensorType a,
                                   RankedTensorType b) {
  if (a.getDimSize(0) == b.getDimSize(0))
    return success();
  return op->emitOpError("expects records of as many samples, but got ")
         << a << " and " << b;
}

static LogicalResult expectOneType(Operation *op, RankedTensorType input,
                                   RankedTensorType result) {
  if (input == result)
    return success();
  return op->emitOpError("expects a result of ")
         << input << ", but got " << result;
}

static LogicalResult expectInside(Operation *op, StringRef what, int64_t value,
                                  int64_t low, int64_t high) {
  if (value >= low && value <= high)
    return success();
  return op->emitOpError("expects ")
         << what << " in [" << low << ", " << high << "], but got " << value;
}

static LogicalResult verifyClamp(Operation *op, ArrayRef<int32_t> end) {
  if (end.empty())
    return success();
  if (end.size() != 2)
    return op->emitOpError("expects a mantissa and an exponent as an end of "
                           "the clamp, but got ")
           << end.size() << " values";
  return failure(
      failed(
          expectInside(op, "mantissas", end[0], -maxMantissa, maxMantissa)) ||
      failed(expectInside(op, "exponents", end[1], -maxExponent, maxExponent)));
}

LogicalResult RealGridOp::verify() {
  // (C1)
  return expectSamples(*this, getBits().getType(), getType(), gridFields);
}

LogicalResult RealToGridOp::verify() {
  // (C1), (C2)
  return failure(failed(expectSamples(*this, getType(), getGrid().getType(),
                                      gridFields)) ||
                 failed(expectOneType(*this, getBits().getType(), getType())));
}

LogicalResult LayerGridOp::verify() {
  // (C1)
  if (failed(expectRecord(*this, getScale().getType(), scaleFields)) ||
      failed(expectRecord(*this, getType(), gridFields)) ||
      failed(expectOneRows(*this, getScale().getType(), getType())))
    return failure();
  // (C2), (C3), (C4)
  return failure(
      failed(expectInside(*this, "accumulator bits", getAccumulatorBits(), 1,
                          31)) ||
      failed(expectInside(*this, "exponents", getMultiplierExponent(),
                          -maxExponent, maxExponent)) ||
      failed(expectInside(*this, "exponents", getBiasExponent().value_or(0),
                          -maxExponent, maxExponent)) ||
      failed(verifyClamp(*this, getClampMin())) ||
      failed(verifyClamp(*this, getClampMax())));
}

LogicalResult LayerToGridOp::verify() {
  // (C1), (C2)
  RankedTensorType type = getType();
  if (failed(expectSamples(*this, type, getGrid().getType(), gridFields)) ||
      failed(qopt::verifySameShape(*this, getInput().getType(), type)) ||
      failed(qopt::verifyAxis(*this, getAxis(), type.getRank())))
    return failure();
  // (C3)
  auto verifyMantissas = [&](StringRef what, ArrayRef<int32_t> values,
                             int64_t low) -> LogicalResult {
    int64_t channels = type.getDimSize(getAxis());
    if (values.size() != 1 && static_cast<int64_t>(values.size()) != channels)
      return emitOpError("expects 1 or ")
             << channels << ' ' << what << ", but got " << values.size();
    for (int32_t value : values)
      if (failed(expectInside(*this, what, value, low, maxMantissa)))
        return failure();
    return success();
  };
  if (failed(verifyMantissas("multipliers", getMultipliers(), 1)))
    return failure();
  if (!getBiases().empty() &&
      failed(verifyMantissas("biases", getBiases(), -maxMantissa)))
    return failure();
  // (C4)
  return expectFits(*this, "the zero point", getZeroPoint(),
                    getInput().getType());
}

LogicalResult SumGridOp::verify() {
  // (C1), (C2)
  return failure(
      failed(expectRecord(*this, getLhs().getType(), scaleFields)) ||
      failed(expectOneType(*this, getLhs().getType(), getRhs().getType())) ||
      failed(expectRecord(*this, getType(), gridFields)) ||
      failed(expectOneRows(*this, getLhs().getType(), getType())) ||
      failed(verifyClamp(*this, getClampMin())) ||
      failed(verifyClamp(*this, getClampMax())));
}

/// `type` has elements of i8 and the shape of `result`.
static LogicalResult expectBytes(Operation *op, RankedTensorType type,
                                 RankedTensorType result) {
  if (!type.getElementType().isInteger(8))
    return op->emitOpError("expects i8 elements, but got ") << type;
  return qopt::verifySameShape(op, type, result);
}

LogicalResult SumToGridOp::verify() {
  // (C1), (C2), (C3)
  return failure(failed(expectSamples(*this, getType(), getGrid().getType(),
                                      gridFields)) ||
                 failed(expectBytes(*this, getLhs().getType(), getType())) ||
                 failed(expectBytes(*this, getRhs().getType(), getType())) ||
                 failed(expectFits(*this, "the left zero point",
                                   getLhsZeroPoint(), getLhs().getType())) ||
                 failed(expectFits(*this, "the right zero point",
                                   getRhsZeroPoint(), getRhs().getType())));
}

LogicalResult ProductGridOp::verify() {
  // (C1), (C2), (C3)
  return failure(
      failed(expectRecord(*this, getLhs().getType(), scaleFields)) ||
      failed(expectOneType(*this, getLhs().getType(), getRhs().getType())) ||
      failed(expectRecord(*this, getType(), gridFields)) ||
      failed(expectOneRows(*this, getLhs().getType(), getType())) ||
      failed(expectInside(*this, "product bits", getProductBits(), 1, 31)) ||
      failed(verifyClamp(*this, getClampMin())) ||
      failed(verifyClamp(*this, getClampMax())));
}

LogicalResult ProductToGridOp::verify() {
  // (C1), (C2), (C3)
  return failure(failed(expectSamples(*this, getType(), getGrid().getType(),
                                      gridFields)) ||
                 failed(qopt::verifyBroadcast(*this, getLhs().getType(),
                                              getRhs().getType(), getType())) ||
                 failed(expectFits(*this, "the left zero point",
                                   getLhsZeroPoint(), getLhs().getType())) ||
                 failed(expectFits(*this, "the right zero point",
                                   getRhsZeroPoint(), getRhs().getType())));
}

LogicalResult GridToFixedOp::verify() {
  // (C1)
  if (failed(expectSamples(*this, getType(), getGrid().getType(), gridFields)))
    return failure();
  // (C2), (C3)
  if (!getType().getElementType().isInteger(16))
    return emitOpError("expects i16 elements, but got ") << getType();
  return failure(
      failed(qopt::verifySameShape(*this, getInput().getType(), getType())) ||
      failed(expectInside(*this, "exponents", getExponent(), -maxExponent,
                          maxExponent)));
}

LogicalResult GridScaleOp::verify() {
  // (C1)
  if (failed(expectSamples(*this, getInput().getType(), getGrid().getType(),
                           gridFields)) ||
      failed(expectRecord(*this, getType(), scaleFields)) ||
      failed(expectOneRows(*this, getGrid().getType(), getType())))
    return failure();
  // (C2)
  if (getSteps() != 127 && getSteps() != 255)
    return emitOpError("expects 127 or 255 steps, but got ")
           << static_cast<int64_t>(getSteps());
  return success();
}

LogicalResult GridQuantizeOp::verify() {
  // (C1), (C2)
  return failure(
      failed(expectSamples(*this, getInput().getType(), getScale().getType(),
                           scaleFields)) ||
      failed(expectBytes(*this, getType(), getInput().getType())) ||
      failed(expectFits(*this, "the zero point", getZeroPoint(), getType())));
}

LogicalResult GridToRealOp::verify() {
  // (C1), (C2)
  return failure(failed(expectSamples(*this, getType(), getGrid().getType(),
                                      gridFields)) ||
                 failed(expectOneType(*this, getInput().getType(), getType())));
}
