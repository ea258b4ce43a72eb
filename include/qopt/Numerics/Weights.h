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

struct WeightOptions {
  int bits = 8;
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
/// a channel (one in all without `perChannel`).
struct QuantizedWeights {
  std::vector<int8_t> values;
  std::vector<float> scales;
};

/// `weights` holds `channels` rows of equal length, output channel first.
/// A channel of zeros takes the largest scale of the others (1 where all are
/// zero); no scale is below 2^-20 of the largest. Values must be finite.
QuantizedWeights quantizeWeights(llvm::ArrayRef<float> weights, size_t channels,
                                 const WeightOptions &options);

/// Largest magnitude of a weight of 16 bits: 127 * 256 + 127, two signed bytes.
inline constexpr int32_t wideWeightMax = 32639;

/// Symmetric integers in `[-wideWeightMax, wideWeightMax]`, one scale a
/// channel.
struct WideWeights {
  std::vector<int16_t> values;
  std::vector<float> scales;
};

/// As many bits of each channel, up to 16, as keep its accumulator inside
/// int32: `sum |q| reach + |bias| / (inputScale scale)`, `reach` being the
/// largest difference of the input from its zero point. `biases` is empty or
/// has one a channel, `scaleFloor` is the smallest scale. Nothing where a
/// channel would have less than 8 bits. Values must be finite.
std::optional<WideWeights> quantizeWideWeights(llvm::ArrayRef<float> weights,
                                               size_t channels,
                                               llvm::ArrayRef<float> biases,
                                               float inputScale, int64_t reach,
                                               float scaleFloor);

/// Smallest weight scale for which `bias / (inputScale scale)` stays below
/// 2^30.
float weightScaleFloor(float bias, float inputScale);

/// `roundHalfEven(bias / (inputScale weightScale))` in float64. Fails with
/// Q0701 outside int32.
llvm::Expected<int32_t> quantizeBias(float bias, float inputScale,
                                     float weightScale);

/// `roundHalfEven(bias / scale)` for a part's own scale, in int64.
int64_t quantizeBiasWide(double bias, double scale);

} // namespace mlir::qopt::numerics
