// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding of operators that compute: exact integers, float32 as IEEE says.
#include "Fold.h"

#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

namespace mlir::qopt::importer {

/// Nothing on overflow and on division by zero.
static std::optional<int64_t> applyInt(Arithmetic op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
  case Arithmetic::Add:
    if (llvm::AddOverflow(a, b, result))
      return std::nullopt;
    return result;
  case Arithmetic::Sub:
    if (llvm::SubOverflow(a, b, result))
      return std::nullopt;
    return result;
  case Arithmetic::Mul:
    if (llvm::MulOverflow(a, b, result))
      return std::nullopt;
    return result;
  case Arithmetic::Div:
    if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min()))
      return std::nullopt;
    return a / b;
  case Arithmetic::Min:
    return std::min(a, b);
  case Arithmetic::Max:
    return std::max(a, b);
  case Arithmetic::Equal:
    return a == b;
  case Arithmetic::Less:
    return a < b;
  case Arithmetic::Greater:
    return a > b;
  }
  return std::nullopt;
}

static float applyFloat(Arithmetic op, float a, float b) {
  switch (op) {
  case Arithmetic::Add:
    return a + b;
  case Arithmetic::Sub:
    return a - b;
  case Arithmetic::Mul:
    return a * b;
  case Arithmetic::Div:
    return a / b;
  case Arithmetic::Min:
    return std::min(a, b);
  case Arithmetic::Max:
    return std::max(a, b);
  default:
    return 0;
  }
}

static bool compareFloat(Arithmetic op, float a, float b) {
  return op == Arithmetic::Equal  ? a == b
         : op == Arithmetic::Less ? a < b
                                  : a > b;
}

Expected<Constant> foldBinary(Arithmetic op, const Constant &a,
                              const Constant &b) {
  if (a.element != b.element)
    return foldError("the inputs have different element types");
  auto shape = broadcastShapes(a.shape, b.shape);
  if (!shape)
    return shape.takeError();
  auto x = foldExpand(a, *shape), y = foldExpand(b, *shape);
  if (!x || !y)
    return llvm::joinErrors(x.takeError(), y.takeError());
  bool compares = op == Arithmetic::Equal || op == Arithmetic::Less ||
                  op == Arithmetic::Greater;
  Constant result;
  result.shape = *shape;
  result.element = compares ? Element::Bool : a.element;
  if (a.element == Element::Float) {
    for (size_t i = 0; i != x->floats.size(); ++i) {
      if (compares)
        result.ints.push_back(compareFloat(op, x->floats[i], y->floats[i]));
      else
        result.floats.push_back(applyFloat(op, x->floats[i], y->floats[i]));
    }
    return result;
  }
  for (size_t i = 0; i != x->ints.size(); ++i) {
    std::optional<int64_t> value = applyInt(op, x->ints[i], y->ints[i]);
    if (!value)
      return foldError("integer arithmetic overflows or divides by zero");
    result.ints.push_back(*value);
  }
  return result;
}

Expected<Constant> foldUnary(UnaryArithmetic op, const Constant &input) {
  Constant result = input;
  for (float &value : result.floats)
    value = op == UnaryArithmetic::Neg ? -value : std::fabs(value);
  for (int64_t &value : result.ints) {
    if (value == std::numeric_limits<int64_t>::min())
      return foldError("integer arithmetic overflows");
    if (op == UnaryArithmetic::Neg || value < 0)
      value = -value;
  }
  return result;
}

namespace {
/// The integer types that ONNX casts to, by TensorProto's numbers.
struct IntegerType {
  int64_t type;
  int64_t min, max;
};
} // namespace

static constexpr IntegerType integerTypes[] = {
    {2, 0, 255},
    {3, -128, 127},
    {4, 0, 65535},
    {5, -32768, 32767},
    {6, std::numeric_limits<int32_t>::min(),
     std::numeric_limits<int32_t>::max()},
    {7, std::numeric_limits<int64_t>::min(),
     std::numeric_limits<int64_t>::max()},
    {12, 0, std::numeric_limits<uint32_t>::max()},
    {13, 0, std::numeric_limits<int64_t>::max()}};

Expected<Constant> foldCast(const Constant &input, int64_t type) {
  Constant result;
  result.shape = input.shape;
  bool fromFloat = input.element == Element::Float;
  bool toFloat = type == 1 || type == 10 || type == 11 || type == 16;
  if (toFloat) {
    result.floats = input.floats;
    for (int64_t value : input.ints)
      result.floats.push_back(float(value));
    return result;
  }
  if (type == 9) {
    result.element = Element::Bool;
    for (float value : input.floats)
      result.ints.push_back(value != 0);
    for (int64_t value : input.ints)
      result.ints.push_back(value != 0);
    return result;
  }
  const IntegerType *target = nullptr;
  for (const IntegerType &candidate : integerTypes)
    if (candidate.type == type)
      target = &candidate;
  if (!target)
    return foldError("a cast to type " + std::to_string(type) +
                     " is not supported");
  result.element = Element::Int;
  result.ints = input.ints;
  if (fromFloat) {
    for (float value : input.floats) {
      // 2^63 is a float; NaN fails both comparisons.
      if (!(value >= -0x1p63f && value < 0x1p63f))
        return foldError("a cast to an integer is out of range");
      result.ints.push_back(int64_t(value));
    }
  }
  for (int64_t value : result.ints)
    if (value < target->min || value > target->max)
      return foldError("a cast to an integer is out of range");
  return result;
}

static constexpr int64_t longestRange = int64_t(1) << 24;

static Expected<Constant> foldFloatRange(float first, float last, float step) {
  if (step == 0)
    return foldError("a range has step 0");
  double count = std::ceil((double(last) - first) / step);
  if (!(count < longestRange))
    return foldError("a range has more than 2^24 values");
  Constant result;
  for (int64_t i = 0; i < int64_t(count); ++i)
    result.floats.push_back(float(first + double(i) * step));
  result.shape = {int64_t(result.floats.size())};
  return result;
}

Expected<Constant> foldRange(const Constant &start, const Constant &limit,
                             const Constant &delta) {
  if (start.element == Element::Float && limit.element == Element::Float &&
      delta.element == Element::Float && start.size() == 1 &&
      limit.size() == 1 && delta.size() == 1)
    return foldFloatRange(start.floats[0], limit.floats[0], delta.floats[0]);
  if (start.element != Element::Int || limit.element != Element::Int ||
      delta.element != Element::Int || start.size() != 1 || limit.size() != 1 ||
      delta.size() != 1)
    return foldError("expects three numbers of one type");
  constexpr int64_t largest = int64_t(1) << 48;
  int64_t first = start.ints[0], last = limit.ints[0], step = delta.ints[0];
  for (int64_t value : {first, last, step})
    if (value < -largest || value > largest)
      return foldError("a range exceeds 2^48");
  if (step == 0)
    return foldError("a range has step 0");
  int64_t distance = last - first;
  bool any = step > 0 ? distance > 0 : distance < 0;
  std::vector<int64_t> values;
  if (any && distance / step >= longestRange)
    return foldError("a range has more than 2^24 values");
  int64_t count = any ? distance / step + (distance % step != 0) : 0;
  for (int64_t i = 0; i != count; ++i)
    values.push_back(first + i * step);
  return intConstant({count}, std::move(values));
}

} // namespace mlir::qopt::importer
