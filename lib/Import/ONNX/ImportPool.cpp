// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MaxPool, AveragePool and GlobalAveragePool.
#include "Registry.h"
#include "Volumes.h"

#include <algorithm>

namespace mlir::qopt::importer {

namespace {
struct Pool {
  Value input;
  Shape inputShape, resultShape;
  Window window;
};
} // namespace

/// Reads what both pools share. `dilates`: the pool has dilations.
static Pool readPool(NodeContext &n, bool dilates) {
  n.expectInputs(1, 1);
  int64_t ceilMode = n.opset() < 10 ? 0 : n.intAttribute("ceil_mode", 0);
  Pool pool;
  pool.input = n.activation(0);
  if (!n.ok())
    return pool;
  pool.inputShape = n.shapeOf(pool.input);
  if (!as2D(pool.inputShape) && pool.inputShape.size() != 5) {
    n.unsupported("the input has rank " +
                  std::to_string(pool.inputShape.size()));
    return pool;
  }
  ArrayRef<int64_t> spatial = ArrayRef(pool.inputShape).drop_front(2);
  pool.window = readWindow(n, spatial, {}, ceilMode != 0, dilates);
  pool.resultShape = {pool.inputShape[0], pool.inputShape[1]};
  pool.resultShape.append(pool.window.output);
  return pool;
}

/// Whether a tap of window `index` along `axis` lies inside the input.
static bool coversInput(const Window &w, size_t axis, int64_t index,
                        int64_t size) {
  int64_t start = index * w.strides[axis] - w.pads[axis];
  int64_t step = w.dilations[axis];
  // The first tap at or behind the input's begin.
  int64_t tap = start >= 0 ? 0 : (-start + step - 1) / step;
  return tap < w.kernel[axis] && start + tap * step < size;
}

static void checkWindows(NodeContext &n, const Window &w,
                         ArrayRef<int64_t> shape) {
  size_t axes = w.kernel.size();
  for (size_t axis = 0; axis != axes; ++axis) {
    // From the first window that starts inside the input on, only the last can
    // start behind it.
    int64_t size = shape[shape.size() - axes + axis], last = w.output[axis] - 1;
    int64_t inPadding = std::min(last, w.pads[axis] / w.strides[axis] + 1);
    bool covered = coversInput(w, axis, last, size);
    for (int64_t index = 0; covered && index < inPadding; ++index)
      covered = coversInput(w, axis, index, size);
    if (!covered)
      return n.unsupported("a window lies in the padding");
  }
}

/// Ends include the overhang of ceil_mode.
static Shape padsWithOverhang(const Window &w) {
  Shape pads = w.pads;
  for (size_t i = 0; i != w.overhang.size(); ++i)
    pads[w.overhang.size() + i] += w.overhang[i];
  return pads;
}

void importMaxPool(NodeContext &n) {
  // The order of indices, which nobody reads.
  if (n.opset() >= 8)
    n.ignoreAttributes({"storage_order"});
  Pool pool = readPool(n, /*dilates=*/n.opset() >= 10);
  if (!n.ok())
    return;
  checkWindows(n, pool.window, pool.inputShape);
  if (n.ok() && pool.inputShape.size() == 5)
    return n.setResult(maxPoolVolume(n, pool.input, pool.window));
  if (!n.ok())
    return;
  Window w = as2D(pool.window);
  Value x = n.reshape(pool.input, *as2D(pool.inputShape));
  Value y = n.create<MaxPoolOp>(*as2D(pool.resultShape), x, w.kernel, w.strides,
                                padsWithOverhang(w), w.dilations);
  n.setResult(n.reshape(y, pool.resultShape));
}

void importAveragePool(NodeContext &n) {
  bool countPad = n.intAttribute("count_include_pad", 0) != 0;
  Pool pool = readPool(n, /*dilates=*/n.opset() >= 19);
  if (!n.ok())
    return;
  bool isVolume = pool.inputShape.size() == 5;
  Window w = isVolume ? pool.window : as2D(pool.window);
  Shape shape = isVolume ? pool.inputShape : *as2D(pool.inputShape);
  Value x = n.reshape(pool.input, shape);
  if (countPad && llvm::any_of(w.pads, [](int64_t pad) { return pad != 0; })) {
    // Padding counts as zeros; what ceil_mode adds behind it does not count.
    size_t axes = w.kernel.size(), rank = axes + 2;
    Shape pads(2 * rank, 0);
    for (size_t i = 0; i != axes; ++i) {
      pads[2 + i] = w.pads[i];
      pads[rank + 2 + i] = w.pads[axes + i];
      shape[2 + i] += w.pads[i] + w.pads[axes + i];
    }
    x = n.create<PadOp>(shape, x, pads, llvm::APFloat(0.0f));
    w.pads.assign(2 * axes, 0);
  }
  checkWindows(n, w, shape);
  if (n.ok() && isVolume)
    return n.setResult(averagePoolVolume(n, x, w));
  Value y = n.create<AvgPoolOp>(*as2D(pool.resultShape), x, w.kernel, w.strides,
                                padsWithOverhang(w), w.dilations);
  n.setResult(n.reshape(y, pool.resultShape));
}

void importGlobalPool(NodeContext &n) {
  n.expectInputs(1, 1);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x), axes;
  if (shape.size() < 3)
    return n.invalid("expects an input of rank 3 or more, but got " +
                     formatShape(shape));
  for (size_t i = 2; i != shape.size(); ++i) {
    axes.push_back(i);
    shape[i] = 1;
  }
  n.setResult(n.opType() == "GlobalMaxPool"
                  ? n.create<ReduceMaxOp>(shape, x, axes, true)
                  : n.create<ReduceMeanOp>(shape, x, axes, true));
}

} // namespace mlir::qopt::importer
