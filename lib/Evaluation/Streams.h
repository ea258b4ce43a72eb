// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function run op by op on the samples of a calibration, in several streams
// side by side whose values may be changed between the ops: simulations of
// quantization beside the float model.
#pragma once

#include "IsolatedOp.h"
#include "OutputParts.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Observers/CalibrationState.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>
#include <memory>
#include <optional>

namespace mlir::qopt::evaluation {

/// What `observe` rounds to; it has a scale.
numerics::QuantParams getParams(ObserveOp observe);

/// One value of the function in all streams, sample after sample.
class StreamValues {
public:
  StreamValues() = default;
  /// The elements are still to be written.
  StreamValues(size_t elements, unsigned streams, size_t samples)
      : elements(elements), streams(streams), samples(samples),
        data(new float[size()]) {}

  StreamValues clone() const {
    StreamValues copy(elements, streams, samples);
    std::copy_n(data.get(), size(), copy.data.get());
    return copy;
  }
  MutableArrayRef<float> at(unsigned stream, size_t sample) {
    return {data.get() + (stream * samples + sample) * elements, elements};
  }
  size_t size() const { return streams * samples * elements; }

  size_t elements = 0;

private:
  unsigned streams = 0;
  size_t samples = 0;
  std::unique_ptr<float[]> data;
};

/// Where the channels of a layer's result lie: `outer` times all channels,
/// `inner` elements each.
struct ChannelLayout {
  size_t outer = 1, channels = 1, inner = 1;

  ChannelLayout(Operation &op, int64_t axis);
  /// Calls `visit(channel, index of its first element)` for all pieces of the
  /// channels in `[first, last)`.
  template <typename Visit>
  void forEachPiece(size_t first, size_t last, Visit visit) const {
    for (size_t o = 0; o < outer; ++o)
      for (size_t channel = first; channel < last; ++channel)
        visit(channel, (o * channels + channel) * inner);
  }
};

/// The axis of a layer's result that its bias counts, or -1.
int64_t getChannelAxis(Operation &op);

/// The weights of a layer in each stream.
struct LayerWeights {
  /// For each stream which weights it has, from 0 on; -1: the layer's own.
  SmallVector<int> kinds;
  /// The weights of a kind. Called once for each, one after the other: large
  /// ones are not to be there at the same time.
  std::function<SmallVector<float>(int kind)> make;
};

/// The limits of a run.
struct StreamLimits {
  uint64_t minSamples = 4;
  uint64_t maxSamples = 64;
  /// Of all values alive at a time.
  uint64_t maxBytes = UINT64_MAX;
  /// Multiply-accumulates of all streams and samples.
  uint64_t maxMacs = UINT64_MAX;
  /// As `maxBytes`, where these are too few for `enoughSamples`: large images
  /// have many positions, so that few of them do.
  uint64_t mostBytes = 0;
  uint64_t enoughSamples = 0;
};

/// The values alive. Stream 0 is the float model. Ops are to be visited in
/// program order.
class Streams {
public:
  Streams(func::FuncOp function, const observers::CalibrationState &state,
          unsigned streams)
      : function(function), state(state), streams(streams) {}

  /// How many samples `load` would load.
  llvm::Expected<size_t> plan(const StreamLimits &limits);
  /// Loads as many samples of the reservoir as `limits` allow; `size()` is 0
  /// where that is less than the least. Fails with Q0340 on a value that is not
  /// static f32, Q0412 where the reservoir does not fit the arguments.
  llvm::Error load(const StreamLimits &limits);
  func::FuncOp getFunction() const { return function; }
  /// Samples.
  size_t size() const { return samples; }
  unsigned count() const { return streams; }

  /// A constant becomes a value where it is observed or returned.
  StreamValues &get(Value value);
  void set(Value value, StreamValues result) {
    values[value] = std::move(result);
  }
  /// The values of `value` for its reader that is visited: moved out where that
  /// is the last one.
  StreamValues take(Value value);
  /// What `op` computes, in all streams.
  llvm::Expected<StreamValues> compute(Operation &op);
  /// The same of a layer without its fused clamp.
  llvm::Expected<StreamValues> computeLayer(Operation &op,
                                            const LayerWeights &weights);
  /// Adds what the outputs of `stream` are off by on `sample`.
  void addOutputs(PartErrors &errors, size_t sample, unsigned stream);
  /// Frees what `op` was the last to read, or nobody reads.
  void release(Operation &op);

  /// Whether a correction is estimated on `sample`, which does not judge it.
  static bool isEstimating(size_t sample) { return sample % 2 == 0; }
  /// Moves the means of the channels in `[first, last)` of a layer's result in
  /// `stream` to those of the float model, estimated on all samples or the
  /// estimating ones. `delta`, of all channels, becomes what was added.
  void moveMeans(StreamValues &result, const ChannelLayout &layout,
                 size_t first, size_t last, unsigned stream,
                 bool estimatingOnly, MutableArrayRef<double> delta) const;
  /// The fused clamp of `op`, which `compute` left out, in the same channels of
  /// all streams.
  void clamp(Operation &op, StreamValues &result, const ChannelLayout &layout,
             size_t first, size_t last) const;

  /// Runs `op`, no layer or one with its own weights everywhere, in all streams
  /// and keeps its result. Fails as `compute`.
  llvm::Error run(Operation &op);
  /// The same for a layer: behind it the means of channels are those of the
  /// float model, estimated on some of the samples, where `correctsMeans`.
  llvm::Error runLayer(Operation &op, const LayerWeights &weights,
                       bool correctsMeans);

private:
  void finishLayer(Operation &op, StreamValues &result,
                   bool correctsMeans) const;
  llvm::Error check();
  void countUses();
  size_t peakElements();
  void loadArguments();
  llvm::Error runSamples(Operation &op,
                         llvm::Expected<calibration::Engine *> engine,
                         ArrayRef<unsigned> chosen, StreamValues &result);

  func::FuncOp function;
  const observers::CalibrationState &state;
  unsigned streams;
  IsolatedOps ops;
  size_t samples = 0;
  /// Only looked up, never iterated over.
  llvm::DenseMap<Value, StreamValues> values;
  llvm::DenseMap<Value, unsigned> remainingUses;
};

/// Where the values of each input begin in a sample of the reservoir.
SmallVector<const float *>
getSampleInputs(const observers::CalibrationState &state, size_t sample);

/// Calls `visit(first, last)` on blocks of channels, in parallel.
void forEachChannelBlock(
    MLIRContext *context, size_t channels,
    llvm::function_ref<void(size_t first, size_t last)> visit);

} // namespace mlir::qopt::evaluation
