// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which values may have more than 8 bits.
#pragma once

#include "qopt/Transforms/Weights.h"

namespace mlir::qopt {

/// Whether a piecewise table follows every function of `op` closely: none has
/// jumps or poles.
bool isSmooth(UnaryOp op);

/// Calls `visit` for each operand that reads `value` with other arithmetic than
/// moving it, behind any ops that only move it. False where an op on the way
/// joins it with other values.
bool visitReaders(Value value, llvm::function_ref<void(OpOperand &)> visit);

/// The most bits, 8 to 16, with which every reader of `op` has an integer form:
/// what a layer's sums leave room for in int32, with a tenth to spare, at twice
/// the range of `op`, which has a scale. 8 where a reader takes no more, where
/// the op that makes the value does not choose its scale, or the model brought
/// it.
int getMostBits(ObserveOp op, WeightForm form);

} // namespace mlir::qopt
