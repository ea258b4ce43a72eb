// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same simulation on both forms of a function. The kept statistics are of
// one of them, so both take their ranges from the samples themselves.

#include "qopt/Evaluation/EqualizationGain.h"
#include "Streams.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

int64_t evaluation::countEqualized(func::FuncOp plain, func::FuncOp equalized) {
  auto weightsOf = [](func::FuncOp function) {
    SmallVector<ElementsAttr> weights;
    function.walk([&](QuantizableOpInterface op) {
      OpOperand *weight = op.getWeightOperand();
      auto constant =
          weight ? weight->get().getDefiningOp<qopt::ConstantOp>() : nullptr;
      weights.push_back(constant ? constant.getValue() : ElementsAttr());
    });
    return weights;
  };
  auto before = weightsOf(plain), after = weightsOf(equalized);
  int64_t count = 0;
  for (auto [a, b] : llvm::zip(before, after))
    count += a != b;
  return count;
}

/// Rounds stream 1 to the range that stream 0 has on all samples.
static void observe(ObserveOp op, StreamValues &values, size_t samples) {
  numerics::Range range;
  for (size_t sample = 0; sample < samples; ++sample)
    for (float value : values.at(0, sample)) {
      range.min = std::min<double>(range.min, value);
      range.max = std::max<double>(range.max, value);
    }
  auto params = numerics::chooseParams(range, op.getBits(), op.getSymmetric());
  for (size_t sample = 0; sample < samples; ++sample)
    numerics::simulate(values.at(1, sample), params);
}

/// One op in stream 0 as it is, in stream 1 with rounded weights.
static llvm::Expected<StreamValues> compute(Operation &op, Streams &streams,
                                            WeightForm form) {
  const int64_t axis = getChannelAxis(op);
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  auto quantized =
      layer && axis >= 0 ? getQuantizedWeights(layer, form) : std::nullopt;
  if (!quantized)
    return streams.compute(op);
  SmallVector<float> rounded = dequantizeWeights(*quantized);
  auto result = streams.computeLayer(op, {{}, rounded});
  if (result) {
    const ChannelLayout layout(op, axis);
    streams.clamp(op, *result, layout, 0, layout.channels);
  }
  return result;
}

/// The outputs' SQNR of `function` on as many samples as `limits` leave, whose
/// number becomes `samples`.
static llvm::Expected<double> simulate(func::FuncOp function,
                                       const observers::CalibrationState &state,
                                       const EqualizationGainOptions &options,
                                       int64_t &samples) {
  const StreamLimits limits{/*minSamples=*/1, options.maxSamples,
                            options.maxBytes, options.maxMacs};
  Streams streams(function, state, /*streams=*/2);
  if (llvm::Error error = streams.load(limits))
    return std::move(error);
  samples = streams.size();
  if (samples == 0)
    return 0.0;
  Block &body = function.getBody().front();
  for (Operation &op : body.without_terminator()) {
    if (isa<qopt::ConstantOp>(op))
      continue;
    if (auto observer = dyn_cast<ObserveOp>(&op)) {
      StreamValues values = streams.take(observer.getInput());
      observe(observer, values, samples);
      streams.set(observer.getResult(), std::move(values));
    } else {
      auto values = compute(op, streams, options.weights);
      if (!values)
        return values.takeError();
      streams.set(op.getResult(0), std::move(*values));
    }
    streams.release(op);
  }
  const OutputParts parts(function);
  PartErrors errors(parts);
  for (int64_t sample = 0; sample < samples; ++sample)
    streams.addOutputs(errors, sample, /*stream=*/1);
  return errors.sqnrDb();
}

llvm::Expected<EqualizationGain> mlir::qopt::evaluation::measureEqualization(
    func::FuncOp plain, func::FuncOp equalized,
    const observers::CalibrationState &state,
    const EqualizationGainOptions &options) {
  EqualizationGain gain;
  gain.layers = countEqualized(plain, equalized);
  if (gain.layers == 0 || state.getReservoir().empty())
    return gain;
  auto without = simulate(plain, state, options, gain.samples);
  if (!without)
    return without.takeError();
  auto with = simulate(equalized, state, options, gain.samples);
  if (!with)
    return with.takeError();
  gain.withoutDb = *without;
  gain.withDb = *with;
  return gain;
}
