// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which steps several threads share, and who does what: fixed at compile time.
#pragma once

#include "qopt/Codegen/Plan/Plan.h"

namespace mlir::qopt::codegen {

/// `step` as at most `parts` steps, which write disjoint rows of its result and
/// may run at the same time and in any order. Just `step` where its kind cannot
/// be cut or, unless `evenIfSmall`, where there is too little to do.
std::vector<Step> partitionStep(const Step &step, int64_t parts,
                                bool evenIfSmall = false);

} // namespace mlir::qopt::codegen
