// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the function once and runs every op on all samples, in four streams
// side by side; layers are corrected as they come.

#include "qopt/Evaluation/CorrectBias.h"
#include "IsolatedOp.h"
#include "mlir/IR/Threading.h"
#include "qopt/Evaluation/Metrics.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;

namespace {

/// The float model; the quantized one as it is; corrected by the samples that
/// do not judge; corrected by all samples, which is what is kept.
enum Stream : unsigned { Real, Plain, Judged, Final, streamCount };

/// One value of the function in all streams, sample after sample.
class Values {
public:
  Values() = default;
  /// The elements are still to be written.
  Values(size_t elements, size_t samples)
      : elements(elements), samples(samples), data(new float[size()]) {}

  Values clone() const {
    Values copy(elements, samples);
    std::copy_n(data.get(), size(), copy.data.get());
    return copy;
  }
  MutableArrayRef<float> at(unsigned stream, size_t sample) {
    return {data.get() + (stream * samples + sample) * elements, elements};
  }
  size_t size() const { return streamCount * samples * elements; }

  size_t elements = 0;

private:
  size_t samples = 0;
  std::unique_ptr<float[]> data;
};

/// Where the channels of a layer's result lie: `outer` times all channels,
/// `inner` elements each.
struct ChannelLayout {
  size_t outer = 1, channels = 1, inner = 1;

  ChannelLayout(Operation &op, int64_t axis) {
    auto shape = cast<RankedTensorType>(op.getResult(0).getType()).getShape();
    for (int64_t dim : shape.take_front(axis))
      outer *= dim;
    channels = shape[axis];
    for (int64_t dim : shape.drop_front(axis + 1))
      inner *= dim;
  }
  /// Calls `visit(channel, index of its first element)` for all pieces of the
  /// channels in `[first, last)`.
  template <typename Visit>
  void forEachPiece(size_t first, size_t last, Visit visit) const {
    for (size_t o = 0; o < outer; ++o)
      for (size_t channel = first; channel < last; ++channel)
        visit(channel, (o * channels + channel) * inner);
  }
};

/// What is added to the bias of a layer.
struct LayerCorrection {
  Operation *op;
  std::vector<double> delta;
};

bool isEstimating(size_t sample) { return sample % 2 == 0; }

size_t countElements(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

/// The axis of a layer's result that its bias counts, or -1.
int64_t getChannelAxis(Operation &op) {
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  if (isa<ConvOp>(op))
    return 1;
  return isa<GemmOp>(op) ? type.getRank() - 1 : -1;
}

class Corrector {
public:
  Corrector(func::FuncOp function, const observers::CalibrationState &state,
            const BiasCorrectionOptions &options)
      : function(function), body(function.getBody().front()), state(state),
        options(options), ops(streamCount) {}

  llvm::Expected<BiasCorrection> run();

private:
  llvm::Error check();
  void countUses();
  size_t peakElements();
  void loadArguments();
  Values &get(Value value);
  void release(Operation &op);
  llvm::Error visit(Operation &op);
  llvm::Error compute(Operation &op);
  void observe(ObserveOp op);
  llvm::Error runSamples(Operation &op, Engine &engine, Values &result);
  void correct(Operation &op, int64_t axis, Values &result);
  void correctChannels(const ChannelLayout &layout, size_t first, size_t last,
                       FnAttr clamp, MutableArrayRef<double> kept,
                       Values &result);
  BiasCorrection judge(func::ReturnOp op);
  void apply(const LayerCorrection &correction);

  func::FuncOp function;
  Block &body;
  const observers::CalibrationState &state;
  const BiasCorrectionOptions &options;
  IsolatedOps ops;
  size_t samples = 0;
  /// Only looked up, never iterated over.
  llvm::DenseMap<Value, Values> values;
  llvm::DenseMap<Value, unsigned> remainingUses;
  std::vector<LayerCorrection> corrections;
};

} // namespace

llvm::Error Corrector::check() {
  auto isReal = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape() && tensor.getElementType().isF32();
  };
  auto fail = [](StringRef what) {
    return makeError(340, "bias correction expects " + what.str() +
                              " to be static tensors of f32");
  };
  if (!llvm::all_of(function.getArgumentTypes(), isReal))
    return fail("the arguments");
  for (Operation &op : body)
    if (!isa<func::ReturnOp>(op) &&
        (op.getNumResults() != 1 || !isReal(op.getResult(0).getType())))
      return fail("the results of '" + op.getName().getStringRef().str() + "'");
  bool fits = state.getInputs().size() == function.getNumArguments();
  for (unsigned i = 0; fits && i < function.getNumArguments(); ++i)
    fits =
        state.getInputs()[i].elements == countElements(function.getArgument(i));
  if (!fits)
    return makeError(412, "the samples of the calibration do not fit the "
                          "arguments of the model");
  return llvm::Error::success();
}

void Corrector::countUses() {
  for (Operation &op : body)
    for (Value operand : op.getOperands())
      ++remainingUses[operand];
}

/// The most elements of one stream that are alive at a time, a sample.
size_t Corrector::peakElements() {
  size_t live = 0, peak = 0;
  for (BlockArgument argument : function.getArguments())
    live += countElements(argument);
  llvm::DenseMap<Value, unsigned> uses = remainingUses;
  for (Operation &op : body) {
    if (isa<ConstantOp, func::ReturnOp>(op))
      continue;
    live += countElements(op.getResult(0));
    peak = std::max(peak, live);
    for (Value operand : op.getOperands())
      if (!operand.getDefiningOp<ConstantOp>() && --uses[operand] == 0)
        live -= countElements(operand);
  }
  return std::max<size_t>(peak, 1);
}

void Corrector::loadArguments() {
  size_t first = 0;
  for (BlockArgument argument : function.getArguments()) {
    Values loaded(countElements(argument), samples);
    for (size_t sample = 0; sample < samples; ++sample) {
      ArrayRef<float> source(state.getReservoir()[sample].values);
      for (unsigned stream = 0; stream < streamCount; ++stream)
        llvm::copy(source.slice(first, loaded.elements),
                   loaded.at(stream, sample).begin());
    }
    first += loaded.elements;
    values[argument] = std::move(loaded);
  }
}

/// A constant becomes a value where it is observed or returned.
Values &Corrector::get(Value value) {
  Values &entry = values[value];
  if (auto constant = getConstantF32(value); constant && !entry.elements) {
    entry = Values(constant->size(), samples);
    for (size_t sample = 0; sample < samples; ++sample)
      for (unsigned stream = 0; stream < streamCount; ++stream)
        llvm::copy(*constant, entry.at(stream, sample).begin());
  }
  return entry;
}

/// Frees what `op` was the last to read, or nobody reads.
void Corrector::release(Operation &op) {
  for (Value operand : op.getOperands())
    if (--remainingUses[operand] == 0)
      values.erase(operand);
  for (Value result : op.getResults())
    if (result.use_empty())
      values.erase(result);
}

void Corrector::observe(ObserveOp op) {
  Values &input = get(op.getInput());
  Values result =
      remainingUses[op.getInput()] == 1 ? std::move(input) : input.clone();
  if (op.getScale() && op.getZeroPoint()) {
    numerics::QuantParams params;
    params.scale = op.getScale()->convertToFloat();
    params.zeroPoint = static_cast<int32_t>(*op.getZeroPoint());
    params.qmin = numerics::signedMin(op.getBits());
    params.qmax = numerics::signedMax(op.getBits());
    parallelFor(op.getContext(), 0, samples, [&](size_t sample) {
      for (unsigned stream = Plain; stream < streamCount; ++stream)
        numerics::simulate(result.at(stream, sample), params);
    });
  }
  values[op.getResult()] = std::move(result);
}

/// `correct` for the channels in `[first, last)`; `kept` is of all channels.
void Corrector::correctChannels(const ChannelLayout &layout, size_t first,
                                size_t last, FnAttr clamp,
                                MutableArrayRef<double> kept, Values &result) {
  std::vector<double> delta(layout.channels);
  for (unsigned stream : {Judged, Final}) {
    std::fill(delta.begin() + first, delta.begin() + last, 0.0);
    size_t used = 0;
    for (size_t sample = 0; sample < samples; ++sample) {
      if (stream == Judged && !isEstimating(sample))
        continue;
      ++used;
      ArrayRef<float> real = result.at(Real, sample);
      ArrayRef<float> corrected = result.at(stream, sample);
      layout.forEachPiece(first, last, [&](size_t channel, size_t begin) {
        for (size_t i = begin; i < begin + layout.inner; ++i)
          delta[channel] += static_cast<double>(real[i]) - corrected[i];
      });
    }
    for (size_t channel = first; channel < last; ++channel)
      delta[channel] /= static_cast<double>(used * layout.outer * layout.inner);
    for (size_t sample = 0; sample < samples; ++sample) {
      MutableArrayRef<float> corrected = result.at(stream, sample);
      layout.forEachPiece(first, last, [&](size_t channel, size_t begin) {
        const float shift = static_cast<float>(delta[channel]);
        for (float &value : corrected.slice(begin, layout.inner))
          value += shift;
      });
    }
  }
  std::copy(delta.begin() + first, delta.begin() + last, kept.begin() + first);
  if (!clamp)
    return;
  const float low = static_cast<float>(clamp.getClampMin());
  const float high = static_cast<float>(clamp.getClampMax());
  for (unsigned stream = 0; stream < streamCount; ++stream)
    for (size_t sample = 0; sample < samples; ++sample)
      layout.forEachPiece(first, last, [&](size_t, size_t begin) {
        for (float &value :
             result.at(stream, sample).slice(begin, layout.inner))
          value = std::min(std::max(value, low), high);
      });
}

/// Moves the channel means of the corrected streams to those of the float one,
/// then applies the clamp that the engine left out.
void Corrector::correct(Operation &op, int64_t axis, Values &result) {
  const ChannelLayout layout(op, axis);
  FnAttr clamp;
  if (auto fuses = dyn_cast<FusesActivationInterface>(op))
    clamp = fuses.getFusedActivation();
  std::vector<double> delta(layout.channels);
  constexpr size_t block = 16;
  parallelFor(op.getContext(), 0, llvm::divideCeil(layout.channels, block),
              [&](size_t index) {
                const size_t first = index * block;
                correctChannels(layout, first,
                                std::min(first + block, layout.channels), clamp,
                                delta, result);
              });
  corrections.push_back({&op, std::move(delta)});
}

/// Runs `engine`, which was made for `op`, over all samples.
llvm::Error Corrector::runSamples(Operation &op, Engine &engine,
                                  Values &result) {
  std::vector<std::unique_ptr<Engine>> copies;
  const size_t workers =
      std::min<size_t>(op.getContext()->getNumThreads(), samples);
  while (copies.size() + 1 < workers) {
    auto copy = engine.duplicate();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  SmallVector<Values *> operands;
  for (Value operand : op.getOperands())
    if (!operand.getDefiningOp<ConstantOp>())
      operands.push_back(&values[operand]);
  parallelFor(op.getContext(), 0, workers, [&](size_t worker) {
    Engine &own = worker == 0 ? engine : *copies[worker - 1];
    for (size_t sample = worker; sample < samples; sample += workers) {
      SmallVector<const void *> inputs;
      SmallVector<void *> outputs;
      for (unsigned stream = 0; stream < streamCount; ++stream) {
        for (Values *operand : operands)
          inputs.push_back(operand->at(stream, sample).data());
        outputs.push_back(result.at(stream, sample).data());
      }
      own.run(inputs, outputs);
    }
  });
  return llvm::Error::success();
}

llvm::Error Corrector::compute(Operation &op) {
  std::optional<SmallVector<float>> rounded;
  const int64_t axis = getChannelAxis(op);
  if (auto quantizable = dyn_cast<QuantizableOpInterface>(op);
      quantizable && axis >= 0)
    rounded = getRoundedWeights(quantizable, options.weights);
  auto engine = rounded ? ops.compileLayer(op, *rounded) : ops.compile(op);
  if (!engine)
    return engine.takeError();
  Values result(countElements(op.getResult(0)), samples);
  if (llvm::Error error = runSamples(op, **engine, result))
    return error;
  if (rounded && result.elements)
    correct(op, axis, result);
  values[op.getResult(0)] = std::move(result);
  return llvm::Error::success();
}

llvm::Error Corrector::visit(Operation &op) {
  if (isa<ConstantOp>(op))
    return llvm::Error::success();
  if (auto observer = dyn_cast<ObserveOp>(op))
    observe(observer);
  else if (llvm::Error error = compute(op))
    return error;
  release(op);
  return llvm::Error::success();
}

BiasCorrection Corrector::judge(func::ReturnOp op) {
  ErrorSum before, after;
  for (Value output : op.getOperands()) {
    Values &result = get(output);
    for (size_t sample = 0; sample < samples; ++sample) {
      if (isEstimating(sample))
        continue;
      before.add(result.at(Real, sample), result.at(Plain, sample));
      after.add(result.at(Real, sample), result.at(Judged, sample));
    }
  }
  BiasCorrection verdict;
  verdict.beforeDb = before.sqnrDb();
  verdict.afterDb = after.sqnrDb();
  verdict.kept = !corrections.empty() && verdict.afterDb > verdict.beforeDb;
  verdict.layers = verdict.kept ? corrections.size() : 0;
  return verdict;
}

void Corrector::apply(const LayerCorrection &correction) {
  auto op = cast<QuantizableOpInterface>(correction.op);
  OpBuilder builder(correction.op);
  const int64_t channels = correction.delta.size();
  SmallVector<float> bias(channels, 0.0f);
  Operation *old = nullptr;
  if (OpOperand *operand = op.getBiasOperand()) {
    bias = *getConstantF32(operand->get());
    old = operand->get().getDefiningOp();
  }
  for (auto [value, delta] : llvm::zip_equal(bias, correction.delta))
    value = static_cast<float>(value + delta);
  auto type = RankedTensorType::get({channels}, builder.getF32Type());
  Value constant = createConstantF32(builder, op.getLoc(), type, bias);
  if (auto conv = dyn_cast<ConvOp>(correction.op))
    conv.getBiasMutable().assign(constant);
  else if (auto gemm = dyn_cast<GemmOp>(correction.op))
    gemm.getBiasMutable().assign(constant);
  if (old && old->use_empty())
    old->erase();
}

llvm::Expected<BiasCorrection> Corrector::run() {
  if (llvm::Error error = check())
    return std::move(error);
  countUses();
  const uint64_t sampleBytes = peakElements() * streamCount * sizeof(float);
  samples = std::min<uint64_t>({state.getReservoir().size(), options.maxSamples,
                                options.maxBytes / sampleBytes});
  if (samples < 4)
    return BiasCorrection();
  loadArguments();
  for (Operation &op : body.without_terminator())
    if (llvm::Error error = visit(op))
      return std::move(error);
  BiasCorrection verdict = judge(cast<func::ReturnOp>(body.getTerminator()));
  if (verdict.kept)
    for (const LayerCorrection &correction : corrections)
      apply(correction);
  return verdict;
}

llvm::Expected<BiasCorrection>
mlir::qopt::evaluation::correctBias(func::FuncOp calibrated,
                                    const observers::CalibrationState &state,
                                    const BiasCorrectionOptions &options) {
  return Corrector(calibrated, state, options).run();
}
