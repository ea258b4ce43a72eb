// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cross-layer equalization (Nagel et al., "Data-Free Quantization Through
// Weight Equalization and Bias Correction") and the same behind normalizations
// (Xiao et al., "SmoothQuant"), by powers of two: the float model computes the
// same bits.

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>
#include <set>

namespace mlir::qopt {
#define GEN_PASS_DEF_EQUALIZECHANNELS
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// Octaves that a channel may be off. Within that, weights say little about the
/// values that they make: on trained networks factors help and harm alike.
constexpr double tolerance = 1;
/// Chains settle in a few passes; a ring of groups may never do.
constexpr int maxSweeps = 20;

/// How many standard deviations a normalized channel is taken to reach.
constexpr double deviations = 3;

/// Weight and bias of a conv or gemm, or gamma and beta of a normalization,
/// while they are scaled.
struct Layer {
  Operation *op;
  SmallVector<float> weight, bias;
  int64_t outputs = 0, groups = 1;
  /// Input channels of a group, and weights that meet one of them.
  int64_t inputs = 0, taps = 1;
  /// Of the channels, in what the layer makes.
  int64_t axis = 1;

  bool isNorm() const { return isa<LayerNormOp>(op); }
  /// How large channel `channel` of the result is, by the layer's constants.
  double getSize(int64_t channel) {
    double size = 0;
    forOutput(channel, [&](float w) {
      size = std::max(size, std::fabs(static_cast<double>(w)));
    });
    if (!isNorm())
      return size;
    double shift = bias.empty() ? 0.0 : bias[channel];
    return deviations * size + std::fabs(shift);
  }

  /// Calls `visit` with the weights that meet input channel `channel`.
  template <typename Visit> void forInput(int64_t channel, Visit visit) {
    int64_t perGroup = outputs / groups, group = channel / inputs;
    for (int64_t o = group * perGroup; o < (group + 1) * perGroup; ++o)
      for (int64_t tap = 0; tap < taps; ++tap)
        visit(weight[(o * inputs + channel % inputs) * taps + tap]);
  }
  template <typename Visit> void forOutput(int64_t channel, Visit visit) {
    for (int64_t i = 0; i < inputs * taps; ++i)
      visit(weight[channel * inputs * taps + i]);
  }
  /// Divides the row of a gemm among the channels of an image.
  void setInputs(int64_t channels) {
    taps = inputs * taps / channels;
    inputs = channels;
  }
};

/// Values whose channels have one size, since sums bring them together or ops
/// that keep channels apart hand them on: the layers that make them, and those
/// that alone read them.
struct Group {
  SmallVector<size_t> producers, consumers;
  /// What makes the values.
  SmallVector<Operation *> ops;
  /// Of the channels in each of the values; -1: nobody has said.
  int64_t axis = -1;
  /// The factors so far: what makes a channel was divided by `2^exponent`.
  SmallVector<int32_t> exponents;

  /// False where another axis was said before.
  bool setAxis(int64_t of) {
    bool agrees = axis < 0 || axis == of;
    axis = of;
    return agrees;
  }
};

/// Where `f(s x) = s f(x)` for `s > 0`.
bool isHomogeneous(FnAttr activation) {
  return !activation || activation.getFunction() == Function::Relu;
}

int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

/// Whether `op` keeps channels apart and `op(s x) = s op(x)` for each: sums of
/// equal shapes, pools, means of images, flattened images.
bool passesChannels(Operation *op) {
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

struct EqualizeChannels final : impl::EqualizeChannelsBase<EqualizeChannels> {
  using impl::EqualizeChannelsBase<EqualizeChannels>::EqualizeChannelsBase;

  /// The layer of a conv or gemm; nothing where its weights are no float
  /// constants.
  template <typename OpT> std::optional<size_t> makeLayer(OpT op) {
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
    Layer layer{op, std::move(*weight), std::move(*bias)};
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
  std::optional<size_t> makeNorm(LayerNormOp op) {
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
    Layer layer{op, llvm::to_vector(gamma.getValues<float>()), {}};
    if (beta)
      layer.bias = llvm::to_vector(beta.getValues<float>());
    layer.outputs = gamma.getNumElements();
    layer.inputs = 1;
    layer.axis = llvm::find_if(shape, isWide) - shape.begin();
    layers.push_back(std::move(layer));
    return known->second;
  }
  std::optional<size_t> findLayer(Operation *op) {
    if (auto conv = dyn_cast_or_null<ConvOp>(op))
      return makeLayer(conv);
    if (auto gemm = dyn_cast_or_null<GemmOp>(op))
      return makeLayer(gemm);
    if (auto norm = dyn_cast_or_null<LayerNormOp>(op))
      return makeNorm(norm);
    return std::nullopt;
  }

  /// Enters `value` into `group`; false where something else makes or reads it.
  bool addValue(Value value, Group &group) {
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
  bool matchChannels(Group &group) {
    if (group.producers.empty() || group.consumers.empty())
      return false;
    int64_t channels = layers[group.producers.front()].outputs;
    for (size_t producer : group.producers)
      if (layers[producer].outputs != channels)
        return false;
    for (size_t consumer : group.consumers) {
      Layer &layer = layers[consumer];
      if (isa<GemmOp>(layer.op) && layer.inputs * layer.taps % channels == 0)
        layer.setInputs(channels);
      if (layer.inputs * layer.groups != channels)
        return false;
    }
    return true;
  }

  void collect() {
    llvm::EquivalenceClasses<Value> classes;
    // What no layer makes, the other operand of a sum for one, is of a class
    // too.
    llvm::SetVector<Value> values;
    getOperation().walk([&](Operation *op) {
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
    llvm::MapVector<Value, std::pair<Group, bool>> found;
    for (Value value : values) {
      auto &[group, isWhole] =
          found.try_emplace(classes.getLeaderValue(value), Group(), true)
              .first->second;
      isWhole &= addValue(value, group);
    }
    for (auto &[leader, entry] : found)
      if (entry.second && mayScale(entry.first) && matchChannels(entry.first))
        groups.push_back(std::move(entry.first));
  }

  bool hasNorm(const Group &group) {
    return llvm::any_of(group.producers,
                        [&](size_t index) { return layers[index].isNorm(); });
  }
  /// Whether the options leave `group` to this pass.
  bool mayScale(const Group &group) { return hasNorm(group) ? norms : weights; }

  /// For each channel the power of two that would bring it in line; 0 for those
  /// that are, and for channels without weights on a side.
  SmallVector<int> findExponents(const Group &group) {
    int64_t channels = layers[group.producers.front()].outputs;
    SmallVector<double> ratios, known;
    for (int64_t channel = 0; channel < channels; ++channel) {
      double out = 0, in = 0;
      for (size_t producer : group.producers)
        out = std::max(out, layers[producer].getSize(channel));
      for (size_t consumer : group.consumers)
        layers[consumer].forInput(channel, [&](float w) {
          in = std::max(in, std::fabs(static_cast<double>(w)));
        });
      bool isUsed = out > 0 && in > 0;
      ratios.push_back(isUsed ? 0.5 * std::log2(out / in) : NAN);
      if (isUsed)
        known.push_back(ratios.back());
    }
    SmallVector<int> exponents(channels, 0);
    if (known.empty())
      return exponents;
    llvm::sort(known);
    double middle = known[known.size() / 2];
    for (auto [exponent, ratio] : llvm::zip_equal(exponents, ratios))
      if (std::fabs(ratio - middle) >= tolerance)
        exponent = static_cast<int>(std::lround(ratio - middle));
    return exponents;
  }

  /// Divides channel `channel` of the producers, multiplies the consumers'.
  void scale(const Group &group, int64_t channel, int exponent) {
    auto by = [](int power) {
      return [power](float &value) { value = std::ldexp(value, power); };
    };
    for (size_t producer : group.producers) {
      layers[producer].forOutput(channel, by(-exponent));
      if (!layers[producer].bias.empty())
        by(-exponent)(layers[producer].bias[channel]);
    }
    for (size_t consumer : group.consumers)
      layers[consumer].forInput(channel, by(exponent));
  }

  /// One pass over the groups with or without norms; whether anything changed.
  bool sweep(bool ofNorms) {
    bool changed = false;
    for (Group &group : groups) {
      if (hasNorm(group) != ofNorms)
        continue;
      for (auto [channel, exponent] : llvm::enumerate(findExponents(group)))
        if (exponent != 0) {
          scale(group, channel, exponent);
          group.exponents.resize(layers[group.producers.front()].outputs);
          group.exponents[channel] += exponent;
          touched.insert(group.producers.begin(), group.producers.end());
          touched.insert(group.consumers.begin(), group.consumers.end());
          changed = true;
        }
    }
    return changed;
  }

  void store(Layer &layer) {
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

  void runOnOperation() override {
    collect();
    // What layers make first, so that it does not depend on norms.
    for (bool ofNorms : {false, true})
      for (int i = 0; i < maxSweeps && sweep(ofNorms); ++i)
        ;
    for (size_t index : touched)
      store(layers[index]);
    for (const Group &group : groups)
      if (!group.exponents.empty())
        for (Operation *op : group.ops)
          ChannelScale{hasNorm(group) ? ChannelMethod::Norms
                                      : ChannelMethod::Weights,
                       group.axis, group.exponents}
              .set(op);
    layers.clear();
    groups.clear();
    indices.clear();
    touched.clear();
  }

  SmallVector<Layer, 0> layers;
  llvm::MapVector<Operation *, size_t> indices;
  SmallVector<Group, 0> groups;
  std::set<size_t> touched;
};

} // namespace
} // namespace mlir::qopt
