// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales that are found when a model runs.

#include "qopt/Numerics/Dynamic.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt::numerics;

/// Exponent bits of the largest finite float32.
static constexpr uint32_t largestFinite = 0x7f7fffff;

/// `floor(value / 2^shift + 1/2)`, `shift` in `[0, 62]`.
static int64_t shiftRounding(int64_t value, int32_t shift) {
  return (value + ((INT64_C(1) << shift) >> 1)) >> shift;
}

Mantissas mlir::qopt::numerics::shareExponent(llvm::ArrayRef<double> reals) {
  double largest = 0;
  for (double real : reals)
    largest = std::max(largest, std::abs(real));
  Mantissas result;
  if (largest > 0)
    result.exponent = std::ilogb(largest) - 29;
  for (double real : reals)
    result.values.push_back(static_cast<int32_t>(
        std::nearbyint(std::ldexp(real, -result.exponent))));
  return result;
}

uint32_t mlir::qopt::numerics::magnitudeBits(uint32_t bits) {
  uint32_t magnitude = bits & 0x7fffffff;
  return magnitude > 0x7f800000 ? 0 : std::min(magnitude, largestFinite);
}

Grid mlir::qopt::numerics::realGrid(uint32_t largest) {
  Grid grid;
  grid.leftShift = static_cast<int32_t>(largest >> 23);
  if (grid.leftShift > 0)
    grid.exponent = grid.leftShift - 157;
  return grid;
}

int32_t mlir::qopt::numerics::realToGrid(uint32_t bits, const Grid &grid) {
  const uint32_t magnitude = magnitudeBits(bits);
  const auto field = static_cast<int32_t>(magnitude >> 23);
  // Below the smallest normal number.
  if (field == 0)
    return 0;
  const uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
  const auto value = static_cast<int32_t>((mantissa << 7) >>
                                          std::min(grid.leftShift - field, 31));
  return bits >> 31 ? -value : value;
}

/// An end of a clamp in units of `2^exponent`, saturated.
static int32_t alignEnd(const MantissaPair &end, int32_t exponent) {
  const int64_t limit = INT32_MAX;
  const int32_t difference = end.exponent - exponent;
  const int64_t mantissa = end.mantissa;
  if (difference < 0)
    return static_cast<int32_t>(
        shiftRounding(mantissa, std::min(-difference, 62)));
  const int64_t scaled = mantissa * (INT64_C(1) << std::min(difference, 32));
  return static_cast<int32_t>(std::clamp(scaled, -limit, limit));
}

static void alignClamp(Grid &grid, const ClampEnds &clamp) {
  if (clamp.lower)
    grid.lower = alignEnd(*clamp.lower, grid.exponent);
  if (clamp.upper)
    grid.upper = alignEnd(*clamp.upper, grid.exponent);
}

Grid mlir::qopt::numerics::layerGrid(const DynamicScale &input,
                                     int32_t multiplierExponent,
                                     std::optional<int32_t> biasExponent,
                                     int32_t accumulatorBits,
                                     const ClampEnds &clamp) {
  // Of the products, which are below 2^(accumulatorBits + 30).
  const int32_t own =
      multiplierExponent + input.exponent + 30 + accumulatorBits;
  Grid grid;
  grid.exponent = biasExponent ? std::max(own, *biasExponent) : own;
  grid.leftMantissa = input.mantissa;
  grid.leftShift = std::min(accumulatorBits + grid.exponent - own, 62);
  if (biasExponent)
    grid.rightShift = std::min(grid.exponent - *biasExponent, 62);
  alignClamp(grid, clamp);
  return grid;
}

static int32_t clampToGrid(int64_t value, const Grid &grid) {
  return static_cast<int32_t>(
      std::min<int64_t>(std::max<int64_t>(value, grid.lower), grid.upper));
}

int32_t mlir::qopt::numerics::layerToGrid(int64_t acc, int32_t multiplier,
                                          int32_t bias, const Grid &grid) {
  const int64_t factor =
      shiftRounding(static_cast<int64_t>(multiplier) * grid.leftMantissa, 30);
  return clampToGrid(shiftRounding(acc * factor, grid.leftShift) +
                         shiftRounding(bias, grid.rightShift),
                     grid);
}

Grid mlir::qopt::numerics::sumGrid(const DynamicScale &left,
                                   const DynamicScale &right,
                                   const ClampEnds &clamp) {
  Grid grid;
  grid.leftMantissa = left.mantissa;
  grid.rightMantissa = right.mantissa;
  grid.exponent = std::max(left.exponent, right.exponent) + 8;
  grid.leftShift = std::min(grid.exponent - left.exponent, 62);
  grid.rightShift = std::min(grid.exponent - right.exponent, 62);
  alignClamp(grid, clamp);
  return grid;
}

int32_t mlir::qopt::numerics::sumToGrid(int32_t left, int32_t right,
                                        const Grid &grid) {
  return clampToGrid(
      shiftRounding(static_cast<int64_t>(left) * grid.leftMantissa,
                    grid.leftShift) +
          shiftRounding(static_cast<int64_t>(right) * grid.rightMantissa,
                        grid.rightShift),
      grid);
}

Grid mlir::qopt::numerics::productGrid(const DynamicScale &left,
                                       const DynamicScale &right,
                                       int32_t productBits,
                                       const ClampEnds &clamp) {
  Grid grid;
  grid.leftMantissa = static_cast<int32_t>(
      shiftRounding(static_cast<int64_t>(left.mantissa) * right.mantissa, 30));
  grid.leftShift = productBits;
  grid.exponent = left.exponent + right.exponent + 30 + productBits;
  alignClamp(grid, clamp);
  return grid;
}

int32_t mlir::qopt::numerics::productToGrid(int32_t left, int32_t right,
                                            const Grid &grid) {
  const int64_t product = static_cast<int64_t>(left) * right;
  return clampToGrid(shiftRounding(product * grid.leftMantissa, grid.leftShift),
                     grid);
}

int32_t mlir::qopt::numerics::gridToFixed(int32_t value, int32_t gridExponent,
                                          int32_t exponent) {
  const int32_t difference = gridExponent - exponent;
  // One of the two shifts is 0.
  const int64_t scaled = static_cast<int64_t>(value) *
                         (INT64_C(1) << std::clamp(difference, 0, 32));
  return static_cast<int32_t>(
      std::clamp<int64_t>(shiftRounding(scaled, std::clamp(-difference, 0, 62)),
                          INT16_MIN, INT16_MAX));
}

DynamicScale mlir::qopt::numerics::gridScale(uint32_t largest, int32_t exponent,
                                             int32_t steps) {
  DynamicScale scale;
  if (largest == 0)
    return scale;
  const int32_t room = llvm::countl_zero(largest) - 1;
  const uint64_t normal = static_cast<uint64_t>(largest) << room;
  const int32_t fraction = steps == 255 ? 53 : 54;
  const int32_t extra = steps == 255 ? 6 : 5;
  scale.mantissa =
      static_cast<int32_t>((normal << extra) / static_cast<uint32_t>(steps));
  scale.exponent = exponent - room - extra;
  scale.multiplier =
      static_cast<int32_t>((static_cast<uint64_t>(steps) << fraction) / normal);
  scale.shift = fraction - room;
  return scale;
}

int32_t mlir::qopt::numerics::gridQuantize(int32_t value,
                                           const DynamicScale &scale,
                                           int32_t zeroPoint) {
  const int64_t q =
      shiftRounding(static_cast<int64_t>(value) * scale.multiplier,
                    scale.shift) +
      zeroPoint;
  return static_cast<int32_t>(std::clamp<int64_t>(q, -128, 127));
}

uint32_t mlir::qopt::numerics::gridToReal(int32_t value, int32_t exponent) {
  if (value == 0)
    return 0;
  const uint32_t sign = value < 0 ? UINT32_C(1) << 31 : 0;
  uint32_t magnitude = value < 0 ? -static_cast<uint32_t>(value) : value;
  const int32_t room = llvm::countl_zero(magnitude);
  magnitude <<= room;
  // 24 bits, ties to even; a carry out of them raises the exponent below.
  const uint64_t odd = (magnitude >> 8) & 1;
  const uint64_t mantissa = (uint64_t(magnitude) + 0x7f + odd) >> 8;
  const int32_t field = exponent - room + 158;
  if (field <= 0)
    return sign;
  if (field >= 255)
    return sign | 0x7f800000;
  return sign | static_cast<uint32_t>((static_cast<uint64_t>(field) << 23) +
                                      mantissa - 0x800000);
}
