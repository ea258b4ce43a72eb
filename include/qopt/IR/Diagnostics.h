// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of the rooms below MLIR, as diagnostics at an op.
#pragma once

#include "mlir/IR/Operation.h"
#include "llvm/Support/Error.h"

namespace mlir::qopt {

/// Reports each error in `error` at `op`: its message, and its notes and help
/// as notes. Always a failure; `error` must hold one.
LogicalResult emitRefusal(Operation *op, llvm::Error error);

} // namespace mlir::qopt
