// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quotients by a constant without a division.
#pragma once

#include <cstdint>

namespace mlir::qopt::target {

/// How often `x * (1 / scale)` must be improved by a residual (two fused
/// multiply-adds) so that it rounds to the integer of `numerics::quantize`,
/// wherever the result lies in [low, high]. Two improvements give the rounded
/// quotient itself, for scales in (2^-80, 2^80).
unsigned quotientImprovements(float scale, int64_t low, int64_t high);

} // namespace mlir::qopt::target
