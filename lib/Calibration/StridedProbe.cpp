// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Merges the axes of a probe that lie without gaps.

#include "StridedProbe.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

namespace {
struct Axis {
  int64_t stride;
  int64_t size;
};
} // namespace

/// The axes of memory, innermost first; the first one has stride 1.
static llvm::SmallVector<Axis> mergeAxes(const Probe &probe) {
  llvm::SmallVector<Axis> axes;
  for (auto [size, stride] : llvm::zip_equal(probe.shape, probe.strides))
    if (size != 1)
      axes.push_back({stride, size});
  llvm::sort(axes, [](const Axis &a, const Axis &b) {
    return std::pair(a.stride, a.size) < std::pair(b.stride, b.size);
  });
  llvm::SmallVector<Axis> merged{{1, 1}};
  for (const Axis &axis : axes)
    if (axis.stride == merged.back().stride * merged.back().size)
      merged.back().size *= axis.size;
    else
      merged.push_back(axis);
  return merged;
}

StridedProbe::StridedProbe(const Probe &probe) : probe(probe) {
  llvm::SmallVector<Axis> axes = mergeAxes(probe);
  if (axes.size() > 3) {
    copy.resize(countElements(probe));
    values.rowLength = copy.size();
    return;
  }
  values.base = static_cast<const float *>(probe.data);
  values.rowLength = axes[0].size;
  if (axes.size() > 1) {
    values.rows = axes[1].size;
    values.rowStride = axes[1].stride;
  }
  if (axes.size() > 2) {
    values.planes = axes[2].size;
    values.planeStride = axes[2].stride;
  }
}

observers::StridedValues StridedProbe::current() {
  if (isCopied()) {
    copyElements(probe, copy);
    values.base = copy.data();
  }
  return values;
}
