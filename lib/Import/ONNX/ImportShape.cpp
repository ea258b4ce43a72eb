// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that keep or join whole tensors: reshapes, Transpose, Concat, and
// those that do nothing at inference.
#include "Registry.h"

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

void importIdentity(NodeContext &n) {
  n.expectInputs(1, 1);
  n.forward(0);
}

/// Whether a Dropout drops something: it trains, at a ratio above 0.
static bool isDropping(NodeContext &n) {
  if (!n.ok() || !n.hasInput(2))
    return false;
  ConstantRef training = n.constant(2, "training_mode");
  if (n.ok() && (training->size() != 1 || training->ints.empty()))
    n.invalid("training_mode expects one bool");
  if (!n.ok() || !training->ints.front())
    return false;
  if (!n.hasInput(1))
    return true;
  ConstantRef ratio = n.floatConstant(1, "the ratio");
  return n.ok() && (ratio->size() != 1 || ratio->floats.front() != 0);
}

void importDropout(NodeContext &n) {
  n.expectInputs(1, n.opset() < 12 ? 1 : 3);
  n.ignoreAttributes({n.opset() < 12 ? "ratio" : "seed"});
  if (isDropping(n))
    n.unsupported("training_mode is true");
  Shape shape = n.shapeOf(0);
  if (n.ok() && n.numOutputs() > 1) {
    Constant kept = n.check(foldExpand(intConstant({}, {1}), shape));
    kept.element = Element::Bool;
    n.setConstantResult(1, std::move(kept));
  }
  n.forward(0);
}

/// The numbers from 0 on that TensorProto's integer type `type` holds.
static int64_t countOf(int64_t type) {
  static constexpr std::pair<int64_t, int> bits[] = {
      {2, 8}, {3, 7}, {4, 16}, {5, 15}, {6, 31}, {7, 62}, {12, 32}, {13, 62}};
  for (auto [known, width] : bits)
    if (type == known)
      return int64_t(1) << width;
  return 0;
}

/// Input 0 as TensorProto's type `type`.
static void castTo(NodeContext &n, int64_t type) {
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
  int64_t whole = n.wholeBelow(0);
  if (n.ok() && !toFloat && whole > 0 && whole <= countOf(type))
    return n.setWholeResult(n.activation(0), whole);
  if (n.ok() && !toFloat && n.dependsOnData(0))
    return n.unsupported("a tensor that is computed at run time is cast to an "
                         "integer");
  if (n.ok() && toFloat && n.holdsIntegers(0))
    return n.setResult(n.numbers(0));
  // Float activations of every width are computed as float32.
  n.setResult(n.activation(0));
}

void importCast(NodeContext &n) {
  n.expectInputs(1, 1);
  if (n.opset() >= 19)
    n.ignoreAttributes({"saturate"});
  if (!n.hasAttribute("to"))
    n.invalid("attribute 'to' is missing");
  castTo(n, n.intAttribute("to", 0));
}

void importCastLike(NodeContext &n) {
  n.expectInputs(2, 2);
  if (n.opset() >= 19)
    n.ignoreAttributes({"saturate"});
  constexpr int64_t float32 = 1, int64 = 7, boolean = 9;
  int64_t type = n.isBool(1) ? boolean : float32;
  if (n.ok() && n.isConstant(1)) {
    ConstantRef like = n.constant(1, "the target");
    if (like->element == Element::Bool)
      type = boolean;
    else if (like->element == Element::Int)
      type = like->type ? like->type : int64;
  } else if (n.ok() && n.holdsIntegers(1)) {
    type = n.integerType(1);
  }
  castTo(n, type);
}

} // namespace mlir::qopt::importer
