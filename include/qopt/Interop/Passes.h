// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between qopt and upstream dialects, generated from Passes.td.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

#define GEN_PASS_DECL
#include "qopt/Interop/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qopt/Interop/Passes.h.inc"

} // namespace mlir::qopt
