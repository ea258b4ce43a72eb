// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize and Upsample: nearest by gathers, linear and cubic by
// qopt.interpolate.
#include "Moves.h"
#include "Registry.h"
#include "ResizeRule.h"

#include <cmath>

namespace mlir::qopt::importer {

namespace {
/// Far above any model; sizes stay inside int64.
constexpr double kMaxScale = 1 << 20;

struct Resizing {
  ResizeRule rule;
  SmallVector<ResizeAxis> axes;
};
} // namespace

static void readMode(NodeContext &n, ResizeRule &rule) {
  std::string mode = n.stringAttribute("mode", "nearest");
  if (mode == "nearest")
    rule.mode = ResizeRule::Mode::Nearest;
  else if (mode == "linear")
    rule.mode = ResizeRule::Mode::Linear;
  else if (mode == "cubic" && n.opset() >= 11)
    rule.mode = ResizeRule::Mode::Cubic;
  else
    n.unsupported("mode is " + quoted(mode));
}

/// The attributes that opset 11 brought.
static void readRule(NodeContext &n, ResizeRule &rule) {
  rule.coordinates =
      n.stringAttribute("coordinate_transformation_mode", "half_pixel");
  rule.nearest = n.stringAttribute("nearest_mode", "round_prefer_floor");
  rule.cubicCoefficient = n.floatAttribute("cubic_coeff_a", -0.75f);
  rule.excludeOutside = n.intAttribute("exclude_outside", 0) != 0;
  n.ignoreAttributes({"extrapolation_value"});
  bool isKnown =
      llvm::is_contained(
          {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"},
          rule.coordinates) ||
      (rule.coordinates == "tf_half_pixel_for_nn" && n.opset() < 13) ||
      (rule.coordinates == "half_pixel_symmetric" && n.opset() >= 19);
  if (!isKnown)
    n.unsupported("coordinate_transformation_mode is " +
                  quoted(rule.coordinates));
  if (!llvm::is_contained(
          {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"},
          rule.nearest))
    n.invalid("nearest_mode is " + quoted(rule.nearest));
  if (!std::isfinite(rule.cubicCoefficient))
    n.invalid("cubic_coeff_a is not finite");
}

static void setScale(NodeContext &n, ResizeAxis &axis, double scale) {
  if (!(scale > 0) || scale > kMaxScale)
    return n.invalid("a scale is " + std::to_string(scale));
  axis.scale = scale;
  axis.output = static_cast<int64_t>(std::floor(axis.input * scale));
}

static void setSizes(NodeContext &n, Resizing &r, ArrayRef<int64_t> axes,
                     ArrayRef<int64_t> sizes, StringRef policy) {
  double common = 0;
  for (auto [axis, size] : llvm::zip(axes, sizes)) {
    if (size < 1 || size > kMaxElements)
      return n.invalid("a size is " + std::to_string(size));
    double scale = static_cast<double>(size) / r.axes[axis].input;
    bool isBetter = policy == "not_larger" ? scale < common : scale > common;
    common = axis == axes.front() || isBetter ? scale : common;
  }
  for (auto [axis, size] : llvm::zip(axes, sizes)) {
    ResizeAxis &a = r.axes[axis];
    a.output = size;
    a.fromSizes = policy == "stretch";
    a.scale = static_cast<double>(size) / a.input;
    if (policy == "stretch")
      continue;
    a.scale = common;
    a.output = static_cast<int64_t>(std::floor(common * a.input + 0.5));
  }
}

/// Scales or sizes of `axes`, whichever is there.
static void readTarget(NodeContext &n, Resizing &r, size_t scalesInput,
                       size_t sizesInput) {
  Shape axes;
  if (n.opset() >= 18)
    axes = n.intsAttribute("axes").value_or(Shape());
  if (axes.empty())
    for (size_t i = 0; i != r.axes.size(); ++i)
      axes.push_back(i);
  n.check(normalizeAxes(axes, r.axes.size()));
  for (int64_t &axis : axes)
    axis += axis < 0 ? r.axes.size() : 0;
  std::string policy = "stretch";
  if (n.opset() >= 18)
    policy = n.stringAttribute("keep_aspect_ratio_policy", "stretch");
  if (n.ok() && policy != "stretch" && policy != "not_larger" &&
      policy != "not_smaller")
    n.invalid("keep_aspect_ratio_policy is " + quoted(policy));
  ConstantRef scales;
  if (n.hasInput(scalesInput))
    scales = n.floatConstant(scalesInput, "the scales");
  bool hasScales = n.ok() && scales && scales->size() != 0;
  Shape sizes;
  if (n.hasInput(sizesInput))
    sizes = n.intsConstant(sizesInput, "the sizes");
  if (!n.ok())
    return;
  if (hasScales == !sizes.empty())
    return n.invalid("expects either scales or sizes");
  size_t count = hasScales ? scales->size() : sizes.size();
  if (count != axes.size())
    return n.invalid("expects " + std::to_string(axes.size()) +
                     " scales or sizes, but got " + std::to_string(count));
  if (!hasScales)
    return setSizes(n, r, axes, sizes, policy);
  for (auto [i, axis] : llvm::enumerate(axes))
    setScale(n, r.axes[axis], scales->floats[i]);
}

static void emitNearest(NodeContext &n, Value x, const Resizing &r) {
  // The innermost axis first: those before it copy whole rows.
  for (size_t i = r.axes.size(); n.ok() && i-- > 0;)
    if (checkIndexCount(n, r.axes[i].output))
      x = takeIndices(n, x, i, r.rule.nearestIndices(r.axes[i]));
  n.setResult(x);
}

/// `x` with the axes of `order` and shape `view`.
static Value arrange(NodeContext &n, Value x, ArrayRef<int64_t> order,
                     ArrayRef<int64_t> view) {
  Shape permuted, shape = n.shapeOf(x);
  for (int64_t axis : order)
    permuted.push_back(shape[axis]);
  if (!llvm::is_sorted(order))
    x = n.create<TransposeOp>(permuted, x, order);
  return n.reshape(x, view);
}

/// Resizes the axes that change, one or two of them, as rows and columns.
static void emitTaps(NodeContext &n, Value x, const Resizing &r,
                     ArrayRef<ResizeTaps> taps, ArrayRef<int64_t> changing) {
  Shape order, rest, result, shape = n.shapeOf(x), inverse(shape.size());
  for (size_t i = 0; i != r.axes.size(); ++i) {
    result.push_back(r.axes[i].output);
    if (!llvm::is_contained(changing, int64_t(i)))
      order.push_back(i);
  }
  // Images have their channels in front: [rest, channels, rows, columns].
  int64_t lead = 1, channels = 1;
  for (int64_t axis : order) {
    lead *= channels;
    channels = shape[axis];
  }
  order.append(changing.begin(), changing.end());
  ResizeTaps single = ResizeTaps::identity(1);
  int64_t columnAxis = changing.back();
  const ResizeTaps &columns = taps[columnAxis];
  const ResizeTaps &rows = changing.size() == 2 ? taps[changing[0]] : single;
  Shape from = {lead, channels, 1, r.axes[columnAxis].input};
  Shape to = {lead, channels, 1, r.axes[columnAxis].output};
  if (changing.size() == 2) {
    from[2] = r.axes[changing[0]].input;
    to[2] = r.axes[changing[0]].output;
  }
  x = arrange(n, x, order, from);
  x = n.create<InterpolateOp>(to, x, rows.indices, ArrayRef(rows.weights),
                              columns.indices, ArrayRef(columns.weights));
  Shape moved;
  for (auto [i, axis] : llvm::enumerate(order)) {
    moved.push_back(result[axis]);
    inverse[axis] = i;
  }
  x = n.reshape(x, moved);
  n.setResult(arrange(n, x, inverse, result));
}

static void emitResize(NodeContext &n, Value x, const Resizing &r) {
  Shape result;
  for (const ResizeAxis &axis : r.axes)
    result.push_back(axis.output);
  if (n.ok() && countElements(result).value_or(0) == 0)
    n.refuse(209, "the result of shape " + formatShape(result) +
                      " is empty or exceeds 2^31 - 1 elements");
  if (!n.ok())
    return;
  if (r.rule.mode == ResizeRule::Mode::Nearest)
    return emitNearest(n, x, r);
  std::vector<ResizeTaps> taps;
  Shape changing;
  for (auto [i, axis] : llvm::enumerate(r.axes)) {
    if (!checkIndexCount(n, axis.output))
      return;
    taps.push_back(axis.scale == 1 && axis.input == axis.output
                       ? ResizeTaps::identity(axis.input)
                       : ResizeTaps::of(r.rule, axis));
    if (axis.scale != 1 || axis.input != axis.output)
      changing.push_back(i);
  }
  if (changing.empty())
    return n.setResult(x);
  // One axis of an image: no need to look at it in another way.
  bool isImage = r.axes.size() == 4 && changing.size() == 1 && changing[0] >= 2;
  if (isImage)
    changing = {2, 3};
  if (changing.size() > 2)
    return n.unsupported("more than two axes are resized");
  emitTaps(n, x, r, taps, changing);
}

static Resizing startResizing(NodeContext &n) {
  Resizing r;
  for (int64_t size : n.shapeOf(0)) {
    ResizeAxis axis;
    axis.input = axis.output = size;
    r.axes.push_back(axis);
  }
  return r;
}

void importResize(NodeContext &n) {
  n.expectInputs(n.opset() == 10 ? 2 : 1, n.opset() == 10 ? 2 : 4);
  Resizing r = startResizing(n);
  readMode(n, r.rule);
  if (n.opset() == 10) {
    r.rule.coordinates = "asymmetric";
    r.rule.nearest = "floor";
    readTarget(n, r, 1, n.numInputs());
  } else {
    readRule(n, r.rule);
    readTarget(n, r, 2, 3);
  }
  if (n.opset() >= 18 && n.intAttribute("antialias", 0) != 0 &&
      r.rule.mode != ResizeRule::Mode::Nearest &&
      llvm::any_of(r.axes, [](const ResizeAxis &a) { return a.scale < 1; }))
    n.unsupported("antialias of a smaller result");
  Value x = n.activation(0);
  if (n.ok())
    emitResize(n, x, r);
}

void importUpsample(NodeContext &n) {
  Resizing r = startResizing(n);
  readMode(n, r.rule);
  r.rule.coordinates = "asymmetric";
  r.rule.nearest = "floor";
  if (n.opset() >= 9) {
    n.expectInputs(2, 2);
    readTarget(n, r, 1, n.numInputs());
  } else {
    n.expectInputs(1, 1);
    std::vector<float> scales = n.floatsAttribute("scales");
    if (n.ok() && scales.size() != r.axes.size())
      n.invalid("expects " + std::to_string(r.axes.size()) +
                " scales, but got " + std::to_string(scales.size()));
    for (size_t i = 0; n.ok() && i != scales.size(); ++i)
      setScale(n, r.axes[i], scales[i]);
  }
  Value x = n.activation(0);
  if (n.ok())
    emitResize(n, x, r);
}

} // namespace mlir::qopt::importer
