// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models that are MLIR files: float TOSA, or the float level of qopt.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace mlir::qopt::pipelines {

/// By the name's end: `.mlir` or `.mlirbc`.
bool isMlirFile(llvm::StringRef path);

/// Level `import` of the module at `path`, marked as `qopt-mark-values` does
/// where it is not yet. Q0211 where it cannot be read or is not one function,
/// Q0311 where ops have no form in qopt, Q0502.
llvm::Expected<OwningOpRef<ModuleOp>> readMlir(llvm::StringRef path,
                                               MLIRContext &context);

} // namespace mlir::qopt::pipelines
