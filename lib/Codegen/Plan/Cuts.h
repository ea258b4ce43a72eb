// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How one step can be done in parts, and about how long it takes.
#pragma once

#include "qopt/Codegen/Plan/Plan.h"
#include <functional>

namespace mlir::qopt::codegen {

/// A way to cut a step along one axis of its result. Every element is computed
/// as before.
struct Cut {
  /// Of the result.
  int64_t axis = 0;
  int64_t size = 0;
  /// Parts begin at multiples of this.
  int64_t multiple = 1;
  /// The operand that `count` indices from `begin` on need.
  std::function<View(const View &in, int64_t begin, int64_t count)> operand;
  /// Whether each index has weights of its own.
  bool ofChannels = false;
};

/// The ways to cut `step` in `parts` parts.
SmallVector<Cut> cutsOf(const Step &step, int64_t parts);

/// `step` in `parts` parts along `cut`, the longer ones first; those without a
/// row are missing at the end.
std::vector<Step> cutStep(const Step &step, const Cut &cut, int64_t parts);

/// Nanoseconds that one thread takes for `step` or a part of one, roughly,
/// where code is fast and all data are its own.
double costOf(const Step &step);

} // namespace mlir::qopt::codegen
