// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quotients by a constant without a division.
#pragma once

#include <cstdint>

namespace mlir::qopt::target {

/// What `x / scale` is computed as, with `r = 1 / scale`, the cheapest first.
enum class QuotientForm {
  /// `x * r`.
  Product,
  /// `fma(x, r, x * r')` with what rounding took from `r`.
  SplitProduct,
  /// The product, improved by a residual (two fused multiply-adds).
  ImprovedProduct,
  /// Improved twice: the rounded quotient itself, for scales in
  /// (2^-80, 2^80), by Markstein's theorem.
  Exact
};

/// What rounding took from `1 / scale`, as a float.
float reciprocalRest(float scale);

/// The cheapest form that rounds to the integer of `numerics::quantize`,
/// wherever the result lies in [low, high]; for scales in (2^-80, 2^80).
QuotientForm quotientForm(float scale, int64_t low, int64_t high);

} // namespace mlir::qopt::target
