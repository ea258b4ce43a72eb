// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax in integers: a table of exponentials, one 64-bit row sum, one
// division an element (docs/arithmetic.md, "Softmax").
#pragma once

#include "qopt/Numerics/Requantize.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// `E[d] = roundHalfEven(exp(-inputScale d) 2^23)`, `d` in 0..255.
std::vector<uint32_t> buildSoftmaxTable(float inputScale);

/// `multiplier / 2^shift` stands for `1 / outputScale`;
/// `1 <= multiplier < 2^24`, `0 <= shift <= 23`.
struct SoftmaxScale {
  int32_t multiplier = 256;
  int8_t shift = 0;
};

/// The nearest multiplier of at most 24 bits, trailing zeros removed, for rows
/// of `length` elements; bits are given up until
/// `length 2^(24 + shift) < 2^63`. Fails with Q0701 where fewer than 16 bits
/// remain or `1 / outputScale` is outside `[1, 2^16]`.
llvm::Expected<SoftmaxScale> chooseSoftmaxScale(float outputScale,
                                                uint64_t length);

/// `clamp(floor((2 e M + sum 2^S) / (sum 2^(S+1))) + zeroPoint)`;
/// `sum > 0` is the row's sum of table entries.
inline int32_t softmaxElement(uint32_t e, uint64_t sum, SoftmaxScale scale,
                              int32_t zeroPoint, int32_t qmin, int32_t qmax) {
  const uint64_t numerator =
      2 * static_cast<uint64_t>(e) * static_cast<uint32_t>(scale.multiplier) +
      (sum << scale.shift);
  const uint64_t quotient = numerator / (sum << (scale.shift + 1));
  return static_cast<int32_t>(
      clamp(static_cast<int64_t>(quotient) + zeroPoint, qmin, qmax));
}

/// One row, `logits.size() == out.size() >= 1`; `table` from
/// `buildSoftmaxTable`.
void softmaxRow(llvm::ArrayRef<int8_t> logits, llvm::ArrayRef<uint32_t> table,
                SoftmaxScale scale, int32_t zeroPoint, int32_t qmin,
                int32_t qmax, llvm::MutableArrayRef<int16_t> out);

} // namespace mlir::qopt::numerics
