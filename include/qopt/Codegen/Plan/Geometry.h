// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What planner and kernels need to know of a convolution, integer or float.
#pragma once

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "qopt/Codegen/Plan/View.h"
#include <optional>

namespace mlir::qopt::codegen {

struct ConvGeometry {
  int64_t batch = 1, inChannels = 1, inH = 1, inW = 1;
  int64_t outChannels = 1, outH = 1, outW = 1;
  int64_t kernelH = 1, kernelW = 1;
  int64_t strideH = 1, strideW = 1;
  int64_t dilationH = 1, dilationW = 1;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int64_t groups = 1;
  /// What padding holds; 0 for float.
  int64_t zeroPoint = 0;

  /// One input channel for each output channel, more than one of them.
  bool isDepthwise() const {
    return groups > 1 && groups == inChannels && groups == outChannels;
  }
  /// What lies around the input in taps that some output reads.
  Halo halo() const;
  int64_t macs() const {
    return batch * outChannels * outH * outW * (inChannels / groups) * kernelH *
           kernelW;
  }
};

/// Of a `qint.conv` or `qopt.conv`.
std::optional<ConvGeometry> convGeometry(Operation *op);

/// `value` itself, seen through `qopt.observe`.
Value throughObservers(Value value);
/// The uses of `value`, those of its observers' results in their place.
SmallVector<OpOperand *> usesThroughObservers(Value value);

} // namespace mlir::qopt::codegen
