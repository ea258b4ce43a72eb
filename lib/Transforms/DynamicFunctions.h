// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar functions of values whose scale is found at run time, as tables of
// fixed scales (docs/arithmetic.md, "Dynamic scales").
#pragma once

#include "qopt/Numerics/PiecewiseTables.h"
#include <optional>

namespace mlir::qopt {

/// A function of an i16 whose steps are `2^inputExponent`, saturated where the
/// function no longer changes.
struct FixedFunction {
  int32_t inputExponent = 0;
  /// The function is the table's value times its own argument.
  bool isFactor = false;
  /// No value is negative.
  bool isPositive = false;
  /// Of the table's values, an i16.
  numerics::QuantParams output;
  /// Either pieces or all 65536 entries.
  std::optional<numerics::PiecewiseTable> pieces;
  std::vector<int16_t> table;
};

/// `chain`, balanced, as such a function: where it levels off on both sides
/// itself (a sigmoid), else where its share of the argument does (a swish).
/// Nothing for any other.
std::optional<FixedFunction>
fitFunction(llvm::ArrayRef<numerics::ScalarFunction> chain);

} // namespace mlir::qopt
