// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// [N, C, D, H, W] as images: slices of D beside each other in the batch or in
// the channels.
#include "Volumes.h"
#include "Moves.h"

namespace mlir::qopt::importer {

/// The axes of `window` from `first` on.
static Window axesOf(const Window &window, size_t first, size_t count) {
  Window result;
  size_t axes = window.kernel.size();
  for (size_t i = first; i != first + count; ++i) {
    result.kernel.push_back(window.kernel[i]);
    result.strides.push_back(window.strides[i]);
    result.dilations.push_back(window.dilations[i]);
    result.overhang.push_back(window.overhang[i]);
    result.output.push_back(window.output[i]);
    result.pads.push_back(window.pads[i]);
  }
  for (size_t i = first; i != first + count; ++i)
    result.pads.push_back(window.pads[axes + i]);
  return result;
}

static Shape permuted(ArrayRef<int64_t> shape, ArrayRef<int64_t> perm) {
  Shape result;
  for (int64_t axis : perm)
    result.push_back(shape[axis]);
  return result;
}

static Value transpose(NodeContext &n, Value x, ArrayRef<int64_t> perm) {
  return n.create<TransposeOp>(permuted(n.shapeOf(x), perm), x, perm);
}

/// The slices of each window along axis 1 of `x`, one window after the other.
static Value gatherSlices(NodeContext &n, Value x, const Window &depth) {
  Shape shape = n.shapeOf(x), padded = shape, pads(10, 0);
  pads[1] = depth.pads[0];
  pads[6] = depth.pads[1];
  padded[1] += depth.pads[0] + depth.pads[1];
  if (padded != shape)
    x = n.create<PadOp>(padded, x, pads, llvm::APFloat(0.0f));
  if (!checkIndexCount(n, depth.output[0] * depth.kernel[0]))
    return x;
  Shape indices;
  for (int64_t at = 0; at != depth.output[0]; ++at)
    for (int64_t tap = 0; tap != depth.kernel[0]; ++tap)
      indices.push_back(at * depth.strides[0] + tap * depth.dilations[0]);
  return takeIndices(n, x, 1, indices);
}

Value convolveVolume(NodeContext &n, Value x, const ConstantRef &w,
                     const ConstantRef &bias, const Window &window,
                     int64_t groups) {
  Window depth = axesOf(window, 0, 1), image = axesOf(window, 1, 2);
  Shape shape = n.shapeOf(x);
  int64_t batch = shape[0], channels = shape[1], kernel = depth.kernel[0];
  int64_t images = batch * depth.output[0], filters = w->shape[0];
  x = gatherSlices(n, transpose(n, x, {0, 2, 1, 3, 4}), depth);
  if (!n.ok())
    return Value();
  // Channels of a group stay together.
  x = n.reshape(
      x, {images, kernel, groups, channels / groups, shape[3], shape[4]});
  if (groups != 1 && kernel != 1)
    x = transpose(n, x, {0, 2, 1, 3, 4, 5});
  x = n.reshape(x, {images, kernel * channels, shape[3], shape[4]});

  Constant slices = n.check(foldTranspose(*w, {0, 2, 1, 3, 4}));
  if (!n.ok())
    return Value();
  Value weight = n.emitConstant(
      n.derive(foldReshape(slices, {filters, kernel * w->shape[1], w->shape[3],
                                    w->shape[4]}),
               w->name));
  Value biasValue = bias ? n.emitConstant(bias) : Value();
  Shape result = {images, filters, image.output[0], image.output[1]};
  Value y = n.create<ConvOp>(result, x, weight, biasValue, image.strides,
                             image.pads, image.dilations, groups, FnAttr());
  y = n.reshape(
      y, {batch, depth.output[0], filters, image.output[0], image.output[1]});
  return transpose(n, y, {0, 2, 1, 3, 4});
}

/// `stride - 1` zeros behind each position of `axis`.
static Value putZerosBetween(NodeContext &n, Value x, size_t axis,
                             int64_t stride) {
  Shape shape = n.shapeOf(x);
  if (!n.ok() || stride == 1)
    return x;
  Shape split = shape;
  split.insert(split.begin() + axis + 1, 1);
  Shape pads(2 * split.size(), 0);
  pads[split.size() + axis + 1] = stride - 1;
  x = n.reshape(x, split);
  split[axis + 1] = stride;
  x = n.create<PadOp>(split, x, pads, llvm::APFloat(0.0f));
  shape[axis] *= stride;
  return n.reshape(x, shape);
}

/// `[inputs, outputs / groups, ...]`, mirrored, as `[outputs, inputs / groups,
/// ...]`.
static Constant mirrorWeight(const Constant &w, int64_t groups) {
  int64_t inputs = w.shape[0] / groups, outputs = w.shape[1];
  int64_t taps = *countElements(ArrayRef(w.shape).drop_front(2));
  Constant result;
  result.shape = w.shape;
  result.shape[0] = groups * outputs;
  result.shape[1] = inputs;
  for (int64_t output = 0; output != groups * outputs; ++output)
    for (int64_t input = 0; input != inputs; ++input) {
      int64_t row = output / outputs * inputs + input;
      const float *from =
          w.floats.data() + (row * outputs + output % outputs) * taps;
      for (int64_t tap = taps; tap-- > 0;)
        result.floats.push_back(from[tap]);
    }
  return result;
}

Value spreadVolume(NodeContext &n, Value x, const Constant &w,
                   const ConstantRef &bias, ArrayRef<SpreadAxis> axes,
                   int64_t groups) {
  Window window;
  Shape begins(5, 0), sizes = n.shapeOf(x), ends;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    x = putZerosBetween(n, x, 2 + i, axis.stride);
    int64_t size = sizes[2 + i] * axis.stride, kernel = w.shape[2 + i];
    int64_t before = (kernel - 1) * axis.dilation - axis.begin;
    int64_t behind = axis.begin + axis.output - size;
    begins[2 + i] = std::max<int64_t>(-before, 0);
    sizes[2 + i] = size - begins[2 + i] - std::max<int64_t>(-behind, 0);
    if (sizes[2 + i] < 1) {
      n.unsupported("pads leave no input along an axis");
      return Value();
    }
    window.kernel.push_back(kernel);
    window.strides.push_back(1);
    window.dilations.push_back(axis.dilation);
    window.overhang.push_back(0);
    window.output.push_back(axis.output);
    window.pads.push_back(std::max<int64_t>(before, 0));
    ends.push_back(std::max<int64_t>(behind, 0));
  }
  window.pads.append(ends);
  if (n.ok())
    x = sliceBox(n, x, begins, sizes);
  ConstantRef weight = n.derive(mirrorWeight(w, groups), w.name);
  return n.ok() ? convolveVolume(n, x, weight, bias, window, groups) : Value();
}

static Shape padsOf(const Window &w) {
  Shape pads = w.pads;
  for (size_t i = 0; i != w.overhang.size(); ++i)
    pads[w.overhang.size() + i] += w.overhang[i];
  return pads;
}

template <typename Op>
static Value poolVolume(NodeContext &n, Value x, const Window &window) {
  Window depth = axesOf(window, 0, 1), image = axesOf(window, 1, 2);
  Shape shape = n.shapeOf(x);
  int64_t area = image.output[0] * image.output[1];
  x = n.reshape(x, {shape[0], shape[1] * shape[2], shape[3], shape[4]});
  x = n.create<Op>(
      {shape[0], shape[1] * shape[2], image.output[0], image.output[1]}, x,
      image.kernel, image.strides, padsOf(image), image.dilations);
  x = n.reshape(x, {shape[0], shape[1], shape[2], area});
  Shape pads = padsOf(depth);
  Value y =
      n.create<Op>({shape[0], shape[1], depth.output[0], area}, x,
                   Shape{depth.kernel[0], 1}, Shape{depth.strides[0], 1},
                   Shape{pads[0], 0, pads[1], 0}, Shape{depth.dilations[0], 1});
  return n.reshape(y, {shape[0], shape[1], depth.output[0], image.output[0],
                       image.output[1]});
}

Value maxPoolVolume(NodeContext &n, Value x, const Window &window) {
  return poolVolume<MaxPoolOp>(n, x, window);
}

/// The slices of a window row by row between each other, so that one pool over
/// two axes meets all taps.
static Value averageInterleaved(NodeContext &n, Value x, const Window &window) {
  Window depth = axesOf(window, 0, 1), image = axesOf(window, 1, 2);
  Shape shape = n.shapeOf(x);
  int64_t kernel = depth.kernel[0], images = shape[0] * depth.output[0];
  x = gatherSlices(n, transpose(n, x, {0, 2, 1, 3, 4}), depth);
  if (!n.ok())
    return Value();
  x = n.reshape(x, {images, kernel, shape[1], shape[3], shape[4]});
  x = transpose(n, x, {0, 2, 3, 1, 4});
  x = n.reshape(x, {images, shape[1], shape[3] * kernel, shape[4]});
  image.kernel[0] *= kernel;
  image.strides[0] *= kernel;
  Shape pads = padsOf(image);
  pads[0] *= kernel;
  pads[2] *= kernel;
  Value y = n.create<AvgPoolOp>(
      {images, shape[1], image.output[0], image.output[1]}, x, image.kernel,
      image.strides, pads, image.dilations);
  y = n.reshape(y, {shape[0], depth.output[0], shape[1], image.output[0],
                    image.output[1]});
  return transpose(n, y, {0, 2, 1, 3, 4});
}

Value averagePoolVolume(NodeContext &n, Value x, const Window &window) {
  // Slices that padding stands for are absent, not zero.
  bool isInside =
      window.pads[0] == 0 && window.pads[3] == 0 && window.overhang[0] == 0;
  if (isInside && window.dilations[1] == 1)
    return averageInterleaved(n, x, window);
  return poolVolume<AvgPoolOp>(n, x, window);
}

} // namespace mlir::qopt::importer
