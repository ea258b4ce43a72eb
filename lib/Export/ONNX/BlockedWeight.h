// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of 4 and 2 bits as ONNX has them: integers of 4 bits, and a scale for
// each channel or for each block of input channels.
#pragma once

#include "qopt/IR/Qopt.h"

namespace mlir::qopt::exporter {

struct BlockedWeight {
  /// In `[-7, 7]`.
  SmallVector<int32_t> integers;
  SmallVector<float> scales;
  /// None: one scale; one dimension: one a channel; else the weight's, with
  /// blocks in place of its input channels.
  SmallVector<int64_t> scaleShape;
};

/// `constant` holds symmetric integers of `bits` bits, channels first, which
/// `group` input channels in a row may share a multiple of (0: none). Each
/// multiple becomes part of the block's scale; the reals stay the same, but for
/// the rounding of that product.
BlockedWeight splitWeight(ConstantOp constant, int64_t bits, int64_t group);

} // namespace mlir::qopt::exporter
