// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that qint ops share.

#include "QintVerify.h"
#include "VerifyShapes.h"

using namespace mlir;
using namespace mlir::qint;

std::pair<int64_t, int64_t> mlir::qint::elementRange(RankedTensorType type) {
  unsigned bits = type.getElementTypeBitWidth();
  return {-(INT64_C(1) << (bits - 1)), (INT64_C(1) << (bits - 1)) - 1};
}

LogicalResult mlir::qint::expectFits(Operation *op, StringRef what,
                                     int64_t value, RankedTensorType type) {
  auto [low, high] = elementRange(type);
  if (value >= low && value <= high)
    return success();
  return op->emitOpError("expects ")
         << what << " in [" << low << ", " << high << "], but got " << value;
}

LogicalResult mlir::qint::verifyOutput(Operation *op, RequantAttr requant,
                                       RankedTensorType result) {
  return failure(failed(expectFits(op, "the result's zero point",
                                   requant.getZeroPoint(), result)) ||
                 failed(expectFits(op, "the clamp's lower end",
                                   requant.getClampMin(), result)) ||
                 failed(expectFits(op, "the clamp's upper end",
                                   requant.getClampMax(), result)));
}

LogicalResult mlir::qint::expectMultipliers(Operation *op, RequantAttr requant,
                                            size_t count, bool orOne) {
  ArrayRef<int32_t> multipliers = requant.getMultiplier();
  if (multipliers.size() != count && !(orOne && multipliers.size() == 1)) {
    InFlightDiagnostic diagnostic = op->emitOpError("expects ");
    if (orOne)
      diagnostic << "1 or ";
    return diagnostic << count << " multipliers, but got "
                      << multipliers.size();
  }
  for (int32_t value : multipliers)
    if (value < 0)
      return op->emitOpError("expects positive multipliers, but got ") << value;
  return success();
}

LogicalResult mlir::qint::verifyScaled(Operation *op, RankedTensorType input,
                                       int32_t inputZeroPoint,
                                       RequantAttr requant,
                                       RankedTensorType result) {
  return failure(
      failed(expectFits(op, "the input's zero point", inputZeroPoint, input)) ||
      failed(verifyOutput(op, requant, result)));
}

int64_t mlir::qint::largestDifference(RankedTensorType type,
                                      int64_t zeroPoint) {
  auto [low, high] = elementRange(type);
  return std::max(zeroPoint - low, high - zeroPoint);
}

LogicalResult mlir::qint::verifyExponentials(Operation *op,
                                             RankedTensorType input,
                                             RankedTensorType result,
                                             int64_t axis,
                                             ArrayRef<int32_t> tables) {
  // (C1)
  if (failed(qopt::verifySizes(op)) ||
      failed(qopt::verifyAxis(op, axis, input.getRank())))
    return failure();
  // (C2)
  const bool isWide = input.getElementTypeBitWidth() == 16;
  const size_t size = isWide ? 512 : 256;
  const int bits = isWide ? 30 : 23;
  const int32_t one = 1 << bits;
  if (tables.size() != size || tables.front() != one ||
      tables[size - 256] != one ||
      llvm::any_of(tables, [one](int32_t e) { return e < 0 || e > one; }))
    return op->emitOpError("expects ")
           << size << " table entries in [0, 2^" << bits << "], 2^" << bits
           << " at each multiple of 256, but got " << tables.size()
           << " that start with " << (tables.empty() ? 0 : tables.front());
  // (C3)
  if (!isWide && input.getElementTypeBitWidth() != 8)
    return op->emitOpError("expects an i8 input, but got ") << input;
  return qopt::verifySameShape(op, input, result);
}
