// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emission of one planned step.
#pragma once

#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Plan/Plan.h"

namespace mlir::qopt::codegen {

/// Emits the step's kernel call. A failure has emitted an error at the op.
LogicalResult emitStep(KernelContext &context, Location loc, const Step &step);

/// What `step`, if it is a product that computes for long, can ask memory for:
/// the weights of the next product among `following` and, behind them, `after`,
/// if that has one row and many weights. They are packed at once.
ConstantRange weightsAhead(KernelContext &context, const Step &step,
                           llvm::ArrayRef<Step> following,
                           llvm::ArrayRef<Step> after);

} // namespace mlir::qopt::codegen
