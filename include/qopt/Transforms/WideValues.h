// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which values may have more than 8 bits.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt {

/// Attributes of an observer whose bits, or whose range's method, somebody asked
/// for: a search leaves them.
inline constexpr llvm::StringLiteral givenBitsAttr = "qopt.given_bits";
inline constexpr llvm::StringLiteral givenRangeAttr = "qopt.given_range";

/// Whether a piecewise table follows every function of `op` closely: none has
/// jumps or poles.
bool isSmooth(UnaryOp op);

/// Calls `visit` for each operand that reads `value` with other arithmetic than
/// moving it, behind any ops that only move it. Ops that join it with other
/// values are left out: their result has its own observer.
void visitReaders(Value value, llvm::function_ref<void(OpOperand &)> visit);

/// Observers of 8 bits that get more together or not at all: each alone but for
/// those of values that an op joins (concat, max) and of the joined value. What
/// the model brought, bits that were asked for, and values that do not choose
/// their scale are left out. Groups and their members are in program order.
SmallVector<SmallVector<ObserveOp>> getWideGroups(func::FuncOp function);

/// The most bits, 8 to 16, with which every reader of every op of `group` has
/// an integer form: what a layer's sums leave room for in int32, with a tenth
/// to spare, at twice the range of the op, which has a scale. 8 where a reader
/// takes no more.
int getMostBits(ArrayRef<ObserveOp> group, WeightForm form);

} // namespace mlir::qopt
