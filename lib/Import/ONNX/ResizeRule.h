// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize's arithmetic: which input positions, with which weights, make up each
// output position of an axis. No MLIR.
#pragma once

#include "Model.h"

namespace mlir::qopt::importer {

/// How one axis is resized.
struct ResizeAxis {
  int64_t input = 1, output = 1;
  /// Output length over input length. Given as sizes it is the quotient of
  /// two integers, which positions are computed with exactly.
  double scale = 1;
  bool fromSizes = false;
  /// The part of the input that is resized, as shares of its length
  /// (`tf_crop_and_resize`).
  double cropStart = 0, cropEnd = 1;
  /// The outputs that lie inside the input: `count` from `begin` on.
  int64_t begin = 0, count = 1;

  /// Each output is its input.
  bool isIdentity() const {
    return input == output && scale == 1 && cropStart == 0 && cropEnd == 1;
  }
};

struct ResizeRule {
  enum class Mode { Nearest, Linear, Cubic };
  Mode mode = Mode::Nearest;
  /// As in ONNX.
  std::string coordinates = "half_pixel";
  std::string nearest = "round_prefer_floor";
  double cubicCoefficient = -0.75;
  bool excludeOutside = false;
  /// Wider kernels where the output is smaller.
  bool antialias = false;

  /// Sets `begin` and `count`: all outputs, but for `tf_crop_and_resize`.
  void findInside(ResizeAxis &axis) const;
  /// The input position, perhaps between elements or outside, of output `x`.
  double positionOf(const ResizeAxis &axis, int64_t x) const;
  /// For `Nearest`: the input index of each output inside.
  Shape nearestIndices(const ResizeAxis &axis) const;
};

/// Equally many inputs for each output inside of an axis: those of the first,
/// then those of the second, and so on. Their weights sum to 1.
struct ResizeTaps {
  Shape indices;
  SmallVector<double> weights;

  /// Each output is its input.
  static ResizeTaps identity(int64_t size);
  /// For `Linear` and `Cubic`.
  static ResizeTaps of(const ResizeRule &rule, const ResizeAxis &axis);
};

} // namespace mlir::qopt::importer
