// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's rules for sliding windows: auto_pad, explicit pads, ceil_mode.
#include "Windows.h"

#include <algorithm>

namespace mlir::qopt::importer {

/// Far above any model; all sums and products here stay inside int64, and a
/// loop over the windows in the padding stays short.
static constexpr int64_t kMaxWindow = int64_t(1) << 24;

static Shape readSizes(NodeContext &n, StringRef name, size_t count,
                       int64_t defaultValue, int64_t min) {
  Shape values = n.intsAttribute(name).value_or(Shape(count, defaultValue));
  if (values.size() != count)
    n.invalid("attribute '" + name.str() + "' expects " +
              std::to_string(count) + " values, but got " +
              std::to_string(values.size()));
  for (int64_t value : values) {
    if (value < 0 && min == 0)
      n.unsupported("attribute '" + name.str() + "' has the negative value " +
                    std::to_string(value));
    else if (value < min || value > kMaxWindow)
      n.invalid("attribute '" + name.str() + "' has the value " +
                std::to_string(value));
  }
  return values;
}

/// SAME_UPPER and SAME_LOWER: the output has ceil(input / stride) elements.
static void padSame(Window &w, ArrayRef<int64_t> spatial, bool lower) {
  size_t axes = spatial.size();
  for (size_t i = 0; i != axes; ++i) {
    int64_t out = (spatial[i] + w.strides[i] - 1) / w.strides[i];
    int64_t extent = (w.kernel[i] - 1) * w.dilations[i] + 1;
    int64_t total =
        std::max<int64_t>((out - 1) * w.strides[i] + extent - spatial[i], 0);
    int64_t smaller = total / 2;
    w.pads[i] = lower ? total - smaller : smaller;
    w.pads[axes + i] = total - w.pads[i];
  }
}

static void readPads(NodeContext &n, Window &w, ArrayRef<int64_t> spatial) {
  std::string autoPad = n.stringAttribute("auto_pad", "NOTSET");
  w.pads = readSizes(n, "pads", 2 * spatial.size(), 0, 0);
  if (!n.ok() || autoPad == "NOTSET" || autoPad.empty())
    return;
  if (llvm::any_of(w.pads, [](int64_t pad) { return pad != 0; }))
    return n.invalid("auto_pad " + quoted(autoPad) +
                     " contradicts explicit pads");
  if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER")
    padSame(w, spatial, autoPad == "SAME_LOWER");
  else if (autoPad != "VALID")
    n.invalid("auto_pad expects NOTSET, SAME_UPPER, SAME_LOWER or VALID, but "
              "got " +
              quoted(autoPad));
}

static void computeOutput(NodeContext &n, Window &w, ArrayRef<int64_t> spatial,
                          bool ceilMode) {
  size_t axes = spatial.size();
  for (size_t i = 0; i != axes; ++i) {
    int64_t begin = w.pads[i], end = w.pads[axes + i], stride = w.strides[i];
    int64_t extent = (w.kernel[i] - 1) * w.dilations[i] + 1;
    int64_t room = spatial[i] + begin + end - extent;
    if (room < 0)
      return n.invalid("a window of " + std::to_string(extent) +
                       " does not fit the padded input size " +
                       std::to_string(spatial[i] + begin + end));
    int64_t out = (ceilMode ? (room + stride - 1) / stride : room / stride) + 1;
    if (ceilMode && (out - 1) * stride >= spatial[i] + begin)
      --out;
    if (out < 1)
      return n.invalid("the output has no elements");
    int64_t last = (out - 1) * stride + extent;
    if (ceilMode) {
      // Padding that no window reaches would make the output larger.
      w.pads[axes + i] = std::clamp<int64_t>(last - spatial[i] - begin, 0, end);
      w.overhang.push_back(
          std::max<int64_t>(last - spatial[i] - begin - end, 0));
    } else {
      w.overhang.push_back(0);
    }
    w.output.push_back(out);
  }
}

/// Kernel, strides and dilations. `kernel` is empty for a pool.
static Window readSteps(NodeContext &n, size_t axes, ArrayRef<int64_t> kernel,
                        bool dilates) {
  Window w;
  if (kernel.empty() && !n.hasAttribute("kernel_shape"))
    n.invalid("attribute 'kernel_shape' is missing");
  w.kernel = readSizes(n, "kernel_shape", axes, 1, 1);
  if (!kernel.empty() && n.hasAttribute("kernel_shape") &&
      ArrayRef<int64_t>(w.kernel) != kernel)
    n.invalid("kernel_shape " + formatShape(w.kernel) +
              " contradicts the weight's " + formatShape(kernel));
  if (!kernel.empty())
    w.kernel.assign(kernel.begin(), kernel.end());
  w.strides = readSizes(n, "strides", axes, 1, 1);
  w.dilations =
      dilates ? readSizes(n, "dilations", axes, 1, 1) : Shape(axes, 1);
  return w;
}

Window readWindow(NodeContext &n, ArrayRef<int64_t> spatial,
                  ArrayRef<int64_t> kernel, bool ceilMode, bool dilates) {
  Window w = readSteps(n, spatial.size(), kernel, dilates);
  if (n.ok())
    readPads(n, w, spatial);
  if (n.ok())
    computeOutput(n, w, spatial, ceilMode);
  return w;
}

Window readTransposedWindow(NodeContext &n, ArrayRef<int64_t> spatial,
                            ArrayRef<int64_t> kernel) {
  Window w = readSteps(n, spatial.size(), kernel, /*dilates=*/true);
  w.pads = readSizes(n, "pads", 2 * spatial.size(), 0, 0);
  return w;
}

std::optional<Shape> as2D(ArrayRef<int64_t> shape) {
  Shape result(shape);
  if (shape.size() == 3)
    result.insert(result.begin() + 2, 1);
  if (result.size() != 4)
    return std::nullopt;
  return result;
}

Window as2D(Window w) {
  if (w.kernel.size() != 1)
    return w;
  for (Shape *sizes : {&w.kernel, &w.strides, &w.dilations, &w.output})
    sizes->insert(sizes->begin(), 1);
  w.overhang.insert(w.overhang.begin(), 0);
  w.pads = {0, w.pads[0], 0, w.pads[1]};
  return w;
}

bool checkWeight(NodeContext &n, ArrayRef<int64_t> x, const Constant &w,
                 int64_t groups, StringRef channels) {
  if (x.size() != w.shape.size())
    n.invalid("input " + formatShape(x) + " and weight " +
              formatShape(w.shape) + " have different ranks");
  else if (countElements(w.shape) == 0)
    n.invalid("the weight has no elements");
  else if (groups < 1 || w.shape[0] % groups != 0)
    n.invalid("group " + std::to_string(groups) + " does not divide " +
              std::to_string(w.shape[0]) + " " + channels.str() + " channels");
  else
    return true;
  return false;
}

} // namespace mlir::qopt::importer
