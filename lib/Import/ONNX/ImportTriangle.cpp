// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trilu and CumSum: what lies on one side of a diagonal.
#include "Parts.h"
#include "Registry.h"

namespace mlir::qopt::importer {

/// 1 where the column less the row is at least `k` (`upper`) or at most `k`.
static Constant triangle(int64_t rows, int64_t columns, int64_t k, bool upper) {
  Constant mask;
  mask.shape = {rows, columns};
  for (int64_t row = 0; row != rows; ++row)
    for (int64_t column = 0; column != columns; ++column)
      mask.floats.push_back(upper ? column - row >= k : column - row <= k);
  return mask;
}

/// `input` with zeros where `mask`, repeated over all but two axes, is 0.
static Constant keepWhere(const Constant &input, const Constant &mask) {
  Constant result = input;
  for (int64_t i = 0, e = result.size(); i != e; ++i) {
    if (mask.floats[i % mask.size()] != 0)
      continue;
    if (result.element == Element::Float)
      result.floats[i] = 0;
    else
      result.ints[i] = 0;
  }
  return result;
}

void importTrilu(NodeContext &n) {
  n.expectInputs(1, 2);
  bool upper = n.intAttribute("upper", 1) != 0;
  Shape diagonal = n.hasInput(1) ? n.intsConstant(1, "the diagonal") : Shape{0};
  Shape shape = n.shapeOf(0);
  if (n.ok() && (shape.size() < 2 || diagonal.size() != 1))
    n.invalid("expects matrices and one diagonal");
  if (!n.ok())
    return;
  // Beyond the corners all diagonals are alike.
  int64_t rows = shape[shape.size() - 2], columns = shape.back();
  int64_t k = std::clamp(diagonal.front(), -rows - 1, columns + 1);
  ConstantRef mask = n.derive(triangle(rows, columns, k, upper), "triangle");
  if (n.ok() && n.isConstant(0))
    return n.setResult(keepWhere(*n.constant(0, "the input"), *mask));
  Value x = n.activation(0);
  Value factor = n.ok() ? n.emitConstant(mask) : Value();
  n.setResult(n.create<MulOp>(shape, x, factor, FnAttr()));
}

namespace {
/// How CumSum sums: each element, and those before it or, in reverse, behind.
struct CumSumForm {
  int64_t axis;
  bool exclusive, reverse;
};
} // namespace

template <typename T>
static void addUp(std::vector<T> &values, ArrayRef<int64_t> shape,
                  const CumSumForm &form) {
  int64_t inner = 1, length = shape[form.axis];
  for (int64_t size : shape.drop_front(form.axis + 1))
    inner *= size;
  for (size_t row = 0; row < values.size() / length; ++row) {
    size_t first = row / inner * inner * length + row % inner;
    T sum = 0;
    for (int64_t i = 0; i != length; ++i) {
      T &value = values[first + inner * (form.reverse ? length - 1 - i : i)];
      T next = sum + value;
      value = form.exclusive ? sum : next;
      sum = next;
    }
  }
}

/// A product with a triangle, along the last axis.
static void expandCumSum(NodeContext &n, const Shape &shape,
                         const CumSumForm &form) {
  const int64_t length = shape[form.axis];
  constexpr int64_t longest = 2048;
  if (length > longest)
    return n.unsupported("sums over more than " + std::to_string(longest) +
                         " elements");
  Parts parts(n);
  Shape swapped;
  for (size_t axis = 0; axis != shape.size(); ++axis)
    swapped.push_back(int64_t(axis));
  std::swap(swapped[form.axis], swapped.back());
  auto turn = [&](const std::string &x) {
    if (llvm::is_sorted(swapped))
      return x;
    std::string turned = parts.add("Transpose", {x});
    parts.setInts("perm", swapped);
    return turned;
  };
  std::string weight = n.getNode().outputs.front() + "@triangle";
  int64_t k = form.exclusive ? 1 : 0;
  n.define(weight,
           triangle(length, length, form.reverse ? -k : k, !form.reverse));
  turn(parts.add("MatMul", {turn(parts.input(0)), weight}));
  parts.finish();
}

void importCumSum(NodeContext &n) {
  n.expectInputs(2, 2);
  CumSumForm form;
  form.exclusive = n.intAttribute("exclusive", 0) != 0;
  form.reverse = n.intAttribute("reverse", 0) != 0;
  Shape axis = n.intsConstant(1, "the axis");
  Shape shape = n.shapeOf(0);
  if (n.ok() && (axis.size() != 1 || llvm::is_contained(shape, 0)))
    n.invalid("expects one axis");
  if (!n.ok())
    return;
  form.axis = n.check(normalizeAxis(axis.front(), shape.size()));
  if (!n.ok())
    return;
  if (!n.isConstant(0))
    return expandCumSum(n, shape, form);
  Constant sums = *n.constant(0, "the input");
  addUp(sums.floats, shape, form);
  addUp(sums.ints, shape, form);
  n.setResult(std::move(sums));
}

} // namespace mlir::qopt::importer
