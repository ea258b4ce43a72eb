// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All of the qint dialect, for its reference page.
#ifndef QOPT_IR_QINTDIALECT_TD
#define QOPT_IR_QINTDIALECT_TD

include "qopt/IR/QintOps.td"
include "qopt/IR/QintDynamicOps.td"

#endif // QOPT_IR_QINTDIALECT_TD
