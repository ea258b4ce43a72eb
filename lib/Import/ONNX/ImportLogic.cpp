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

namespace {
/// `x` compared with a scalar: one operand with the other, or their difference
/// with 0.
struct Comparand {
  Value x;
  double bound = 0;
  bool swapped = false;
  Shape shape;
};
} // namespace

static Comparand readComparand(NodeContext &n) {
  Comparand result;
  result.shape = n.check(broadcastShapes(n.shapeOf(0), n.shapeOf(1)));
  for (size_t known : {1, 0}) {
    if (!n.ok() || !n.isConstant(known))
      continue;
    ConstantRef c = n.floatConstant(known, "one operand");
    if (!n.ok() || c->size() != 1)
      continue;
    result.x = n.activation(1 - known);
    result.bound = c->floats.front();
    result.swapped = known == 0;
    return result;
  }
  Value lhs = n.activation(0), rhs = n.activation(1);
  if (n.ok())
    result.x = n.create<SubOp>(result.shape, lhs, rhs, FnAttr());
  return result;
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
  const Comparand operand = readComparand(n);
  if (!n.ok())
    return;
  bool greater = op == "Greater" || op == "GreaterOrEqual";
  // c > x is x < c.
  if (operand.swapped)
    greater = !greater;
  // x < c is not x >= c.
  bool inverted = op != "Equal" && !greater;
  Function function = op == "Equal"         ? Function::Equal
                      : orEqual == inverted ? Function::Greater
                                            : Function::GreaterOrEqual;
  Value y = n.unary(operand.x, function, {operand.bound});
  if (inverted)
    y = negate(n, y);
  n.setBoolResult(n.reshape(y, operand.shape));
}

void importNot(NodeContext &n) {
  n.expectInputs(1, 1);
  if (n.ok() && n.isConstant(0))
    return n.setResult(invert(Constant(*n.constant(0, "the input"))));
  n.setBoolResult(negate(n, n.activation(0)));
}

/// IsNaN and IsInf: integers are neither.
void importIsNotFinite(NodeContext &n) {
  n.expectInputs(1, 1);
  n.ignoreAttributes({"detect_negative", "detect_positive"});
  Constant none;
  none.element = Element::Bool;
  none.shape = n.shapeOf(0);
  if (!n.ok())
    return;
  none.ints.assign(*countElements(none.shape), 0);
  n.setResult(std::move(none));
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

void importXor(NodeContext &n) {
  n.expectInputs(2, 2);
  if (n.ok() && n.allInputsConstant())
    return n.setResult(invert(foldBinary(
        Arithmetic::Equal, *n.constant(0, "lhs"), *n.constant(1, "rhs"))));
  Value a = n.boolActivation(0), b = n.boolActivation(1);
  if (!n.ok())
    return;
  Shape shape = n.check(broadcastShapes(n.shapeOf(a), n.shapeOf(b)));
  n.setBoolResult(
      n.unary(n.create<SubOp>(shape, a, b, FnAttr()), Function::Abs, {}));
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
  if (!n.ok())
    return Value();
  // The sum of both branches brings them to the whole shape.
  Shape own = n.check(broadcastShapes(n.shapeOf(condition), n.shapeOf(x)));
  return n.create<MulOp>(own, condition, x, FnAttr());
}

/// The branch that a known condition takes everywhere, if it has the whole
/// shape.
static std::optional<size_t> onlyBranch(NodeContext &n) {
  if (!n.ok() || !n.isConstant(0))
    return std::nullopt;
  ConstantRef condition = n.constant(0, "the condition");
  if (condition->ints.empty() || !llvm::all_equal(condition->ints))
    return std::nullopt;
  size_t taken = condition->ints.front() ? 1 : 2;
  Shape shape = n.check(broadcastShapes(n.shapeOf(1), n.shapeOf(2)));
  shape = n.check(broadcastShapes(n.shapeOf(0), shape));
  return shape == n.shapeOf(taken) ? std::optional(taken) : std::nullopt;
}

void importWhere(NodeContext &n) {
  n.expectInputs(3, 3);
  if (n.ok() && n.allInputsConstant())
    return n.setResult(foldWhere(*n.constant(0, "the condition"),
                                 *n.constant(1, "a branch"),
                                 *n.constant(2, "a branch")));
  if (std::optional<size_t> branch = onlyBranch(n))
    return n.forward(*branch);
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
