// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of which softmax sees next to nothing where they are very small.
#pragma once

#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// Whether softmax, alone or in an `attend`, is all that reads `value`, as its
/// logits, directly or behind moves and sums.
bool onlySoftmaxReads(Value value);

} // namespace mlir::qopt
