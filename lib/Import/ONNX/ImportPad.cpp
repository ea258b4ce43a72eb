// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pad in all its modes: constants by qopt.pad, the others by gathers; negative
// pads cut.
#include "Moves.h"
#include "Registry.h"

#include <algorithm>
#include <numeric>

namespace mlir::qopt::importer {

namespace {
struct PadAmounts {
  /// Begins, then ends, of `axes`.
  Shape pads;
  std::optional<Shape> axes;
  float value = 0;
};
} // namespace

static PadAmounts readPads(NodeContext &n) {
  PadAmounts result;
  if (n.opset() < 11) {
    n.expectInputs(1, 1);
    if (!n.hasAttribute("pads"))
      n.invalid("attribute 'pads' is missing");
    result.pads = n.intsAttribute("pads").value_or(Shape());
    result.value = n.floatAttribute("value", 0);
    return result;
  }
  n.expectInputs(2, n.opset() < 18 ? 3 : 4);
  result.pads = n.intsConstant(1, "the padding");
  if (n.hasInput(2)) {
    ConstantRef value = n.floatConstant(2, "the value");
    if (n.ok() && value->size() != 1)
      n.invalid("the value expects one float");
    result.value = n.ok() ? value->floats.front() : 0;
  }
  if (n.hasInput(3))
    result.axes = n.intsConstant(3, "the axes");
  return result;
}

/// Begins of all `rank` axes, then ends.
static Shape spreadPads(NodeContext &n, const PadAmounts &amounts,
                        size_t rank) {
  Shape axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (amounts.axes) {
    n.check(normalizeAxes(*amounts.axes, rank));
    axes = *amounts.axes;
  }
  if (n.ok() && amounts.pads.size() != 2 * axes.size())
    n.invalid("expects " + std::to_string(2 * axes.size()) + " pads, but got " +
              std::to_string(amounts.pads.size()));
  Shape pads(2 * rank, 0);
  for (size_t i = 0; n.ok() && i != amounts.pads.size(); ++i) {
    int64_t pad = amounts.pads[i];
    if (pad > kMaxElements || pad < -kMaxElements)
      n.refuse(209, "a pad of " + std::to_string(pad) + " is too large");
    int64_t axis = axes[i % axes.size()];
    axis += axis < 0 ? rank : 0;
    pads[axis + (i < axes.size() ? 0 : rank)] = pad;
  }
  return pads;
}

/// Cuts what negative pads take off and sets them to 0.
static Value cutNegative(NodeContext &n, Value x, Shape &pads) {
  Shape sizes = n.shapeOf(x), begins(sizes.size(), 0);
  for (size_t i = 0; i != pads.size(); ++i) {
    if (pads[i] >= 0)
      continue;
    size_t axis = i % sizes.size();
    sizes[axis] += pads[i];
    begins[axis] -= i < sizes.size() ? pads[i] : 0;
    pads[i] = 0;
    if (sizes[axis] < 1) {
      n.refuse(209, "negative pads leave nothing of dimension " +
                        std::to_string(axis));
      return x;
    }
  }
  return sliceBox(n, x, begins, sizes);
}

/// Where position `at`, perhaps outside, of an axis of `size` reads.
static int64_t sourceOf(StringRef mode, int64_t at, int64_t size) {
  if (mode == "edge")
    return std::clamp<int64_t>(at, 0, size - 1);
  int64_t period = mode == "wrap" ? size : std::max<int64_t>(2 * (size - 1), 1);
  int64_t phase = (at % period + period) % period;
  return phase < size ? phase : period - phase;
}

/// Reflect, edge or wrap of integers that are known.
static void foldPad(NodeContext &n, StringRef mode, ArrayRef<int64_t> pads) {
  Constant result = *n.constant(0, "the input");
  size_t rank = result.shape.size();
  for (size_t axis = 0; axis != rank; ++axis) {
    int64_t size = result.shape[axis];
    if (!checkIndexCount(n, size + pads[axis] + pads[rank + axis]))
      return;
    std::vector<int64_t> indices;
    for (int64_t at = -pads[axis]; at < size + pads[rank + axis]; ++at)
      indices.push_back(sourceOf(mode, at, size));
    int64_t count = indices.size();
    result = n.check(
        foldGather(result, intConstant({count}, std::move(indices)), axis));
    if (!n.ok())
      return;
  }
  n.setResult(result);
}

void importPad(NodeContext &n) {
  std::string mode = n.stringAttribute("mode", "constant");
  bool isKnown = mode == "constant" || mode == "reflect" || mode == "edge" ||
                 (mode == "wrap" && n.opset() >= 19);
  if (!isKnown)
    n.unsupported("mode is " + quoted(mode));
  PadAmounts amounts = readPads(n);
  if (n.ok() && mode != "constant" && n.isConstant(0) &&
      n.constant(0, "the input")->element == Element::Int) {
    Shape pads = spreadPads(n, amounts, n.shapeOf(0).size());
    if (n.ok() && *countElements(n.shapeOf(0)) == 0)
      n.unsupported("the input has no elements");
    if (n.ok())
      foldPad(n, mode, pads);
    return;
  }
  Value x = n.activation(0);
  if (!n.ok())
    return;
  size_t rank = n.shapeOf(x).size();
  Shape pads = spreadPads(n, amounts, rank);
  if (!n.ok())
    return;
  if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return n.forward(0);
  x = cutNegative(n, x, pads);
  Shape shape = n.shapeOf(x), result = shape;
  for (size_t i = 0; i != pads.size(); ++i)
    result[i % rank] += pads[i];
  if (!countElements(result))
    return n.refuse(209, "the padded shape " + formatShape(result) +
                             " exceeds 2^31 - 1 elements");
  if (mode == "constant") {
    if (n.ok() && result != shape)
      x = n.create<PadOp>(result, x, pads, llvm::APFloat(amounts.value));
    return n.setResult(x);
  }
  for (size_t axis = rank; n.ok() && axis-- > 0;) {
    if (result[axis] == shape[axis])
      continue;
    if (!checkIndexCount(n, result[axis]))
      return;
    Shape indices;
    for (int64_t at = -pads[axis]; at < shape[axis] + pads[rank + axis]; ++at)
      indices.push_back(sourceOf(mode, at, shape[axis]));
    x = takeIndices(n, x, axis, indices);
  }
  n.setResult(x);
}

} // namespace mlir::qopt::importer
