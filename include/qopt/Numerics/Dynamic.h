// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales that are found when a model runs, in integers (docs/arithmetic.md,
// "Dynamic scales").
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::qopt::numerics {

/// Mantissas of constants lie in `[-2^30, 2^30]`, their exponents in
/// `[-4096, 4096]`.
inline constexpr int32_t maxMantissa = INT32_C(1) << 30;
inline constexpr int32_t maxExponent = 4096;
/// The exponent of a sample in which all is zero.
inline constexpr int32_t zeroExponent = -(INT32_C(1) << 20);

/// Integers times one power of two: `values[i] * 2^exponent`.
struct Mantissas {
  std::vector<int32_t> values;
  int32_t exponent = 0;
};

/// `reals` with the exponent that brings the largest magnitude into
/// `[2^29, 2^30)`, each to the nearest even. All zero: exponent 0. Reals must
/// be finite.
Mantissas shareExponent(llvm::ArrayRef<double> reals);

/// The scale of a sample's 8-bit integers, `mantissa * 2^exponent`, and how
/// they follow from the grid's: `round(v * multiplier / 2^shift)`.
struct DynamicScale {
  int32_t mantissa = INT32_C(1) << 29;
  int32_t exponent = zeroExponent;
  int32_t multiplier = 0;
  int32_t shift = 1;
};
inline constexpr int64_t scaleFields = 4;

/// Where a sample's values stand as `v * 2^exponent`, `|v| < 2^31`: what two
/// terms are multiplied by and shifted right to get there, and a clamp.
struct Grid {
  int32_t leftMantissa = 0, leftShift = 0;
  int32_t rightMantissa = 0, rightShift = 0;
  int32_t exponent = zeroExponent;
  int32_t lower = -INT32_MAX, upper = INT32_MAX;
};
inline constexpr int64_t gridFields = 7;

/// A real number as a mantissa and an exponent.
struct MantissaPair {
  int32_t mantissa = 0, exponent = 0;
};
/// Absent ends are infinite.
struct ClampEnds {
  std::optional<MantissaPair> lower, upper;
};

/// A float32's magnitude as the bits that are compared and used: NaN is 0,
/// infinity the largest finite one.
uint32_t magnitudeBits(uint32_t bits);
/// `largest` is the largest of a sample's `magnitudeBits`.
Grid realGrid(uint32_t largest);
int32_t realToGrid(uint32_t bits, const Grid &grid);

/// Of a layer whose accumulators are below `2^accumulatorBits`, multipliers in
/// units of `2^multiplierExponent` and biases in units of `2^biasExponent`.
Grid layerGrid(const DynamicScale &input, int32_t multiplierExponent,
               std::optional<int32_t> biasExponent, int32_t accumulatorBits,
               const ClampEnds &clamp);
/// `|acc| < 2^31`; `grid` is that of the layer.
int32_t layerToGrid(int64_t acc, int32_t multiplier, int32_t bias,
                    const Grid &grid);

Grid sumGrid(const DynamicScale &left, const DynamicScale &right,
             const ClampEnds &clamp);
/// Of differences from zero points, below 2^8.
int32_t sumToGrid(int32_t left, int32_t right, const Grid &grid);

/// Of products of integers below `2^productBits`.
Grid productGrid(const DynamicScale &left, const DynamicScale &right,
                 int32_t productBits, const ClampEnds &clamp);
/// Of differences from zero points.
int32_t productToGrid(int32_t left, int32_t right, const Grid &grid);

/// `value * 2^gridExponent` in steps of `2^exponent`, 16 bits that saturate.
int32_t gridToFixed(int32_t value, int32_t gridExponent, int32_t exponent);

/// `largest` is the largest `|v|` of the sample, `steps` 127 or 255.
DynamicScale gridScale(uint32_t largest, int32_t exponent, int32_t steps);
int32_t gridQuantize(int32_t value, const DynamicScale &scale,
                     int32_t zeroPoint);
/// The bits of the float32 nearest to `value * 2^exponent`.
uint32_t gridToReal(int32_t value, int32_t exponent);

} // namespace mlir::qopt::numerics
