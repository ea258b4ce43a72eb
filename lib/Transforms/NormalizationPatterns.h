// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pattern families of qopt-fuse-normalization, and what they share.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/Shapes.h"

namespace mlir::qopt {

/// Quotients by, and products with, deviations and norms to layer_norm.
void populateDeviationPatterns(RewritePatternSet &patterns);

/// Variances that are left then: the mean of squares less the square of the
/// mean to the mean of the squares of differences, which need fewer bits.
void populateVariancePatterns(RewritePatternSet &patterns);

/// Exponentials over their sum to softmax, logits less its logarithm to
/// log_softmax.
void populateSoftmaxPatterns(RewritePatternSet &patterns);

/// Products and sums with constants behind a layer_norm to its factors.
void populateFactorPatterns(RewritePatternSet &patterns);

inline ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// The reduction that `value` holds the results of, in whatever shape.
template <typename ReduceOp> ReduceOp matchReduction(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  return value.getDefiningOp<ReduceOp>();
}

/// Whether `value` has the shape of `input` with its `axes` reduced to length
/// one, so that it broadcasts along them.
inline bool broadcastsAlong(Value value, Value input, ArrayRef<int64_t> axes) {
  auto kept = reduceShape(shapeOf(input), axes, /*keepDims=*/true);
  return kept && ArrayRef(*kept) == shapeOf(value);
}

/// A reduction whose result broadcasts along its axes; null for another.
template <typename ReduceOp> ReduceOp matchKeptReduction(Value value) {
  auto op = matchReduction<ReduceOp>(value);
  return op && broadcastsAlong(value, op.getInput(), op.getAxes()) ? op
                                                                   : nullptr;
}

/// The functions that make `value` of `value` on return, reshapes left out.
SmallVector<FnAttr> stripFunctions(Value &value);

/// Whether `functions` are `x^exponent`, of roots, inverses and powers.
bool isPower(ArrayRef<FnAttr> functions, double exponent);

/// One `value` for a layer_norm of `rank` axes.
DenseElementsAttr getSplatFactor(Builder &builder, int64_t rank, double value);

} // namespace mlir::qopt
