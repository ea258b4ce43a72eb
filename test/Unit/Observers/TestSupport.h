// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random data with one fixed stream, comparison of whole states.
#pragma once

#include "qopt/Observers/CalibrationState.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace mlir::qopt::observers {

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
  int64_t between(int64_t lo, int64_t hi) {
    return lo +
           static_cast<int64_t>(next() % static_cast<uint64_t>(hi - lo + 1));
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - unit()));
    return radius * std::cos(6.283185307179586 * unit());
  }
  /// Any finite float, subnormals and both zeros included.
  float anyFinite() {
    uint32_t bits;
    float x;
    do {
      bits = static_cast<uint32_t>(next());
      memcpy(&x, &bits, sizeof(x));
    } while (!std::isfinite(x));
    return next() % 16 ? x : (next() & 1 ? 0.0f : -0.0f);
  }
};

inline std::vector<float> normals(size_t size, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(size);
  for (float &value : values)
    value = static_cast<float>(random.normal());
  return values;
}

/// The state of one tensor as the bytes of a file that holds only it.
inline std::string bytesOf(const TensorStats &stats) {
  auto state = llvm::cantFail(
      CalibrationState::create(Hash{}, {}, {{"t", stats.channelStats.size()}}));
  // Merging into the empty state copies.
  TensorStats &slot = const_cast<TensorStats &>(state.getTensors()[0].stats);
  slot.merge(stats);
  return state.serialize();
}

template <typename T> std::string refusal(llvm::Expected<T> value) {
  return value ? std::string() : llvm::toString(value.takeError());
}
inline std::string refusal(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : std::string();
}

} // namespace mlir::qopt::observers
