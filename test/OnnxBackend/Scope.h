// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which backend tests count.
#pragma once

#include "BackendCase.h"

namespace qopt_test {

/// Whether each operator of `test` is one that qopt promises and each tensor at
/// its boundary holds floats, integers or bools.
bool isInScope(const BackendCase &test);

} // namespace qopt_test
