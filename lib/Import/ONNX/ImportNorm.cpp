// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BatchNormalization, Softmax, LogSoftmax and reductions over axes.
#include "Registry.h"

#include <cmath>

namespace mlir::qopt::importer {

/// Checks for one finite value a channel.
static ConstantRef channelParameter(NodeContext &n, size_t i, StringRef what,
                                    int64_t channels) {
  ConstantRef result = n.floatConstant(i, what);
  if (n.ok() && ArrayRef<int64_t>(result->shape) != ArrayRef<int64_t>(channels))
    n.invalid(what.str() + " expects shape " + std::to_string(channels) +
              ", but got " + formatShape(result->shape));
  return result;
}

void importBatchNormalization(NodeContext &n) {
  n.expectInputs(5, 5);
  n.ignoreAttributes({"momentum"});
  double epsilon = n.floatAttribute("epsilon", 1e-5f);
  if (n.opset() < 9 && n.intAttribute("spatial", 1) != 1)
    n.unsupported("attribute 'spatial' is 0");
  if (n.opset() >= 14 && n.intAttribute("training_mode", 0) != 0)
    n.unsupported("attribute 'training_mode' is not 0");
  for (size_t i = 1; i != 5; ++i)
    n.floatConstant(i, "parameter");
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  if (shape.size() < 2)
    return n.unsupported("the input has rank " + std::to_string(shape.size()));
  int64_t channels = shape[1];
  ConstantRef gamma = channelParameter(n, 1, "scale", channels);
  ConstantRef beta = channelParameter(n, 2, "B", channels);
  ConstantRef mean = channelParameter(n, 3, "mean", channels);
  ConstantRef variance = channelParameter(n, 4, "variance", channels);
  if (!n.ok())
    return;
  Constant scale, shift;
  scale.shape = shift.shape = {channels};
  for (int64_t c = 0; c != channels; ++c) {
    double square = double(variance->floats[c]) + epsilon;
    if (!(square > 0))
      return n.invalid("variance plus epsilon of channel " + std::to_string(c) +
                       " is not positive");
    double factor = gamma->floats[c] / std::sqrt(square);
    scale.floats.push_back(float(factor));
    shift.floats.push_back(float(beta->floats[c] - mean->floats[c] * factor));
  }
  ConstantRef scaleRef = n.derive(std::move(scale), gamma->name + "@scale");
  ConstantRef shiftRef = n.derive(std::move(shift), beta->name + "@shift");
  Value scaleValue = n.emitConstant(scaleRef);
  Value shiftValue = n.emitConstant(shiftRef);
  n.setResult(n.create<BatchNormOp>(shape, x, scaleValue, shiftValue));
}

/// Softmax and LogSoftmax.
void importSoftmax(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t axis = n.intAttribute("axis", n.opset() < 13 ? 1 : -1);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  auto create = [&](const Shape &shape, Value x, int64_t axis) -> Value {
    if (n.opType() == "Softmax")
      return n.create<SoftmaxOp>(shape, x, axis);
    return n.create<LogSoftmaxOp>(shape, x, axis);
  };
  Shape shape = n.shapeOf(x);
  // Before opset 13 the axis may be the rank (one element in each row).
  bool atEnd = n.opset() < 13 && axis == int64_t(shape.size());
  if (!atEnd)
    axis = n.check(normalizeAxis(axis, shape.size()));
  if (!n.ok())
    return;
  int64_t inner = *countElements(ArrayRef(shape).drop_front(axis));
  bool oneAxis = !atEnd && shape[axis] == inner;
  if (n.opset() >= 13 || oneAxis)
    return n.setResult(create(shape, x, axis));
  // The axis and all behind it are normalized together.
  Shape flat = {*countElements(ArrayRef(shape).take_front(axis)), inner};
  n.setResult(n.reshape(create(flat, n.reshape(x, flat), 1), shape));
}

/// `max x - max log_softmax x` over the axes: the largest term and the
/// logarithm of the others' sum beside it.
static Value logSumExp(NodeContext &n, Value x, const Shape &axes,
                       const Shape &result, bool keepDims) {
  Shape shape = n.shapeOf(x), permutation;
  int64_t terms = 1;
  for (size_t i = 0; i != shape.size(); ++i)
    if (!llvm::is_contained(axes, int64_t(i)))
      permutation.push_back(i);
  for (int64_t axis : axes) {
    permutation.push_back(axis);
    terms *= shape[axis];
  }
  Shape moved;
  for (int64_t axis : permutation)
    moved.push_back(shape[axis]);
  Shape rows = {terms == 0 ? 0 : *countElements(shape) / terms, terms};
  Value flat = x;
  if (!llvm::is_sorted(permutation))
    flat = n.create<TransposeOp>(moved, x, permutation);
  flat = n.reshape(flat, rows);
  Value logs = n.create<LogSoftmaxOp>(rows, flat, 1);
  Shape column = {rows[0], 1}, axis = {1};
  Value largest = n.create<ReduceMaxOp>(column, flat, axis, true);
  Value rest = n.create<ReduceMaxOp>(column, logs, axis, true);
  return n.reshape(n.create<SubOp>(column, largest, rest, FnAttr()), result);
}

static Value createReduction(NodeContext &n, StringRef op, Value x,
                             const Shape &axes, const Shape &result,
                             bool keepDims) {
  if (op == "ReduceMean")
    return n.create<ReduceMeanOp>(result, x, axes, keepDims);
  if (op == "ReduceSum")
    return n.create<ReduceSumOp>(result, x, axes, keepDims);
  if (op == "ReduceMax")
    return n.create<ReduceMaxOp>(result, x, axes, keepDims);
  if (op == "ReduceMin")
    return n.create<ReduceMinOp>(result, x, axes, keepDims);
  if (op == "ReduceL1")
    return n.create<ReduceL1Op>(result, x, axes, keepDims);
  if (op == "ReduceL2")
    return n.create<ReduceL2Op>(result, x, axes, keepDims);
  if (op == "ReduceSumSquare")
    return n.create<ReduceSumSquareOp>(result, x, axes, keepDims);
  if (op == "ReduceLogSumExp")
    return logSumExp(n, x, axes, result, keepDims);
  Value sum = n.create<ReduceSumOp>(result, x, axes, keepDims);
  return n.unary(sum, Function::Log, {});
}

/// All elements of each channel.
void importGlobalLpPool(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t p = n.intAttribute("p", 2);
  Value x = n.activation(0);
  if (!n.ok())
    return;
  if (p != 1 && p != 2)
    return n.unsupported("p is " + std::to_string(p));
  Shape shape = n.shapeOf(x), axes;
  if (shape.size() < 3)
    return n.unsupported("the input has rank " + std::to_string(shape.size()));
  for (size_t i = 2; i != shape.size(); ++i) {
    axes.push_back(i);
    shape[i] = 1;
  }
  n.setResult(createReduction(n, p == 1 ? "ReduceL1" : "ReduceL2", x, axes,
                              shape, /*keepDims=*/true));
}

/// A reduction over no axes, which still takes magnitudes, squares and
/// logarithms.
static void importNoReduction(NodeContext &n, Value x) {
  StringRef op = n.opType();
  if (op == "ReduceL1" || op == "ReduceL2")
    return n.setResult(n.unary(x, Function::Abs, {}));
  if (op == "ReduceLogSum")
    return n.setResult(n.unary(x, Function::Log, {}));
  if (op == "ReduceSumSquare")
    return n.setResult(n.create<MulOp>(n.shapeOf(x), x, x, FnAttr()));
  n.forward(0);
}

void importReduce(NodeContext &n) {
  bool axesAsInput = n.opset() >= (n.opType() == "ReduceSum" ? 13 : 18);
  n.expectInputs(1, axesAsInput ? 2 : 1);
  bool keepDims = n.intAttribute("keepdims", 1) != 0;
  bool noop = axesAsInput && n.intAttribute("noop_with_empty_axes", 0) != 0;
  Shape axes;
  if (!axesAsInput)
    axes = n.intsAttribute("axes").value_or(Shape());
  else if (n.hasInput(1))
    axes = n.intsConstant(1, "the axes");
  bool isFolded = n.isConstant(0) && isFoldedReduction(n.opType());
  if (n.ok() && !isFolded && n.opType() == "ReduceProd")
    return (void)n.constant(0, "the input");
  Value x = isFolded ? Value() : n.activation(0);
  Shape shape = n.shapeOf(0), result;
  if (!n.ok())
    return;
  if (axes.empty() && !noop)
    for (size_t i = 0; i != shape.size(); ++i)
      axes.push_back(i);
  axes = n.check(normalizeAxes(axes, shape.size()));
  if (!n.ok())
    return;
  if (axes.empty() && x)
    return importNoReduction(n, x);
  for (size_t i = 0; i != shape.size(); ++i) {
    if (!llvm::is_contained(axes, int64_t(i)))
      result.push_back(shape[i]);
    else if (keepDims)
      result.push_back(1);
  }
  if (isFolded)
    return n.setResult(
        foldReduce(n.opType(), *n.constant(0, "the input"), axes, result));
  n.setResult(createReduction(n, n.opType(), x, axes, result, keepDims));
}

} // namespace mlir::qopt::importer
