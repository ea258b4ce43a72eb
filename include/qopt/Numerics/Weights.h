// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and biases to integers (docs/arithmetic.md, "Weight quantization"
// and "Bias rounding").
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::qopt::numerics {

/// How the scale of a channel follows from its weights.
enum class WeightScaling {
  /// `max|W| / qmax`.
  MaxAbs,
  /// `c max|W| / qmax` with `c` the best of 1, 0.99, ..., 0.51 for the squared
  /// error; the largest such `c` on a tie.
  MseClip,
};

/// Neighbouring weights of a channel that share a multiple of its scale: those
/// of one tap and `inputs` input channels in a row, the last group of a tap
/// having what is left. Weights lie input channel by input channel, each with
/// its taps.
struct WeightGroups {
  /// 0: no groups.
  size_t inputs = 0;
  size_t taps = 1;
};

/// The largest multiple of a channel's scale that a group of weights of `bits`
/// bits has; only 4 and 2 bits have groups. A weight is stored as a multiple
/// times `bits` bits and is no larger than 8 bits.
constexpr int32_t maxGroupMultiple(int bits) { return bits > 2 ? 15 : 63; }

struct WeightOptions {
  /// 8, 4 or 2.
  int bits = 8;
  WeightGroups groups;
  bool perChannel = true;
  WeightScaling scaling = WeightScaling::MseClip;
  /// Scales are powers of two: that above `max|W| / qmax`, or half of it where
  /// `MseClip` finds that better.
  bool powerOfTwo = false;
  /// `E[x_i^2]` of the input that meets weight `i` of a channel: empty, or one
  /// entry a weight of a channel. Weighs the squared error of `MseClip`.
  llvm::ArrayRef<double> inputSecondMoments;
  /// Smallest scale of each channel: empty or one a channel.
  /// `weightScaleFloor` gives the one that keeps a bias inside int32.
  llvm::ArrayRef<float> scaleFloors;
};

/// Symmetric integers in `[-qmax, qmax]`, channel after channel, and one scale
/// a channel (one in all without `perChannel`); with groups, these integers
/// times the multiple of each weight's group.
struct QuantizedWeights {
  std::vector<int8_t> values;
  std::vector<float> scales;
  int bits = 8;
  /// One a weight; empty without groups.
  std::vector<uint8_t> multiples;

  /// No value is larger in magnitude.
  int32_t getLargest() const;
};

/// `weights` holds `channels` rows of equal length, output channel first.
/// A channel of zeros takes the largest scale of the others (1 where all are
/// zero); no scale is below 2^-20 of the largest. Values must be finite, groups
/// divide a channel's weights.
QuantizedWeights quantizeWeights(llvm::ArrayRef<float> weights, size_t channels,
                                 const WeightOptions &options);

/// Largest magnitude of the high part of a wide weight: 127 * 256 + 127, two
/// signed bytes.
inline constexpr int32_t wideWeightMax = 32639;

/// Symmetric integers and one scale a channel. Each is `2^lowBits h + l` with
/// `|h| <= wideWeightMax` and `l` in `[-2^(lowBits - 1), 2^(lowBits - 1))`.
struct WideWeights {
  std::vector<int32_t> values;
  std::vector<float> scales;
  int lowBits = 0;

  /// No value is larger in magnitude.
  int32_t getLargest() const { return wideWeightMax << lowBits; }
};

/// As many bits of each channel, up to 24, as keep the accumulators of both
/// parts inside int32: `sum |h| reach + |bias| / (inputScale scale 2^lowBits)`
/// and `sum |l| reach`, `reach` being the largest difference of the input from
/// its zero point. `biases` is empty or has one a channel, `scaleFloor` is the
/// smallest scale. Nothing where a channel would have less than 8 bits. Values
/// must be finite.
std::optional<WideWeights> quantizeWideWeights(llvm::ArrayRef<float> weights,
                                               size_t channels,
                                               llvm::ArrayRef<float> biases,
                                               float inputScale, int64_t reach,
                                               float scaleFloor);

/// The parts of `value`.
struct WeightParts {
  int32_t high, low;
};
constexpr WeightParts splitWeight(int32_t value, int lowBits) {
  const int32_t high = (value + (1 << (lowBits - 1))) >> lowBits;
  return {high, value - high * (1 << lowBits)};
}

/// Smallest weight scale for which `bias / (inputScale scale)` stays below
/// 2^30.
float weightScaleFloor(float bias, float inputScale);

/// `roundHalfEven(bias / (inputScale weightScale))` in float64. Fails with
/// Q0701 outside int32.
llvm::Expected<int32_t> quantizeBias(float bias, float inputScale,
                                     float weightScale);

} // namespace mlir::qopt::numerics
