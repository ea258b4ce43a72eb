// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maximum and minimum of values as they stand in memory.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// The larger (smaller) of two values of one kind; bytes with a storage bias
/// compare as unsigned.
Value extremeOf(KernelBuilder &k, Value a, Value b, bool isMax,
                ElementKind kind, int32_t storageBias);

} // namespace mlir::qopt::codegen
