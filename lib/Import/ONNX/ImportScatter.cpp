// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GatherND, GatherElements, ScatterND and ScatterElements by constant indices:
// rows of the data, and of the updates behind it, taken by one gather.
#include "Moves.h"
#include "Registry.h"

namespace mlir::qopt::importer {

/// `values` (rows of one size) in this order, seen as `result`; one of them may
/// be known, or all are.
static void takeRows(NodeContext &n, ArrayRef<size_t> inputs, int64_t inner,
                     const Shape &list, const Shape &result) {
  if (list.empty() || inner == 0)
    return n.refuse(209, "the list of indices is empty");
  if (!n.ok() || !checkIndexCount(n, list.size()))
    return;
  SmallVector<ConstantRef> constants;
  SmallVector<Value> values;
  int64_t rows = 0;
  bool isKnown =
      llvm::all_of(inputs, [&](size_t i) { return n.isConstant(i); });
  for (size_t i : inputs) {
    Shape flat = {*countElements(n.shapeOf(i)) / inner, inner};
    rows += flat[0];
    if (isKnown)
      constants.push_back(
          n.derive(foldReshape(*n.constant(i, "the input"), flat), "rows"));
    else
      values.push_back(n.reshape(n.activation(i), flat));
  }
  if (!n.ok())
    return;
  if (isKnown) {
    Constant all = n.check(foldConcat(constants, 0));
    Constant rowIndices =
        intConstant({int64_t(list.size())}, {list.begin(), list.end()});
    Constant taken = n.check(foldGather(all, rowIndices, 0));
    return n.setResult(foldReshape(taken, result));
  }
  Value x = values.front();
  if (values.size() > 1)
    x = n.create<ConcatOp>({rows, inner}, values, /*axis=*/0);
  n.setResult(n.reshape(takeIndices(n, x, 0, list), result));
}

/// `index`, perhaps counted from the end, inside `size`.
static int64_t wrapIndex(NodeContext &n, int64_t index, int64_t size) {
  if (index < -size || index >= size)
    n.invalid("index " + std::to_string(index) + " is outside a dimension of " +
              std::to_string(size));
  return index < 0 ? index + size : index;
}

static ConstantRef readIndices(NodeContext &n) {
  ConstantRef indices = n.constant(1, "the indices");
  if (n.ok() && indices->element != Element::Int)
    n.invalid("the indices are not integers");
  if (n.ok() && countElements(indices->shape) != indices->size())
    n.invalid("the indices do not fit their shape");
  return indices;
}

namespace {
/// Indices of GatherND and ScatterND: each row of `width` names a row of the
/// data behind its first `batch + width` axes.
struct RowIndices {
  Shape list;
  int64_t width = 0, inner = 1;
};
} // namespace

static RowIndices readRows(NodeContext &n, int64_t batch) {
  ConstantRef indices = readIndices(n);
  RowIndices rows;
  Shape shape = n.shapeOf(0);
  if (!n.ok())
    return rows;
  const Shape &list = indices->shape;
  if (!list.empty())
    rows.width = list.back();
  int64_t known = batch + rows.width;
  bool fits = rows.width >= 1 && batch >= 0 && known <= int64_t(shape.size()) &&
              batch < int64_t(list.size());
  for (int64_t i = 0; fits && i != batch; ++i)
    fits = list[i] == shape[i];
  if (!fits) {
    n.invalid("indices of shape " + formatShape(list) + " do not fit " +
              formatShape(shape));
    return rows;
  }
  rows.inner = *countElements(ArrayRef(shape).drop_front(known));
  int64_t batches = *countElements(ArrayRef(shape).take_front(batch));
  int64_t count = indices->size() / rows.width;
  for (int64_t row = 0; n.ok() && row != count; ++row) {
    int64_t position = row / (count / std::max<int64_t>(batches, 1));
    for (int64_t k = 0; k != rows.width; ++k)
      position =
          position * shape[batch + k] +
          wrapIndex(n, indices->ints[row * rows.width + k], shape[batch + k]);
    rows.list.push_back(position);
  }
  return rows;
}

void importGatherND(NodeContext &n) {
  n.expectInputs(2, 2);
  int64_t batch = n.opset() < 12 ? 0 : n.intAttribute("batch_dims", 0);
  RowIndices rows = readRows(n, batch);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(0), result = n.shapeOf(1);
  result.pop_back();
  result.append(shape.begin() + batch + rows.width, shape.end());
  takeRows(n, {0}, rows.inner, rows.list, result);
}

/// The list that takes row `i` of the data, or the last update of it. Updates
/// lie behind the data.
static Shape overwrite(int64_t rows, const Shape &updated) {
  Shape list;
  for (int64_t i = 0; i != rows; ++i)
    list.push_back(i);
  for (auto [i, row] : llvm::enumerate(updated))
    list[row] = rows + int64_t(i);
  return list;
}

static void readReduction(NodeContext &n) {
  if (n.opset() >= 16 && n.stringAttribute("reduction", "none") != "none")
    n.unsupported("attribute 'reduction' is not 'none'");
}

void importScatterND(NodeContext &n) {
  n.expectInputs(3, 3);
  readReduction(n);
  RowIndices rows = readRows(n, 0);
  Shape shape = n.shapeOf(0), updates = n.shapeOf(2);
  if (!n.ok())
    return;
  Shape expected = n.shapeOf(1);
  expected.pop_back();
  expected.append(shape.begin() + rows.width, shape.end());
  if (updates != expected)
    return n.invalid("expects updates of shape " + formatShape(expected) +
                     ", but got " + formatShape(updates));
  int64_t count = *countElements(ArrayRef(shape).take_front(rows.width));
  if (checkIndexCount(n, count))
    takeRows(n, {0, 2}, rows.inner, overwrite(count, rows.list), shape);
}

/// For each index along `axis` the flat position of the element it names.
static Shape readElements(NodeContext &n) {
  int64_t axis = n.intAttribute("axis", 0);
  ConstantRef indices = readIndices(n);
  Shape shape = n.shapeOf(0), list;
  axis = n.ok() ? n.check(normalizeAxis(axis, shape.size())) : 0;
  if (!n.ok() || !checkIndexCount(n, indices->size()))
    return list;
  const Shape &given = indices->shape;
  bool fits = given.size() == shape.size();
  for (size_t i = 0; fits && i != shape.size(); ++i)
    fits = int64_t(i) == axis || given[i] <= shape[i];
  if (!fits) {
    n.invalid("indices of shape " + formatShape(given) + " do not fit " +
              formatShape(shape));
    return list;
  }
  Shape place(shape.size(), 0);
  for (int64_t index : indices->ints) {
    int64_t position = 0;
    for (size_t i = 0; i != shape.size(); ++i)
      position =
          position * shape[i] +
          (int64_t(i) == axis ? wrapIndex(n, index, shape[i]) : place[i]);
    list.push_back(position);
    for (size_t i = shape.size(); i-- != 0;) {
      if (++place[i] != given[i])
        break;
      place[i] = 0;
    }
  }
  return list;
}

void importGatherElements(NodeContext &n) {
  n.expectInputs(2, 2);
  Shape list = readElements(n);
  if (n.ok())
    takeRows(n, {0}, 1, list, n.shapeOf(1));
}

void importScatterElements(NodeContext &n) {
  n.expectInputs(3, 3);
  readReduction(n);
  Shape list = readElements(n);
  Shape shape = n.shapeOf(0), updates = n.shapeOf(2);
  if (!n.ok())
    return;
  if (updates != n.shapeOf(1))
    return n.invalid("updates of shape " + formatShape(updates) +
                     " differ from the indices");
  int64_t count = *countElements(shape);
  if (checkIndexCount(n, count))
    takeRows(n, {0, 2}, 1, overwrite(count, list), shape);
}

} // namespace mlir::qopt::importer
