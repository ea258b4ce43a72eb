// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading the elements of a probe in logical order.

#include "qopt/Calibration/Engine.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace mlir::qopt::calibration;

int64_t mlir::qopt::calibration::countElements(const Probe &probe) {
  int64_t count = 1;
  for (int64_t dim : probe.shape)
    count *= dim;
  return count;
}

/// Calls `row(offset, count, stride)` for each innermost row, in row-major
/// order of the shape.
static void
forEachRow(const Probe &probe,
           llvm::function_ref<void(int64_t, int64_t, int64_t)> row) {
  const size_t rank = probe.shape.size();
  if (rank == 0)
    return row(0, 1, 1);
  const size_t outer = rank - 1;
  if (countElements(probe) == 0)
    return;
  llvm::SmallVector<int64_t> index(outer, 0);
  int64_t offset = 0;
  while (true) {
    row(offset, probe.shape[outer], probe.strides[outer]);
    size_t axis = outer;
    while (axis > 0) {
      --axis;
      offset += probe.strides[axis];
      if (++index[axis] < probe.shape[axis])
        break;
      offset -= probe.strides[axis] * probe.shape[axis];
      index[axis] = 0;
      if (axis == 0)
        return;
    }
    if (outer == 0)
      return;
  }
}

template <typename T, typename Convert>
static void copyAs(const Probe &probe, llvm::MutableArrayRef<float> out,
                   Convert convert) {
  const T *data = static_cast<const T *>(probe.data);
  float *next = out.data();
  forEachRow(probe, [&](int64_t offset, int64_t count, int64_t stride) {
    for (int64_t i = 0; i < count; ++i)
      *next++ = convert(data[offset + i * stride]);
  });
}

void mlir::qopt::calibration::copyElements(const Probe &probe,
                                           llvm::MutableArrayRef<float> out) {
  if (probe.isFloat)
    return copyAs<float>(probe, out, [](float value) { return value; });
  // Conversion to the signed type takes the difference modulo 2^bits.
  const uint32_t bias = static_cast<uint32_t>(probe.storageBias);
  if (probe.bits == 8)
    copyAs<uint8_t>(probe, out, [bias](uint8_t value) {
      return static_cast<float>(static_cast<int8_t>(value - bias));
    });
  else if (probe.bits == 16)
    copyAs<uint16_t>(probe, out, [bias](uint16_t value) {
      return static_cast<float>(static_cast<int16_t>(value - bias));
    });
  else
    copyAs<uint32_t>(probe, out, [bias](uint32_t value) {
      return static_cast<float>(static_cast<int32_t>(value - bias));
    });
}
