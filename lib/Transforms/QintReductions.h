// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What averages have in common, whenever their scales are known.
#pragma once

#include "QintPatterns.h"

namespace mlir::qopt {

/// The form of sums of `counts`, ascending, elements: multipliers of
/// `s_x / (n s_y)` for each `n` of them (one product, one quotient), or of
/// `s_x / s_y` where they are no means.
llvm::Expected<qint::RequantAttr> getSumRequant(MLIRContext *context,
                                                const ValueParams &params,
                                                ArrayRef<int64_t> counts,
                                                bool isMean);

/// How many taps a window of `op` has inside the input: all that occur,
/// ascending.
SmallVector<int64_t> countTaps(AvgPoolOp op);

} // namespace mlir::qopt
