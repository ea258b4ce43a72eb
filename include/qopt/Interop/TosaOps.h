// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops of TOSA are read: docs/tosa.md lists them.
#pragma once

#include "mlir/Support/LLVM.h"

namespace mlir::qopt {

struct TosaOp {
  /// `tosa.conv2d`, ...
  llvm::StringLiteral name;
  /// What is asked of it beside f32 and static shapes; may be empty.
  llvm::StringLiteral condition;
};

/// The ops that `qopt-convert-from-tosa` takes, in the order of their names.
SmallVector<TosaOp> getReadTosaOps();

} // namespace mlir::qopt
