// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What memory a step reads and writes: whether two may run at the same time.
#pragma once

#include "qopt/Codegen/Plan/Plan.h"

namespace mlir::qopt::codegen {

/// A window into memory that a step touches.
struct Footprint {
  View view;
  bool isWritten = false;
};

/// All that `step` touches; what code may load beyond that is not used.
SmallVector<Footprint> footprintsOf(const Step &step);

/// False only if no element is written through one of them that the other one
/// reads or writes.
bool mayConflict(ArrayRef<Footprint> a, ArrayRef<Footprint> b,
                 ArrayRef<Buffer> buffers);

/// How many elements windows into one buffer share: at least so many.
int64_t countShared(const View &a, const View &b);

} // namespace mlir::qopt::codegen
