// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds values whose channels can be scaled, and scales them.

#include "qopt/Transforms/ChannelGroups.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

/// Where `f(s x) = s f(x)` for `s > 0`.
static bool isHomogeneous(FnAttr activation) {
  return !activation || activation.getFunction() == Function::Relu;
}

static int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

/// Whether `op` keeps channels apart and `op(s x) = s op(x)` for each: sums of
/// equal shapes, pools, means of images, flattened images.
static bool passesChannels(Operation *op) {
  if (auto add = dyn_cast_or_null<AddOp>(op))
    return isHomogeneous(add.getActivationAttr()) &&
           add.getLhs().getType() == add.getRhs().getType();
  if (auto mean = dyn_cast_or_null<ReduceMeanOp>(op))
    return rankOf(mean.getInput()) == 4 &&
           llvm::all_of(mean.getAxes(), [](int64_t axis) { return axis >= 2; });
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(op)) {
    auto from = cast<RankedTensorType>(reshape.getInput().getType()).getShape();
    auto to = cast<RankedTensorType>(reshape.getType()).getShape();
    return from.size() == 4 && to.size() == 2 && from[0] == to[0];
  }
  return isa_and_nonnull<MaxPoolOp, AvgPoolOp>(op);
}

/// The layer of a conv or gemm; nothing where its weights are no float
/// constants.
template <typename OpT> std::optional<size_t> ChannelGroups::makeLayer(OpT op) {
  auto [known, isNew] = indices.try_emplace(op, layers.size());
  if (!isNew)
    return known->second;
  auto weight = getConstantF32(op.getWeight());
  auto bias = op.getBias() ? getConstantF32(op.getBias())
                           : std::optional(SmallVector<float>());
  if (!weight || !bias) {
    indices.erase(op);
    return std::nullopt;
  }
  ScaledLayer layer{op, std::move(*weight), std::move(*bias)};
  auto shape = cast<RankedTensorType>(op.getWeight().getType()).getShape();
  layer.outputs = shape[0];
  layer.inputs = shape[1];
  for (int64_t size : shape.drop_front(2))
    layer.taps *= size;
  if constexpr (std::is_same_v<OpT, ConvOp>)
    layer.groups = op.getGroups();
  else
    layer.axis = rankOf(op.getResult()) - 1;
  layers.push_back(std::move(layer));
  return known->second;
}
/// A normalization with one gamma a channel.
std::optional<size_t> ChannelGroups::makeNorm(LayerNormOp op) {
  DenseElementsAttr gamma = op.getGammaAttr(), beta = op.getBetaAttr();
  if (!gamma || (beta && beta.getType() != gamma.getType()))
    return std::nullopt;
  ArrayRef<int64_t> shape = gamma.getType().getShape();
  auto isWide = [](int64_t size) { return size != 1; };
  if (llvm::count_if(shape, isWide) != 1)
    return std::nullopt;
  auto [known, isNew] = indices.try_emplace(op, layers.size());
  if (!isNew)
    return known->second;
  ScaledLayer layer{op, llvm::to_vector(gamma.getValues<float>()), {}};
  if (beta)
    layer.bias = llvm::to_vector(beta.getValues<float>());
  layer.outputs = gamma.getNumElements();
  layer.inputs = 1;
  layer.axis = llvm::find_if(shape, isWide) - shape.begin();
  layers.push_back(std::move(layer));
  return known->second;
}

std::optional<size_t> ChannelGroups::findLayer(Operation *op) {
  if (auto conv = dyn_cast_or_null<ConvOp>(op))
    return makeLayer(conv);
  if (auto gemm = dyn_cast_or_null<GemmOp>(op))
    return makeLayer(gemm);
  if (auto norm = dyn_cast_or_null<LayerNormOp>(op))
    return makeNorm(norm);
  return std::nullopt;
}

/// Enters `value` into `group`; false where something else makes or reads it.
bool ChannelGroups::addValue(Value value, ChannelGroup &group) {
  Operation *op = value.getDefiningOp();
  group.ops.push_back(op);
  bool agrees = true;
  if (!passesChannels(op)) {
    std::optional<size_t> layer = findLayer(op);
    auto fuses = dyn_cast_or_null<FusesActivationInterface>(op);
    if (!layer || !isHomogeneous(fuses.getFusedActivation()))
      return false;
    agrees = group.setAxis(layers[*layer].axis);
    group.producers.push_back(*layer);
  } else if (!isa<AddOp>(op)) {
    agrees = group.setAxis(1);
  }
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (passesChannels(user))
      continue;
    std::optional<size_t> layer =
        use.getOperandNumber() == 0 && isa<ConvOp, GemmOp>(user)
            ? findLayer(user)
            : std::nullopt;
    if (!layer)
      return false;
    agrees &= group.setAxis(isa<ConvOp>(user) ? 1 : rankOf(value) - 1);
    group.consumers.push_back(*layer);
  }
  return agrees;
}

/// Whether all layers of `group` agree on the number of channels.
bool ChannelGroups::matchChannels(ChannelGroup &group) {
  if (group.producers.empty() || group.consumers.empty())
    return false;
  int64_t channels = layers[group.producers.front()].outputs;
  for (size_t producer : group.producers)
    if (layers[producer].outputs != channels)
      return false;
  for (size_t consumer : group.consumers) {
    ScaledLayer &layer = layers[consumer];
    if (isa<GemmOp>(layer.op) && layer.inputs * layer.taps % channels == 0)
      layer.setInputs(channels);
    if (layer.inputs * layer.groups != channels)
      return false;
  }
  return true;
}

ChannelGroups::ChannelGroups(func::FuncOp function) {
  llvm::EquivalenceClasses<Value> classes;
  // What no layer makes, the other operand of a sum for one, is of a class
  // too.
  llvm::SetVector<Value> values;
  function.walk([&](Operation *op) {
    if (!isa<ConvOp, GemmOp, LayerNormOp>(op) && !passesChannels(op))
      return;
    Value result = op->getResult(0);
    values.insert(result);
    classes.insert(result);
    if (!passesChannels(op))
      return;
    for (Value operand : op->getOperands()) {
      values.insert(operand);
      classes.unionSets(result, operand);
    }
  });
  llvm::MapVector<Value, std::pair<ChannelGroup, bool>> found;
  for (Value value : values) {
    auto &[group, isWhole] =
        found.try_emplace(classes.getLeaderValue(value), ChannelGroup(), true)
            .first->second;
    isWhole &= addValue(value, group);
  }
  for (auto &[leader, entry] : found)
    if (entry.second && matchChannels(entry.first))
      groups.push_back(std::move(entry.first));
}

bool ChannelGroups::hasNorm(const ChannelGroup &group) {
  return llvm::any_of(group.producers,
                      [&](size_t index) { return layers[index].isNorm(); });
}

void ChannelGroups::scale(const ChannelGroup &group, int64_t channel,
                          double factor) {
  for (size_t producer : group.producers) {
    auto divide = [&](float &value) { value = static_cast<float>(value / factor); };
    layers[producer].forOutput(channel, divide);
    if (!layers[producer].bias.empty())
      divide(layers[producer].bias[channel]);
  }
  for (size_t consumer : group.consumers)
    layers[consumer].forInput(channel, [&](float &value) { value = static_cast<float>(value * factor); });
  touched.insert(group.producers.begin(), group.producers.end());
  touched.insert(group.consumers.begin(), group.consumers.end());
}

void ChannelGroups::storeLayer(ScaledLayer &layer) {
  if (auto norm = dyn_cast<LayerNormOp>(layer.op)) {
    ShapedType type = norm.getGammaAttr().getType();
    norm.setGammaAttr(DenseFPElementsAttr::get(type, layer.weight));
    if (!layer.bias.empty())
      norm.setBetaAttr(DenseFPElementsAttr::get(type, layer.bias));
    return;
  }
  OpBuilder builder(layer.op);
  auto set = [&](unsigned operand, ArrayRef<float> values) {
    Value old = layer.op->getOperand(operand);
    layer.op->setOperand(
        operand,
        createConstantF32(builder, old.getLoc(),
                          cast<RankedTensorType>(old.getType()), values));
    if (old.use_empty())
      old.getDefiningOp()->erase();
  };
  set(1, layer.weight);
  if (!layer.bias.empty())
    set(2, layer.bias);
}

void ChannelGroups::store() {
  for (size_t index : touched)
    storeLayer(layers[index]);
  touched.clear();
}
