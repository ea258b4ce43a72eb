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
constexpr int64_t digitMask = 0xffffffff;
/// Additions of at most 2^32 a digit before int64 could overflow, halved.
constexpr uint32_t maxPending = 1u << 29;
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
  for (int i = start / digitBits; wide != 0 && i < Words; ++i) {
    words[i] += sign * static_cast<int64_t>(wide & digitMask);
    wide >>= digitBits;
  }
  if (++pending == maxPending)
    normalize();
}

template <int Words, int LowestExponent>
void ExactSum<Words, LowestExponent>::normalize() {
  for (int i = 0; i + 1 < Words; ++i) {
    words[i + 1] += words[i] >> digitBits;
    words[i] &= digitMask;
  }
  pending = 0;
}

template <int Words, int LowestExponent>
void ExactSum<Words, LowestExponent>::merge(const ExactSum &other) {
  ExactSum folded = other;
  folded.normalize();
  normalize();
  for (int i = 0; i < Words; ++i)
    words[i] += folded.words[i];
  normalize();
}

template <int Words, int LowestExponent>
double ExactSum<Words, LowestExponent>::value() const {
  ExactSum magnitude = *this;
  magnitude.normalize();
  const bool negative = magnitude.words[Words - 1] < 0;
  if (negative) {
    for (int64_t &word : magnitude.words)
      word = -word;
    magnitude.normalize();
  }
  int top = Words - 1;
  while (top > 2 && magnitude.words[top] == 0)
    --top;
  // The top 65 to 96 bits, or all that there are.
  unsigned __int128 leading = 0;
  for (int i = 0; i < 3; ++i)
    leading =
        leading << digitBits | static_cast<uint64_t>(magnitude.words[top - i]);
  int exponent = LowestExponent + digitBits * (top - 2);
  while (leading >> 63) {
    leading >>= 1;
    ++exponent;
  }
  const double result =
      std::ldexp(static_cast<double>(static_cast<uint64_t>(leading)), exponent);
  return negative ? -result : result;
}

template <int Words, int LowestExponent>
std::array<uint32_t, Words> ExactSum<Words, LowestExponent>::digits() const {
  ExactSum folded = *this;
  folded.normalize();
  std::array<uint32_t, Words> result;
  for (int i = 0; i < Words; ++i)
    result[i] = static_cast<uint32_t>(folded.words[i] & digitMask);
  return result;
}

template <int Words, int LowestExponent>
ExactSum<Words, LowestExponent> ExactSum<Words, LowestExponent>::fromDigits(
    const std::array<uint32_t, Words> &digits) {
  ExactSum result;
  for (int i = 0; i < Words; ++i)
    result.words[i] = digits[i];
  // The top digit carries the sign.
  result.words[Words - 1] = static_cast<int32_t>(digits[Words - 1]);
  return result;
}

template class mlir::qopt::observers::ExactSum<11, -149>;
template class mlir::qopt::observers::ExactSum<20, -298>;
