// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar functions of 16-bit values by quadratic pieces (docs/arithmetic.md,
// "Piecewise table").
#pragma once

#include "qopt/Numerics/ScalarFunctions.h"
#include <optional>

namespace mlir::qopt::numerics {

/// A function of an i16 by `2^segmentBits` equal segments of its domain. With
/// `d` the position in the segment, -1 to 1 in units of `2^-15`, and
/// `r(x) = floor((x + 2^14) / 2^15)`,
/// `y = clamp(floor((base + r((slope + r(curve d)) d)) / 2^fractionBits))`.
struct PiecewiseTable {
  int segmentBits = 5;
  /// Of `base`, `slope` and `curve`, 0 to 7.
  int fractionBits = 7;
  /// One a segment each: the value in its middle with the half of the rounding,
  /// and what a polynomial of `d` adds.
  std::vector<int32_t> base;
  std::vector<int16_t> slope, curve;
};

/// `|slope| + |curve|` of a segment, so that no product of 16 bits overflows.
constexpr int32_t largestPiece = 32000;

/// The result before `floor` and clamp, in units of `2^-fractionBits`; `q` an
/// i16.
inline int32_t evaluatePiece(int32_t base, int32_t slope, int32_t curve,
                             int segmentBits, int32_t q) {
  auto round = [](int32_t product) { return (product + (1 << 14)) >> 15; };
  int32_t inSegment = (q + 32768) & ((1 << (16 - segmentBits)) - 1);
  int32_t d = inSegment * (1 << segmentBits) - 32768;
  return base + round((slope + round(curve * d)) * d);
}

/// The pieces of the balanced `chain` from `in`, an i16, to `out`, an i8 or i16
/// whose range is what kernels clamp to: the fewest segments (32, 64, 128) that
/// come within 1/16 of a step of an i8, 1/4 of an i16; else 128 if these come
/// within 1/4 of an i8, or 1/32 of what a step would be with 8 bits. A segment
/// in which an i16 saturates may be one such step off. All before the last
/// rounding. Nothing for functions with jumps or poles.
std::optional<PiecewiseTable>
buildPiecewiseTable(llvm::ArrayRef<ScalarFunction> chain, const QuantParams &in,
                    const QuantParams &out);

} // namespace mlir::qopt::numerics
