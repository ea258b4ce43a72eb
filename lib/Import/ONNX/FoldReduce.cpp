// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding of reductions and matrix products: norms of weights, and the numbers
// of elements that exporters compute.
#include "Fold.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace mlir::qopt::importer {

namespace {
enum class Reduction { Sum, Mean, Max, Min, Prod, L1, L2, SumSquare, Other };
} // namespace

static Reduction reductionOf(StringRef op) {
  return llvm::StringSwitch<Reduction>(op)
      .Case("ReduceSum", Reduction::Sum)
      .Case("ReduceMean", Reduction::Mean)
      .Case("ReduceMax", Reduction::Max)
      .Case("ReduceMin", Reduction::Min)
      .Case("ReduceProd", Reduction::Prod)
      .Case("ReduceL1", Reduction::L1)
      .Case("ReduceL2", Reduction::L2)
      .Case("ReduceSumSquare", Reduction::SumSquare)
      .Default(Reduction::Other);
}

bool isFoldedReduction(StringRef op) {
  return reductionOf(op) != Reduction::Other;
}

static double combine(Reduction op, double sum, double value) {
  switch (op) {
  case Reduction::Max:
    return std::max(sum, value);
  case Reduction::Min:
    return std::min(sum, value);
  case Reduction::Prod:
    return sum * value;
  case Reduction::L1:
    return sum + std::fabs(value);
  case Reduction::L2:
  case Reduction::SumSquare:
    return sum + value * value;
  default:
    return sum + value;
  }
}

/// Nothing on overflow and where integers have no such reduction.
static std::optional<int64_t> combine(Reduction op, int64_t sum,
                                      int64_t value) {
  int64_t result = 0;
  if (op == Reduction::Max)
    return std::max(sum, value);
  if (op == Reduction::Min)
    return std::min(sum, value);
  if (op == Reduction::Sum && !llvm::AddOverflow(sum, value, result))
    return result;
  if (op == Reduction::Prod && !llvm::MulOverflow(sum, value, result))
    return result;
  return std::nullopt;
}

/// For each element, in order, the index of the result that it belongs to.
static std::vector<int64_t>
resultIndices(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes, int64_t count) {
  Shape strides(shape.size(), 0), index(shape.size(), 0);
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- != 0;) {
    if (llvm::is_contained(axes, int64_t(i)))
      continue;
    strides[i] = stride;
    stride *= shape[i];
  }
  std::vector<int64_t> result;
  result.reserve(count);
  int64_t position = 0;
  for (int64_t n = 0; n != count; ++n) {
    result.push_back(position);
    for (size_t d = shape.size(); d-- != 0;) {
      position += strides[d];
      if (++index[d] != shape[d])
        break;
      position -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

static Expected<std::vector<int64_t>> reduceInts(Reduction op,
                                                 ArrayRef<int64_t> values,
                                                 ArrayRef<int64_t> places,
                                                 size_t count) {
  std::vector<std::optional<int64_t>> sums(count);
  for (auto [value, place] : llvm::zip_equal(values, places)) {
    std::optional<int64_t> &sum = sums[place];
    std::optional<int64_t> next =
        sum ? combine(op, *sum, value) : std::optional<int64_t>(value);
    if (!next)
      return foldError("a reduction of integers overflows or is not "
                       "supported");
    sum = next;
  }
  std::vector<int64_t> result;
  for (const std::optional<int64_t> &sum : sums)
    result.push_back(sum.value_or(0));
  return result;
}

Expected<Constant> foldReduce(StringRef name, const Constant &input,
                              ArrayRef<int64_t> axes, Shape shape) {
  Reduction op = reductionOf(name);
  std::optional<int64_t> count = countElements(shape);
  if (!count || *count == 0 || input.size() == 0)
    return foldError("a reduction of no elements");
  std::vector<int64_t> places = resultIndices(input.shape, axes, input.size());
  Constant result;
  result.element = input.element;
  result.shape = std::move(shape);
  if (input.element != Element::Float) {
    auto values = reduceInts(op, input.ints, places, *count);
    if (!values)
      return values.takeError();
    result.ints = std::move(*values);
    return result;
  }
  double first = op == Reduction::Max   ? -INFINITY
                 : op == Reduction::Min ? INFINITY
                                        : op == Reduction::Prod;
  std::vector<double> sums(*count, first);
  for (auto [value, place] : llvm::zip_equal(input.floats, places))
    sums[place] = combine(op, sums[place], value);
  double divisor =
      op == Reduction::Mean ? double(input.size()) / double(*count) : 1;
  for (double sum : sums)
    result.floats.push_back(
        float(op == Reduction::L2 ? std::sqrt(sum) : sum / divisor));
  return result;
}

Expected<Constant> foldMatMul(const Constant &a, const Constant &b) {
  Shape left = a.shape, right = b.shape;
  if (a.element != Element::Float || b.element != Element::Float ||
      left.empty() || right.empty())
    return foldError("expects float tensors");
  bool leftVector = left.size() == 1, rightVector = right.size() == 1;
  if (leftVector)
    left.insert(left.begin(), 1);
  if (rightVector)
    right.push_back(1);
  int64_t inner = left.back(), rows = left[left.size() - 2];
  int64_t columns = right.back();
  if (right[right.size() - 2] != inner)
    return foldError("inner dimensions " + std::to_string(inner) + " and " +
                     std::to_string(right[right.size() - 2]) + " differ");
  auto shape = broadcastShapes(ArrayRef(left).drop_back(2),
                               ArrayRef(right).drop_back(2));
  if (!shape)
    return shape.takeError();
  Shape wholeLeft = *shape, wholeRight = *shape;
  wholeLeft.append({rows, inner});
  wholeRight.append({inner, columns});
  auto x = foldExpand(foldReshape(a, left), wholeLeft);
  auto y = foldExpand(foldReshape(b, right), wholeRight);
  if (!x || !y)
    return llvm::joinErrors(x.takeError(), y.takeError());
  std::vector<double> sums(columns);
  Constant result;
  result.shape = *shape;
  if (!leftVector)
    result.shape.push_back(rows);
  if (!rightVector)
    result.shape.push_back(columns);
  for (int64_t row = 0; row != *countElements(*shape) * rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int64_t k = 0; k != inner; ++k) {
      double factor = x->floats[row * inner + k];
      const float *other =
          y->floats.data() + (row / rows * inner + k) * columns;
      for (int64_t c = 0; c != columns; ++c)
        sums[c] += factor * other[c];
    }
    result.floats.insert(result.floats.end(), sums.begin(), sums.end());
  }
  return result;
}

} // namespace mlir::qopt::importer
