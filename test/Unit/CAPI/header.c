/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The header is C11, and lives beside the ABI that generated headers repeat. */
#include "qopt-c/qopt.h"
#include "qopt/Runtime/qopt_abi.h"

const char *qopt_test_version_from_c(void);
const char *qopt_test_version_from_c(void) { return qopt_version(); }
