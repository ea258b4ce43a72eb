// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalization of rows in integers: exact sums, an integer root, one rounding
// (docs/arithmetic.md, "Layer normalization").
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// `floor(sqrt(value))`, `value < 2^62`.
uint32_t squareRootFloor(uint64_t value);

/// What rows are normalized by.
struct NormRule {
  /// Elements of a row, 1 to 2^22.
  int64_t length = 1;
  /// The mean is taken off.
  bool isCentered = true;
  /// 2: root of the mean square; 1: mean magnitude.
  int power = 2;
};

/// Bits by which a normalized element may exceed 1: the smallest `g` with
/// `2^(power g) >= length`.
int normHeadroom(const NormRule &rule);

/// The constants of a normalization.
struct NormConstants {
  int varianceShift = 0;
  int64_t epsilon = 0;
  /// Fraction bits of the results before they are rounded, 1 to 24.
  int shift = 1;
  std::vector<int32_t> gamma, beta;
};

/// From an epsilon and the factors in real numbers (at least one gamma, any
/// number of betas). Q0701 where no constants fit.
llvm::Expected<NormConstants>
chooseNormConstants(const NormRule &rule, double epsilon,
                    const QuantParams &input, float outputScale,
                    llvm::ArrayRef<float> gamma, llvm::ArrayRef<float> beta);

/// The inverse of a row's deviation and the shift that its differences need
/// with it.
struct RowInverse {
  int64_t inverse;
  int shift;
};

/// Of `n sum x^2 - (sum x)^2`, `varianceShift` more bits and `epsilon` added;
/// all below 2^62.
RowInverse inverseOfVariance(int64_t variance, const NormRule &rule,
                             int varianceShift, int64_t epsilon);
/// Of `sum |x| < 2^31`.
RowInverse inverseOfMagnitude(int64_t sum, const NormRule &rule);

/// An element from `n x - sum x` (or `n x`), with `shift` fraction bits.
inline int64_t normalizeElement(int64_t difference, const RowInverse &row,
                                int32_t gamma, int32_t beta) {
  const int64_t aligned = row.shift >= 0
                              ? difference * (INT64_C(1) << row.shift)
                              : difference >> -row.shift;
  const int64_t normal = (aligned * row.inverse) >> 32;
  return ((normal * gamma) >> 32) + beta;
}

} // namespace mlir::qopt::numerics
