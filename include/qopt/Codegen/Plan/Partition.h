// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which steps several threads share, and who does what: fixed at compile time.
#pragma once

#include "qopt/Codegen/Plan/Plan.h"

namespace mlir::qopt::codegen {

/// Steps that need no waiting between them: those of each part, in order.
/// Several parts may run at the same time and in any order.
struct SharedSteps {
  std::vector<std::vector<Step>> parts;
};

/// The steps of `plan`, in order, with at most `threads` parts each. Of one
/// part are those that cannot be cut or, unless `evenIfSmall`, where there is
/// too little to do.
std::vector<SharedSteps> partitionPlan(const Plan &plan, int64_t threads,
                                       bool evenIfSmall = false);

} // namespace mlir::qopt::codegen
