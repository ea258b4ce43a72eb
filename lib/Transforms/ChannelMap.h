// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps of the form `scale[c] x + shift[c]`: batch norms, affine functions,
// products and sums with per-channel constants.
#pragma once

#include "qopt/IR/Qopt.h"
#include <optional>

namespace mlir::qopt {

/// `scale[c] x + shift[c]` with `c` the index of one axis.
struct ChannelMap {
  Value input;
  SmallVector<double> scale;
  SmallVector<double> shift;

  bool hasShift() const {
    return llvm::any_of(shift, [](double value) { return value != 0; });
  }
};

/// What `op` does to each channel of `axis` of its result, if that is a map.
std::optional<ChannelMap> matchChannelMap(Operation *op, int64_t axis);

} // namespace mlir::qopt
