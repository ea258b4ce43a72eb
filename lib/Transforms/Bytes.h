// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that hold bytes, 0 to 255, exactly: an input of 8-bit samples and
// what only moves them.
#pragma once

#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// Observes `value` as bytes: scale 1, 0 at -128.
ObserveOp observeBytes(OpBuilder &builder, Value value, const Twine &id);

/// The observer that says that `value` holds bytes, perhaps in another layout;
/// null where there is none.
ObserveOp getBytes(Value value);

} // namespace mlir::qopt
