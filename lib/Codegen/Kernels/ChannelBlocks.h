// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Channels of channels-last images cut into vectors; where the last ones do not
// fill a vector, several columns share it.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// Channels that go through one piece of code: `count` blocks of `lanes`
/// channels, of which `valid` are there.
struct ChannelBlocks {
  int64_t first = 0;
  int64_t count = 1;
  int64_t lanes = 0;
  int64_t valid = 0;
  /// Columns side by side in a vector, where channels do not fill it.
  int64_t columns = 1;

  int64_t width() const { return lanes * columns; }
};

/// Whole vectors, then the smallest vector that holds the rest, several times
/// in one if there are as many columns.
SmallVector<ChannelBlocks> divideChannels(int64_t channels, int64_t columns,
                                          const Isa &isa);

/// The elements of a block's columns, which begin `offsets` bytes after
/// `position`. `view` is what `memory` holds; lanes that are not there are
/// unspecified.
Value loadColumns(KernelBuilder &k, Value memory, const View &view,
                  const ChannelBlocks &block, Value position,
                  ArrayRef<int64_t> offsets);

/// The counterpart for one or more vectors of elements of `elementBytes`.
void storeColumns(KernelBuilder &k, Value memory, const ChannelBlocks &block,
                  Value position, ArrayRef<int64_t> offsets,
                  ArrayRef<Value> vectors, int64_t elementBytes);

} // namespace mlir::qopt::codegen
