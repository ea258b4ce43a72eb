// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads samples, runs one op at a time on all of them, frees what is read.

#include "Streams.h"
#include "Elements.h"
#include "mlir/IR/Threading.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;

ChannelLayout::ChannelLayout(Operation &op, int64_t axis) {
  auto shape = cast<RankedTensorType>(op.getResult(0).getType()).getShape();
  for (int64_t dim : shape.take_front(axis))
    outer *= dim;
  channels = shape[axis];
  for (int64_t dim : shape.drop_front(axis + 1))
    inner *= dim;
}

numerics::QuantParams mlir::qopt::evaluation::getParams(ObserveOp observe) {
  numerics::QuantParams params;
  params.scale = observe.getScale()->convertToFloat();
  params.zeroPoint = static_cast<int32_t>(*observe.getZeroPoint());
  params.qmin = numerics::signedMin(observe.getBits());
  params.qmax = numerics::signedMax(observe.getBits());
  return params;
}

int64_t evaluation::getChannelAxis(Operation &op) {
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  if (isa<ConvOp>(op))
    return 1;
  return isa<GemmOp>(op) ? type.getRank() - 1 : -1;
}

void evaluation::forEachChannelBlock(
    MLIRContext *context, size_t channels,
    llvm::function_ref<void(size_t first, size_t last)> visit) {
  constexpr size_t block = 16;
  parallelFor(context, 0, llvm::divideCeil(channels, block), [&](size_t index) {
    visit(index * block, std::min((index + 1) * block, channels));
  });
}

llvm::Error Streams::check() {
  auto isReal = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape() && tensor.getElementType().isF32();
  };
  auto fail = [](StringRef what) {
    return makeError(340, "a simulation of quantization expects " + what.str() +
                              " to be static tensors of f32");
  };
  if (!llvm::all_of(function.getArgumentTypes(), isReal))
    return fail("the arguments");
  for (Operation &op : function.getBody().front())
    if (!isa<func::ReturnOp>(op) &&
        (op.getNumResults() != 1 || !isReal(op.getResult(0).getType())))
      return fail("the results of '" + op.getName().getStringRef().str() + "'");
  bool fits = state.getInputs().size() == function.getNumArguments();
  for (unsigned i = 0; fits && i < function.getNumArguments(); ++i)
    fits = state.getInputs()[i].elements ==
           static_cast<uint64_t>(countElements(function.getArgument(i)));
  if (!fits)
    return makeError(412, "the samples of the calibration do not fit the "
                          "arguments of the model");
  return llvm::Error::success();
}

void Streams::countUses() {
  for (Operation &op : function.getBody().front())
    for (Value operand : op.getOperands())
      ++remainingUses[operand];
}

/// The most elements of one stream that are alive at a time, a sample.
size_t Streams::peakElements() {
  size_t live = 0, peak = 0;
  for (BlockArgument argument : function.getArguments())
    live += countElements(argument);
  llvm::DenseMap<Value, unsigned> uses = remainingUses;
  for (Operation &op : function.getBody().front()) {
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

void Streams::loadArguments() {
  size_t first = 0;
  for (BlockArgument argument : function.getArguments()) {
    StreamValues loaded(countElements(argument), streams, samples);
    for (size_t sample = 0; sample < samples; ++sample) {
      ArrayRef<float> source(state.getReservoir()[sample].values);
      for (unsigned stream = 0; stream < streams; ++stream)
        llvm::copy(source.slice(first, loaded.elements),
                   loaded.at(stream, sample).begin());
    }
    first += loaded.elements;
    values[argument] = std::move(loaded);
  }
}

llvm::Expected<size_t> Streams::plan(const StreamLimits &limits) {
  if (llvm::Error error = check())
    return std::move(error);
  remainingUses.clear();
  countUses();
  uint64_t macs = 1;
  for (Operation &op : function.getBody().front())
    macs += codegen::macsOf(&op);
  const uint64_t bytes = peakElements() * streams * sizeof(float);
  const uint64_t fitting =
      std::max(limits.maxBytes / bytes,
               std::min(limits.enoughSamples, limits.mostBytes / bytes));
  const uint64_t planned =
      std::min<uint64_t>({state.getReservoir().size(), limits.maxSamples,
                          fitting, limits.maxMacs / (macs * streams)});
  return planned < limits.minSamples ? 0 : planned;
}

llvm::Error Streams::load(const StreamLimits &limits) {
  auto planned = plan(limits);
  if (!planned)
    return planned.takeError();
  samples = *planned;
  if (samples > 0)
    loadArguments();
  return llvm::Error::success();
}

StreamValues &Streams::get(Value value) {
  StreamValues &entry = values[value];
  if (auto constant = getConstantF32(value); constant && !entry.elements) {
    entry = StreamValues(constant->size(), streams, samples);
    for (size_t sample = 0; sample < samples; ++sample)
      for (unsigned stream = 0; stream < streams; ++stream)
        llvm::copy(*constant, entry.at(stream, sample).begin());
  }
  return entry;
}

StreamValues Streams::take(Value value) {
  StreamValues &input = get(value);
  return remainingUses[value] == 1 ? std::move(input) : input.clone();
}

void Streams::addOutputs(PartErrors &errors, size_t sample, unsigned stream) {
  size_t place = 0;
  for (Value output :
       function.getBody().front().getTerminator()->getOperands()) {
    StreamValues &result = get(output);
    errors.add(place, result.at(0, sample), result.at(stream, sample));
    place += result.elements;
  }
}

void Streams::release(Operation &op) {
  for (Value operand : op.getOperands())
    if (--remainingUses[operand] == 0)
      values.erase(operand);
  for (Value result : op.getResults())
    if (result.use_empty())
      values.erase(result);
}

/// Runs `engine`, which was made for `op`, over all samples of the streams
/// `chosen`.
llvm::Error Streams::runSamples(Operation &op, llvm::Expected<Engine *> engine,
                                ArrayRef<unsigned> chosen,
                                StreamValues &result) {
  if (!engine)
    return engine.takeError();
  std::vector<std::unique_ptr<Engine>> copies;
  const size_t workers =
      std::min<size_t>(op.getContext()->getNumThreads(), samples);
  while (copies.size() + 1 < workers) {
    auto copy = (*engine)->duplicate();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  SmallVector<StreamValues *> operands;
  for (Value operand : op.getOperands())
    if (!operand.getDefiningOp<ConstantOp>())
      operands.push_back(&values[operand]);
  parallelFor(op.getContext(), 0, workers, [&](size_t worker) {
    Engine &own = worker == 0 ? **engine : *copies[worker - 1];
    for (size_t sample = worker; sample < samples; sample += workers)
      for (unsigned stream : chosen) {
        SmallVector<const void *> inputs;
        for (StreamValues *operand : operands)
          inputs.push_back(operand->at(stream, sample).data());
        own.run(inputs, {result.at(stream, sample).data()});
      }
  });
  return llvm::Error::success();
}

llvm::Expected<StreamValues> Streams::compute(Operation &op) {
  StreamValues result(countElements(op.getResult(0)), streams, samples);
  if (llvm::Error error = runSamples(
          op, ops.compile(op), llvm::to_vector(llvm::seq(streams)), result))
    return std::move(error);
  return result;
}

llvm::Expected<StreamValues>
Streams::computeLayer(Operation &op, const LayerWeights &weights) {
  StreamValues result(countElements(op.getResult(0)), streams, samples);
  const int last = *llvm::max_element(weights.kinds);
  for (int kind = -1; kind <= last; ++kind) {
    SmallVector<unsigned> chosen;
    for (auto [stream, own] : llvm::enumerate(weights.kinds))
      if (own == kind)
        chosen.push_back(stream);
    if (chosen.empty())
      continue;
    auto engine = ops.compileLayer(op, kind < 0 ? SmallVector<float>()
                                                : weights.make(kind));
    if (llvm::Error error = runSamples(op, std::move(engine), chosen, result))
      return std::move(error);
  }
  return result;
}

void Streams::moveMeans(StreamValues &result, const ChannelLayout &layout,
                        size_t first, size_t last, unsigned stream,
                        bool estimatingOnly,
                        MutableArrayRef<double> delta) const {
  std::fill(delta.begin() + first, delta.begin() + last, 0.0);
  size_t used = 0;
  for (size_t sample = 0; sample < samples; ++sample) {
    if (estimatingOnly && !isEstimating(sample))
      continue;
    ++used;
    ArrayRef<float> real = result.at(0, sample);
    ArrayRef<float> rounded = result.at(stream, sample);
    layout.forEachPiece(first, last, [&](size_t channel, size_t begin) {
      for (size_t i = begin; i < begin + layout.inner; ++i)
        delta[channel] += static_cast<double>(real[i]) - rounded[i];
    });
  }
  for (size_t channel = first; channel < last; ++channel)
    delta[channel] /= static_cast<double>(used * layout.outer * layout.inner);
  for (size_t sample = 0; sample < samples; ++sample) {
    MutableArrayRef<float> rounded = result.at(stream, sample);
    layout.forEachPiece(first, last, [&](size_t channel, size_t begin) {
      const float shift = static_cast<float>(delta[channel]);
      for (float &value : rounded.slice(begin, layout.inner))
        value += shift;
    });
  }
}

void Streams::clamp(Operation &op, StreamValues &result,
                    const ChannelLayout &layout, size_t first,
                    size_t last) const {
  auto fuses = dyn_cast<FusesActivationInterface>(op);
  FnAttr clamp = fuses ? fuses.getFusedActivation() : FnAttr();
  if (!clamp)
    return;
  const float low = static_cast<float>(clamp.getClampMin());
  const float high = static_cast<float>(clamp.getClampMax());
  for (unsigned stream = 0; stream < streams; ++stream)
    for (size_t sample = 0; sample < samples; ++sample)
      layout.forEachPiece(first, last, [&](size_t, size_t begin) {
        for (float &value :
             result.at(stream, sample).slice(begin, layout.inner))
          value = std::min(std::max(value, low), high);
      });
}

void Streams::finishLayer(Operation &op, StreamValues &result,
                          bool correctsMeans) const {
  const ChannelLayout layout(op, getChannelAxis(op));
  std::vector<double> delta(layout.channels);
  forEachChannelBlock(
      op.getContext(), layout.channels, [&](size_t first, size_t last) {
        for (unsigned stream = 1; stream < streams && correctsMeans; ++stream)
          moveMeans(result, layout, first, last, stream,
                    /*estimatingOnly=*/true, delta);
        clamp(op, result, layout, first, last);
      });
}

llvm::Error Streams::run(Operation &op) {
  auto result = compute(op);
  if (!result)
    return result.takeError();
  set(op.getResult(0), std::move(*result));
  return llvm::Error::success();
}

llvm::Error Streams::runLayer(Operation &op, const LayerWeights &weights,
                              bool correctsMeans) {
  auto result = computeLayer(op, weights);
  if (!result)
    return result.takeError();
  if (result->elements)
    finishLayer(op, *result, correctsMeans);
  set(op.getResult(0), std::move(*result));
  return llvm::Error::success();
}

SmallVector<const float *>
evaluation::getSampleInputs(const observers::CalibrationState &state,
                            size_t sample) {
  SmallVector<const float *> inputs;
  const float *next = state.getReservoir()[sample].values.data();
  for (const observers::InputLayout &input : state.getInputs()) {
    inputs.push_back(next);
    next += input.elements;
  }
  return inputs;
}
