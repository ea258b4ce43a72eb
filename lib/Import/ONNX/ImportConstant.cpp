// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constant, Shape and the operators that are only supported where all inputs
// are known: the shape arithmetic of exporters.
#include "Registry.h"

namespace mlir::qopt::importer {

void importConstant(NodeContext &n) {
  n.expectInputs(0, 0);
  Constant result;
  size_t forms = 0;
  if (n.hasAttribute("value") && ++forms) {
    if (ConstantRef tensor = n.tensorAttribute("value"))
      result = *tensor;
  }
  if (n.hasAttribute("value_float") && ++forms)
    result.floats = {n.floatAttribute("value_float", 0)};
  if (n.hasAttribute("value_floats") && ++forms) {
    result.floats = n.floatsAttribute("value_floats");
    result.shape = {int64_t(result.floats.size())};
  }
  if (n.hasAttribute("value_int") && ++forms)
    result = intConstant({}, {n.intAttribute("value_int", 0)});
  if (n.hasAttribute("value_ints") && ++forms) {
    Shape ints = n.intsAttribute("value_ints").value_or(Shape());
    result = intConstant({int64_t(ints.size())}, {ints.begin(), ints.end()});
  }
  for (StringRef name : {"value_string", "value_strings", "sparse_value"})
    if (n.hasAttribute(name))
      return n.unsupported("attribute '" + name.str() + "'");
  if (n.ok() && forms != 1)
    n.invalid("expects exactly one value");
  if (n.ok())
    n.setResult(result);
}

void importShape(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t start = 0, end = kMaxRank;
  if (n.opset() >= 15) {
    start = n.intAttribute("start", 0);
    end = n.intAttribute("end", kMaxRank);
  }
  Shape shape = n.shapeOf(0);
  if (!n.ok())
    return;
  int64_t rank = shape.size();
  auto clamp = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? std::max(axis, -rank) + rank : axis,
                               0, rank);
  };
  start = clamp(start);
  end = std::max(clamp(end), start);
  n.setResult(
      intConstant({end - start}, {shape.begin() + start, shape.begin() + end}));
}

void importSize(NodeContext &n) {
  n.expectInputs(1, 1);
  Shape shape = n.shapeOf(0);
  if (n.ok())
    n.setResult(intConstant({}, {*countElements(shape)}));
}

void importConstantOfShape(NodeContext &n) {
  n.expectInputs(1, 1);
  Shape shape = n.intsConstant(0, "the shape");
  Constant value;
  value.floats = {0};
  if (n.hasAttribute("value"))
    if (ConstantRef tensor = n.tensorAttribute("value"))
      value = foldReshape(*tensor, {});
  if (n.ok() && value.size() != 1)
    n.invalid("attribute 'value' expects one element");
  if (n.ok() && !countElements(shape))
    n.refuse(209, "the shape " + formatShape(shape) +
                      " is negative or exceeds 2^31 - 1 elements");
  if (n.ok())
    n.setResult(foldExpand(value, shape));
}

/// The known inputs `0 .. count-1`; reports what is not known.
static SmallVector<ConstantRef> constants(NodeContext &n, size_t count) {
  SmallVector<ConstantRef> result;
  for (size_t i = 0; i != count; ++i)
    result.push_back(n.constant(i, "the input"));
  return result;
}

void importRange(NodeContext &n) {
  n.expectInputs(3, 3);
  auto in = constants(n, 3);
  if (n.ok())
    n.setResult(foldRange(*in[0], *in[1], *in[2]));
}

void foldMinMax(NodeContext &n) {
  auto in = constants(n, n.numInputs());
  Arithmetic op = n.opType() == "Min" ? Arithmetic::Min : Arithmetic::Max;
  if (!n.ok())
    return;
  Constant result = *in[0];
  for (size_t i = 1; n.ok() && i != in.size(); ++i)
    result = n.check(foldBinary(op, result, *in[i]));
  if (n.ok())
    n.setResult(result);
}

} // namespace mlir::qopt::importer
