// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strides, pads and dilations of convolutions and pools.
#pragma once

#include "NodeContext.h"

namespace mlir::qopt::importer {

/// A sliding window over one to three spatial axes, pads resolved.
struct Window {
  Shape kernel, strides, dilations;
  /// Begins of all spatial axes, then ends, as in ONNX.
  Shape pads;
  /// How far windows reach beyond the padded input at each axis' end: more
  /// than 0 only with `ceil_mode`.
  Shape overhang;
  /// Output sizes.
  Shape output;
};

/// Reads the window attributes of a node whose input has the spatial sizes
/// `spatial`. `kernel` is what the weights say, or empty for a pool, which
/// needs `kernel_shape`. Output sizes are ONNX's, those of `ceil_mode` without
/// windows that start behind the input and its begin padding. The attribute
/// `dilations` exists only if `dilates`.
Window readWindow(NodeContext &n, ArrayRef<int64_t> spatial,
                  ArrayRef<int64_t> kernel, bool ceilMode, bool dilates);

/// Kernel, strides, dilations and explicit pads of a ConvTranspose; nothing of
/// its output, which follows other rules.
Window readTransposedWindow(NodeContext &n, ArrayRef<int64_t> spatial,
                            ArrayRef<int64_t> kernel);

/// `[N, C, L]` to `[N, C, 1, L]`; rank 4 as it is. Nothing for other ranks.
std::optional<Shape> as2D(ArrayRef<int64_t> shape);
/// The window with a height of one in front, if it has one axis.
Window as2D(Window window);

/// Whether a convolution's weight has the rank of its input `x`, elements, and
/// groups that divide its first axis, which counts `channels` ("output"); else
/// a refusal stands in `n`.
bool checkWeight(NodeContext &n, ArrayRef<int64_t> x, const Constant &w,
                 int64_t groups, StringRef channels);

} // namespace mlir::qopt::importer
