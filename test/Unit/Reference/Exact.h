// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact real arithmetic on dequantized operands, written without Numerics, and
// random cases with fixed seeds.
#pragma once

#include "RunText.h"
#include <cmath>
#include <random>

namespace qopt_test {

/// Random numbers that are the same with every standard library.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}
  /// Uniform in `[low, high]`.
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine() %
                                      static_cast<uint64_t>(high - low + 1));
  }
  /// Log-uniform in `[low, high]`, a float32.
  float scale(double low, double high) {
    double unit = static_cast<double>(engine() >> 11) * 0x1p-53;
    return static_cast<float>(low * std::exp(unit * std::log(high / low)));
  }
  Tensor i8(ArrayRef<int64_t> shape, int64_t low = -128, int64_t high = 127) {
    return fill(Tensor(shape, reference::ElementKind::I8), low, high);
  }
  Tensor i16(ArrayRef<int64_t> shape, int64_t low = -32768,
             int64_t high = 32767) {
    return fill(Tensor(shape, reference::ElementKind::I16), low, high);
  }
  Tensor i32(ArrayRef<int64_t> shape, int64_t low, int64_t high) {
    return fill(Tensor(shape, reference::ElementKind::I32), low, high);
  }

private:
  Tensor fill(Tensor tensor, int64_t low, int64_t high) {
    for (int64_t i = 0; i < tensor.getNumElements(); ++i)
      tensor.setInteger(i, integer(low, high));
    return tensor;
  }
  std::mt19937_64 engine;
};

/// A factor as a multiplier of 29 or 30 bits and a shift: nearer than 2^-29.
struct Factor {
  int64_t multiplier;
  int shift;

  explicit Factor(long double value) {
    int exponent;
    long double fraction = std::frexp(value, &exponent); // [0.5, 1)
    multiplier = std::llround(std::ldexp(fraction, 30));
    shift = 30 - exponent;
  }
};

/// `#qint.requant` of factors, each with a shift of its own.
inline std::string requantText(ArrayRef<Factor> factors, int zeroPoint, int low,
                               int high, bool halfEven = false) {
  std::string multipliers, shifts;
  for (const Factor &factor : factors) {
    std::string comma = multipliers.empty() ? "" : ", ";
    multipliers += comma + std::to_string(factor.multiplier);
    shifts += comma + std::to_string(factor.shift);
  }
  return "#qint.requant<[" + multipliers + "], [" + shifts + "], zp " +
         std::to_string(zeroPoint) + ", clamp " + std::to_string(low) + " to " +
         std::to_string(high) + (halfEven ? ", half_even>" : ">");
}

/// `4x8xi8` as a tensor type.
inline std::string typeText(ArrayRef<int64_t> shape, const char *element) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

/// The distance, in steps, from an integer result to the exact real value
/// `steps` (already divided by the output scale and moved by its zero point),
/// clamped like the result.
inline double distance(int32_t result, long double steps, int low, int high) {
  long double clamped = std::min(std::max(steps, static_cast<long double>(low)),
                                 static_cast<long double>(high));
  return static_cast<double>(std::fabs(clamped - result));
}

/// Half a step, and what a multiplier of 30 bits adds for 16-bit results.
constexpr double halfStep8 = 0.5 + 1e-6;
constexpr double halfStep16 = 0.5 + 1e-4;

} // namespace qopt_test
