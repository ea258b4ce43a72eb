// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move parts of a tensor: Slice, Split, Gather, Expand, Tile,
// DepthToSpace, SpaceToDepth. Constants are folded.
#include "Moves.h"
#include "Registry.h"

#include <numeric>

namespace mlir::qopt::importer {

bool checkIndexCount(NodeContext &n, int64_t count) {
  constexpr int64_t most = int64_t(1) << 20;
  if (n.ok() && count > most)
    n.refuse(209, "a dimension of " + std::to_string(count) +
                      " that is copied by indices exceeds the limit of " +
                      std::to_string(most));
  return n.ok();
}

Value sliceBox(NodeContext &n, Value x, ArrayRef<int64_t> begins,
               ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  Shape ones(begins.size(), 1);
  if (steps.empty())
    steps = ones;
  if (!n.ok() || ArrayRef<int64_t>(n.shapeOf(x)) == sizes)
    return x;
  return n.create<SliceOp>(sizes, x, begins, steps);
}

Value takeIndices(NodeContext &n, Value x, int64_t axis,
                  ArrayRef<int64_t> indices) {
  if (!n.ok())
    return x;
  Shape shape = n.shapeOf(x);
  int64_t count = indices.size();
  int64_t step = count > 1 ? indices[1] - indices[0] : 1;
  bool isRegular = step >= 1;
  for (int64_t i = 1; i < count; ++i)
    isRegular &= indices[i] - indices[i - 1] == step;
  if (isRegular) {
    Shape begins(shape.size(), 0), steps(shape.size(), 1);
    begins[axis] = indices[0];
    steps[axis] = step;
    shape[axis] = count;
    return sliceBox(n, x, begins, shape, steps);
  }
  shape[axis] = count;
  return n.create<GatherOp>(shape, x, axis, indices);
}

void importGather(NodeContext &n) {
  n.expectInputs(2, 2);
  int64_t axis = n.intAttribute("axis", 0);
  ConstantRef indices = n.constant(1, "the indices");
  if (!n.ok())
    return;
  if (n.isConstant(0))
    return n.setResult(foldGather(*n.constant(0, "the input"), *indices, axis));
  Value x = n.activation(0);
  Shape shape = n.shapeOf(x);
  axis = n.check(normalizeAxis(axis, shape.size()));
  if (n.ok() && indices->element != Element::Int)
    n.invalid("the indices are not integers");
  if (!n.ok())
    return;
  Shape list(indices->ints.begin(), indices->ints.end());
  for (int64_t &index : list) {
    if (index < -shape[axis] || index >= shape[axis])
      return n.invalid("index " + std::to_string(index) +
                       " is outside a dimension of " +
                       std::to_string(shape[axis]));
    index += index < 0 ? shape[axis] : 0;
  }
  if (list.empty())
    return n.refuse(209, "the list of indices is empty");
  Shape result(ArrayRef(shape).take_front(axis));
  result.append(indices->shape);
  result.append(shape.begin() + axis + 1, shape.end());
  n.setResult(n.reshape(takeIndices(n, x, axis, list), result));
}

void importSlice(NodeContext &n) {
  bool asInputs = n.opset() >= 10;
  n.expectInputs(asInputs ? 3 : 1, asInputs ? 5 : 1);
  Shape starts, ends;
  std::optional<Shape> axes, steps;
  if (asInputs) {
    starts = n.intsConstant(1, "starts");
    ends = n.intsConstant(2, "ends");
    if (n.hasInput(3))
      axes = n.intsConstant(3, "axes");
    if (n.hasInput(4))
      steps = n.intsConstant(4, "steps");
  } else {
    starts = n.intsAttribute("starts").value_or(Shape());
    ends = n.intsAttribute("ends").value_or(Shape());
    axes = n.intsAttribute("axes");
  }
  Shape shape = n.shapeOf(0);
  if (!n.ok())
    return;
  if (!axes) {
    axes.emplace(starts.size());
    std::iota(axes->begin(), axes->end(), 0);
  }
  Shape ones(starts.size(), 1);
  if (n.isConstant(0))
    return n.setResult(foldSlice(*n.constant(0, "the input"), starts, ends,
                                 *axes, steps.value_or(ones)));
  SliceBounds bounds =
      n.check(resolveSlice(shape, starts, ends, *axes, steps.value_or(ones)));
  Value x = n.activation(0);
  if (n.ok() && countElements(bounds.sizes) == 0)
    n.refuse(209, "the slice is empty");
  // Backward axes are gathered from what the others leave.
  Shape begins = bounds.begins, sizes = bounds.sizes, forward = bounds.steps;
  for (size_t i = 0; n.ok() && i != shape.size(); ++i) {
    if (bounds.steps[i] > 0)
      continue;
    begins[i] = 0;
    sizes[i] = shape[i];
    forward[i] = 1;
  }
  x = sliceBox(n, x, begins, sizes, forward);
  for (size_t i = 0; n.ok() && i != shape.size(); ++i) {
    if (bounds.steps[i] > 0)
      continue;
    if (!checkIndexCount(n, bounds.sizes[i]))
      return;
    Shape indices;
    for (int64_t k = 0; k < bounds.sizes[i]; ++k)
      indices.push_back(bounds.begins[i] + k * bounds.steps[i]);
    x = takeIndices(n, x, i, indices);
  }
  if (n.ok() && x == n.activation(0))
    return n.forward(0);
  n.setResult(x);
}

/// The sizes of a Split's parts along a dimension of `size`.
static Shape readParts(NodeContext &n, int64_t size) {
  int64_t count = n.numOutputs();
  std::optional<Shape> parts;
  if (n.opset() < 13) {
    n.expectInputs(1, 1);
    parts = n.intsAttribute("split");
  } else {
    n.expectInputs(1, 2);
    if (n.hasInput(1))
      parts = n.intsConstant(1, "the sizes");
    if (n.opset() >= 18 && n.hasAttribute("num_outputs")) {
      int64_t stated = n.intAttribute("num_outputs", 0);
      if (stated != count || parts)
        n.invalid("num_outputs " + std::to_string(stated) +
                  " contradicts the outputs or sizes");
    }
  }
  if (!n.ok())
    return {};
  if (!parts) {
    bool mayDiffer = n.opset() >= 18;
    int64_t part = (size + count - 1) / count;
    if (size - (count - 1) * part < 1 || (!mayDiffer && size % count != 0)) {
      n.invalid("a dimension of " + std::to_string(size) + " has no " +
                std::to_string(count) + " equal parts");
      return {};
    }
    parts.emplace(count, part);
    parts->back() = size - (count - 1) * part;
  }
  int64_t sum = 0;
  for (int64_t part : *parts) {
    if (part < 0 || part > size)
      n.invalid("a part has the size " + std::to_string(part));
    sum += n.ok() ? part : 0;
  }
  if (int64_t(parts->size()) != count || sum != size)
    n.invalid("expects " + std::to_string(count) + " sizes that add up to " +
              std::to_string(size));
  return *parts;
}

void importSplit(NodeContext &n) {
  int64_t axis = n.intAttribute("axis", 0);
  Shape shape = n.shapeOf(0);
  if (n.ok())
    axis = n.check(normalizeAxis(axis, shape.size()));
  if (!n.ok())
    return;
  Shape parts = readParts(n, shape[axis]);
  if (n.ok() && n.isConstant(0)) {
    ConstantRef input = n.constant(0, "the input");
    SmallVector<ConstantRef> results;
    int64_t begin = 0;
    for (auto [i, part] : llvm::enumerate(parts)) {
      results.push_back(
          n.derive(foldSlice(*input, {begin}, {begin + part}, {axis}, {1}),
                   input->name + "_" + std::to_string(i)));
      begin += part;
    }
    return n.setResults(ArrayRef<ConstantRef>(results));
  }
  Value x = n.activation(0);
  SmallVector<Value> results;
  Shape begins(shape.size(), 0);
  for (int64_t part : parts) {
    if (!n.ok())
      return;
    if (part == 0)
      return n.refuse(209, "a part is empty");
    shape[axis] = part;
    results.push_back(sliceBox(n, x, begins, shape));
    begins[axis] += part;
  }
  if (n.ok() && results.size() == 1)
    return n.forward(0);
  if (n.ok())
    n.setResults(ArrayRef<Value>(results));
}

/// `x` with each axis of `target` that it is shorter along repeated: index `i`
/// is the input's `i` modulo its size.
static void setRepeated(NodeContext &n, Value x, ArrayRef<int64_t> target) {
  if (n.ok() && !countElements(target))
    n.refuse(209, "the shape " + formatShape(target) +
                      " is negative or exceeds 2^31 - 1 elements");
  if (!n.ok())
    return;
  if (ArrayRef<int64_t>(n.shapeOf(0)) == target)
    return n.forward(0);
  Shape padded(target.size() - n.shapeOf(x).size(), 1);
  padded.append(n.shapeOf(x));
  x = n.reshape(x, padded);
  // The innermost axis first: later ones copy whole rows.
  for (size_t i = target.size(); n.ok() && i-- > 0;) {
    if (target[i] == padded[i])
      continue;
    if (!checkIndexCount(n, target[i]))
      return;
    Shape indices;
    for (int64_t k = 0; k < target[i]; ++k)
      indices.push_back(k % padded[i]);
    if (indices.empty())
      return n.refuse(209, "the result is empty");
    x = takeIndices(n, x, i, indices);
  }
  n.setResult(x);
}

void importExpand(NodeContext &n) {
  n.expectInputs(2, 2);
  Shape target = n.intsConstant(1, "the shape");
  Shape shape = n.shapeOf(0);
  if (n.ok() && !countElements(target))
    n.refuse(209, "the shape " + formatShape(target) +
                      " is negative or exceeds 2^31 - 1 elements");
  if (n.ok() && n.isConstant(0))
    return n.setResult(foldExpand(*n.constant(0, "the input"), target));
  Value x = n.activation(0);
  if (n.ok() && target.size() > kMaxRank)
    n.refuse(209, "rank " + std::to_string(target.size()) +
                      " exceeds the limit of " + std::to_string(kMaxRank));
  if (n.ok())
    setRepeated(n, x, n.check(broadcastShapes(shape, target)));
}

void importTile(NodeContext &n) {
  n.expectInputs(2, 2);
  Shape repeats = n.intsConstant(1, "the repeats");
  Shape shape = n.shapeOf(0);
  if (n.ok() && repeats.size() != shape.size())
    n.invalid("expects " + std::to_string(shape.size()) + " repeats, but got " +
              std::to_string(repeats.size()));
  for (size_t i = 0; n.ok() && i != repeats.size(); ++i) {
    if (repeats[i] < 0 || repeats[i] > kMaxElements)
      n.invalid("a repeat is " + std::to_string(repeats[i]));
    shape[i] *= repeats[i];
  }
  if (n.ok() && !countElements(shape))
    n.refuse(209, "the result of shape " + formatShape(shape) +
                      " exceeds 2^31 - 1 elements");
  if (!n.ok())
    return;
  if (!n.isConstant(0))
    return setRepeated(n, n.activation(0), shape);
  if (*countElements(shape) > (int64_t(1) << 24))
    return n.refuse(209, "a constant of shape " + formatShape(shape) +
                             " is too large");
  ConstantRef result = n.constant(0, "the input");
  for (size_t i = 0; n.ok() && i != repeats.size(); ++i)
    if (repeats[i] != 1)
      result =
          n.derive(foldConcat(SmallVector<ConstantRef>(repeats[i], result), i),
                   result->name);
  if (n.ok())
    n.setResult(*result);
}

/// Checks rank and block size of DepthToSpace and SpaceToDepth. `divisors`
/// divide channels, rows and columns.
static bool readBlocks(NodeContext &n, const Shape &shape, int64_t &block,
                       bool toSpace) {
  n.expectInputs(1, 1);
  if (!n.hasAttribute("blocksize"))
    n.invalid("attribute 'blocksize' is missing");
  block = n.intAttribute("blocksize", 1);
  if (n.ok() && shape.size() != 4)
    n.invalid("expects an input of rank 4, but got " + formatShape(shape));
  if (n.ok() && (block < 1 || block > (1 << 15)))
    n.invalid("blocksize " + std::to_string(block) + " is out of range");
  if (!n.ok())
    return false;
  bool fits = toSpace ? shape[1] % (block * block) == 0
                      : shape[2] % block == 0 && shape[3] % block == 0;
  if (!fits)
    n.invalid("blocksize " + std::to_string(block) + " does not divide " +
              formatShape(shape));
  return n.ok();
}

/// The input seen as `split`, permuted, seen as `result`.
static void setRearranged(NodeContext &n, ArrayRef<int64_t> split,
                          ArrayRef<int64_t> permutation,
                          ArrayRef<int64_t> result) {
  Shape permuted;
  for (int64_t axis : permutation)
    permuted.push_back(split[axis]);
  Value x = n.reshape(n.activation(0), split);
  x = n.create<TransposeOp>(permuted, x, permutation);
  n.setResult(n.reshape(x, result));
}

void importDepthToSpace(NodeContext &n) {
  std::string mode = n.opset() < 11 ? "DCR" : n.stringAttribute("mode", "DCR");
  Shape s = n.shapeOf(0);
  int64_t b = 1;
  if (n.ok() && mode != "DCR" && mode != "CRD")
    n.invalid("mode expects DCR or CRD, but got " + quoted(mode));
  if (!n.ok() || !readBlocks(n, s, b, /*toSpace=*/true))
    return;
  int64_t channels = s[1] / (b * b);
  Shape result = {s[0], channels, s[2] * b, s[3] * b};
  if (mode == "DCR")
    return setRearranged(n, {s[0], b, b, channels, s[2], s[3]},
                         {0, 3, 4, 1, 5, 2}, result);
  setRearranged(n, {s[0], channels, b, b, s[2], s[3]}, {0, 1, 4, 2, 5, 3},
                result);
}

void importSpaceToDepth(NodeContext &n) {
  Shape s = n.shapeOf(0);
  int64_t b = 1;
  if (!n.ok() || !readBlocks(n, s, b, /*toSpace=*/false))
    return;
  setRearranged(n, {s[0], s[1], s[2] / b, b, s[3] / b, b}, {0, 3, 5, 1, 2, 4},
                {s[0], s[1] * b * b, s[2] / b, s[3] / b});
}

} // namespace mlir::qopt::importer
