// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move values: reshapes, Transpose, Concat, Pad, and those that
// do nothing at inference.
#include "Registry.h"

#include <numeric>

namespace mlir::qopt::importer {

/// The input under another shape, folded or as an op.
static void setReshaped(NodeContext &n, const Shape &shape) {
  if (!n.ok())
    return;
  if (n.isConstant(0))
    return n.setResult(foldReshape(*n.constant(0, "the input"), shape));
  n.setResult(n.reshape(n.activation(0), shape));
}

void importReshape(NodeContext &n) {
  n.expectInputs(2, 2);
  bool allowZero = n.opset() >= 14 && n.intAttribute("allowzero", 0) != 0;
  Shape target = n.intsConstant(1, "the shape");
  Shape input = n.shapeOf(0);
  if (n.ok())
    setReshaped(n, n.check(resolveReshape(input, target, allowZero)));
}

void importFlatten(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t axis = n.intAttribute("axis", 1);
  Shape shape = n.shapeOf(0);
  int64_t rank = shape.size();
  if (axis < -rank || axis > rank)
    n.invalid("axis " + std::to_string(axis) + " is outside rank " +
              std::to_string(rank));
  if (!n.ok())
    return;
  ArrayRef<int64_t> all(shape);
  if (axis < 0)
    axis += rank;
  setReshaped(n, {*countElements(all.take_front(axis)),
                  *countElements(all.drop_front(axis))});
}

/// Axes as an attribute before opset 13, as an input from then on.
static std::optional<Shape> readAxes(NodeContext &n, size_t min) {
  bool asInput = n.opset() >= 13;
  n.expectInputs(asInput ? min : 1, asInput ? 2 : 1);
  if (!asInput)
    return n.intsAttribute("axes");
  if (!n.hasInput(1))
    return std::nullopt;
  return n.intsConstant(1, "the axes");
}

void importSqueeze(NodeContext &n) {
  std::optional<Shape> axes = readAxes(n, 1);
  Shape shape = n.shapeOf(0);
  if (!n.ok())
    return;
  std::optional<ArrayRef<int64_t>> list;
  if (axes)
    list = ArrayRef<int64_t>(*axes);
  setReshaped(n, n.check(squeezeShape(shape, list)));
}

void importUnsqueeze(NodeContext &n) {
  std::optional<Shape> axes = readAxes(n, 2);
  if (n.ok() && !axes)
    n.invalid("attribute 'axes' is missing");
  Shape shape = n.shapeOf(0);
  if (n.ok())
    setReshaped(n, n.check(unsqueezeShape(shape, *axes)));
}

void importTranspose(NodeContext &n) {
  n.expectInputs(1, 1);
  std::optional<Shape> perm = n.intsAttribute("perm");
  Shape shape = n.shapeOf(0);
  if (!n.ok())
    return;
  // A given permutation of rank 0 is empty too: both mean "reversed".
  Shape axes =
      n.check(resolvePermutation(perm.value_or(Shape()), shape.size()));
  if (!n.ok())
    return;
  if (n.isConstant(0))
    return n.setResult(foldTranspose(*n.constant(0, "the input"), axes));
  if (llvm::is_sorted(axes))
    return n.forward(0);
  Shape result;
  for (int64_t axis : axes)
    result.push_back(shape[axis]);
  n.setResult(n.create<TransposeOp>(result, n.activation(0), axes));
}

void importConcat(NodeContext &n) {
  n.expectInputs(1, n.numInputs());
  if (!n.hasAttribute("axis"))
    n.invalid("attribute 'axis' is missing");
  int64_t axis = n.intAttribute("axis", 0);
  for (size_t i = 0; i != n.numInputs(); ++i)
    if (!n.hasInput(i))
      n.invalid("input " + std::to_string(i) + " is missing");
  if (n.ok() && n.allInputsConstant()) {
    SmallVector<ConstantRef> inputs;
    for (size_t i = 0; i != n.numInputs(); ++i)
      inputs.push_back(n.constant(i, "the input"));
    return n.setResult(foldConcat(inputs, axis));
  }
  SmallVector<Value> values;
  SmallVector<Shape> shapes;
  for (size_t i = 0; n.ok() && i != n.numInputs(); ++i) {
    values.push_back(n.activation(i));
    shapes.push_back(n.shapeOf(values.back()));
  }
  if (!n.ok())
    return;
  Shape result = n.check(concatShape(shapes, axis));
  if (n.ok() && values.size() == 1)
    return n.forward(0);
  n.setResult(n.create<ConcatOp>(result, values, axis));
}

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

void importPad(NodeContext &n) {
  std::string mode = n.stringAttribute("mode", "constant");
  if (mode != "constant")
    n.unsupported("mode is " + quoted(mode));
  PadAmounts amounts = readPads(n);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  size_t rank = shape.size();
  Shape axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (amounts.axes) {
    n.check(normalizeAxes(*amounts.axes, rank));
    axes = *amounts.axes;
  }
  if (n.ok() && amounts.pads.size() != 2 * axes.size())
    n.invalid("expects " + std::to_string(2 * axes.size()) + " pads, but got " +
              std::to_string(amounts.pads.size()));
  if (!n.ok())
    return;
  Shape pads(2 * rank, 0);
  for (size_t i = 0; i != amounts.pads.size(); ++i) {
    int64_t pad = amounts.pads[i];
    if (pad < 0)
      return n.unsupported("a pad is negative");
    if (pad > kMaxElements)
      return n.refuse(209, "a pad of " + std::to_string(pad) + " is too large");
    size_t axis =
        axes[i % axes.size()] + (axes[i % axes.size()] < 0 ? rank : 0);
    pads[axis + (i < axes.size() ? 0 : rank)] = pad;
    shape[axis] += pad;
  }
  if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return n.forward(0);
  n.setResult(n.create<PadOp>(shape, x, pads, llvm::APFloat(amounts.value)));
}

void importIdentity(NodeContext &n) {
  n.expectInputs(1, 1);
  n.forward(0);
}

void importDropout(NodeContext &n) {
  n.expectInputs(1, n.opset() < 12 ? 1 : 3);
  n.ignoreAttributes({n.opset() < 12 ? "ratio" : "seed"});
  if (n.ok() && n.hasInput(2)) {
    ConstantRef training = n.constant(2, "training_mode");
    if (n.ok() && (training->size() != 1 || training->ints.empty()))
      n.invalid("training_mode expects one bool");
    else if (n.ok() && training->ints.front())
      n.unsupported("training_mode is true");
  }
  n.forward(0);
}

void importCast(NodeContext &n) {
  n.expectInputs(1, 1);
  if (n.opset() >= 19)
    n.ignoreAttributes({"saturate"});
  if (!n.hasAttribute("to"))
    n.invalid("attribute 'to' is missing");
  int64_t type = n.intAttribute("to", 0);
  if (n.ok() && n.isConstant(0))
    return n.setResult(foldCast(*n.constant(0, "the input"), type));
  bool toFloat = type == 1 || type == 10 || type == 11 || type == 16;
  if (n.ok() && type == 9 && n.dependsOnData(0)) {
    if (n.isBool(0))
      return n.setBoolResult(n.activation(0));
    // Everything but 0 is true.
    return n.setBoolResult(
        n.chain(n.activation(0),
                {{Function::Equal, {0}}, {Function::Affine, {-1, 1}}}));
  }
  if (n.ok() && !toFloat && n.dependsOnData(0))
    return n.unsupported("a tensor that is computed at run time is cast to an "
                         "integer");
  // Float activations of every width are computed as float32.
  n.setResult(n.activation(0));
}

} // namespace mlir::qopt::importer
