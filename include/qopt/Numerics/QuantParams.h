// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a real range to a scale and a zero point, and the two maps between real
// values and integers (docs/arithmetic.md, "Quantized values").
#pragma once

#include <cstdint>

namespace mlir::qopt::numerics {

/// A closed interval of real values. `min <= max`; may lie beside zero.
struct Range {
  double min = 0;
  double max = 0;
};

/// `real = scale * (q - zeroPoint)` for `q` in `[qmin, qmax]`. `scale` is a
/// finite, normal, positive float32 and `qmin <= zeroPoint <= qmax`.
struct QuantParams {
  float scale = 1;
  int32_t zeroPoint = 0;
  int32_t qmin = -128;
  int32_t qmax = 127;

  bool operator==(const QuantParams &other) const {
    return scale == other.scale && zeroPoint == other.zeroPoint &&
           qmin == other.qmin && qmax == other.qmax;
  }
  bool operator!=(const QuantParams &other) const { return !(*this == other); }
};

/// The nearest integer, ties to even, for every `x`. No libm.
inline double roundHalfEven(double x) {
  const double unit = 4503599627370496.0; // 2^52: beyond it all are integers.
  if (!(x > -unit && x < unit))
    return x;
  return x < 0 ? (x - unit) + unit : (x + unit) - unit;
}

/// The largest and smallest value of a signed type of `bits` (2 to 16);
/// `narrow` leaves the most negative value out.
inline int32_t signedMax(int bits) { return (1 << (bits - 1)) - 1; }
inline int32_t signedMin(int bits, bool narrow = false) {
  return -signedMax(bits) - (narrow ? 0 : 1);
}

/// Parameters of a signed type of `bits` (2 to 16) that cover `range` widened
/// to contain 0 (docs/arithmetic.md, "Scale choice"). Symmetric means zero
/// point 0 and `scale = max(|min|, |max|) / qmax`. A range of only zeros gives
/// scale 1 and zero point 0. NaN ends count as 0, infinite ends as the largest
/// float32.
QuantParams chooseParams(Range range, int bits, bool symmetric,
                         bool narrow = false);

/// The same for an explicit integer range `qmin < qmax` within 24 bits.
/// Symmetric puts the zero point at 0 when that is inside `[qmin, qmax]`, else
/// in the middle of it.
QuantParams chooseParams(Range range, int32_t qmin, int32_t qmax,
                         bool symmetric);

/// True for `2^k` with a whole `k`.
bool isPowerOfTwo(double x);

/// The smallest `2^k` that is a normal float32 and not below `x`; 2^127 where
/// there is none.
float powerOfTwoAbove(double x);

/// As `chooseParams` with the scale's next power of two in place of the scale
/// (docs/arithmetic.md, "Scale choice").
QuantParams choosePowerOfTwoParams(Range range, int bits, bool symmetric);

/// `saturate(roundHalfEven(x / scale) + zeroPoint)` with the division in
/// float32, as ONNX QuantizeLinear. NaN gives the zero point.
inline int32_t quantize(float x, const QuantParams &params) {
  const float magic = 12582912.0f; // 1.5 * 2^23
  const float limit = 2097152.0f;  // Beyond every zero point plus range.
  float v = x / params.scale;
  if (!(v == v))
    return params.zeroPoint;
  v = v < -limit ? -limit : (v > limit ? limit : v);
  int32_t q = static_cast<int32_t>((v + magic) - magic) + params.zeroPoint;
  return q < params.qmin ? params.qmin : (q > params.qmax ? params.qmax : q);
}

/// `scale * (q - zeroPoint)`: the product of two float32, rounded once. `q` and
/// the zero point lie in 24 bits.
inline float dequantize(int32_t q, const QuantParams &params) {
  return params.scale * static_cast<float>(q - params.zeroPoint);
}

} // namespace mlir::qopt::numerics
