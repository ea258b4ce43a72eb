// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands of elementwise ops: tensors in the arena, or constants.
#pragma once

#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Requant.h"

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

/// What an operand holds in registers, by `asUnsigned`, less its logical value.
inline int64_t registerBias(ElementKind kind) {
  return kind == ElementKind::I8 ? 128 : 0;
}

/// Loaded elements of an operand as bytes with bias 128; words as they are.
Value asUnsigned(KernelBuilder &k, Value loaded, const NestOperand &operand);

/// `q - zeroPoint` of loaded elements, in the natural order.
WideLanes centered(KernelBuilder &k, Value loaded, const NestOperand &operand,
                   int64_t zeroPoint);

/// Emits a kernel whose rescaled lanes `compute` gives. `params` and the nest
/// are all that it bakes in.
void emitNest(
    KernelContext &context, Location loc, StringRef family, const Twine &params,
    const ElementwiseNest &nest,
    llvm::function_ref<SmallVector<Value, 2>(KernelBuilder &, const Chunk &)>
        compute);

} // namespace mlir::qopt::codegen
