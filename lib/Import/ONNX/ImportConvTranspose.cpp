// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ConvTranspose as a convolution. Over one and two dimensions, a stride of s
// spreads the output over s phases an axis, each a convolution of its own with
// every s-th kernel element; they are computed as channels of one convolution
// and then interleaved, as DepthToSpace does.
#include "Moves.h"
#include "Registry.h"
#include "Volumes.h"

namespace mlir::qopt::importer {

namespace {

/// One spatial axis. Output position `p` is `bias + sum x[i] w[k]` over `i
/// stride + k dilation = p + begin`.
struct TransposedAxis {
  int64_t input, kernel, stride, dilation;
  /// Positions cut before the first output; and outputs.
  int64_t begin = 0, output = 0;

  /// Kernel elements of a phase, those in between that are zero included.
  int64_t taps() const {
    return stride == 1 ? kernel : (kernel - 1) * dilation / stride + 1;
  }
  /// Dilation of the convolution: phases of a longer stride spell it out.
  int64_t convDilation() const { return stride == 1 ? dilation : 1; }
  int64_t reach() const { return (taps() - 1) * convDilation(); }
  /// The first and last positions of each phase that hold an output.
  int64_t first() const { return begin / stride; }
  int64_t last() const { return (begin + output - 1) / stride; }
  int64_t count() const { return last() - first() + 1; }
  int64_t padBegin() const { return reach() - first(); }
  int64_t padEnd() const { return last() - (input - 1); }
  /// The kernel element that tap `tap` of `phase` multiplies, or -1.
  int64_t kernelIndex(int64_t phase, int64_t tap) const {
    int64_t back = taps() - 1 - tap;
    if (stride == 1)
      return back;
    int64_t at = back * stride + phase;
    return at % dilation == 0 && at / dilation < kernel ? at / dilation : -1;
  }
};

using Axes = SmallVector<TransposedAxis, 2>;

} // namespace

/// Begin and output of each axis from pads, output_shape or auto_pad.
static void resolvePads(NodeContext &n, Axes &axes, const Window &w,
                        std::optional<Shape> outputShape) {
  std::string autoPad = n.stringAttribute("auto_pad", "NOTSET");
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (n.ok() && !isSame && autoPad != "NOTSET" && autoPad != "VALID" &&
      !autoPad.empty())
    n.invalid("auto_pad is " + quoted(autoPad));
  Shape extra =
      n.intsAttribute("output_padding").value_or(Shape(axes.size(), 0));
  if (n.ok() && extra.size() != axes.size())
    n.invalid("output_padding expects " + std::to_string(axes.size()) +
              " values, but got " + std::to_string(extra.size()));
  if (!n.ok())
    return;
  // Some exporters write batch and channels too.
  if (outputShape && outputShape->size() == axes.size() + 2)
    outputShape->erase(outputShape->begin(), outputShape->begin() + 2);
  if (outputShape && outputShape->size() != axes.size())
    return n.invalid("output_shape expects " + std::to_string(axes.size()) +
                     " values, but got " + std::to_string(outputShape->size()));
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (extra[i] < 0 || extra[i] > kMaxElements)
      return n.invalid("output_padding is " + std::to_string(extra[i]));
    int64_t full = (axis.input - 1) * axis.stride +
                   (axis.kernel - 1) * axis.dilation + 1 + extra[i];
    if (outputShape || isSame) {
      axis.output = outputShape ? (*outputShape)[i] : axis.input * axis.stride;
      int64_t total = std::max<int64_t>(full - axis.output, 0);
      axis.begin = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
    } else {
      axis.begin = w.pads[i];
      axis.output = full - w.pads[i] - w.pads[axes.size() + i];
    }
    if (axis.output < 1 || axis.output > kMaxElements)
      return n.invalid("the output has " + std::to_string(axis.output) +
                       " elements along axis " + std::to_string(i + 2));
  }
}

/// The convolution's weight `[groups, (phases and outputs), inputs, taps]`.
/// With one group the phases come first: then interleaving them copies all
/// channels of a pixel at once.
static Constant phaseWeight(const Constant &w, const Axes &axes,
                            int64_t groups) {
  const TransposedAxis &rows = axes[0], &columns = axes[1];
  int64_t inputs = w.shape[0] / groups, outputs = w.shape[1];
  int64_t phases = rows.stride * columns.stride;
  Constant result;
  result.shape = {groups * outputs * phases, inputs, rows.taps(),
                  columns.taps()};
  result.floats.assign(*countElements(result.shape), 0);
  float *to = result.floats.data();
  for (int64_t channel = 0; channel < result.shape[0]; ++channel) {
    int64_t output = groups == 1 ? channel % outputs : channel / phases;
    int64_t phase = groups == 1 ? channel / outputs : channel % phases;
    int64_t group = output / outputs;
    for (int64_t input = 0; input < inputs; ++input) {
      const float *from =
          w.floats.data() +
          ((group * inputs + input) * outputs + output % outputs) *
              rows.kernel * columns.kernel;
      for (int64_t r = 0; r < rows.taps(); ++r)
        for (int64_t c = 0; c < columns.taps(); ++c, ++to) {
          int64_t row = rows.kernelIndex(phase / columns.stride, r);
          int64_t column = columns.kernelIndex(phase % columns.stride, c);
          if (row >= 0 && column >= 0)
            *to = from[row * columns.kernel + column];
        }
    }
  }
  return result;
}

static Constant phaseBias(const Constant &bias, int64_t phases,
                          int64_t groups) {
  int64_t outputs = bias.size();
  Constant result;
  result.shape = {outputs * phases};
  for (int64_t channel = 0; channel < outputs * phases; ++channel)
    result.floats.push_back(
        bias.floats[groups == 1 ? channel % outputs : channel / phases]);
  return result;
}

/// Channels of phases to positions between one another.
static Value interleave(NodeContext &n, Value x, const Axes &axes,
                        int64_t channels, int64_t groups) {
  int64_t sh = axes[0].stride, sw = axes[1].stride;
  Shape s = n.shapeOf(x);
  if (!n.ok() || sh * sw == 1)
    return x;
  Shape permuted = {s[0], channels, s[2], sh, s[3], sw};
  if (groups == 1) {
    x = n.reshape(x, {s[0], sh, sw, channels, s[2], s[3]});
    x = n.create<TransposeOp>(permuted, x, ArrayRef<int64_t>{0, 3, 4, 1, 5, 2});
  } else {
    x = n.reshape(x, {s[0], channels, sh, sw, s[2], s[3]});
    x = n.create<TransposeOp>(permuted, x, ArrayRef<int64_t>{0, 1, 4, 2, 5, 3});
  }
  return n.reshape(x, {s[0], channels, s[2] * sh, s[3] * sw});
}

/// Checks weight, bias and groups against each other and the input.
static void checkWeights(NodeContext &n, ArrayRef<int64_t> x, const Constant &w,
                         const Constant *bias, int64_t groups) {
  if (!checkWeight(n, x, w, groups, "input"))
    return;
  if (x[1] != w.shape[0])
    return n.invalid("expects " + std::to_string(w.shape[0]) +
                     " input channels, but the input has " +
                     std::to_string(x[1]));
  Shape expected = {w.shape[1] * groups};
  if (bias && bias->shape != expected)
    return n.invalid("expects a bias of shape " + formatShape(expected) +
                     ", but got " + formatShape(bias->shape));
}

/// Reads the window; its axes are two or three.
static Axes readAxes(NodeContext &n, ArrayRef<int64_t> spatial,
                     ArrayRef<int64_t> kernel) {
  std::optional<Shape> outputShape = n.intsAttribute("output_shape");
  Window w = readTransposedWindow(n, spatial, kernel);
  Axes axes;
  for (size_t i = 0; n.ok() && i != spatial.size(); ++i)
    axes.push_back({spatial[i], kernel[i], w.strides[i], w.dilations[i]});
  if (n.ok())
    resolvePads(n, axes, w, outputShape);
  if (n.ok() && axes.size() == 1) {
    TransposedAxis single{1, 1, 1, 1};
    single.output = 1;
    axes.insert(axes.begin(), single);
  }
  return axes;
}

void importConvTranspose(NodeContext &n) {
  n.expectInputs(2, 3);
  ConstantRef w = n.floatConstant(1, "the weight");
  ConstantRef bias = n.hasInput(2) ? n.floatConstant(2, "the bias") : nullptr;
  int64_t groups = n.intAttribute("group", 1);
  n.ignoreAttributes({"auto_pad", "kernel_shape", "strides", "dilations",
                      "pads", "output_padding", "output_shape"});
  if (n.ok() && !as2D(w->shape) && w->shape.size() != 5)
    n.unsupported("the weight has rank " + std::to_string(w->shape.size()));
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  checkWeights(n, shape, *w, bias.get(), groups);
  if (!n.ok())
    return;
  Axes axes = readAxes(n, ArrayRef(shape).drop_front(2),
                       ArrayRef(w->shape).drop_front(2));
  if (!n.ok())
    return;
  if (axes.size() == 3) {
    SmallVector<SpreadAxis> spread;
    for (const TransposedAxis &axis : axes)
      spread.push_back({axis.stride, axis.dilation, axis.begin, axis.output});
    return n.setResult(spreadVolume(n, x, *w, bias, spread, groups));
  }
  int64_t channels = w->shape[1] * groups;
  int64_t phases = axes[0].stride * axes[1].stride;
  Shape convShape = {channels * phases, w->shape[0] / groups, axes[0].taps(),
                     axes[1].taps()};
  if (!countElements(convShape))
    return n.refuse(209, "the weight of the phases is too large");
  Shape input = *as2D(shape), begins(4, 0), sizes = input, pads(4);
  for (size_t i = 0; i != 2; ++i) {
    pads[i] = std::max<int64_t>(axes[i].padBegin(), 0);
    pads[2 + i] = std::max<int64_t>(axes[i].padEnd(), 0);
    begins[2 + i] = std::max<int64_t>(-axes[i].padBegin(), 0);
    sizes[2 + i] -= begins[2 + i] + std::max<int64_t>(-axes[i].padEnd(), 0);
    if (sizes[2 + i] < 1)
      return n.unsupported("pads leave no input along an axis");
  }
  Value weight =
      n.emitConstant(n.derive(phaseWeight(*w, axes, groups), w->name));
  Value biasValue;
  if (bias)
    biasValue =
        n.emitConstant(n.derive(phaseBias(*bias, phases, groups), bias->name));
  x = sliceBox(n, n.reshape(x, input), begins, sizes);
  Shape result = {shape[0], convShape[0], axes[0].count(), axes[1].count()};
  Value y = n.create<ConvOp>(
      result, x, weight, biasValue, Shape{1, 1}, pads,
      Shape{axes[0].convDilation(), axes[1].convDilation()}, groups, FnAttr());
  y = interleave(n, y, axes, channels, groups);
  begins.assign(4, 0);
  sizes = {shape[0], channels, axes[0].output, axes[1].output};
  for (size_t i = 0; i != 2; ++i)
    begins[2 + i] = axes[i].begin - axes[i].first() * axes[i].stride;
  y = sliceBox(n, y, begins, sizes);
  if (shape.size() == 3)
    sizes.erase(sizes.begin() + 2);
  n.setResult(n.reshape(y, sizes));
}

} // namespace mlir::qopt::importer
