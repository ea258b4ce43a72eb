// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values whose channels can be scaled without a trace in what the float model
// computes: what makes a channel is divided by a factor, what reads it is
// multiplied by that.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/MapVector.h"
#include <optional>
#include <set>

namespace mlir::qopt {

/// Weight and bias of a conv or gemm, or gamma and beta of a normalization,
/// while they are scaled.
struct ScaledLayer {
  Operation *op;
  SmallVector<float> weight, bias;
  int64_t outputs = 0, groups = 1;
  /// Input channels of a group, and weights that meet one of them.
  int64_t inputs = 0, taps = 1;
  /// Of the channels, in what the layer makes.
  int64_t axis = 1;

  bool isNorm() const { return isa<LayerNormOp>(op); }

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
struct ChannelGroup {
  SmallVector<size_t> producers, consumers;
  /// What makes the values.
  SmallVector<Operation *> ops;
  /// Of the channels in each of the values; -1: nobody has said.
  int64_t axis = -1;
  /// False where another axis was said before.
  bool setAxis(int64_t of) {
    bool agrees = axis < 0 || axis == of;
    axis = of;
    return agrees;
  }
};

/// All such groups of one function, in program order of their values.
class ChannelGroups {
public:
  explicit ChannelGroups(func::FuncOp function);

  MutableArrayRef<ChannelGroup> get() { return groups; }
  ScaledLayer &getLayer(size_t index) { return layers[index]; }
  int64_t countChannels(const ChannelGroup &group) {
    return layers[group.producers.front()].outputs;
  }
  /// Whether a normalization makes the values.
  bool hasNorm(const ChannelGroup &group);

  /// Divides channel `channel` of the producers by `factor`, multiplies the
  /// consumers'.
  void scale(const ChannelGroup &group, int64_t channel, double factor);
  /// Writes what `scale` did into the function.
  void store();

private:
  template <typename OpT> std::optional<size_t> makeLayer(OpT op);
  std::optional<size_t> makeNorm(LayerNormOp op);
  std::optional<size_t> findLayer(Operation *op);
  bool addValue(Value value, ChannelGroup &group);
  bool matchChannels(ChannelGroup &group);
  void storeLayer(ScaledLayer &layer);

  SmallVector<ScaledLayer, 0> layers;
  llvm::MapVector<Operation *, size_t> indices;
  SmallVector<ChannelGroup, 0> groups;
  std::set<size_t> touched;
};

} // namespace mlir::qopt
