// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qint ops that find scales when a model runs, beside Qint.h: few need them.
#pragma once

#include "qopt/IR/Qint.h"

#define GET_OP_CLASSES
#include "qopt/IR/QintDynamicOps.h.inc"

namespace mlir::qint {

/// What leaves an i32 as it is: of a layer whose results are its accumulators.
RequantAttr getIdentityRequant(MLIRContext *context);

} // namespace mlir::qint
