// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer square roots.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// `floor(sqrt(value))` of i64 values below 2^62, a scalar or a vector.
Value squareRoot(KernelBuilder &k, Value value);

} // namespace mlir::qopt::codegen
