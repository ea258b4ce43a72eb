// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Simulates all forms side by side. Factors are powers of two, so that a value
// of another form is one of this form times its channel's factor, to the bit.

#include "qopt/Evaluation/EqualizationGain.h"
#include "Streams.h"
#include "mlir/IR/Threading.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

class Forms {
public:
  Forms(func::FuncOp scaled, ArrayRef<PlainForm> plains,
        const observers::CalibrationState &state,
        const EqualizationGainOptions &options)
      : plains(plains), options(options),
        streams(scaled, state, 2 + plains.size()) {}

  llvm::Expected<std::vector<EqualizationGain>> run();

private:
  void observe(ObserveOp op, ArrayRef<Operation *> others);
  llvm::Error compute(Operation &op, ArrayRef<Operation *> others);
  SmallVector<float> getOtherWeights(Operation &op, Operation *other,
                                     EqualizationGain &gain);
  llvm::Error visit(Operation &op, ArrayRef<Operation *> others);
  void judge();

  ArrayRef<PlainForm> plains;
  const EqualizationGainOptions &options;
  /// The float model, the scaled form, the plain ones.
  Streams streams;
  std::vector<EqualizationGain> gains;
};

/// For each element of a value what makes it that of the form without `method`;
/// empty where that is the same.
SmallVector<float> getFactors(ObserveOp op, ChannelMethod method) {
  auto scale = ChannelScale::get(op.getInput().getDefiningOp());
  if (!scale || scale->method != method)
    return {};
  const ChannelLayout layout(*op.getInput().getDefiningOp(), scale->axis);
  SmallVector<float> byChannel = scale->getFactors(layout.channels);
  SmallVector<float> factors(layout.outer * layout.channels * layout.inner);
  layout.forEachPiece(0, layout.channels, [&](size_t channel, size_t begin) {
    std::fill_n(factors.begin() + begin, layout.inner, byChannel[channel]);
  });
  return factors;
}

std::vector<Operation *> getOps(func::FuncOp function) {
  std::vector<Operation *> ops;
  for (Operation &op : function.getBody().front().without_terminator())
    if (!isa<ConstantOp>(op))
      ops.push_back(&op);
  return ops;
}

} // namespace

void Forms::observe(ObserveOp op, ArrayRef<Operation *> others) {
  StreamValues values = streams.take(op.getInput());
  const numerics::QuantParams own = getParams(op);
  std::vector<numerics::QuantParams> params;
  std::vector<SmallVector<float>> factors;
  for (auto [plain, other] : llvm::zip_equal(plains, others)) {
    params.push_back(getParams(cast<ObserveOp>(other)));
    factors.push_back(getFactors(op, plain.method));
  }
  parallelFor(op.getContext(), 0, streams.size(), [&](size_t sample) {
    numerics::simulate(values.at(1, sample), own);
    for (size_t i = 0; i < plains.size(); ++i) {
      MutableArrayRef<float> form = values.at(2 + i, sample);
      for (auto [value, factor] : llvm::zip(form, factors[i]))
        value *= factor;
      numerics::simulate(form, params[i]);
      for (auto [value, factor] : llvm::zip(form, factors[i]))
        value /= factor;
    }
  });
  streams.set(op.getResult(), std::move(values));
}

/// The weights of `other` of the form of `gain`, rounded, at the size that they
/// have in `op`.
SmallVector<float> Forms::getOtherWeights(Operation &op, Operation *other,
                                          EqualizationGain &gain) {
  auto layer = cast<QuantizableOpInterface>(op);
  auto plain = cast<QuantizableOpInterface>(other);
  SmallVector<float> rounded =
      dequantizeWeights(*getQuantizedWeights(plain, options.weights));
  auto own = *getConstantF32(layer.getWeightOperand()->get());
  auto real = *getConstantF32(plain.getWeightOperand()->get());
  if (own == real)
    return rounded;
  ++gain.layers;
  for (auto [value, to, from] : llvm::zip_equal(rounded, own, real))
    if (from != 0)
      value *= to / from;
  return rounded;
}

llvm::Error Forms::compute(Operation &op, ArrayRef<Operation *> others) {
  const int64_t axis = getChannelAxis(op);
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  auto quantized = layer && axis >= 0
                       ? getQuantizedWeights(layer, options.weights)
                       : std::nullopt;
  if (!quantized)
    return streams.run(op);
  LayerWeights weights;
  weights.kinds = llvm::to_vector(llvm::seq(-1, int(plains.size()) + 1));
  weights.make = [&](int kind) {
    return kind == 0 ? dequantizeWeights(*quantized)
                     : getOtherWeights(op, others[kind - 1], gains[kind - 1]);
  };
  return streams.runLayer(op, weights, options.correctBias);
}

llvm::Error Forms::visit(Operation &op, ArrayRef<Operation *> others) {
  if (auto observer = dyn_cast<ObserveOp>(&op))
    observe(observer, others);
  else if (llvm::Error error = compute(op, others))
    return error;
  streams.release(op);
  return llvm::Error::success();
}

void Forms::judge() {
  const OutputParts parts(streams.getFunction());
  std::vector<PartErrors> errors(streams.count(), PartErrors(parts));
  int64_t samples = 0;
  for (size_t sample = 0; sample < streams.size(); ++sample) {
    if (options.correctBias && Streams::isEstimating(sample))
      continue;
    ++samples;
    for (auto [stream, sum] : llvm::enumerate(errors))
      streams.addOutputs(sum, sample, stream);
  }
  for (auto [i, gain] : llvm::enumerate(gains)) {
    gain.samples = samples;
    gain.withDb = errors[1].sqnrDb();
    gain.withoutDb = errors[2 + i].sqnrDb();
  }
}

static StreamLimits getLimits(const EqualizationGainOptions &options) {
  StreamLimits limits;
  limits.minSamples =
      options.correctBias ? 2 * options.minJudges : options.minJudges;
  limits.maxSamples = options.maxSamples;
  limits.maxBytes = options.maxBytes;
  limits.maxMacs = options.maxMacs;
  return limits;
}

llvm::Expected<std::vector<EqualizationGain>> Forms::run() {
  if (llvm::Error error = streams.load(getLimits(options)))
    return std::move(error);
  for (const PlainForm &plain : plains)
    gains.push_back({plain.method});
  if (streams.size() == 0)
    return gains;
  std::vector<std::vector<Operation *>> ops;
  for (const PlainForm &plain : plains)
    ops.push_back(getOps(plain.function));
  for (auto [place, op] : llvm::enumerate(getOps(streams.getFunction()))) {
    SmallVector<Operation *> others;
    for (const std::vector<Operation *> &form : ops)
      others.push_back(form[place]);
    if (llvm::Error error = visit(*op, others))
      return std::move(error);
  }
  judge();
  return std::move(gains);
}

llvm::Expected<std::vector<EqualizationGain>>
mlir::qopt::evaluation::measureEqualization(
    func::FuncOp scaled, ArrayRef<PlainForm> plains,
    const observers::CalibrationState &state,
    const EqualizationGainOptions &options) {
  return Forms(scaled, plains, state, options).run();
}

llvm::Expected<bool> mlir::qopt::evaluation::canMeasureEqualization(
    func::FuncOp scaled, size_t plains,
    const observers::CalibrationState &state,
    const EqualizationGainOptions &options) {
  auto samples = Streams(scaled, state, 2 + plains).plan(getLimits(options));
  if (!samples)
    return samples.takeError();
  return *samples > 0;
}
