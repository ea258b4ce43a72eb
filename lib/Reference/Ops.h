// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One evaluation function an op. `out` comes with the result's shape and kind,
// zero-filled; operands have been checked by the verifiers.
#pragma once

#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Reference/Tensor.h"

namespace mlir::qopt::reference {

using Operands = ArrayRef<const Tensor *>;

// FloatLayers.cpp
llvm::Error evaluateOp(ConvOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(GemmOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(MatMulOp op, Operands in, Tensor &out);

// Attention.cpp
llvm::Error evaluateOp(AttendOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::AttendOp op, Operands in, Tensor &out);

// FloatElementwise.cpp
llvm::Error evaluateOp(AddOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(SubOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(MulOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(DivOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(MaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(MinOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(UnaryOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(BatchNormOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(SoftmaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(LogSoftmaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ObserveOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(QuantizeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(DequantizeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(RequantizeOp op, Operands in, Tensor &out);

// FloatPools.cpp
llvm::Error evaluateOp(MaxPoolOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(AvgPoolOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceMeanOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceSumOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceMaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceMinOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceL1Op op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceL2Op op, Operands in, Tensor &out);
llvm::Error evaluateOp(ReduceSumSquareOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ArgMaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ArgMinOp op, Operands in, Tensor &out);

// Moves.cpp
llvm::Error evaluateOp(ReshapeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(TransposeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(ConcatOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(PadOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(SliceOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(GatherOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ReshapeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::TransposeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ConcatOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::PadOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::SliceOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::GatherOp op, Operands in, Tensor &out);

// Norms.cpp
llvm::Error evaluateOp(LayerNormOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::LayerNormOp op, Operands in, Tensor &out);

// Interpolate.cpp
llvm::Error evaluateOp(InterpolateOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::InterpolateOp op, Operands in, Tensor &out);

// IntegerLayers.cpp
llvm::Error evaluateOp(qint::ConvOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::GemmOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::SumPartsOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::MatMulOp op, Operands in, Tensor &out);

// IntegerElementwise.cpp
llvm::Error evaluateOp(qint::AddOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::MulOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::DivOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::MaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::MinOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::TableOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::PiecewiseOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::RequantizeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::SoftmaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::LogSoftmaxOp op, Operands in, Tensor &out);

// IntegerPools.cpp
llvm::Error evaluateOp(qint::MaxPoolOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::AvgPoolOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ReduceMeanOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ReduceMaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ReduceMinOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ReducePowerOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ArgMaxOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ArgMinOp op, Operands in, Tensor &out);

} // namespace mlir::qopt::reference
