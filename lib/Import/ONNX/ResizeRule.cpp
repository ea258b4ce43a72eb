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
  if (coordinates == "tf_crop_and_resize") {
    double step = out > 1 ? x * (axis.cropEnd - axis.cropStart) / (out - 1)
                          : (axis.cropEnd - axis.cropStart) / 2;
    return (axis.cropStart + step) * (in - 1);
  }
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

void ResizeRule::findInside(ResizeAxis &axis) const {
  axis.begin = 0;
  axis.count = axis.output;
  if (coordinates != "tf_crop_and_resize")
    return;
  // Positions grow or shrink steadily, so those inside are neighbours.
  auto isInside = [&](int64_t x) {
    double position = positionOf(axis, x);
    return position >= 0 && position <= axis.input - 1;
  };
  while (axis.begin < axis.output && !isInside(axis.begin))
    ++axis.begin;
  axis.count = 0;
  while (axis.begin + axis.count < axis.output &&
         isInside(axis.begin + axis.count))
    ++axis.count;
}

Shape ResizeRule::nearestIndices(const ResizeAxis &axis) const {
  Shape indices;
  for (int64_t x = axis.begin; x < axis.begin + axis.count; ++x) {
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

/// The weight of an element at distance `x`: a triangle, or Keys' kernel.
static double kernelAt(const ResizeRule &rule, double x) {
  x = std::fabs(x);
  if (rule.mode == ResizeRule::Mode::Linear)
    return std::max(0.0, 1 - x);
  double a = rule.cubicCoefficient;
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

ResizeTaps ResizeTaps::of(const ResizeRule &rule, const ResizeAxis &axis) {
  double radius = rule.mode == ResizeRule::Mode::Cubic ? 2 : 1;
  bool widens = rule.antialias && axis.scale < 1;
  double shrink = widens ? axis.scale : 1;
  const int64_t start = static_cast<int64_t>(std::floor(-radius / shrink)) + 1;
  ResizeTaps taps;
  for (int64_t x = axis.begin; x < axis.begin + axis.count; ++x) {
    double position = rule.positionOf(axis, x), floor = std::floor(position);
    double last = axis.input - 1, sum = 0;
    SmallVector<double> weights;
    for (int64_t i = start; i <= 1 - start; ++i) {
      double index = floor + i;
      double weight = kernelAt(rule, (i - (position - floor)) * shrink);
      taps.indices.push_back(std::clamp<double>(index, 0, last));
      if (rule.excludeOutside && (index < 0 || index > last))
        weight = 0;
      weights.push_back(weight);
      sum += weight;
    }
    // A position outside has no taps to share its weight: the edge has all.
    if (sum == 0) {
      weights.front() = 1;
      sum = 1;
    }
    for (double weight : weights)
      taps.weights.push_back(rule.excludeOutside || widens ? weight / sum
                                                           : weight);
  }
  return taps;
}

} // namespace mlir::qopt::importer
