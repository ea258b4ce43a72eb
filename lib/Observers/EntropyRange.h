// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The range whose quantized histogram diverges least from the real one.
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "qopt/Observers/TensorStats.h"

namespace mlir::qopt::observers {

/// The range of `stats` (with values that differ) by docs/arithmetic.md, "Range
/// choice", `entropy`. Ends are at most the extremes (symmetric: the larger
/// magnitude). About 3 ms.
numerics::Range entropyRange(const TensorStats &stats, int bits,
                             bool symmetric);

} // namespace mlir::qopt::observers
