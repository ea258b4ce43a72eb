// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All ops of the qopt dialect, by family.
#ifndef QOPT_IR_QOPTOPS_TD
#define QOPT_IR_QOPTOPS_TD

include "qopt/IR/QoptComputeOps.td"
include "qopt/IR/QoptShapeOps.td"
include "qopt/IR/QoptQuantOps.td"

#endif // QOPT_IR_QOPTOPS_TD
