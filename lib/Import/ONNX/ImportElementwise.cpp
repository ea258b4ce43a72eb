// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Add, Sub, Mul, Div, Max, Min and scalar functions.
#include "Registry.h"

#include <cmath>
#include <limits>

namespace mlir::qopt::importer {

static Arithmetic arithmeticOf(StringRef opType) {
  return opType == "Add"   ? Arithmetic::Add
         : opType == "Sub" ? Arithmetic::Sub
         : opType == "Mul" ? Arithmetic::Mul
                           : Arithmetic::Div;
}

/// `x op c` or, if `swapped`, `c op x` as `a x + b`. Division by x has no such
/// form; its entry has no meaning.
static std::pair<double, double> affineOf(Arithmetic op, double c,
                                          bool swapped) {
  switch (op) {
  case Arithmetic::Add:
    return {1.0, c};
  case Arithmetic::Sub:
    return swapped ? std::make_pair(-1.0, c) : std::make_pair(1.0, -c);
  case Arithmetic::Mul:
    return {c, 0.0};
  default:
    return {1.0 / c, 0.0};
  }
}

static ConstantRef reciprocal(NodeContext &n, const ConstantRef &c) {
  Constant result = *c;
  for (float &value : result.floats) {
    value = float(1.0 / double(value));
    if (!std::isfinite(value))
      n.invalid("the divisor holds a value whose reciprocal is not finite");
  }
  return n.derive(std::move(result), c->name + "@reciprocal");
}

/// One operand has one known element: a scalar function of the other.
static void importAffine(NodeContext &n, Arithmetic op, size_t constant) {
  size_t other = 1 - constant;
  ConstantRef c = n.floatConstant(constant, "the operand");
  Value x = n.activation(other);
  if (!n.ok())
    return;
  auto [a, b] = affineOf(op, c->floats.front(), constant == 0);
  Shape shape = n.check(broadcastShapes(n.shapeOf(x), c->shape));
  if (op == Arithmetic::Div && constant == 0)
    return n.setResult(
        n.reshape(n.chain(x, {{Function::Reciprocal, {}},
                              {Function::Affine, {c->floats.front(), 0}}}),
                  shape));
  if (!std::isfinite(a))
    return n.invalid("division by zero");
  n.setResult(n.reshape(n.unary(x, Function::Affine, {a, b}), shape));
}

void importBinary(NodeContext &n) {
  n.expectInputs(2, 2);
  Arithmetic op = arithmeticOf(n.opType());
  if (n.ok() && n.allInputsConstant())
    return n.setResult(
        foldBinary(op, *n.constant(0, "lhs"), *n.constant(1, "rhs")));
  for (size_t i : {1, 0}) {
    if (!n.ok() || !n.isConstant(i))
      continue;
    if (n.constant(i, "the operand")->size() == 1)
      return importAffine(n, op, i);
  }
  // A constant divisor multiplies by its reciprocals.
  if (op == Arithmetic::Div && n.isConstant(1))
    op = Arithmetic::Mul;
  Value lhs = n.activation(0), rhs;
  if (op == Arithmetic::Mul && n.opType() == "Div") {
    ConstantRef divisor = n.floatConstant(1, "the divisor");
    rhs = n.ok() ? n.emitConstant(reciprocal(n, divisor)) : Value();
  } else {
    rhs = n.activation(1);
  }
  if (!n.ok())
    return;
  Shape shape = n.check(broadcastShapes(n.shapeOf(lhs), n.shapeOf(rhs)));
  if (op == Arithmetic::Add)
    n.setResult(n.create<AddOp>(shape, lhs, rhs, FnAttr()));
  else if (op == Arithmetic::Sub)
    n.setResult(n.create<SubOp>(shape, lhs, rhs, FnAttr()));
  else if (op == Arithmetic::Div)
    n.setResult(n.create<DivOp>(shape, lhs, rhs, FnAttr()));
  else
    n.setResult(n.create<MulOp>(shape, lhs, rhs, FnAttr()));
}

/// Max or Min with one known element: a clamp of the others.
static Value clampBy(NodeContext &n, Value x, const ConstantRef &c,
                     ArrayRef<int64_t> shape, bool isMax) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double bound = c->floats.front();
  std::pair<double, double> bounds =
      isMax ? std::pair(bound, infinity) : std::pair(-infinity, bound);
  Value y = isMax && bound == 0
                ? n.unary(x, Function::Relu, {})
                : n.unary(x, Function::Clip, {bounds.first, bounds.second});
  return n.reshape(y, shape);
}

void importMinMax(NodeContext &n) {
  n.expectInputs(1, n.numInputs());
  bool isMax = n.opType() == "Max";
  if (n.ok() && n.allInputsConstant())
    return foldMinMax(n);
  Value result = n.activation(0);
  for (size_t i = 1; n.ok() && i != n.numInputs(); ++i) {
    Shape shape = n.check(broadcastShapes(n.shapeOf(result), n.shapeOf(i)));
    bool isScalar = n.ok() && n.isConstant(i) &&
                    *countElements(n.shapeOf(i)) == 1 &&
                    *countElements(n.shapeOf(result)) == *countElements(shape);
    if (isScalar) {
      ConstantRef bound = n.floatConstant(i, "the bound");
      if (n.ok())
        result = clampBy(n, result, bound, shape, isMax);
      continue;
    }
    Value other = n.activation(i);
    if (!n.ok())
      return;
    result = isMax ? n.create<MaxOp>(shape, result, other)
                   : n.create<MinOp>(shape, result, other);
  }
  n.setResult(result);
}

void importSum(NodeContext &n) {
  n.expectInputs(1, n.numInputs());
  Value result = n.activation(0);
  for (size_t i = 1; n.ok() && i != n.numInputs(); ++i) {
    Shape shape = n.check(broadcastShapes(n.shapeOf(result), n.shapeOf(i)));
    Value other = n.activation(i);
    if (n.ok())
      result = n.create<AddOp>(shape, result, other, FnAttr());
  }
  if (n.opType() == "Mean" && n.numInputs() > 1)
    result = n.unary(result, Function::Affine, {1.0 / n.numInputs(), 0});
  n.setResult(result);
}

void importRelu(NodeContext &n) {
  n.expectInputs(1, 1);
  if (!foldFunction(n, {{Function::Relu, {}}}))
    n.setResult(n.unary(n.activation(0), Function::Relu, {}));
}

/// Clip of integers that are known.
static void foldClip(NodeContext &n) {
  Constant result = *n.constant(0, "the input");
  for (size_t i : {1, 2}) {
    if (!n.hasInput(i))
      continue;
    ConstantRef bound = n.constant(i, "a bound");
    if (n.ok() && (bound->element != Element::Int || bound->size() != 1))
      n.invalid("a bound expects one integer");
    if (!n.ok())
      return;
    result = n.check(foldBinary(i == 1 ? Arithmetic::Max : Arithmetic::Min,
                                result, foldReshape(*bound, {})));
  }
  n.setResult(result);
}

/// A bound given as input `i`, or `absent`.
static double clipBound(NodeContext &n, size_t i, StringRef what,
                        double absent) {
  if (!n.hasInput(i))
    return absent;
  ConstantRef bound = n.constant(i, what);
  if (!n.ok())
    return absent;
  if (bound->element != Element::Float || bound->size() != 1) {
    n.invalid(what.str() + " expects one float");
    return absent;
  }
  return bound->floats.front();
}

void importClip(NodeContext &n) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double largest = std::numeric_limits<float>::max();
  double min = -infinity, max = infinity;
  if (n.opset() < 11) {
    n.expectInputs(1, 1);
    min = n.floatAttribute("min", -infinity);
    max = n.floatAttribute("max", infinity);
  } else {
    n.expectInputs(1, 3);
    if (n.ok() && n.isConstant(0) &&
        n.constant(0, "the input")->element == Element::Int)
      return foldClip(n);
    min = clipBound(n, 1, "the minimum", min);
    max = clipBound(n, 2, "the maximum", max);
  }
  if (std::isnan(min) || std::isnan(max))
    n.refuse(207, "a bound is not a number");
  Value x = n.activation(0);
  if (!n.ok())
    return;
  // ONNX writes the largest floats for "no bound"; where the bounds cross, the
  // maximum wins.
  if (min <= -largest)
    min = -infinity;
  if (max >= largest)
    max = infinity;
  min = std::min(min, max);
  if (min == infinity || max == -infinity)
    return n.invalid("the bounds leave no finite value");
  if (min == -infinity && max == infinity)
    return n.forward(0);
  if (min == 0 && max == infinity)
    return n.setResult(n.unary(x, Function::Relu, {}));
  n.setResult(n.unary(x, Function::Clip, {min, max}));
}

void importScalarFunction(NodeContext &n) {
  n.expectInputs(1, 1);
  Value x = n.activation(0);
  StringRef op = n.opType();
  if (op == "LeakyRelu") {
    double alpha = n.floatAttribute("alpha", 0.01f);
    if (!std::isfinite(alpha))
      n.invalid("alpha expects a finite value");
    return n.setResult(n.unary(x, Function::LeakyRelu, {alpha}));
  }
  if (op == "HardSigmoid") {
    double alpha = n.floatAttribute("alpha", 0.2f);
    double beta = n.floatAttribute("beta", 0.5f);
    if (!std::isfinite(alpha) || !std::isfinite(beta))
      n.invalid("alpha and beta expect finite values");
    return n.setResult(n.unary(x, Function::HardSigmoid, {alpha, beta}));
  }
  Function function = op == "Sigmoid" ? Function::Sigmoid
                      : op == "Tanh"  ? Function::Tanh
                                      : Function::HardSwish;
  n.setResult(n.unary(x, function, {}));
}

} // namespace mlir::qopt::importer
