// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The graph passes, generated from Passes.td.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

#define GEN_PASS_DECL
#include "qopt/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qopt/Transforms/Passes.h.inc"

} // namespace mlir::qopt
