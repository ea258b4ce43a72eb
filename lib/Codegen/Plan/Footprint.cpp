// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows of one layout are compared axis by axis, all others by their first
// and last byte.

#include "Footprint.h"
#include "qopt/Codegen/Plan/Geometry.h"
#include "llvm/ADT/STLExtras.h"

namespace mlir::qopt::codegen {

/// The input of a convolution with the padding that its windows cover.
static View underWindows(const ConvGeometry &g, View in, const View &out) {
  Halo need = g.halo();
  in.offset -= g.padTop * in.strides[2] + g.padLeft * in.strides[3];
  in.shape[2] =
      (out.shape[2] - 1) * g.strideH + (g.kernelH - 1) * g.dilationH + 1;
  in.shape[3] += g.padLeft + need.right;
  return in;
}

/// What lies around `view`, as windows.
static SmallVector<View> haloOf(const View &view) {
  const Halo &halo = view.halo;
  int64_t height = view.shape[2], width = view.shape[3];
  SmallVector<View> windows;
  auto add = [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
    if (rows == 0 || columns == 0)
      return;
    View window = view;
    window.halo = Halo();
    window.offset += row * view.strides[2] + column * view.strides[3];
    window.shape[2] = rows;
    window.shape[3] = columns;
    windows.push_back(window);
  };
  int64_t whole = halo.left + width + halo.right;
  add(-halo.top, halo.top, -halo.left, whole);
  add(height, halo.bottom, -halo.left, whole);
  add(0, height, -halo.left, halo.left);
  add(0, height, width, halo.right);
  return windows;
}

SmallVector<Footprint> footprintsOf(const Step &step) {
  SmallVector<Footprint> result;
  if (step.kind == Step::Kind::HaloFill) {
    for (const View &window : haloOf(step.out[0]))
      result.push_back({window, true});
    return result;
  }
  for (const View &view : step.in)
    if (view.buffer >= 0)
      result.push_back({view, false});
  if (step.kind == Step::Kind::Op)
    if (auto g = convGeometry(step.op))
      result[0].view = underWindows(*g, result[0].view, step.out[0]);
  for (const View &view : step.out)
    result.push_back({view, true});
  for (Footprint &footprint : result)
    footprint.view.halo = Halo();
  return result;
}

namespace {
/// Bytes `[begin, end)`.
struct Interval {
  int64_t begin, end;

  bool overlaps(const Interval &other) const {
    return begin < other.end && other.begin < end;
  }
};

/// Indices `[begin, begin + size)` of one axis of a layout.
struct Range {
  int64_t begin, size;
};
} // namespace

static Interval bytesOf(const View &view, const Buffer &buffer) {
  int64_t width = view.elementBytes();
  int64_t begin = buffer.offset + view.begin() * width;
  return {begin, begin + view.spanBytes()};
}

/// Ranges of `view` along `axes`, which have falling strides, or failure where
/// an axis goes beyond the next larger stride.
static FailureOr<SmallVector<Range>> rangesOf(const View &view,
                                              ArrayRef<int64_t> axes) {
  SmallVector<Range> ranges;
  int64_t rest = view.offset, room = 0;
  for (int64_t axis : axes) {
    int64_t stride = view.strides[axis];
    if (stride <= 0 || rest < 0)
      return failure();
    Range range{rest / stride, view.shape[axis]};
    rest %= stride;
    if (room > 0 && (range.begin + range.size) * stride > room)
      return failure();
    room = stride;
    ranges.push_back(range);
  }
  return ranges;
}

/// How many indices two windows of one layout share along each axis, or failure
/// where that cannot be told.
static FailureOr<SmallVector<int64_t>> sharedIndices(const View &a,
                                                     const View &b) {
  if (a.rank() != b.rank() || a.kind != b.kind)
    return failure();
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < a.rank(); ++axis) {
    if (a.shape[axis] == 1 && b.shape[axis] == 1)
      continue;
    if (a.strides[axis] != b.strides[axis])
      return failure();
    axes.push_back(axis);
  }
  llvm::sort(axes, [&](int64_t x, int64_t y) {
    return a.strides[x] != a.strides[y] ? a.strides[x] > a.strides[y] : x < y;
  });
  auto rangesA = rangesOf(a, axes), rangesB = rangesOf(b, axes);
  if (failed(rangesA) || failed(rangesB))
    return failure();
  SmallVector<int64_t> counts;
  for (auto [x, y] : llvm::zip_equal(*rangesA, *rangesB))
    counts.push_back(std::min(x.begin + x.size, y.begin + y.size) -
                     std::max(x.begin, y.begin));
  return counts;
}

/// Windows into one buffer: false only if they share nothing.
static bool mayShareElements(const View &a, const View &b) {
  auto counts = sharedIndices(a, b);
  return failed(counts) ||
         llvm::all_of(*counts, [](int64_t count) { return count > 0; });
}

int64_t countShared(const View &a, const View &b) {
  auto counts = sharedIndices(a, b);
  if (a.buffer != b.buffer || failed(counts))
    return 0;
  int64_t product = 1;
  for (int64_t count : *counts)
    product *= std::max<int64_t>(0, count);
  return product;
}

static bool mayConflict(const Footprint &a, const Footprint &b,
                        ArrayRef<Buffer> buffers) {
  if (!a.isWritten && !b.isWritten)
    return false;
  const Buffer &bufferA = buffers[a.view.buffer],
               &bufferB = buffers[b.view.buffer];
  bool isOne = a.view.buffer == b.view.buffer;
  bool inArena = bufferA.place == Buffer::Place::Arena &&
                 bufferB.place == Buffer::Place::Arena;
  if (!isOne && !inArena)
    return false;
  if (!bytesOf(a.view, bufferA).overlaps(bytesOf(b.view, bufferB)))
    return false;
  return !isOne || mayShareElements(a.view, b.view);
}

bool mayConflict(ArrayRef<Footprint> a, ArrayRef<Footprint> b,
                 ArrayRef<Buffer> buffers) {
  return llvm::any_of(a, [&](const Footprint &x) {
    return llvm::any_of(
        b, [&](const Footprint &y) { return mayConflict(x, y, buffers); });
  });
}

} // namespace mlir::qopt::codegen
