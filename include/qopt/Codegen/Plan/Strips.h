// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Depth first: a large image is read row strip by row strip, while the cache
// still has what was written.
#pragma once

#include "qopt/Codegen/Plan/Plan.h"

namespace mlir::qopt::codegen {

/// The chains of `plan`'s steps that gain by strips; with `evenIfSmall` all
/// that can be cut. Lifetimes are those of the steps in order; offsets are not
/// needed yet.
std::vector<StripChain> findStripChains(const Plan &plan, bool evenIfSmall);

/// The steps of `plan`, those of its chains in strips: each piece as soon as
/// what it reads is there and nothing that is still to run uses what it
/// overwrites. The effect is that of the steps in order.
std::vector<Step> orderByStrips(const Plan &plan);

} // namespace mlir::qopt::codegen
