// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cross-layer equalization (Nagel et al., "Data-Free Quantization Through
// Weight Equalization and Bias Correction"), by powers of two: the float model
// computes the same bits.

#include "mlir/Dialect/Func/IR/FuncOps.h"
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

/// Weight and bias of a conv or gemm while they are scaled.
struct Layer {
  Operation *op;
  SmallVector<float> weight, bias;
  int64_t outputs = 0, groups = 1;
  /// Input channels of a group, and weights that meet one of them.
  int64_t inputs = 0, taps = 1;

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
    layers.push_back(std::move(layer));
    return known->second;
  }
  std::optional<size_t> findLayer(Operation *op) {
    if (auto conv = dyn_cast_or_null<ConvOp>(op))
      return makeLayer(conv);
    if (auto gemm = dyn_cast_or_null<GemmOp>(op))
      return makeLayer(gemm);
    return std::nullopt;
  }

  /// Enters `value` into `group`; false where something else makes or reads it.
  bool addValue(Value value, Group &group) {
    Operation *op = value.getDefiningOp();
    if (!passesChannels(op)) {
      std::optional<size_t> layer = findLayer(op);
      auto fuses = dyn_cast_or_null<FusesActivationInterface>(op);
      if (!layer || !isHomogeneous(fuses.getFusedActivation()))
        return false;
      group.producers.push_back(*layer);
    }
    for (OpOperand &use : value.getUses()) {
      if (passesChannels(use.getOwner()))
        continue;
      std::optional<size_t> layer = use.getOperandNumber() == 0
                                        ? findLayer(use.getOwner())
                                        : std::nullopt;
      if (!layer)
        return false;
      group.consumers.push_back(*layer);
    }
    return true;
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
      if (!isa<ConvOp, GemmOp>(op) && !passesChannels(op))
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
      if (entry.second && matchChannels(entry.first))
        groups.push_back(std::move(entry.first));
  }

  /// For each channel the power of two that would bring it in line; 0 for those
  /// that are, and for channels without weights on a side.
  SmallVector<int> findExponents(const Group &group) {
    int64_t channels = layers[group.producers.front()].outputs;
    SmallVector<double> ratios, known;
    for (int64_t channel = 0; channel < channels; ++channel) {
      double out = 0, in = 0;
      auto raise = [](double &bound) {
        return [&bound](float w) {
          bound = std::max(bound, std::fabs(static_cast<double>(w)));
        };
      };
      for (size_t producer : group.producers)
        layers[producer].forOutput(channel, raise(out));
      for (size_t consumer : group.consumers)
        layers[consumer].forInput(channel, raise(in));
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

  /// One pass over all groups; whether anything changed.
  bool sweep() {
    bool changed = false;
    for (const Group &group : groups)
      for (auto [channel, exponent] : llvm::enumerate(findExponents(group)))
        if (exponent != 0) {
          scale(group, channel, exponent);
          touched.insert(group.producers.begin(), group.producers.end());
          touched.insert(group.consumers.begin(), group.consumers.end());
          changed = true;
        }
    return changed;
  }

  void store(Layer &layer) {
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
    for (int i = 0; i < maxSweeps && sweep(); ++i)
      ;
    for (size_t index : touched)
      store(layers[index]);
    layers.clear();
    groups.clear();
    indices.clear();
    touched.clear();
  }

  SmallVector<Layer, 0> layers;
  llvm::MapVector<Operation *, size_t> indices;
  SmallVector<Group> groups;
  std::set<size_t> touched;
};

} // namespace
} // namespace mlir::qopt
