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

/// `to` as it lies before values are looked up in a table of bytes in place.
View indexView(View to);

/// A table of bytes for `lookUpBytes`, from `indexView(to)` to `to`.
SmallVector<uint8_t> byteTable(ArrayRef<int16_t> table, const View &to);

/// The argument for a kernel that calls `lookUpBytes`: such a kernel has more
/// to keep in registers than the table.
KernelArg tableArg(KernelContext &context, ArrayRef<uint8_t> table);

/// The entries for up to 64 `bytes` of the table that `memory` holds, in
/// registers.
Value lookUpBytes(KernelBuilder &k, Value memory, Value bytes);

} // namespace mlir::qopt::codegen
