// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any function of a byte, element by element.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// `to[i] = table[from[i] + 128]`; `from` is i8, `to` i8 or i16, `table` has
/// 256 entries in `to`'s range.
void emitTable(KernelContext &context, Location loc, const View &from,
               const View &to, ArrayRef<int16_t> table);

} // namespace mlir::qopt::codegen
