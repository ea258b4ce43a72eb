// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights less their zero points, in [-255, 255], as sums of signed bytes: what
// a dot product of bytes multiplies by, one pass a digit.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mlir::qopt::codegen {

/// Digit `index` of `weight`: as much of what the digits before it left as a
/// signed byte holds.
inline int32_t weightDigit(int32_t weight, int64_t index) {
  for (; index > 0; --index)
    weight -= std::clamp<int32_t>(weight, -128, 127);
  return std::clamp<int32_t>(weight, -128, 127);
}

/// How many digits `weight` has, at least one: 255 has three.
inline int64_t countWeightDigits(int32_t weight) {
  int64_t count = 1;
  while (weightDigit(weight, count) != 0)
    ++count;
  return count;
}

/// A weight of more than a byte is `256 high + low`, `low` a signed byte.
inline int32_t lowByte(int32_t weight) {
  return static_cast<int8_t>(static_cast<uint8_t>(weight));
}
inline int32_t highBytes(int32_t weight) {
  return (weight - lowByte(weight)) / 256;
}

} // namespace mlir::qopt::codegen
