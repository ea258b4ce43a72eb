// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizations of rows, whatever operator they come from; ArgMax, ArgMin.
#include "Registry.h"

#include <cmath>
#include <numeric>

namespace mlir::qopt::importer {

/// What a normalization computes beside its input and factors.
struct NormForm {
  Shape axes;
  double epsilon = 0;
  bool isCentered = true;
  int64_t power = 2;
};

/// A factor's values under `shape`, which has the input's rank and as many
/// elements; null for a missing or refused one.
static DenseElementsAttr factorAttr(NodeContext &n, const ConstantRef &factor,
                                    const Shape &shape) {
  if (!n.ok() || !factor)
    return nullptr;
  Builder builder(n.getContext());
  return DenseElementsAttr::get(
      RankedTensorType::get(shape, builder.getF32Type()),
      ArrayRef<float>(factor->floats));
}

static DenseElementsAttr splatAttr(NodeContext &n, size_t rank, double value) {
  return DenseElementsAttr::get(
      RankedTensorType::get(SmallVector<int64_t>(rank, 1),
                            Builder(n.getContext()).getF32Type()),
      static_cast<float>(value));
}

static Value createNorm(NodeContext &n, Value x, const NormForm &form,
                        DenseElementsAttr gamma, DenseElementsAttr beta) {
  if (!n.ok())
    return Value();
  Builder builder(n.getContext());
  return n.create<LayerNormOp>(
      n.shapeOf(x), x, builder.getDenseI64ArrayAttr(form.axes),
      builder.getF64FloatAttr(form.epsilon),
      builder.getBoolAttr(form.isCentered),
      builder.getI64IntegerAttr(form.power), gamma, beta, FnAttr());
}

/// The attribute, checked to be finite and not negative.
static double readEpsilon(NodeContext &n) {
  double epsilon = n.floatAttribute("epsilon", 1e-5f);
  if (!std::isfinite(epsilon) || epsilon < 0)
    n.invalid("epsilon expects a value of at least 0");
  return epsilon;
}

static Shape axesFrom(int64_t first, size_t rank) {
  Shape axes(rank - first);
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

/// A factor of trailing axes, which may broadcast, in the input's rank.
static DenseElementsAttr trailingFactor(NodeContext &n, size_t i,
                                        StringRef what, const Shape &input) {
  if (!n.ok() || !n.hasInput(i))
    return nullptr;
  ConstantRef factor = n.floatConstant(i, what);
  if (!n.ok())
    return nullptr;
  Shape shape = factor->shape;
  Shape sum = n.check(broadcastShapes(input, shape));
  if (n.ok() && sum != input)
    n.invalid(what.str() + " of shape " + formatShape(factor->shape) +
              " does not broadcast to " + formatShape(input));
  shape.insert(shape.begin(),
               input.size() - std::min(input.size(), shape.size()), 1);
  return factorAttr(n, factor, shape);
}

/// The means of rows and the inverses of their deviations, which a
/// LayerNormalization in training gives.
static SmallVector<Value> rowStatistics(NodeContext &n, Value x,
                                        const NormForm &form) {
  Shape shape = n.shapeOf(x), kept = shape;
  double length = 1;
  for (int64_t axis : form.axes) {
    length *= static_cast<double>(shape[axis]);
    kept[axis] = 1;
  }
  Value mean = n.create<ReduceMeanOp>(kept, x, form.axes, true);
  Value difference = n.create<SubOp>(shape, x, mean, FnAttr());
  Value squares =
      n.create<ReduceSumSquareOp>(kept, difference, form.axes, true);
  if (!n.ok())
    return {};
  return {mean,
          n.chain(squares, {{Function::Affine, {1 / length, form.epsilon}},
                            {Function::Pow, {-0.5}}})};
}

/// LayerNormalization and RMSNormalization.
void importLayerNormalization(NodeContext &n) {
  bool isCentered = n.opType() == "LayerNormalization";
  n.expectInputs(2, isCentered ? 3 : 2);
  n.ignoreAttributes({"stash_type"});
  NormForm form;
  form.epsilon = readEpsilon(n);
  form.isCentered = isCentered;
  int64_t axis = n.intAttribute("axis", -1);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  axis = n.check(normalizeAxis(axis, shape.size()));
  if (!n.ok())
    return;
  form.axes = axesFrom(axis, shape.size());
  DenseElementsAttr gamma = trailingFactor(n, 1, "the scale", shape);
  DenseElementsAttr beta = trailingFactor(n, 2, "the bias", shape);
  SmallVector<Value> results = {createNorm(n, x, form, gamma, beta)};
  if (n.ok() && (n.isRead(1) || n.isRead(2)))
    results.append(rowStatistics(n, x, form));
  n.setResults(results);
}

/// A factor of `size` values under `shape`.
static DenseElementsAttr channelFactor(NodeContext &n, size_t i, StringRef what,
                                       int64_t size, const Shape &shape) {
  ConstantRef factor = n.floatConstant(i, what);
  if (n.ok() && ArrayRef<int64_t>(factor->shape) != ArrayRef<int64_t>(size))
    n.invalid(what.str() + " expects shape " + std::to_string(size) +
              ", but got " + formatShape(factor->shape));
  return factorAttr(n, factor, shape);
}

void importInstanceNormalization(NodeContext &n) {
  n.expectInputs(3, 3);
  NormForm form;
  form.epsilon = readEpsilon(n);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  if (shape.size() < 3)
    return n.unsupported("the input has rank " + std::to_string(shape.size()));
  form.axes = axesFrom(2, shape.size());
  Shape channels(shape.size(), 1);
  channels[1] = shape[1];
  DenseElementsAttr gamma =
      channelFactor(n, 1, "the scale", shape[1], channels);
  DenseElementsAttr beta = channelFactor(n, 2, "the bias", shape[1], channels);
  n.setResult(createNorm(n, x, form, gamma, beta));
}

void importGroupNormalization(NodeContext &n) {
  n.expectInputs(3, 3);
  n.ignoreAttributes({"stash_type"});
  NormForm form;
  form.epsilon = readEpsilon(n);
  form.axes = {2, 3};
  int64_t groups = n.intAttribute("num_groups", 0);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  if (shape.size() < 3)
    return n.unsupported("the input has rank " + std::to_string(shape.size()));
  if (groups < 1 || shape[1] % groups != 0)
    return n.invalid("num_groups expects a divisor of " +
                     std::to_string(shape[1]) + ", but got " +
                     std::to_string(groups));
  Shape grouped = {shape[0], groups, shape[1] / groups,
                   *countElements(ArrayRef(shape).drop_front(2))};
  // Opset 18 had one factor a group.
  int64_t inGroup = n.opset() < 21 ? 1 : grouped[2];
  Shape factors = {1, groups, inGroup, 1};
  int64_t size = groups * inGroup;
  DenseElementsAttr gamma = channelFactor(n, 1, "the scale", size, factors);
  DenseElementsAttr beta = channelFactor(n, 2, "the bias", size, factors);
  Value y = createNorm(n, n.reshape(x, grouped), form, gamma, beta);
  n.setResult(n.ok() ? n.reshape(y, shape) : Value());
}

/// ONNX adds 1e-9 to the deviation, which matters to rows of zeros alone.
void importMeanVarianceNormalization(NodeContext &n) {
  n.expectInputs(1, 1);
  Shape axes = n.intsAttribute("axes").value_or(Shape{0, 2, 3});
  Value x = n.activation(0);
  if (!n.ok())
    return;
  NormForm form;
  form.axes = n.check(normalizeAxes(axes, n.shapeOf(x).size()));
  if (n.ok() && form.axes.empty())
    n.unsupported("there are no axes");
  n.setResult(createNorm(n, x, form, nullptr, nullptr));
}

void importLpNormalization(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t axis = n.intAttribute("axis", -1), p = n.intAttribute("p", 2);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  if (p != 1 && p != 2)
    return n.invalid("p expects 1 or 2, but got " + std::to_string(p));
  Shape shape = n.shapeOf(x);
  axis = n.check(normalizeAxis(axis, shape.size()));
  if (!n.ok())
    return;
  // A sum instead of a mean divides.
  double size = shape[axis];
  double gamma = size == 0 ? 1 : p == 1 ? 1 / size : 1 / std::sqrt(size);
  n.setResult(createNorm(n, x, {{axis}, 0, false, p},
                         splatAttr(n, shape.size(), gamma), nullptr));
}

void importArgExtreme(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t axis = n.intAttribute("axis", 0);
  bool keepDims = n.intAttribute("keepdims", 1) != 0;
  bool selectLast =
      n.opset() >= 12 && n.intAttribute("select_last_index", 0) != 0;
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  axis = n.check(normalizeAxis(axis, shape.size()));
  if (!n.ok())
    return;
  if (shape[axis] == 0)
    return n.invalid("expects at least one element along the axis");
  int64_t length = shape[axis];
  if (keepDims)
    shape[axis] = 1;
  else
    shape.erase(shape.begin() + axis);
  Value positions =
      n.opType() == "ArgMax"
          ? n.create<ArgMaxOp>(shape, x, axis, keepDims, selectLast)
          : n.create<ArgMinOp>(shape, x, axis, keepDims, selectLast);
  n.setWholeResult(positions, length);
}

//===----------------------------------------------------------------------===//
// LRN
//===----------------------------------------------------------------------===//

/// `bias + alpha / size (sum over neighbouring channels)` of squares, by a 1x1
/// convolution.
static Value addNeighbours(NodeContext &n, Value squares, const Shape &image,
                           int64_t size, double alpha, double bias) {
  int64_t channels = image[1];
  Constant weight, shift;
  weight.shape = {channels, channels, 1, 1};
  shift.shape = {channels};
  weight.floats.resize(channels * channels);
  shift.floats.assign(channels, static_cast<float>(bias));
  for (int64_t c = 0; c < channels; ++c) {
    int64_t first = std::max<int64_t>(0, c - (size - 1) / 2);
    int64_t last = std::min(channels - 1, c + size / 2);
    for (int64_t i = first; i <= last; ++i)
      weight.floats[c * channels + i] = static_cast<float>(alpha / size);
  }
  ConstantRef weights = n.derive(std::move(weight), "@lrn.weight");
  ConstantRef shifts = n.derive(std::move(shift), "@lrn.bias");
  if (!n.ok())
    return Value();
  return n.create<ConvOp>(image, squares, n.emitConstant(weights),
                          n.emitConstant(shifts), ArrayRef<int64_t>{1, 1},
                          ArrayRef<int64_t>{0, 0, 0, 0},
                          ArrayRef<int64_t>{1, 1}, int64_t(1), FnAttr());
}

void importLRN(NodeContext &n) {
  n.expectInputs(1, 1);
  double alpha = n.floatAttribute("alpha", 1e-4f),
         beta = n.floatAttribute("beta", 0.75f),
         bias = n.floatAttribute("bias", 1);
  int64_t size = n.intAttribute("size", 0);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  if (shape.size() < 3)
    return n.unsupported("the input has rank " + std::to_string(shape.size()));
  if (size < 1 || !std::isfinite(alpha) || !std::isfinite(beta) ||
      !std::isfinite(bias))
    return n.invalid("expects a size of at least 1 and finite parameters");
  Shape image = {shape[0], shape[1], shape[2],
                 *countElements(ArrayRef(shape).drop_front(3))};
  Value y = n.reshape(x, image);
  Value squares = n.create<MulOp>(image, y, y, FnAttr());
  // An even size reaches one channel further behind than ahead.
  Value sums = addNeighbours(n, squares, image, size, alpha, bias);
  if (!n.ok())
    return;
  Value factor = n.unary(sums, Function::Pow, {-beta});
  n.setResult(n.reshape(n.create<MulOp>(image, y, factor, FnAttr()), shape));
}

} // namespace mlir::qopt::importer
