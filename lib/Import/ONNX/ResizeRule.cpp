// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coordinates and coefficients of ONNX's Resize, opsets 10 to 23.
#include "ResizeRule.h"

#include <algorithm>
#include <cmath>

namespace mlir::qopt::importer {

double ResizeRule::positionOf(const ResizeAxis &axis, int64_t x) const {
  double in = axis.input, out = axis.output;
  auto shrink = [&](double at) {
    return axis.fromSizes ? at * in / out : at / axis.scale;
  };
  if (coordinates == "asymmetric")
    return shrink(x);
  if (coordinates == "tf_half_pixel_for_nn")
    return shrink(x + 0.5);
  if (coordinates == "pytorch_half_pixel")
    return axis.output > 1 ? shrink(x + 0.5) - 0.5 : 0;
  // The length before rounding, as ONNX's reference has it.
  double length = axis.fromSizes ? out : in * axis.scale;
  if (coordinates == "align_corners")
    return length == 1 ? 0 : x * (in - 1) / (length - 1);
  double position = shrink(x + 0.5) - 0.5;
  if (coordinates == "half_pixel_symmetric")
    position += in / 2 * (1 - out / length);
  return position;
}

Shape ResizeRule::nearestIndices(const ResizeAxis &axis) const {
  Shape indices;
  for (int64_t x = 0; x < axis.output; ++x) {
    double position = positionOf(axis, x);
    double index = nearest == "floor"               ? std::floor(position)
                   : nearest == "ceil"              ? std::ceil(position)
                   : nearest == "round_prefer_ceil" ? std::floor(position + 0.5)
                                                    : std::ceil(position - 0.5);
    indices.push_back(std::clamp<double>(index, 0, axis.input - 1));
  }
  return indices;
}

ResizeTaps ResizeTaps::identity(int64_t size) {
  ResizeTaps taps;
  for (int64_t i = 0; i < size; ++i) {
    taps.indices.push_back(i);
    taps.weights.push_back(1);
  }
  return taps;
}

/// Keys' kernel at the four elements around a position `t` behind the second.
static SmallVector<double> cubicWeights(double a, double t) {
  double u = 1 - t;
  return {((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
          ((a + 2) * t - (a + 3)) * t * t + 1,
          ((a + 2) * u - (a + 3)) * u * u + 1,
          ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a};
}

ResizeTaps ResizeTaps::of(const ResizeRule &rule, const ResizeAxis &axis) {
  bool isCubic = rule.mode == ResizeRule::Mode::Cubic;
  ResizeTaps taps;
  for (int64_t x = 0; x < axis.output; ++x) {
    double position = rule.positionOf(axis, x), floor = std::floor(position);
    double t = position - floor;
    SmallVector<double> weights = isCubic
                                      ? cubicWeights(rule.cubicCoefficient, t)
                                      : SmallVector<double>{1 - t, t};
    double first = floor - (isCubic ? 1 : 0), last = axis.input - 1, sum = 0;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      double index = first + i;
      taps.indices.push_back(std::clamp<double>(index, 0, last));
      if (rule.excludeOutside && (index < 0 || index > last))
        weight = 0;
      sum += weight;
    }
    // A position outside has no taps to share its weight: the edge has all.
    if (sum == 0) {
      weights.front() = 1;
      sum = 1;
    }
    for (double weight : weights)
      taps.weights.push_back(rule.excludeOutside ? weight / sum : weight);
  }
  return taps;
}

} // namespace mlir::qopt::importer
