// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX operators on tensors whose values are known: the shape arithmetic that
// exporters write around Reshape, and preparations of weights. Every function
// checks its arguments; an error is a plain sentence without code or node.
#pragma once

#include "Model.h"

namespace mlir::qopt::importer {

enum class Arithmetic { Add, Sub, Mul, Div, Min, Max, Equal, Less, Greater };
enum class UnaryArithmetic { Neg, Abs };

/// `message` as an llvm::Error, for NodeContext to put code and node around.
llvm::Error foldError(const std::string &message);

/// Axis in `[-rank, rank)` to `[0, rank)`.
Expected<int64_t> normalizeAxis(int64_t axis, size_t rank);
/// The same for a list; the result is ascending and without duplicates.
Expected<Shape> normalizeAxes(ArrayRef<int64_t> axes, size_t rank);

/// NumPy broadcasting of two shapes.
Expected<Shape> broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b);
/// The shape Reshape gives: -1 is inferred, 0 copies unless `allowZero`.
Expected<Shape> resolveReshape(ArrayRef<int64_t> input,
                               ArrayRef<int64_t> target, bool allowZero);
Expected<Shape> squeezeShape(ArrayRef<int64_t> shape,
                             std::optional<ArrayRef<int64_t>> axes);
Expected<Shape> unsqueezeShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes);
/// `perm`, or the reversed axes if it is empty; checked to be a permutation.
Expected<Shape> resolvePermutation(ArrayRef<int64_t> perm, size_t rank);
/// The shape that joins `shapes` along `axis`, which is normalized in place.
Expected<Shape> concatShape(ArrayRef<Shape> shapes, int64_t &axis);

Constant intConstant(Shape shape, std::vector<int64_t> values);
Constant foldReshape(const Constant &input, Shape shape);
Expected<Constant> foldTranspose(const Constant &input, ArrayRef<int64_t> perm);
Expected<Constant> foldConcat(ArrayRef<ConstantRef> inputs, int64_t axis);
Expected<Constant> foldGather(const Constant &input, const Constant &indices,
                              int64_t axis);
/// What ONNX's Slice takes of each axis: `sizes` elements from `begins` on,
/// `steps` apart, perhaps backward.
struct SliceBounds {
  Shape begins, sizes, steps;
};
/// `starts`, `ends`, `axes`, `steps` have one length; ONNX clamps.
Expected<SliceBounds> resolveSlice(ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> starts,
                                   ArrayRef<int64_t> ends,
                                   ArrayRef<int64_t> axes,
                                   ArrayRef<int64_t> steps);
Expected<Constant> foldSlice(const Constant &input, ArrayRef<int64_t> starts,
                             ArrayRef<int64_t> ends, ArrayRef<int64_t> axes,
                             ArrayRef<int64_t> steps);
Expected<Constant> foldExpand(const Constant &input, ArrayRef<int64_t> shape);
Expected<Constant> foldWhere(const Constant &condition, const Constant &a,
                             const Constant &b);
Expected<Constant> foldRange(const Constant &start, const Constant &limit,
                             const Constant &delta);
/// `type` is TensorProto's number.
Expected<Constant> foldCast(const Constant &input, int64_t type);
/// Integers are exact: an overflow or a division by zero is refused.
Expected<Constant> foldBinary(Arithmetic op, const Constant &a,
                              const Constant &b);
Expected<Constant> foldUnary(UnaryArithmetic op, const Constant &input);
/// Whether `foldReduce` knows the ONNX operator.
bool isFoldedReduction(StringRef op);
/// `op` over `axes` (normalized), as `shape`: floats are summed in float64 and
/// rounded once; integers are exact, and only sums, products and extremes.
Expected<Constant> foldReduce(StringRef op, const Constant &input,
                              ArrayRef<int64_t> axes, Shape shape);
/// ONNX's MatMul of floats, summed in float64 and rounded once.
Expected<Constant> foldMatMul(const Constant &a, const Constant &b);

} // namespace mlir::qopt::importer
