// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparisons, logic and Where on tensors that are computed at run time: a bool
// is 0 or 1 in f32.
#include "Registry.h"

namespace mlir::qopt::importer {

static Value negate(NodeContext &n, Value x) {
  return n.unary(x, Function::Affine, {-1, 1});
}

static Arithmetic comparisonOf(StringRef op) {
  return op == "Equal"                            ? Arithmetic::Equal
         : op == "Less" || op == "GreaterOrEqual" ? Arithmetic::Less
                                                  : Arithmetic::Greater;
}

/// 0 and 1 exchanged.
static Expected<Constant> invert(Expected<Constant> c) {
  if (c)
    for (int64_t &value : c->ints)
      value = !value;
  return c;
}

void importComparison(NodeContext &n) {
  n.expectInputs(2, 2);
  StringRef op = n.opType();
  bool orEqual = op == "GreaterOrEqual" || op == "LessOrEqual";
  if (n.ok() && n.allInputsConstant()) {
    auto result = foldBinary(comparisonOf(op), *n.constant(0, "lhs"),
                             *n.constant(1, "rhs"));
    return n.setResult(orEqual ? invert(std::move(result)) : std::move(result));
  }
  size_t known = n.isConstant(0) ? 0 : 1;
  Value x = n.activation(1 - known);
  ConstantRef c = n.floatConstant(known, "one operand");
  if (!n.ok())
    return;
  if (c->size() != 1)
    return n.unsupported("a comparison with more than one constant");
  bool greater = op == "Greater" || op == "GreaterOrEqual";
  // c > x is x < c.
  if (known == 0)
    greater = !greater;
  // x < c is not x >= c.
  bool inverted = op != "Equal" && !greater;
  Function function = op == "Equal"         ? Function::Equal
                      : orEqual == inverted ? Function::Greater
                                            : Function::GreaterOrEqual;
  Value y = n.unary(x, function, {c->floats.front()});
  if (inverted)
    y = negate(n, y);
  Shape shape = n.check(broadcastShapes(n.shapeOf(x), c->shape));
  n.setBoolResult(n.reshape(y, shape));
}

void importNot(NodeContext &n) {
  n.expectInputs(1, 1);
  if (n.ok() && n.isConstant(0))
    return n.setResult(invert(Constant(*n.constant(0, "the input"))));
  n.setBoolResult(negate(n, n.activation(0)));
}

void importAndOr(NodeContext &n) {
  n.expectInputs(2, 2);
  bool isAnd = n.opType() == "And";
  if (n.ok() && n.allInputsConstant())
    return n.setResult(foldBinary(isAnd ? Arithmetic::Min : Arithmetic::Max,
                                  *n.constant(0, "lhs"),
                                  *n.constant(1, "rhs")));
  Value a = n.boolActivation(0), b = n.boolActivation(1);
  if (!n.ok())
    return;
  Shape shape = n.check(broadcastShapes(n.shapeOf(a), n.shapeOf(b)));
  // a or b is not (not a and not b).
  if (!isAnd) {
    a = negate(n, a);
    b = negate(n, b);
  }
  Value both = n.create<MulOp>(shape, a, b, FnAttr());
  n.setBoolResult(isAnd ? both : negate(n, both));
}

/// `branch` where `condition` is 1, else 0.
static Value choose(NodeContext &n, Value condition, size_t branch,
                    ArrayRef<int64_t> shape) {
  if (n.isConstant(branch)) {
    ConstantRef c = n.floatConstant(branch, "a branch");
    if (n.ok() && c->size() == 1 && n.shapeOf(condition) == Shape(shape))
      return n.unary(condition, Function::Affine, {c->floats.front(), 0});
  }
  Value x = n.activation(branch);
  return n.create<MulOp>(shape, condition, x, FnAttr());
}

void importWhere(NodeContext &n) {
  n.expectInputs(3, 3);
  if (n.ok() && n.allInputsConstant())
    return n.setResult(foldWhere(*n.constant(0, "the condition"),
                                 *n.constant(1, "a branch"),
                                 *n.constant(2, "a branch")));
  Value condition = n.boolActivation(0);
  Shape shape = n.check(broadcastShapes(n.shapeOf(1), n.shapeOf(2)));
  shape = n.check(broadcastShapes(n.shapeOf(condition), shape));
  Value first = choose(n, condition, 1, shape);
  Value second = choose(n, negate(n, condition), 2, shape);
  Value chosen = n.create<AddOp>(shape, first, second, FnAttr());
  if (n.isBool(1))
    n.setBoolResult(chosen);
  else
    n.setResult(chosen);
}

} // namespace mlir::qopt::importer
