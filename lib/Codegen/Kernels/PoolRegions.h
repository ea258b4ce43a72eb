// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The results of a pool, divided by which taps of their windows lie inside
// the input.
#pragma once

#include "Fold.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {

/// Kernel, strides, pads (top, left, bottom, right) and dilations of a pool.
struct PoolWindow {
  ArrayRef<int64_t> kernel, strides, pads, dilations;

  template <typename Op> static PoolWindow of(Op op) {
    return {op.getKernel(), op.getStrides(), op.getPads(), op.getDilations()};
  }
  std::string key() const;
};

/// Results whose windows have the same taps inside the input.
struct PoolRegion {
  /// Walks the results and the first tap of each.
  ElementwiseNest nest;
  /// The taps, relative to the first.
  LoopSpace taps;
  int64_t numResults = 0;
  /// Taps to unroll: the largest region is worth the code, borders are not.
  int64_t maxUnrolled = 1;
};

/// The regions of `out`, which together are all of it.
std::vector<PoolRegion> poolRegions(const View &in, const View &out,
                                    const PoolWindow &window,
                                    int64_t chunkSize);

} // namespace mlir::qopt::codegen
