// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognizes maps of channels.

#include "ChannelMap.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// A channel's values of a constant that is broadcast along every axis of
/// `shape` but `axis`; nothing for another constant.
std::optional<SmallVector<double>>
getChannelValues(Value value, ArrayRef<int64_t> shape, int64_t axis) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t offset = static_cast<int64_t>(shape.size()) - type.getRank();
  for (auto [index, size] : llvm::enumerate(type.getShape()))
    if (size != 1 && static_cast<int64_t>(index) + offset != axis)
      return std::nullopt;
  std::optional<SmallVector<float>> values = getConstantF32(value);
  if (!values || values->empty())
    return std::nullopt;
  SmallVector<double> result;
  for (int64_t channel = 0; channel < shape[axis]; ++channel)
    result.push_back((*values)[channel % values->size()]);
  return result;
}

std::optional<ChannelMap> matchBatchNorm(BatchNormOp op, int64_t axis) {
  auto scale = getConstantF32(op.getScale());
  auto shift = getConstantF32(op.getShift());
  if (axis != 1 || !scale || !shift)
    return std::nullopt;
  return ChannelMap{op.getInput(), llvm::to_vector_of<double>(*scale),
                    llvm::to_vector_of<double>(*shift)};
}

/// Products and sums with a constant on either side.
template <typename OpT>
std::optional<ChannelMap> matchBinary(OpT op, int64_t axis) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  if (op.getActivation())
    return std::nullopt;
  for (auto [input, constant] : {std::pair(op.getLhs(), op.getRhs()),
                                 std::pair(op.getRhs(), op.getLhs())}) {
    if (cast<RankedTensorType>(input.getType()).getShape() != shape)
      continue;
    auto values = getChannelValues(constant, shape, axis);
    if (!values)
      continue;
    ChannelMap map{input, SmallVector<double>(shape[axis], 1.0),
                   SmallVector<double>(shape[axis], 0.0)};
    (isa<MulOp>(op) ? map.scale : map.shift) = *values;
    return map;
  }
  return std::nullopt;
}

/// A leading affine function.
std::optional<ChannelMap> matchUnary(UnaryOp op, int64_t axis) {
  auto function = cast<FnAttr>(op.getFunctions()[0]);
  if (function.getFunction() != Function::Affine)
    return std::nullopt;
  int64_t channels =
      cast<RankedTensorType>(op.getInput().getType()).getDimSize(axis);
  return ChannelMap{op.getInput(),
                    SmallVector<double>(channels, function.getParams()[0]),
                    SmallVector<double>(channels, function.getParams()[1])};
}

} // namespace

std::optional<ChannelMap> mlir::qopt::matchChannelMap(Operation *op,
                                                      int64_t axis) {
  return TypeSwitch<Operation *, std::optional<ChannelMap>>(op)
      .Case([&](BatchNormOp op) { return matchBatchNorm(op, axis); })
      .Case([&](MulOp op) { return matchBinary(op, axis); })
      .Case([&](AddOp op) { return matchBinary(op, axis); })
      .Case([&](UnaryOp op) { return matchUnary(op, axis); })
      .Default(std::nullopt);
}
