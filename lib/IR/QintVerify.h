// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that qint ops share: integers inside their types, requantizations.
#pragma once

#include "VerifyShapes.h"
#include "qopt/IR/Qint.h"

namespace mlir::qint {

/// The smallest and largest value of an integer tensor's elements.
std::pair<int64_t, int64_t> elementRange(RankedTensorType type);

/// The largest `|q - zeroPoint|`.
int64_t largestDifference(RankedTensorType type, int64_t zeroPoint);

LogicalResult expectFits(Operation *op, StringRef what, int64_t value,
                         RankedTensorType type);

/// Zero point and clamp fit the result's type.
LogicalResult verifyOutput(Operation *op, RequantAttr requant,
                           RankedTensorType result);

/// `requant` has `count` multipliers (or one, where `orOne`), all positive.
LogicalResult expectMultipliers(Operation *op, RequantAttr requant,
                                size_t count, bool orOne = false);

/// (C3) of the ops with one input and one multiplier.
LogicalResult verifyScaled(Operation *op, RankedTensorType input,
                           int32_t inputZeroPoint, RequantAttr requant,
                           RankedTensorType result);

/// Elements of `input` in one sum over `axes`.
int64_t countReduced(RankedTensorType input, ArrayRef<int64_t> axes);

/// (C1) to (C4) of means and sums of powers over axes; `what` is the one that
/// has 2^22 elements at most.
template <typename ReduceOp>
LogicalResult verifyReducedSum(ReduceOp op, StringRef what) {
  RankedTensorType input = op.getInput().getType();
  if (failed(qopt::verifySizes(op)) ||
      failed(qopt::verifyReduce(op, input, op.getType(), op.getAxes(),
                                op.getKeepDims())))
    return failure();
  // (C2), (C3)
  if (failed(expectMultipliers(op, op.getRequant(), 1)) ||
      failed(verifyScaled(op, input, op.getInputZeroPoint(), op.getRequant(),
                          op.getType())))
    return failure();
  // (C4)
  int64_t count = countReduced(input, op.getAxes());
  if (count < 1 || count > (1 << 22))
    return op.emitOpError("expects 1 to 4194304 elements in a ")
           << what << ", but got " << count;
  return success();
}

/// (C1) to (C3) of softmax and of its logarithm.
LogicalResult verifyExponentials(Operation *op, RankedTensorType input,
                                 RankedTensorType result, int64_t axis,
                                 ArrayRef<int32_t> tables);

} // namespace mlir::qint
