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
  /// What lies outside of the input (`tf_crop_and_resize`).
  float outside = 0;
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
static void readRule(NodeContext &n, Resizing &r) {
  ResizeRule &rule = r.rule;
  rule.coordinates =
      n.stringAttribute("coordinate_transformation_mode", "half_pixel");
  rule.nearest = n.stringAttribute("nearest_mode", "round_prefer_floor");
  rule.cubicCoefficient = n.floatAttribute("cubic_coeff_a", -0.75f);
  rule.excludeOutside = n.intAttribute("exclude_outside", 0) != 0;
  r.outside = n.floatAttribute("extrapolation_value", 0.0f);
  if (n.opset() >= 18)
    rule.antialias = n.intAttribute("antialias", 0) != 0;
  bool isKnown =
      llvm::is_contained({"half_pixel", "pytorch_half_pixel", "align_corners",
                          "asymmetric", "tf_crop_and_resize"},
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
  if (!std::isfinite(r.outside))
    n.invalid("extrapolation_value is not finite");
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

/// The axes that scales, sizes and regions are given for.
static Shape readAxes(NodeContext &n, const Resizing &r) {
  Shape axes;
  if (n.opset() >= 18)
    axes = n.intsAttribute("axes").value_or(Shape());
  if (axes.empty())
    for (size_t i = 0; i != r.axes.size(); ++i)
      axes.push_back(i);
  n.check(normalizeAxes(axes, r.axes.size()));
  for (int64_t &axis : axes)
    axis += axis < 0 ? r.axes.size() : 0;
  return axes;
}

/// The region of `tf_crop_and_resize`: all starts, then all ends.
static void readRegion(NodeContext &n, Resizing &r, size_t input) {
  if (r.rule.coordinates != "tf_crop_and_resize")
    return;
  ConstantRef region = n.floatConstant(input, "the region");
  Shape axes = readAxes(n, r);
  if (!n.ok())
    return;
  if (region->size() != 2 * int64_t(axes.size()))
    return n.invalid("expects " + std::to_string(2 * axes.size()) +
                     " values of the region, but got " +
                     std::to_string(region->size()));
  for (auto [i, axis] : llvm::enumerate(axes)) {
    double start = region->floats[i], end = region->floats[i + axes.size()];
    if (!(std::fabs(start) <= kMaxScale && std::fabs(end) <= kMaxScale))
      return n.invalid("a value of the region is not finite or too large");
    r.axes[axis].cropStart = start;
    r.axes[axis].cropEnd = end;
  }
}

/// Scales or sizes, whichever is there.
static void readTarget(NodeContext &n, Resizing &r, size_t scalesInput,
                       size_t sizesInput) {
  Shape axes = readAxes(n, r);
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

static Value emitNearest(NodeContext &n, Value x, const Resizing &r) {
  // The innermost axis first: those before it copy whole rows.
  for (size_t i = r.axes.size(); n.ok() && i-- > 0;)
    if (checkIndexCount(n, r.axes[i].count))
      x = takeIndices(n, x, i, r.rule.nearestIndices(r.axes[i]));
  return x;
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

/// Resizes the axes `changing`, one or two of them, as rows and columns.
static Value emitTaps(NodeContext &n, Value x, const Resizing &r,
                      ArrayRef<ResizeTaps> taps, ArrayRef<int64_t> changing) {
  Shape order, shape = n.shapeOf(x), result = shape, inverse(shape.size());
  for (int64_t axis : changing)
    result[axis] = r.axes[axis].count;
  for (size_t i = 0; i != shape.size(); ++i)
    if (!llvm::is_contained(changing, int64_t(i)))
      order.push_back(i);
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
  Shape from = {lead, channels, 1, shape[columnAxis]};
  Shape to = {lead, channels, 1, result[columnAxis]};
  if (changing.size() == 2) {
    from[2] = shape[changing[0]];
    to[2] = result[changing[0]];
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
  return arrange(n, x, inverse, result);
}

static Value emitInterpolated(NodeContext &n, Value x, const Resizing &r) {
  std::vector<ResizeTaps> taps;
  Shape changing;
  for (auto [i, axis] : llvm::enumerate(r.axes)) {
    if (!checkIndexCount(n, axis.count))
      return x;
    taps.push_back(axis.isIdentity() ? ResizeTaps::identity(axis.input)
                                     : ResizeTaps::of(r.rule, axis));
    if (!axis.isIdentity())
      changing.push_back(i);
  }
  // One axis of an image: no need to look at it in another way.
  if (r.axes.size() == 4 && changing.size() == 1 && changing[0] >= 2)
    changing = {2, 3};
  // Two axes at a time, the inner ones first.
  while (!changing.empty()) {
    size_t count = std::min<size_t>(changing.size(), 2);
    x = emitTaps(n, x, r, taps, ArrayRef(changing).take_back(count));
    changing.resize(changing.size() - count);
  }
  return x;
}

static void emitResize(NodeContext &n, Value x, Resizing &r) {
  Shape result, pads(2 * r.axes.size(), 0);
  for (auto [i, axis] : llvm::enumerate(r.axes)) {
    r.rule.findInside(axis);
    result.push_back(axis.output);
    pads[i] = axis.begin;
    pads[r.axes.size() + i] = axis.output - axis.begin - axis.count;
    if (n.ok() && axis.count == 0 && axis.output != 0)
      n.unsupported("the region lies outside of the input");
  }
  if (n.ok() && countElements(result).value_or(0) == 0)
    n.refuse(209, "the result of shape " + formatShape(result) +
                      " is empty or exceeds 2^31 - 1 elements");
  if (!n.ok())
    return;
  x = r.rule.mode == ResizeRule::Mode::Nearest ? emitNearest(n, x, r)
                                               : emitInterpolated(n, x, r);
  if (!n.ok())
    return;
  if (llvm::any_of(pads, [](int64_t pad) { return pad != 0; }))
    x = n.create<PadOp>(result, x, pads, llvm::APFloat(r.outside));
  n.setResult(x);
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
    readRule(n, r);
    readRegion(n, r, 1);
    readTarget(n, r, 2, 3);
  }
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
