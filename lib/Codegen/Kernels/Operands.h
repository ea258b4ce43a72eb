// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands of elementwise ops: tensors in the arena, or constants.
#pragma once

#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {

/// `value` in `view`, or in the constants where the view is empty; walked
/// along with `out`. Emits an error at `op` where it is neither.
FailureOr<NestOperand> operandOf(KernelContext &context, Operation *op,
                                 Value value, const View &view,
                                 const View &out);

/// The result, then the two operands of `op`.
FailureOr<std::vector<NestOperand>> binaryOperands(KernelContext &context,
                                                   Operation *op,
                                                   ArrayRef<View> in,
                                                   const View &out);

} // namespace mlir::qopt::codegen
