// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BatchNormalization, Softmax and reductions over axes.
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

void importSoftmax(NodeContext &n) {
  n.expectInputs(1, 1);
  int64_t axis = n.intAttribute("axis", n.opset() < 13 ? 1 : -1);
  Value x = n.activation(0);
  if (!n.ok())
    return;
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
    return n.setResult(n.create<SoftmaxOp>(shape, x, axis));
  // The axis and all behind it are normalized together.
  Shape flat = {*countElements(ArrayRef(shape).take_front(axis)), inner};
  Value y = n.create<SoftmaxOp>(flat, n.reshape(x, flat), 1);
  n.setResult(n.reshape(y, shape));
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
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x), result;
  if (axes.empty() && noop)
    return n.forward(0);
  if (axes.empty())
    for (size_t i = 0; i != shape.size(); ++i)
      axes.push_back(i);
  axes = n.check(normalizeAxes(axes, shape.size()));
  if (!n.ok() || axes.empty())
    return n.forward(0);
  for (size_t i = 0; i != shape.size(); ++i) {
    if (!llvm::is_contained(axes, int64_t(i)))
      result.push_back(shape[i]);
    else if (keepDims)
      result.push_back(1);
  }
  StringRef op = n.opType();
  n.setResult(
      op == "ReduceMean"  ? n.create<ReduceMeanOp>(result, x, axes, keepDims)
      : op == "ReduceSum" ? n.create<ReduceSumOp>(result, x, axes, keepDims)
      : op == "ReduceMax" ? n.create<ReduceMaxOp>(result, x, axes, keepDims)
                          : n.create<ReduceMinOp>(result, x, axes, keepDims));
}

} // namespace mlir::qopt::importer
