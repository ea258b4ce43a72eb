// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A probe as the observers read it. Statistics do not depend on the order of
// elements, so axes are taken in the order of memory.
#pragma once

#include "qopt/Calibration/Engine.h"
#include "qopt/Observers/TensorStats.h"

namespace mlir::qopt::calibration {

/// Planes and rows of one float probe. Memory that needs more than two strides
/// is copied to a buffer at each run.
class StridedProbe {
public:
  explicit StridedProbe(const Probe &probe);

  /// The values of the last run.
  observers::StridedValues current();
  bool isCopied() const { return !copy.empty(); }

private:
  Probe probe;
  observers::StridedValues values;
  std::vector<float> copy;
};

} // namespace mlir::qopt::calibration
