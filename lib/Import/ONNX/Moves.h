// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slices and gathers that several operators are made of.
#pragma once

#include "NodeContext.h"

namespace mlir::qopt::importer {

/// Refuses lists of more indices than any model needs: a small file must not
/// fill memory.
bool checkIndexCount(NodeContext &n, int64_t count);

/// `sizes` elements of each axis of `x`, from `begins` on, every `steps`-th
/// (>= 1); `x` itself where that is all of it.
Value sliceBox(NodeContext &n, Value x, ArrayRef<int64_t> begins,
               ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps = {});

/// `indices` (inside the axis, at least one) of `x` along `axis`: a gather, or
/// something cheaper that gives the same.
Value takeIndices(NodeContext &n, Value x, int64_t axis,
                  ArrayRef<int64_t> indices);

} // namespace mlir::qopt::importer
