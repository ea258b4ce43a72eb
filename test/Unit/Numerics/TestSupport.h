// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A random generator with one fixed stream on every machine, and verdicts on
// llvm::Expected.
#pragma once

#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cstdint>
#include <string>

struct Random {
  uint64_t state;

  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = state;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
  }
  /// In `[lo, hi]`.
  int64_t between(int64_t lo, int64_t hi) {
    return lo +
           static_cast<int64_t>(next() % static_cast<uint64_t>(hi - lo + 1));
  }
  /// In `[0, 1)`.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
};

/// True if `value` holds one; fails with the error's text otherwise.
template <typename T>
::testing::AssertionResult succeeded(llvm::Expected<T> &value) {
  if (value)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << llvm::toString(value.takeError());
}

/// The text of the error that `value` must hold; empty if it holds none.
template <typename T> std::string refusal(llvm::Expected<T> value) {
  return value ? std::string() : llvm::toString(value.takeError());
}
