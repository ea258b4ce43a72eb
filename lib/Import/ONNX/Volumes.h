// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows over three axes, by operators over two.
#pragma once

#include "Windows.h"

namespace mlir::qopt::importer {

/// Conv over three axes of `x`: the slices that a window meets become channels
/// of one convolution over the other two. Sums are those of the whole window,
/// rounded once. `w` and `bias` (perhaps null) are the node's.
Value convolveVolume(NodeContext &n, Value x, const ConstantRef &w,
                     const ConstantRef &bias, const Window &window,
                     int64_t groups);

/// One axis of a transposed convolution: position `i` of the input and tap `k`
/// meet at `i stride + k dilation`, of which `output` positions from `begin` on
/// are the result.
struct SpreadAxis {
  int64_t stride, dilation, begin, output;
};

/// ConvTranspose over three axes: a convolution of the input with zeros between
/// its values by the mirrored kernel.
Value spreadVolume(NodeContext &n, Value x, const Constant &w,
                   const ConstantRef &bias, ArrayRef<SpreadAxis> axes,
                   int64_t groups);

/// MaxPool over three axes: the last two, then the first; exact.
Value maxPoolVolume(NodeContext &n, Value x, const Window &window);

/// AveragePool likewise; rounded once where the first axis has no padding and
/// the second no dilation, else twice.
Value averagePoolVolume(NodeContext &n, Value x, const Window &window);

} // namespace mlir::qopt::importer
