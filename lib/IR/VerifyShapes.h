// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that ops of both dialects share. Each reports through the op and
// names the constraint of the description by its label.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::qopt {

/// "1x3x8x8", for messages.
std::string shapeText(ArrayRef<int64_t> shape);

/// Every ranked tensor among operands and results has a countable number of
/// elements.
LogicalResult verifySizes(Operation *op);

/// The attributes of a 2-D window.
struct WindowAttrs {
  ArrayRef<int64_t> strides, pads, dilations;
};

/// (C1) to (C5) of `conv`; `bias` may be null.
LogicalResult verifyConv(Operation *op, RankedTensorType input,
                         RankedTensorType weight, RankedTensorType bias,
                         RankedTensorType result, WindowAttrs window,
                         int64_t groups);

/// (C1) to (C4) of `gemm`; `bias` may be null.
LogicalResult verifyGemm(Operation *op, RankedTensorType input,
                         RankedTensorType weight, RankedTensorType bias,
                         RankedTensorType result);

/// (C1) of the binary ops.
LogicalResult verifyBroadcast(Operation *op, RankedTensorType lhs,
                              RankedTensorType rhs, RankedTensorType result);

/// (C1) to (C4) of the pools.
LogicalResult verifyPool(Operation *op, RankedTensorType input,
                         RankedTensorType result, ArrayRef<int64_t> kernel,
                         WindowAttrs window);

/// (C1) and (C2) of the reductions.
LogicalResult verifyReduce(Operation *op, RankedTensorType input,
                           RankedTensorType result, ArrayRef<int64_t> axes,
                           bool keepDims);

/// Input and result have one shape.
LogicalResult verifySameShape(Operation *op, RankedTensorType input,
                              RankedTensorType result);

/// The axis lies in `[0, rank)`.
LogicalResult verifyAxis(Operation *op, int64_t axis, int64_t rank);

/// (C1) of `reshape`.
LogicalResult verifyReshape(Operation *op, RankedTensorType input,
                            RankedTensorType result);

/// (C1) and (C2) of `transpose`.
LogicalResult verifyTranspose(Operation *op, RankedTensorType input,
                              RankedTensorType result,
                              ArrayRef<int64_t> permutation);

/// (C1) to (C3) of `concat`.
LogicalResult verifyConcat(Operation *op, TypeRange inputs,
                           RankedTensorType result, int64_t axis);

/// (C1) and (C2) of `pad`.
LogicalResult verifyPad(Operation *op, RankedTensorType input,
                        RankedTensorType result, ArrayRef<int64_t> pads);

/// (C1) and (C2) of `slice`.
LogicalResult verifySlice(Operation *op, RankedTensorType input,
                          RankedTensorType result, ArrayRef<int64_t> starts,
                          ArrayRef<int64_t> steps);

/// (C1) to (C3) of `gather`.
LogicalResult verifyGather(Operation *op, RankedTensorType input,
                           RankedTensorType result, int64_t axis,
                           ArrayRef<int64_t> indices);

/// (C1) and (C2) of `matmul`.
LogicalResult verifyMatMul(Operation *op, RankedTensorType lhs,
                           RankedTensorType rhs, RankedTensorType result);

/// The taps of one axis of `interpolate`.
struct AxisTaps {
  ArrayRef<int64_t> indices;
  size_t numWeights;
};

/// (C1) to (C3) of `interpolate`.
LogicalResult verifyInterpolate(Operation *op, RankedTensorType input,
                                RankedTensorType result, AxisTaps rows,
                                AxisTaps columns);

/// (C1) of `layer_norm`.
LogicalResult verifyNormAxes(Operation *op, RankedTensorType input,
                             RankedTensorType result, ArrayRef<int64_t> axes);

/// `factors` has the input's rank, and each of its sizes is the input's or 1.
LogicalResult verifyFactors(Operation *op, RankedTensorType input,
                            ShapedType factors);

/// `power` of a normalization is 2; or 1 of one without center and epsilon.
LogicalResult verifyNormPower(Operation *op, int64_t power, bool isCentered,
                              bool isEpsilonZero);

/// (C1) and (C2) of `arg_max`.
LogicalResult verifyArgExtreme(Operation *op, RankedTensorType input,
                               RankedTensorType result, int64_t axis,
                               bool keepDims);

/// All operands and results have one element type.
LogicalResult verifyOneElementType(Operation *op);

/// A constant's value has the type `stored`, and its blob, where it is a
/// resource that is present, as many bytes.
LogicalResult verifyConstant(Operation *op, ElementsAttr value,
                             RankedTensorType stored);

} // namespace mlir::qopt
