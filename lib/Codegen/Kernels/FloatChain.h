// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chains of scalar functions (`qopt.unary`) of f32 vectors.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt::codegen {

/// `functions`, an array of `FnAttr` that a verifier has accepted, of `x`.
/// Functions follow docs/arithmetic.md, "Table", each in f32; NaN stands where
/// `numerics::evaluate` has it.
Value floatChain(KernelBuilder &k, Value x, ArrayAttr functions);

} // namespace mlir::qopt::codegen
