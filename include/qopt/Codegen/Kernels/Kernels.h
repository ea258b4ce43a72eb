// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel families' entry points: one function an op. Each emits a call
// (mostly of one kernel) at the context's insertion point. `in` are the
// operands' views in operand order (weights and biases have an empty view:
// read them with `readConstant`), `out` the results'. Failures have emitted an
// error at the op.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt::codegen {

/// What of an integer convolution or product is emitted.
struct ProductPart {
  /// Of the op's channels, the one that is the views' first; not 0 only where
  /// there are no groups or the convolution is depthwise.
  int64_t firstChannel = 0;
  /// Where results are looked up before they are stored, in the order of
  /// `qint.table`; for instruction sets that do this in registers.
  ArrayRef<int16_t> table = {};
};

// Conv.cpp: through one tile generator.
LogicalResult emit(KernelContext &, qint::ConvOp, ArrayRef<View> in,
                   ArrayRef<View> out, const ProductPart &part = {});
LogicalResult emit(KernelContext &, qint::GemmOp, ArrayRef<View> in,
                   ArrayRef<View> out, const ProductPart &part = {});

// SumParts.cpp: any layouts.
LogicalResult emit(KernelContext &, qint::SumPartsOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Conv.cpp
LogicalResult emit(KernelContext &, qopt::ConvOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::GemmOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// DepthwiseConv.cpp: groups == input channels == output channels. The input's
// halo covers the padding (filled with the zero point, or 0.0).
LogicalResult emitDepthwise(KernelContext &, qint::ConvOp, ArrayRef<View> in,
                            ArrayRef<View> out, const ProductPart &part = {});
LogicalResult emitDepthwise(KernelContext &, qopt::ConvOp, ArrayRef<View> in,
                            ArrayRef<View> out);

// Elementwise.cpp.
LogicalResult emit(KernelContext &, qint::AddOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::MulOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::RequantizeOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::AddOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::SubOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::MulOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::UnaryOp, ArrayRef<View> in,
                   ArrayRef<View> out);
/// Channel-wise; normally folded away before.
LogicalResult emit(KernelContext &, qopt::BatchNormOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Div.cpp, and with the float ops.
LogicalResult emit(KernelContext &, qint::DivOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::DivOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Extremes.cpp.
LogicalResult emit(KernelContext &, qint::MaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::MinOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::MaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::MinOp, ArrayRef<View> in,
                   ArrayRef<View> out);

/// Bytes of working memory that the kernel of `op` takes as a second result
/// view; 0 for most. Enough on any instruction set.
int64_t scratchBytes(Operation *op);

// MatMul.cpp: any layouts, either operand may be a constant. Fast with working
// memory and dense rows.
LogicalResult emit(KernelContext &, qint::MatMulOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::MatMulOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Attend.cpp: dense rows of logits and of the result, dense rows or columns of
// values. The second result view is working memory; that of the float op has
// the logits' shape.
LogicalResult emit(KernelContext &, qint::AttendOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::AttendOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Table.cpp.
LogicalResult emit(KernelContext &, qint::TableOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Piecewise.cpp.
LogicalResult emit(KernelContext &, qint::PiecewiseOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Softmax.cpp.
LogicalResult emit(KernelContext &, qint::SoftmaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::SoftmaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::LogSoftmaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::LogSoftmaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// LayerNorm.cpp, LayerNormFloat.cpp: any layouts.
LogicalResult emit(KernelContext &, qint::LayerNormOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::LayerNormOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Pool.cpp: padding taps do not take part, so pools need no halo. A halo that
// other consumers asked for may be there.
LogicalResult emit(KernelContext &, qint::MaxPoolOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::AvgPoolOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::MaxPoolOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::AvgPoolOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Reduce.cpp.
LogicalResult emit(KernelContext &, qint::ReduceMeanOp, ArrayRef<View> in,
                   ArrayRef<View> out);
/// `Step::Kind::RowSums` and `Step::Kind::MeanOfSums`, its two halves.
void emitRowSums(KernelContext &, Location, const View &in, const View &sums);
void emitMeanOfSums(KernelContext &, qint::ReduceMeanOp, const View &sums,
                    const View &out);
LogicalResult emit(KernelContext &, qopt::ReduceMeanOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ReduceSumOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::ReduceMaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::ReduceMinOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ReduceMaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ReduceMinOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ReduceL1Op, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ReduceL2Op, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ReduceSumSquareOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// ReducePower.cpp, ArgExtreme.cpp.
LogicalResult emit(KernelContext &, qint::ReducePowerOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::ArgMaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::ArgMinOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ArgMaxOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::ArgMinOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Interpolate.cpp.
LogicalResult emit(KernelContext &, qint::InterpolateOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::InterpolateOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Gather.cpp.
LogicalResult emit(KernelContext &, qint::GatherOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qopt::GatherOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// Copy.cpp: the ops that move values come down to these.
/// `to[i] = from[i]` for equal logical shapes and element kinds, any strides,
/// storage biases applied. `from` may be a model input and `to` a model
/// output: nothing is read or written outside their elements.
void emitCopy(KernelContext &, Location, const View &from, const View &to);
/// The same for two shapes with equally many elements, row-major order kept.
void emitReshapeCopy(KernelContext &, Location, const View &from,
                     const View &to);
/// `to[i] = from[permutation-indexed]`: result axis `d` is `from`'s axis
/// `permutation[d]`.
void emitTranspose(KernelContext &, Location, const View &from, const View &to,
                   ArrayRef<int64_t> permutation);
/// Writes the halo of `view` (nothing inside it) with the integer `value`,
/// storage bias applied; 0.0 for f32.
void emitHaloFill(KernelContext &, Location, const View &view, int64_t value);
/// Writes what of `outer` lies outside of the window that begins at `begins`
/// and has shape `inner`, any rank. `value` is an integer, or a float for f32.
void emitPadFill(KernelContext &, Location, const View &outer,
                 ArrayRef<int64_t> begins, ArrayRef<int64_t> inner,
                 double value);

} // namespace mlir::qopt::codegen
