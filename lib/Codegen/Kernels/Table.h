// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any function of 8 or 16 bits, element by element.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// `to[i] = table[from[i] - min]`; both are i8 or i16, `table` has an entry in
/// `to`'s range for each value of `from`'s type.
void emitTable(KernelContext &context, Location loc, const View &from,
               const View &to, ArrayRef<int16_t> table);

} // namespace mlir::qopt::codegen
