// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of the operators.

#include "qopt/IR/Shapes.h"
#include <algorithm>
#include <set>

using namespace mlir;
using namespace mlir::qopt;

std::optional<int64_t> mlir::qopt::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0 || size > maxElements)
      return std::nullopt;
    if (size == 0) {
      empty = true;
      continue;
    }
    count *= size;
    if (count > maxElements)
      return std::nullopt;
  }
  return empty ? 0 : count;
}

std::optional<int64_t> WindowAxis::outputSize() const {
  int64_t room = input + padBegin + padEnd - extent();
  if (room < 0)
    return std::nullopt;
  return room / stride + 1;
}

std::pair<int64_t, int64_t> WindowAxis::insideTaps(int64_t output) const {
  int64_t start = inputIndex(output, 0);
  int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  int64_t last = start >= input ? 0 : (input - 1 - start) / dilation + 1;
  first = std::min(first, kernel);
  return {first, std::max(first, std::min(last, kernel))};
}

static bool inRange(ArrayRef<int64_t> values, size_t count, int64_t low) {
  return values.size() == count && llvm::all_of(values, [&](int64_t value) {
           return value >= low && value <= maxElements;
         });
}

std::optional<Window2D> Window2D::get(ArrayRef<int64_t> spatial,
                                      ArrayRef<int64_t> kernel,
                                      ArrayRef<int64_t> strides,
                                      ArrayRef<int64_t> pads,
                                      ArrayRef<int64_t> dilations) {
  // The dilation's bound keeps (kernel - 1) * dilation inside 62 bits.
  if (!inRange(spatial, 2, 1) || !inRange(kernel, 2, 1) ||
      !inRange(strides, 2, 1) || !inRange(dilations, 2, 1) ||
      !inRange(pads, 4, 0))
    return std::nullopt;
  Window2D window;
  for (unsigned i = 0; i < 2; ++i)
    window.axes[i] = {spatial[i],   kernel[i], strides[i],
                      dilations[i], pads[i],   pads[i + 2]};
  return window;
}

std::optional<std::array<int64_t, 2>> Window2D::outputSize() const {
  std::optional<int64_t> rows = axes[0].outputSize();
  std::optional<int64_t> columns = axes[1].outputSize();
  if (!rows || !columns)
    return std::nullopt;
  return std::array<int64_t, 2>{*rows, *columns};
}

SmallVector<int64_t> Window2D::tapCounts() const {
  std::array<std::set<int64_t>, 2> counts;
  for (unsigned i = 0; i < 2; ++i) {
    int64_t outputs = axes[i].outputSize().value_or(0);
    // Windows between the paddings are all alike; one stands for them.
    int64_t rightBorder =
        (axes[i].input + axes[i].padBegin - axes[i].extent()) / axes[i].stride;
    for (int64_t output = 0; output < outputs; ++output) {
      auto [first, last] = axes[i].insideTaps(output);
      counts[i].insert(last - first);
      if (last - first == axes[i].kernel)
        output = std::max(output, std::min(rightBorder, outputs - 1));
    }
  }
  std::set<int64_t> products;
  for (int64_t rows : counts[0])
    for (int64_t columns : counts[1])
      products.insert(rows * columns);
  return SmallVector<int64_t>(products.begin(), products.end());
}

std::optional<SmallVector<int64_t>>
mlir::qopt::broadcastShapes(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs) {
  SmallVector<int64_t> result(std::max(lhs.size(), rhs.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    size_t fromEnd = result.size() - i;
    int64_t a = fromEnd <= lhs.size() ? lhs[lhs.size() - fromEnd] : 1;
    int64_t b = fromEnd <= rhs.size() ? rhs[rhs.size() - fromEnd] : 1;
    if (a != b && a != 1 && b != 1)
      return std::nullopt;
    result[i] = a == 1 ? b : a;
  }
  return result;
}

bool mlir::qopt::isPermutation(ArrayRef<int64_t> permutation) {
  SmallVector<bool> seen(permutation.size(), false);
  for (int64_t axis : permutation) {
    if (axis < 0 || axis >= static_cast<int64_t>(seen.size()) || seen[axis])
      return false;
    seen[axis] = true;
  }
  return true;
}

SmallVector<int64_t> mlir::qopt::permuteShape(ArrayRef<int64_t> shape,
                                              ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result;
  for (int64_t axis : permutation)
    result.push_back(shape[axis]);
  return result;
}

std::optional<SmallVector<int64_t>>
mlir::qopt::concatShapes(ArrayRef<ArrayRef<int64_t>> shapes, int64_t axis) {
  if (shapes.empty() || axis < 0 ||
      axis >= static_cast<int64_t>(shapes.front().size()))
    return std::nullopt;
  SmallVector<int64_t> result(shapes.front());
  for (ArrayRef<int64_t> shape : shapes.drop_front()) {
    if (shape.size() != result.size())
      return std::nullopt;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (static_cast<int64_t>(i) == axis)
        result[i] += shape[i];
      else if (shape[i] != result[i])
        return std::nullopt;
    }
  }
  return result;
}

std::optional<SmallVector<int64_t>>
mlir::qopt::padShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> pads) {
  if (!inRange(pads, 2 * shape.size(), 0))
    return std::nullopt;
  SmallVector<int64_t> result(shape);
  for (size_t i = 0; i < shape.size(); ++i)
    result[i] += pads[i] + pads[i + shape.size()];
  return result;
}

std::optional<SmallVector<int64_t>>
mlir::qopt::reduceShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes,
                        bool keepDims) {
  SmallVector<bool> reduced(shape.size(), false);
  int64_t previous = -1;
  for (int64_t axis : axes) {
    if (axis <= previous || axis >= static_cast<int64_t>(shape.size()))
      return std::nullopt;
    reduced[axis] = true;
    previous = axis;
  }
  SmallVector<int64_t> result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i])
      result.push_back(shape[i]);
    else if (keepDims)
      result.push_back(1);
  }
  return result;
}

SmallVector<int64_t> mlir::qopt::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}
