// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding of operators that only move values.
#include "Fold.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

namespace mlir::qopt::importer {

/// Whether a fold of `input` values may produce `count`: a small file must not
/// fill memory.
static bool isAffordable(std::optional<int64_t> count, int64_t input) {
  return count && *count <= std::max(input, int64_t(1) << 24);
}

static Shape stridesOf(ArrayRef<int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Fills a constant of `shape` whose element at index `i` is the input's at
/// `offset + sum_d i[d] * strides[d]`.
static Expected<Constant> gatherStrided(const Constant &input, Shape shape,
                                        int64_t offset,
                                        ArrayRef<int64_t> strides) {
  std::optional<int64_t> count = countElements(shape);
  if (!isAffordable(count, input.size()))
    return foldError("a constant of shape " + formatShape(shape) +
                     " is too large");
  Constant result;
  result.element = input.element;
  result.type = input.type;
  result.shape = shape;
  bool isFloat = input.element == Element::Float;
  if (isFloat)
    result.floats.reserve(*count);
  else
    result.ints.reserve(*count);
  Shape index(shape.size(), 0);
  int64_t position = offset;
  for (int64_t n = 0; n != *count; ++n) {
    if (isFloat)
      result.floats.push_back(input.floats[position]);
    else
      result.ints.push_back(input.ints[position]);
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

Constant intConstant(Shape shape, std::vector<int64_t> values) {
  Constant result;
  result.element = Element::Int;
  result.shape = std::move(shape);
  result.ints = std::move(values);
  return result;
}

/// The quantization of `input` under another shape; null where its axis is
/// merged or split.
static QuantizationRef reshapeQuantization(const Constant &input,
                                           ArrayRef<int64_t> shape) {
  const QuantizationRef &from = input.quantization;
  if (!from || from->axis < 0)
    return from;
  auto sizeBefore = [](ArrayRef<int64_t> sizes, int64_t axis) {
    return countElements(sizes.take_front(axis)).value_or(-1);
  };
  int64_t before = sizeBefore(input.shape, from->axis);
  for (int64_t axis = 0; axis != int64_t(shape.size()); ++axis)
    if (shape[axis] == input.shape[from->axis] &&
        sizeBefore(shape, axis) == before) {
      auto to = std::make_shared<Quantization>(*from);
      to->axis = axis;
      return to;
    }
  return nullptr;
}

Constant foldReshape(const Constant &input, Shape shape) {
  Constant result = input;
  result.shape = std::move(shape);
  result.quantization = reshapeQuantization(input, result.shape);
  return result;
}

/// Transposes a matrix block by block, so that a large weight stays in cache.
template <typename T>
static std::vector<T> transposeMatrix(const std::vector<T> &from, int64_t rows,
                                      int64_t columns) {
  constexpr int64_t block = 32;
  std::vector<T> to(from.size());
  for (int64_t top = 0; top < rows; top += block)
    for (int64_t left = 0; left < columns; left += block)
      for (int64_t c = left; c < std::min(left + block, columns); ++c)
        for (int64_t r = top; r < std::min(top + block, rows); ++r)
          to[c * rows + r] = from[r * columns + c];
  return to;
}

/// A matrix's transpose, in blocks.
static Constant transposeMatrix(const Constant &input) {
  int64_t rows = input.shape[0], columns = input.shape[1];
  Constant result;
  result.name = input.name;
  result.element = input.element;
  result.type = input.type;
  result.shape = {columns, rows};
  if (input.element == Element::Float)
    result.floats = transposeMatrix(input.floats, rows, columns);
  else
    result.ints = transposeMatrix(input.ints, rows, columns);
  return result;
}

Expected<Constant> foldTranspose(const Constant &input,
                                 ArrayRef<int64_t> perm) {
  auto resolved = resolvePermutation(perm, input.shape.size());
  if (!resolved)
    return resolved.takeError();
  Shape from = stridesOf(input.shape), shape, strides;
  for (int64_t axis : *resolved) {
    shape.push_back(input.shape[axis]);
    strides.push_back(from[axis]);
  }
  Expected<Constant> result = *resolved == Shape{1, 0}
                                  ? Expected<Constant>(transposeMatrix(input))
                                  : gatherStrided(input, shape, 0, strides);
  if (result && input.quantization) {
    auto moved = std::make_shared<Quantization>(*input.quantization);
    if (moved->axis >= 0)
      moved->axis = llvm::find(*resolved, moved->axis) - resolved->begin();
    result->quantization = std::move(moved);
  }
  return result;
}

Expected<Constant> foldConcat(ArrayRef<ConstantRef> inputs, int64_t axis) {
  SmallVector<Shape> shapes;
  for (const ConstantRef &input : inputs) {
    if (input->element != inputs.front()->element)
      return foldError("the inputs have different element types");
    shapes.push_back(input->shape);
  }
  auto shape = concatShape(shapes, axis);
  if (!shape)
    return shape.takeError();
  int64_t total = 0;
  for (const ConstantRef &input : inputs)
    total += input == inputs.front() ? 0 : input->size();
  if (!isAffordable(countElements(*shape), total))
    return foldError("a constant of shape " + formatShape(*shape) +
                     " is too large");
  Constant result;
  result.element = inputs.front()->element;
  result.shape = *shape;
  int64_t outer = *countElements(ArrayRef(*shape).take_front(axis));
  for (int64_t i = 0; i != outer; ++i) {
    for (const ConstantRef &input : inputs) {
      int64_t inner = input->size() / std::max<int64_t>(outer, 1);
      auto append = [&](auto &to, const auto &from) {
        if (!from.empty())
          to.insert(to.end(), from.begin() + i * inner,
                    from.begin() + (i + 1) * inner);
      };
      append(result.floats, input->floats);
      append(result.ints, input->ints);
    }
  }
  return result;
}

Expected<Constant> foldGather(const Constant &input, const Constant &indices,
                              int64_t axis) {
  auto normal = normalizeAxis(axis, input.shape.size());
  if (!normal)
    return normal.takeError();
  if (indices.element != Element::Int)
    return foldError("the indices are not integers");
  int64_t size = input.shape[*normal];
  ArrayRef<int64_t> all(input.shape);
  Shape shape(all.take_front(*normal));
  shape.append(indices.shape.begin(), indices.shape.end());
  shape.append(all.begin() + *normal + 1, all.end());
  std::optional<int64_t> count = countElements(shape);
  if (!isAffordable(count, input.size()) || shape.size() > kMaxRank)
    return foldError("a constant of shape " + formatShape(shape) +
                     " is too large");
  int64_t outer = *countElements(all.take_front(*normal));
  int64_t inner = *countElements(all.drop_front(*normal + 1));
  Constant result;
  result.element = input.element;
  result.shape = shape;
  for (int64_t o = 0; o != outer; ++o) {
    for (int64_t index : indices.ints) {
      if (index < -size || index >= size)
        return foldError("index " + std::to_string(index) +
                         " is outside a dimension of " + std::to_string(size));
      int64_t from = (o * size + (index < 0 ? index + size : index)) * inner;
      auto append = [&](auto &to, const auto &values) {
        if (!values.empty())
          to.insert(to.end(), values.begin() + from,
                    values.begin() + from + inner);
      };
      append(result.floats, input.floats);
      append(result.ints, input.ints);
    }
  }
  return result;
}

Expected<Constant> foldSlice(const Constant &input, ArrayRef<int64_t> starts,
                             ArrayRef<int64_t> ends, ArrayRef<int64_t> axes,
                             ArrayRef<int64_t> steps) {
  auto bounds = resolveSlice(input.shape, starts, ends, axes, steps);
  if (!bounds)
    return bounds.takeError();
  Shape strides = stridesOf(input.shape);
  int64_t offset = 0;
  for (auto [i, stride] : llvm::enumerate(strides)) {
    offset += bounds->begins[i] * stride;
    stride *= bounds->sizes[i] > 1 ? bounds->steps[i] : 0;
  }
  if (countElements(bounds->sizes) == 0)
    offset = 0;
  return gatherStrided(input, bounds->sizes, offset, strides);
}

/// Strides that read `from` as if it were broadcast to `shape`.
static Shape broadcastStrides(ArrayRef<int64_t> from, ArrayRef<int64_t> shape) {
  Shape own = stridesOf(from), strides(shape.size(), 0);
  size_t lead = shape.size() - from.size();
  for (size_t i = 0; i != from.size(); ++i)
    strides[lead + i] = from[i] == 1 ? 0 : own[i];
  return strides;
}

Expected<Constant> foldExpand(const Constant &input, ArrayRef<int64_t> shape) {
  if (shape.size() > kMaxRank)
    return foldError("rank " + std::to_string(shape.size()) +
                     " exceeds the limit of " + std::to_string(kMaxRank));
  auto result = broadcastShapes(input.shape, shape);
  if (!result)
    return result.takeError();
  return gatherStrided(input, *result, 0,
                       broadcastStrides(input.shape, *result));
}

Expected<Constant> foldWhere(const Constant &condition, const Constant &a,
                             const Constant &b) {
  if (condition.element != Element::Bool || a.element != b.element)
    return foldError("expects a bool condition and two values of one type");
  auto shape = broadcastShapes(a.shape, b.shape);
  if (shape)
    shape = broadcastShapes(*shape, condition.shape);
  if (!shape)
    return shape.takeError();
  auto c = foldExpand(condition, *shape);
  auto x = foldExpand(a, *shape), y = foldExpand(b, *shape);
  if (!c || !x || !y)
    return llvm::joinErrors(c.takeError(),
                            llvm::joinErrors(x.takeError(), y.takeError()));
  Constant result = std::move(*y);
  for (size_t i = 0; i != c->ints.size(); ++i) {
    if (!c->ints[i])
      continue;
    if (result.element == Element::Float)
      result.floats[i] = x->floats[i];
    else
      result.ints[i] = x->ints[i];
  }
  return result;
}

} // namespace mlir::qopt::importer
