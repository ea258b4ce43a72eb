// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax in integers: a table of exponentials, one 64-bit row sum, one
// division an element (docs/arithmetic.md, "Softmax").
#pragma once

#include "qopt/Numerics/Requantize.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// `E[d] = roundHalfEven(exp(-inputScale d) 2^23)`, `d` in 0..255.
std::vector<uint32_t> buildSoftmaxTable(float inputScale);

/// `clamp(floor((2 levels e + sum) / (2 sum)) + zeroPoint)`: `levels` is the
/// inverse of the output scale, 1 to 32768, and `sum` (1 to 2^62) the row's sum
/// of table entries, each at most 2^23.
inline int32_t softmaxElement(uint32_t e, uint64_t sum, int32_t levels,
                              int32_t zeroPoint, int32_t qmin, int32_t qmax) {
  const uint64_t numerator =
      2 * static_cast<uint64_t>(levels) * static_cast<uint64_t>(e) + sum;
  const int64_t quotient = static_cast<int64_t>(numerator / (2 * sum));
  return static_cast<int32_t>(clamp(quotient + zeroPoint, qmin, qmax));
}

/// One row; `out.size() == logits.size() >= 1`, `table` has 256 entries.
void softmaxRow(llvm::ArrayRef<int8_t> logits, llvm::ArrayRef<uint32_t> table,
                int32_t levels, int32_t zeroPoint, int32_t qmin, int32_t qmax,
                llvm::MutableArrayRef<int16_t> out);

} // namespace mlir::qopt::numerics
