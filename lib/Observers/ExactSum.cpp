// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact sums as wide integers.

#include "qopt/Observers/ExactSum.h"
#include <algorithm>
#include <cmath>
#include <cstring>

using namespace mlir::qopt::observers;

namespace {
constexpr int digitBits = 32;
} // namespace

template <int Words, int LowestExponent>
void ExactSum<Words, LowestExponent>::add(double x) {
  if (x == 0)
    return;
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  // `x` is normal in double: the smallest unit is 2^-298.
  constexpr uint64_t leadingOne = UINT64_C(1) << 52;
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  const int position = field - 1075 - LowestExponent;
  // Only zeros are shifted out: `x` is a multiple of the lowest digit's unit.
  const int below = std::max(-position, 0);
  const uint64_t mantissa = (bits % leadingOne + leadingOne) >> below;
  const int start = position + below;
  unsigned __int128 wide = static_cast<unsigned __int128>(mantissa)
                           << (start % digitBits);
  const int64_t sign = bits >> 63 ? -1 : 1;
  int64_t carry = 0;
  for (int i = start / digitBits; i < Words && (wide != 0 || carry != 0); ++i) {
    const int64_t digit = words[i] + sign * static_cast<uint32_t>(wide) + carry;
    words[i] = static_cast<uint32_t>(digit);
    carry = digit >> digitBits;
    wide >>= digitBits;
  }
}

template <int Words, int LowestExponent>
void ExactSum<Words, LowestExponent>::merge(const ExactSum &other) {
  uint64_t carry = 0;
  for (int i = 0; i < Words; ++i) {
    carry += static_cast<uint64_t>(words[i]) + other.words[i];
    words[i] = static_cast<uint32_t>(carry);
    carry >>= digitBits;
  }
}

template <int Words, int LowestExponent>
double ExactSum<Words, LowestExponent>::value() const {
  Digits magnitude = words;
  const bool negative = static_cast<int32_t>(words.back()) < 0;
  if (negative) {
    uint64_t carry = 1;
    for (uint32_t &word : magnitude) {
      carry += ~word;
      word = static_cast<uint32_t>(carry);
      carry >>= digitBits;
    }
  }
  int top = Words - 1;
  while (top > 2 && magnitude[top] == 0)
    --top;
  // The top 65 to 96 bits, or all that there are.
  unsigned __int128 leading = 0;
  for (int i = 0; i < 3; ++i)
    leading = leading << digitBits | magnitude[top - i];
  int exponent = LowestExponent + digitBits * (top - 2);
  while (leading >> 63) {
    leading >>= 1;
    ++exponent;
  }
  const double result =
      std::ldexp(static_cast<double>(static_cast<uint64_t>(leading)), exponent);
  return negative ? -result : result;
}

template class mlir::qopt::observers::ExactSum<11, -149>;
template class mlir::qopt::observers::ExactSum<20, -298>;
