// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One walk over the float function in six streams: each cause alone, and the
// integers that the model really has.

#include "qopt/Evaluation/LayerErrors.h"
#include "IntegerRun.h"
#include "Streams.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

enum Stream : unsigned {
  Real,
  /// Values are replaced by those of the integer function.
  Integers,
  /// One cause everywhere.
  Weights,
  Rounding,
  Clipping,
  /// Quantized weights on exact inputs: made exact again behind each value.
  OwnWeights,
  StreamCount
};

/// What quantization made of a layer.
struct LayerForm {
  std::vector<float> weights;
  /// What was added to the bias, and its step; one a channel.
  std::vector<float> shift;
  std::vector<double> biasStep;
};

/// Squared sums of one observed value.
struct Sums {
  double signal = 0;
  double ownWeights = 0, ownBias = 0, ownRounding = 0, ownClipping = 0,
         ownArithmetic = 0;
  double weights = 0, rounding = 0, clipping = 0, all = 0;
};

class Measurement {
public:
  Measurement(func::FuncOp real, const observers::CalibrationState &state)
      : body(real.getBody().front()), state(state),
        streams(real, state, StreamCount) {}

  llvm::Error run(func::FuncOp quantized, func::FuncOp integer,
                  const LayerErrorOptions &options, LayerErrors &result);

private:
  void readForms(func::FuncOp quantized);
  LayerForm readForm(QuantizableOpInterface op, QuantizableOpInterface real);
  llvm::Error runIntegers(func::FuncOp integer);
  const LayerForm *findForm(Operation &op);
  llvm::Error compute(Operation &op);
  void addShift(StreamValues &result, const ChannelLayout &layout,
                const LayerForm &form, unsigned stream) const;
  LayerError observe(ObserveOp op);
  void addSample(ObserveOp op, StreamValues &values, size_t sample,
                 Sums &sums) const;

  Block &body;
  const observers::CalibrationState &state;
  Streams streams;
  /// By the id of the layer's value.
  llvm::StringMap<LayerForm> forms;
  /// The integers of a value, sample after sample.
  llvm::StringMap<std::vector<std::vector<int16_t>>> integers;
};

} // namespace

/// The observer of `op`'s result, if that is all that reads it.
static ObserveOp getObserver(Operation &op) {
  if (op.getNumResults() != 1 || !op.getResult(0).hasOneUse())
    return nullptr;
  return dyn_cast<ObserveOp>(*op.getResult(0).user_begin());
}

/// The reals that a quantized constant holds.
static std::vector<float> readReals(Value value) {
  auto numbers = getQuantizedConstant(value);
  if (!numbers)
    return {};
  auto shape = cast<RankedTensorType>(value.getType()).getShape();
  const int64_t axis = quantAxis(value.getType());
  int64_t inner = 1;
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
  std::vector<float> reals(numbers->size());
  for (auto [i, number] : llvm::enumerate(*numbers)) {
    int64_t channel = axis < 0 ? 0 : int64_t(i) / inner % shape[axis];
    auto element = getElementTypeOrSelf(value.getType());
    int64_t zero = 0;
    if (auto whole = dyn_cast<quant::UniformQuantizedType>(element))
      zero = whole.getZeroPoint();
    reals[i] = static_cast<float>(quantScale(value.getType(), channel) *
                                  static_cast<double>(number - zero));
  }
  return reals;
}

LayerForm Measurement::readForm(QuantizableOpInterface op,
                                QuantizableOpInterface real) {
  LayerForm form;
  form.weights = readReals(op.getWeightOperand()->get());
  OpOperand *bias = op.getBiasOperand();
  if (!bias)
    return form;
  form.shift = readReals(bias->get());
  for (size_t i = 0; i < form.shift.size(); ++i)
    form.biasStep.push_back(quantScale(
        bias->get().getType(), isPerAxis(bias->get().getType()) ? i : 0));
  OpOperand *before = real.getBiasOperand();
  auto values = before ? getConstantF32(before->get()) : std::nullopt;
  if (values && values->size() == form.shift.size())
    for (auto [shift, value] : llvm::zip_equal(form.shift, *values))
      shift -= value;
  return form;
}

void Measurement::readForms(func::FuncOp quantized) {
  llvm::StringMap<Operation *> byId;
  for (Operation &op : quantized.getBody().front())
    if (auto name = op.getAttrOfType<StringAttr>("qopt.value"))
      byId[name.getValue()] = &op;
  for (Operation &op : body) {
    ObserveOp observer = getObserver(op);
    auto real = dyn_cast<QuantizableOpInterface>(&op);
    auto found = observer ? byId.find(observer.getId()) : byId.end();
    if (!real || found == byId.end() ||
        found->second->getName() != op.getName() || getChannelAxis(op) < 0)
      continue;
    auto form = readForm(cast<QuantizableOpInterface>(found->second), real);
    if (!form.weights.empty())
      forms[observer.getId()] = std::move(form);
  }
}

llvm::Error Measurement::runIntegers(func::FuncOp integer) {
  auto run = IntegerRun::create(integer);
  if (!run)
    return run.takeError();
  std::vector<float> numbers;
  for (size_t sample = 0; sample < streams.size(); ++sample) {
    run->run(getSampleInputs(state, sample));
    for (Operation &op : body) {
      auto observer = dyn_cast<ObserveOp>(&op);
      auto *probe = observer ? run->find(observer.getId()) : nullptr;
      if (!probe)
        continue;
      numbers.resize(calibration::countElements(*probe));
      calibration::copyElements(*probe, numbers);
      integers[observer.getId()].emplace_back(numbers.begin(), numbers.end());
    }
  }
  return llvm::Error::success();
}

const LayerForm *Measurement::findForm(Operation &op) {
  ObserveOp observer = getObserver(op);
  auto found = observer ? forms.find(observer.getId()) : forms.end();
  return found == forms.end() ? nullptr : &found->second;
}

void Measurement::addShift(StreamValues &result, const ChannelLayout &layout,
                           const LayerForm &form, unsigned stream) const {
  for (size_t sample = 0; sample < streams.size() && !form.shift.empty();
       ++sample) {
    MutableArrayRef<float> values = result.at(stream, sample);
    layout.forEachPiece(0, layout.channels, [&](size_t channel, size_t begin) {
      for (float &value : values.slice(begin, layout.inner))
        value += form.shift[channel];
    });
  }
}

llvm::Error Measurement::compute(Operation &op) {
  const LayerForm *form = findForm(op);
  if (!form)
    return streams.run(op);
  LayerWeights weights;
  weights.kinds.assign(StreamCount, -1);
  for (unsigned stream : {Integers, Weights, OwnWeights})
    weights.kinds[stream] = 0;
  weights.make = [&](int) { return llvm::to_vector_of<float>(form->weights); };
  auto result = streams.computeLayer(op, weights);
  if (!result)
    return result.takeError();
  const ChannelLayout layout(op, getChannelAxis(op));
  addShift(*result, layout, *form, Integers);
  addShift(*result, layout, *form, Weights);
  streams.clamp(op, *result, layout, 0, layout.channels);
  streams.set(op.getResult(0), std::move(*result));
  return llvm::Error::success();
}

static double squaredDistance(ArrayRef<float> a, ArrayRef<float> b) {
  double sum = 0;
  for (auto [x, y] : llvm::zip_equal(a, b))
    sum += (static_cast<double>(x) - y) * (static_cast<double>(x) - y);
  return sum;
}

void Measurement::addSample(ObserveOp op, StreamValues &values, size_t sample,
                            Sums &sums) const {
  const numerics::QuantParams params = getParams(op);
  const double step = params.scale,
               low = step * (params.qmin - params.zeroPoint),
               high = step * (params.qmax - params.zeroPoint);
  auto clip = [&](double value) {
    return std::min(std::max(value, low), high);
  };
  ArrayRef<float> real = values.at(Real, sample);
  sums.ownWeights += squaredDistance(real, values.at(OwnWeights, sample));
  llvm::copy(real, values.at(OwnWeights, sample).begin());
  for (double value : real) {
    double inside = clip(value);
    double nearest = step * numerics::roundHalfEven(inside / step);
    sums.signal += value * value;
    sums.ownClipping += (value - inside) * (value - inside);
    sums.ownRounding += (inside - nearest) * (inside - nearest);
  }
  MutableArrayRef<float> exact = values.at(Integers, sample);
  numerics::simulate(exact, params);
  if (auto found = integers.find(op.getId());
      found != integers.end() && found->second[sample].size() == exact.size())
    for (auto [value, number] : llvm::zip_equal(exact, found->second[sample])) {
      float own = numerics::dequantize(number, params);
      sums.ownArithmetic += (double(own) - value) * (double(own) - value);
      value = own;
    }
  for (float &value : values.at(Rounding, sample))
    value = static_cast<float>(step * numerics::roundHalfEven(value / step));
  for (float &value : values.at(Clipping, sample))
    value = static_cast<float>(clip(value));
  sums.all += squaredDistance(real, exact);
  sums.weights += squaredDistance(real, values.at(Weights, sample));
  sums.rounding += squaredDistance(real, values.at(Rounding, sample));
  sums.clipping += squaredDistance(real, values.at(Clipping, sample));
}

LayerError Measurement::observe(ObserveOp op) {
  StreamValues values = streams.take(op.getInput());
  Sums sums;
  for (size_t sample = 0; sample < streams.size(); ++sample)
    addSample(op, values, sample, sums);
  LayerError error;
  error.id = op.getId().str();
  const double signal = std::max(sums.signal, 1e-300);
  Operation *producer = op.getInput().getDefiningOp();
  if (const LayerForm *form = producer ? findForm(*producer) : nullptr) {
    error.own.weights = sums.ownWeights / signal;
    if (!form->biasStep.empty()) {
      double variance = 0;
      for (double step : form->biasStep)
        variance +=
            step * step / 12 / static_cast<double>(form->biasStep.size());
      error.own.bias =
          variance * double(values.elements * streams.size()) / signal;
    }
  }
  error.own.rounding = sums.ownRounding / signal;
  error.own.clipping = sums.ownClipping / signal;
  if (integers.contains(op.getId()))
    error.own.arithmetic = sums.ownArithmetic / signal;
  for (const auto &part :
       {error.own.weights, error.own.bias, error.own.rounding,
        error.own.clipping, error.own.arithmetic})
    error.own.all += part.value_or(0);
  error.accumulated.weights = sums.weights / signal;
  error.accumulated.rounding = sums.rounding / signal;
  error.accumulated.clipping = sums.clipping / signal;
  error.accumulated.all = sums.all / signal;
  streams.set(op.getResult(), std::move(values));
  return error;
}

llvm::Error Measurement::run(func::FuncOp quantized, func::FuncOp integer,
                             const LayerErrorOptions &options,
                             LayerErrors &result) {
  const StreamLimits limits{/*minSamples=*/1, options.maxSamples,
                            options.maxBytes, options.maxMacs};
  if (llvm::Error error = streams.load(limits))
    return error;
  result.samples = streams.size();
  if (streams.size() == 0)
    return llvm::Error::success();
  readForms(quantized);
  if (llvm::Error error = runIntegers(integer))
    return error;
  for (Operation &op : body.without_terminator()) {
    if (isa<qopt::ConstantOp>(op))
      continue;
    if (auto observer = dyn_cast<ObserveOp>(&op))
      result.layers.push_back(observe(observer));
    else if (llvm::Error error = compute(op))
      return error;
    streams.release(op);
  }
  return llvm::Error::success();
}

llvm::Expected<LayerErrors>
mlir::qopt::evaluation::measureLayers(func::FuncOp real, func::FuncOp quantized,
                                      func::FuncOp integer,
                                      const observers::CalibrationState &state,
                                      const LayerErrorOptions &options) {
  LayerErrors result;
  // A model that brings its scales has no samples.
  if (state.getReservoir().empty())
    return result;
  if (llvm::Error error =
          Measurement(real, state).run(quantized, integer, options, result))
    return std::move(error);
  return result;
}
