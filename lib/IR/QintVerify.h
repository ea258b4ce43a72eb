// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that qint ops share: integers inside their types, requantizations.
#pragma once

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

/// (C1) to (C3) of softmax.
LogicalResult verifyExponentials(Operation *op, RankedTensorType input,
                                 RankedTensorType result, int64_t axis,
                                 ArrayRef<int32_t> table);

} // namespace mlir::qint
