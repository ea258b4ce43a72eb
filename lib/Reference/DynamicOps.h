// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluation functions of the ops that find scales when a model runs; see
// Ops.h.
#pragma once

#include "Ops.h"
#include "qopt/IR/QintDynamic.h"

namespace mlir::qopt::reference {

llvm::Error evaluateOp(qint::RealGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::GridScaleOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::LayerGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::SumGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::RealToGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::LayerToGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::SumToGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ProductGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::ProductToGridOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::GridToFixedOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::GridQuantizeOp op, Operands in, Tensor &out);
llvm::Error evaluateOp(qint::GridToRealOp op, Operands in, Tensor &out);

} // namespace mlir::qopt::reference
