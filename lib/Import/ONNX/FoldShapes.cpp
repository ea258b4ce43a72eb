// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's shape rules, without values.
#include "Fold.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

namespace mlir::qopt::importer {

llvm::Error foldError(const std::string &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 message.c_str());
}

Expected<int64_t> normalizeAxis(int64_t axis, size_t rank) {
  int64_t signedRank = rank;
  if (axis < -signedRank || axis >= signedRank)
    return foldError("axis " + std::to_string(axis) + " is outside rank " +
                     std::to_string(rank));
  return axis < 0 ? axis + signedRank : axis;
}

Expected<Shape> normalizeAxes(ArrayRef<int64_t> axes, size_t rank) {
  Shape result;
  for (int64_t axis : axes) {
    auto normal = normalizeAxis(axis, rank);
    if (!normal)
      return normal.takeError();
    if (llvm::is_contained(result, *normal))
      return foldError("axis " + std::to_string(axis) + " is named twice");
    result.push_back(*normal);
  }
  llvm::sort(result);
  return result;
}

Expected<Shape> broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i != result.size(); ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return foldError("shapes " + formatShape(a) + " and " + formatShape(b) +
                       " do not broadcast");
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

Expected<Shape> resolveReshape(ArrayRef<int64_t> input,
                               ArrayRef<int64_t> target, bool allowZero) {
  Shape shape(target);
  if (shape.size() > kMaxRank)
    return foldError("a reshape to " + std::to_string(shape.size()) +
                     " dimensions exceeds the limit of " +
                     std::to_string(kMaxRank));
  std::optional<size_t> inferred;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (size == -1 && inferred)
      return foldError("a reshape has two dimensions of -1");
    if (size == -1)
      inferred = i;
    else if (size == 0 && !allowZero && i >= input.size())
      return foldError("a reshape copies dimension " + std::to_string(i) +
                       " of an input of rank " + std::to_string(input.size()));
    else if (size == 0 && !allowZero)
      size = input[i];
    else if (size < -1)
      return foldError("a reshape has the dimension " + std::to_string(size));
  }
  std::optional<int64_t> total = countElements(input);
  if (inferred)
    shape[*inferred] = 1;
  std::optional<int64_t> known = countElements(shape);
  if (inferred && total && known && *known > 0 && *total % *known == 0)
    shape[*inferred] = *total / *known;
  std::optional<int64_t> result = countElements(shape);
  if (!total || !result || *result != *total)
    return foldError("a reshape from " + formatShape(input) + " to " +
                     formatShape(target) + " changes the number of elements");
  return shape;
}

Expected<Shape> squeezeShape(ArrayRef<int64_t> shape,
                             std::optional<ArrayRef<int64_t>> axes) {
  Shape removed;
  if (axes) {
    auto normal = normalizeAxes(*axes, shape.size());
    if (!normal)
      return normal.takeError();
    removed = *normal;
  }
  Shape result;
  for (auto [i, size] : llvm::enumerate(shape)) {
    bool remove = axes ? llvm::is_contained(removed, int64_t(i)) : size == 1;
    if (remove && size != 1)
      return foldError("dimension " + std::to_string(i) + " of " +
                       formatShape(shape) + " is squeezed, but is not 1");
    if (!remove)
      result.push_back(size);
  }
  return result;
}

Expected<Shape> unsqueezeShape(ArrayRef<int64_t> shape,
                               ArrayRef<int64_t> axes) {
  size_t rank = shape.size() + axes.size();
  if (rank > kMaxRank)
    return foldError("rank " + std::to_string(rank) + " exceeds the limit of " +
                     std::to_string(kMaxRank));
  auto inserted = normalizeAxes(axes, rank);
  if (!inserted)
    return inserted.takeError();
  Shape result;
  const int64_t *next = shape.begin();
  for (size_t i = 0; i != rank; ++i)
    result.push_back(llvm::is_contained(*inserted, int64_t(i)) ? 1 : *next++);
  return result;
}

Expected<Shape> resolvePermutation(ArrayRef<int64_t> perm, size_t rank) {
  Shape result;
  if (perm.empty()) {
    for (size_t i = rank; i-- != 0;)
      result.push_back(i);
    return result;
  }
  auto sorted = normalizeAxes(perm, rank);
  if (!sorted)
    return sorted.takeError();
  if (sorted->size() != rank)
    return foldError("a permutation has " + std::to_string(perm.size()) +
                     " axes for rank " + std::to_string(rank));
  for (int64_t axis : perm)
    result.push_back(axis < 0 ? axis + int64_t(rank) : axis);
  return result;
}

Expected<Shape> concatShape(ArrayRef<Shape> shapes, int64_t &axis) {
  Shape result = shapes.front();
  auto normal = normalizeAxis(axis, result.size());
  if (!normal)
    return normal.takeError();
  axis = *normal;
  for (const Shape &shape : shapes.drop_front()) {
    bool fits = shape.size() == result.size();
    for (size_t i = 0; fits && i != shape.size(); ++i)
      fits = int64_t(i) == axis || shape[i] == result[i];
    if (!fits)
      return foldError("shapes " + formatShape(shapes.front()) + " and " +
                       formatShape(shape) + " do not join along axis " +
                       std::to_string(axis));
    result[axis] += shape[axis];
  }
  if (!countElements(result))
    return foldError("the joined shape " + formatShape(result) +
                     " exceeds 2^31 - 1 elements");
  return result;
}

Expected<SliceBounds> resolveSlice(ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> starts,
                                   ArrayRef<int64_t> ends,
                                   ArrayRef<int64_t> axes,
                                   ArrayRef<int64_t> steps) {
  if (auto distinct = normalizeAxes(axes, shape.size()); !distinct)
    return distinct.takeError();
  if (starts.size() != axes.size() || ends.size() != axes.size() ||
      steps.size() != axes.size())
    return foldError("starts, ends, axes and steps differ in length");
  SliceBounds bounds{Shape(shape.size(), 0), Shape(shape),
                     Shape(shape.size(), 1)};
  for (size_t i = 0; i != axes.size(); ++i) {
    int64_t axis = axes[i] < 0 ? axes[i] + int64_t(shape.size()) : axes[i];
    int64_t size = shape[axis], step = steps[i];
    if (step == 0)
      return foldError("a slice has step 0");
    // Tensors are below 2^31, so a step of that size takes one element.
    constexpr int64_t longest = int64_t(1) << 31;
    step = std::clamp(step, -longest, longest);
    if (size == 0)
      continue;
    // ONNX: add the size to negatives, then clamp for the step's direction.
    auto wrap = [&](int64_t position) {
      return position >= 0 ? position : position < -size ? -1 : position + size;
    };
    bool forward = step > 0;
    int64_t begin =
        std::clamp<int64_t>(wrap(starts[i]), 0, forward ? size : size - 1);
    int64_t end = std::clamp<int64_t>(wrap(ends[i]), forward ? 0 : -1,
                                      forward ? size : size - 1);
    int64_t distance = forward ? end - begin : begin - end;
    int64_t stride = forward ? step : -step;
    bounds.begins[axis] = begin;
    bounds.sizes[axis] = distance <= 0 ? 0 : (distance + stride - 1) / stride;
    bounds.steps[axis] = bounds.sizes[axis] > 1 ? step : 1;
  }
  return bounds;
}

} // namespace mlir::qopt::importer
