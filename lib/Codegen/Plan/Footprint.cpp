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

SmallVector<Footprint> footprintsOf(const Step &step) {
  SmallVector<Footprint> result;
  bool isFill = step.kind == Step::Kind::HaloFill;
  for (auto [index, view] : llvm::enumerate(step.in))
    if (view.buffer >= 0)
      result.push_back({view, false, false});
  if (step.kind == Step::Kind::Op)
    if (auto g = convGeometry(step.op))
      result[0].view = underWindows(*g, result[0].view, step.out[0]);
  for (Footprint &footprint : result)
    footprint.view.halo = Halo();
  for (View view : step.out) {
    if (!isFill)
      view.halo = Halo();
    result.push_back({view, true, isFill});
  }
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

/// Windows of one layout into one buffer: false only if they share nothing.
static bool mayShareElements(const View &a, const View &b) {
  if (a.rank() != b.rank() || a.kind != b.kind)
    return true;
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < a.rank(); ++axis) {
    if (a.shape[axis] == 1 && b.shape[axis] == 1)
      continue;
    if (a.strides[axis] != b.strides[axis])
      return true;
    axes.push_back(axis);
  }
  llvm::sort(axes, [&](int64_t x, int64_t y) {
    return a.strides[x] != a.strides[y] ? a.strides[x] > a.strides[y] : x < y;
  });
  auto rangesA = rangesOf(a, axes), rangesB = rangesOf(b, axes);
  if (failed(rangesA) || failed(rangesB))
    return true;
  return llvm::all_of(llvm::zip_equal(*rangesA, *rangesB), [](auto pair) {
    auto [x, y] = pair;
    return x.begin < y.begin + y.size && y.begin < x.begin + x.size;
  });
}

/// Whether `view` lies inside what `halo` is around.
static bool isInside(const View &view, const View &halo) {
  if (view.rank() != 4 || view.kind != halo.kind ||
      view.strides != halo.strides || view.offset < halo.offset)
    return false;
  int64_t rest = view.offset - halo.offset;
  for (int64_t axis : {0, 2, 3, 1}) {
    int64_t first = halo.strides[axis] ? rest / halo.strides[axis] : 0;
    if (first + view.shape[axis] > halo.shape[axis])
      return false;
    rest -= first * halo.strides[axis];
  }
  return rest == 0;
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
  if (!isOne)
    return true;
  if (a.isHalo || b.isHalo)
    return a.isHalo == b.isHalo ||
           !(a.isHalo ? isInside(b.view, a.view) : isInside(a.view, b.view));
  return mayShareElements(a.view, b.view);
}

bool mayConflict(ArrayRef<Footprint> a, ArrayRef<Footprint> b,
                 ArrayRef<Buffer> buffers) {
  return llvm::any_of(a, [&](const Footprint &x) {
    return llvm::any_of(
        b, [&](const Footprint &y) { return mayConflict(x, y, buffers); });
  });
}

} // namespace mlir::qopt::codegen
