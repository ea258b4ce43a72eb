// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of one value: the operators that become chains of scalar functions,
// powers with a constant, and PRelu.
#include "Registry.h"

#include "qopt/Numerics/ScalarFunctions.h"
#include <cmath>

namespace mlir::qopt::importer {

using Step = NodeContext::Step;

/// `functions` of a known tensor, rounded to f32.
static Constant applyTo(const Constant &input,
                        ArrayRef<numerics::ScalarFunction> functions) {
  Constant result = input;
  for (float &value : result.floats)
    value = float(numerics::evaluate(functions, value));
  return result;
}

bool foldFunction(NodeContext &n, ArrayRef<Step> steps) {
  if (!n.ok() || !n.isConstant(0))
    return false;
  ConstantRef input = n.floatConstant(0, "the input");
  SmallVector<numerics::ScalarFunction> functions;
  for (const Step &step : steps)
    functions.push_back(n.fn(step.function, step.params).getScalarFunction());
  if (n.ok())
    n.setResult(applyTo(*input, functions));
  return true;
}

/// The result is `steps` of the only input, folded if that is known.
static void setFunction(NodeContext &n, ArrayRef<Step> steps) {
  for (const Step &step : steps)
    for (double param : step.params)
      if (!std::isfinite(param))
        n.invalid("an attribute is not finite");
  if (n.ok() && !foldFunction(n, steps))
    n.setResult(n.chain(n.activation(0), steps));
}

/// `x / sqrt(1 - x^2)`, the tangent of arcsin x; infinite at both ends.
static SmallVector<Step> tangentOfArcsine() {
  using F = Function;
  return {{F::Push, {}},        {F::Push, {}}, {F::Mul, {}},
          {F::Affine, {-1, 1}}, {F::Sqrt, {}}, {F::Div, {}}};
}

/// `sign x ln(|x| + sqrt(x^2 + 1))`.
static SmallVector<Step> areaSine() {
  using F = Function;
  return {{F::Push, {}}, {F::Sign, {}}, {F::Swap, {}},       {F::Abs, {}},
          {F::Push, {}}, {F::Pow, {2}}, {F::Affine, {1, 1}}, {F::Sqrt, {}},
          {F::Add, {}},  {F::Log, {}},  {F::Mul, {}}};
}

/// Circular and hyperbolic functions and their inverses.
static SmallVector<Step> circleStepsOf(StringRef op) {
  using F = Function;
  constexpr double halfPi = 1.57079632679489661923;
  if (op == "Tan")
    return {
        {F::Push, {}}, {F::Sin, {}}, {F::Swap, {}}, {F::Cos, {}}, {F::Div, {}}};
  if (op == "Sinh" || op == "Cosh")
    return {{F::Push, {}},        {F::Exp, {}},
            {F::Swap, {}},        {F::Affine, {-1, 0}},
            {F::Exp, {}},         {op == "Sinh" ? F::Sub : F::Add, {}},
            {F::Affine, {0.5, 0}}};
  if (op == "Asinh")
    return areaSine();
  // ln(x + sqrt(x^2 - 1))
  if (op == "Acosh")
    return {{F::Push, {}}, {F::Pow, {2}}, {F::Affine, {1, -1}},
            {F::Sqrt, {}}, {F::Add, {}},  {F::Log, {}}};
  if (op != "Asin" && op != "Acos" && op != "Atanh")
    return {};
  SmallVector<Step> steps = tangentOfArcsine();
  if (op == "Atanh")
    steps.append(areaSine());
  else
    steps.push_back({F::Atan, {}});
  if (op == "Acos")
    steps.push_back({F::Affine, {-1, halfPi}});
  return steps;
}

/// Operators without attributes, by name.
static SmallVector<Step> stepsOf(StringRef op) {
  using F = Function;
  if (SmallVector<Step> steps = circleStepsOf(op); !steps.empty())
    return steps;
  if (op == "Softsign")
    return {{F::Push, {}}, {F::Abs, {}}, {F::Affine, {1, 1}}, {F::Div, {}}};
  if (op == "Mish")
    return {{F::Push, {}}, {F::Softplus, {}}, {F::Tanh, {}}, {F::Mul, {}}};
  if (op == "Neg")
    return {{F::Affine, {-1, 0}}};
  static const std::pair<StringRef, Function> functions[] = {
      {"Abs", F::Abs},
      {"Atan", F::Atan},
      {"Ceil", F::Ceil},
      {"Cos", F::Cos},
      {"Erf", F::Erf},
      {"Exp", F::Exp},
      {"Floor", F::Floor},
      {"Log", F::Log},
      {"Reciprocal", F::Reciprocal},
      {"Round", F::Round},
      {"Sign", F::Sign},
      {"Sin", F::Sin},
      {"Softplus", F::Softplus},
      {"Sqrt", F::Sqrt}};
  for (auto [name, function] : functions)
    if (op == name)
      return {{function, {}}};
  return {};
}

void importFunction(NodeContext &n) {
  n.expectInputs(1, 1);
  StringRef op = n.opType();
  bool isExact = op == "Neg" || op == "Abs";
  if (n.ok() && isExact && n.isConstant(0)) {
    UnaryArithmetic fold =
        op == "Neg" ? UnaryArithmetic::Neg : UnaryArithmetic::Abs;
    return n.setResult(foldUnary(fold, *n.constant(0, "the input")));
  }
  setFunction(n, stepsOf(op));
}

void importElu(NodeContext &n) {
  n.expectInputs(1, 1);
  StringRef op = n.opType();
  double alpha = n.floatAttribute("alpha", op == "Selu" ? 1.67326319f : 1.0f);
  if (op == "Celu" && alpha == 0)
    return n.invalid("alpha is 0");
  double divisor = op == "Celu" ? alpha : 1;
  SmallVector<Step> steps = {{Function::Elu, {alpha, divisor}}};
  if (op == "Selu") {
    double gamma = n.floatAttribute("gamma", 1.05070102f);
    steps.push_back({Function::Affine, {gamma, 0}});
  }
  setFunction(n, steps);
}

void importThresholdedRelu(NodeContext &n) {
  n.expectInputs(1, 1);
  double alpha = n.floatAttribute("alpha", 1.0f);
  setFunction(n, {{Function::Push, {}},
                  {Function::Greater, {alpha}},
                  {Function::Mul, {}}});
}

void importShrink(NodeContext &n) {
  n.expectInputs(1, 1);
  double bias = n.floatAttribute("bias", 0.0f);
  double lambd = n.floatAttribute("lambd", 0.5f);
  if (n.ok() && lambd < 0)
    return n.unsupported("lambd is below 0");
  // (x - bias sign x) where |x| > lambd
  using F = Function;
  setFunction(n, {{F::Push, {}},
                  {F::Push, {}},
                  {F::Sign, {}},
                  {F::Affine, {-bias, 0}},
                  {F::Add, {}},
                  {F::Swap, {}},
                  {F::Abs, {}},
                  {F::Greater, {lambd}},
                  {F::Mul, {}}});
}

void importGelu(NodeContext &n) {
  n.expectInputs(1, 1);
  std::string form = n.stringAttribute("approximate", "none");
  using F = Function;
  constexpr double rootOfHalf = 0.70710678118654752440;
  constexpr double rootOfTwoOverPi = 0.79788456080286535588;
  if (form == "none")
    return setFunction(n, {{F::Push, {}},
                           {F::Affine, {rootOfHalf, 0}},
                           {F::Erf, {}},
                           {F::Affine, {0.5, 0.5}},
                           {F::Mul, {}}});
  if (form != "tanh")
    return n.invalid("attribute 'approximate' expects 'none' or 'tanh'");
  // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  setFunction(n, {{F::Push, {}},
                  {F::Push, {}},
                  {F::Pow, {3}},
                  {F::Affine, {0.044715, 0}},
                  {F::Add, {}},
                  {F::Affine, {rootOfTwoOverPi, 0}},
                  {F::Tanh, {}},
                  {F::Affine, {0.5, 0.5}},
                  {F::Mul, {}}});
}

/// The one value of input `i`, which may be repeated; nothing if they differ.
static std::optional<double> splatOf(NodeContext &n, size_t i, StringRef what) {
  ConstantRef c = n.constant(i, what);
  if (!n.ok() || c->size() == 0)
    return std::nullopt;
  bool isFloat = c->element == Element::Float;
  if (isFloat)
    n.floatConstant(i, what);
  double first = isFloat ? c->floats.front() : double(c->ints.front());
  for (float value : c->floats)
    if (value != first)
      return std::nullopt;
  for (int64_t value : c->ints)
    if (double(value) != first)
      return std::nullopt;
  return first;
}

/// Powers of known values; exponents may be integers.
static Expected<Constant> foldPower(const Constant &base,
                                    const Constant &exponent) {
  auto shape = broadcastShapes(base.shape, exponent.shape);
  if (!shape)
    return shape.takeError();
  auto x = foldExpand(base, *shape), y = foldExpand(exponent, *shape);
  if (!x || !y)
    return llvm::joinErrors(x.takeError(), y.takeError());
  Constant result = *x;
  bool isFloat = base.element == Element::Float;
  for (int64_t i = 0; i != result.size(); ++i) {
    double a = y->floats.empty() ? double(y->ints[i]) : y->floats[i];
    numerics::ScalarFunction power{numerics::ScalarFunction::Kind::Pow, a};
    double value = numerics::evaluate(power, isFloat ? double(result.floats[i])
                                                     : double(result.ints[i]));
    if (isFloat)
      result.floats[i] = float(value);
    else if (std::fabs(value) > 0x1p53)
      return foldError("a power of integers exceeds 2^53");
    else
      result.ints[i] = int64_t(value);
  }
  return result;
}

void importPow(NodeContext &n) {
  n.expectInputs(2, 2);
  if (n.ok() && n.allInputsConstant())
    return n.setResult(
        foldPower(*n.constant(0, "the base"), *n.constant(1, "the exponent")));
  size_t known = n.isConstant(0) ? 0 : 1;
  std::optional<double> c =
      splatOf(n, known, known ? "the exponent" : "the base");
  Value x = n.activation(1 - known);
  if (!n.ok())
    return;
  if (!c)
    return n.unsupported("the constant holds different values");
  SmallVector<Step> steps = {{Function::Pow, {*c}}};
  if (known == 0) {
    if (*c <= 0)
      return n.unsupported("the base is not positive");
    numerics::ScalarFunction log{numerics::ScalarFunction::Kind::Log};
    steps = {{Function::Affine, {numerics::evaluate(log, *c), 0}},
             {Function::Exp, {}}};
  }
  Shape shape = n.check(broadcastShapes(n.shapeOf(x), n.shapeOf(known)));
  if (*countElements(shape) != *countElements(n.shapeOf(x)))
    return n.unsupported("the constant has more elements than the tensor");
  n.setResult(n.reshape(n.chain(x, steps), shape));
}

/// The slope in a shape that broadcasts to `shape`. Before opset 7, a list had
/// one value a channel, and exporters kept to it.
static ConstantRef shapeSlope(NodeContext &n, const ConstantRef &slope,
                              const Shape &shape) {
  Shape given = slope->shape;
  bool isList = given.size() == 1 && given[0] != 1 && shape.size() > 2;
  if (isList && given[0] != shape.back() && given[0] == shape[1]) {
    given.resize(shape.size() - 1, 1);
    return n.derive(foldReshape(*slope, given), slope->name + "@channels");
  }
  Expected<Shape> result = broadcastShapes(shape, given);
  if (!result || *result != shape)
    n.invalid("the slope does not broadcast to the input");
  llvm::consumeError(result.takeError());
  return slope;
}

void importPRelu(NodeContext &n) {
  n.expectInputs(2, 2);
  Value x = n.activation(0);
  ConstantRef slope = n.floatConstant(1, "the slope");
  std::optional<double> splat =
      n.ok() ? splatOf(n, 1, "the slope") : std::nullopt;
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  slope = shapeSlope(n, slope, shape);
  if (splat)
    return n.setResult(n.unary(x, Function::LeakyRelu, {*splat}));
  // max(x, 0) + slope min(x, 0)
  Value positive = n.unary(x, Function::Relu, {});
  Value negative = n.unary(x, Function::Clip, {-INFINITY, 0});
  Value factor = n.ok() ? n.emitConstant(slope) : Value();
  Value scaled = n.create<MulOp>(shape, negative, factor, FnAttr());
  n.setResult(n.create<AddOp>(shape, positive, scaled, FnAttr()));
}

} // namespace mlir::qopt::importer
