// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions about models that arrived quantized, and their float form.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// Whether `function` (level `observed` and behind) has scales that came with
/// the model: of a value, in its observer, or of a weight.
bool hasImportedScales(func::FuncOp function);

/// The observers whose scale only statistics can give: they have none, and the
/// op before them does not prescribe it.
SmallVector<ObserveOp> getUndecidedObservers(func::FuncOp function);

/// Replaces weights that the model holds as integers (`dequantize` of a
/// constant) by float constants, so that an engine for float ops runs it.
void dequantizeConstants(func::FuncOp function);

} // namespace mlir::qopt
