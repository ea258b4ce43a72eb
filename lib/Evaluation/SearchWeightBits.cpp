// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Noises of different layers add up, nearly: each is measured alone, in a
// stream of its own beside the float model.

#include "qopt/Evaluation/SearchWeightBits.h"
#include "OutputParts.h"
#include "RoundLayer.h"
#include "Streams.h"
#include "qopt/Evaluation/RefineLayers.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

/// A layer that may have few bits.
struct Layer {
  Operation *op;
  int64_t weights = 0;
  /// Of the outputs, in parts of their size, where this layer's weights alone
  /// have few bits.
  double noise = 0;
};

/// Layers of one run; streams cost memory whether they differ or not.
constexpr size_t layersARun = 24;

/// One run of the function with some layers' few bits, each in its own stream.
class Run {
public:
  Run(func::FuncOp function, const observers::CalibrationState &state,
      const WeightBitSearchOptions &options, MutableArrayRef<Layer> layers)
      : function(function), options(options), layers(layers),
        streams(function, state, layers.size() + 1) {}

  /// Measures the layers' noises; false without samples.
  llvm::Expected<bool> run();

private:
  llvm::Error visit(Operation &op);
  llvm::Error computeLayer(Operation &op, unsigned stream);
  SmallVector<float> getRounded(Operation &op);
  void judge();
  /// Whether what is fitted is judged on other samples.
  bool splits() const { return streams.size() >= 4; }

  func::FuncOp function;
  const WeightBitSearchOptions &options;
  MutableArrayRef<Layer> layers;
  Streams streams;
};

} // namespace

/// The weights of `op` as they will be in a model whose other layers are exact.
SmallVector<float> Run::getRounded(Operation &op) {
  auto layer = cast<QuantizableOpInterface>(op);
  numerics::QuantizedWeights rounded =
      *getQuantizedWeights(layer, options.weights);
  const RefineOptions limits;
  std::optional<LayerInputs> inputs = LayerInputs::get(op);
  if (options.roundWeights && splits() && inputs &&
      inputs->rowSize <= limits.maxRowWeights) {
    SmallVector<ArrayRef<float>> samples;
    StreamValues &input = streams.get(op.getOperand(0));
    for (size_t sample = 0; sample < streams.size(); ++sample)
      if (Streams::isEstimating(sample))
        samples.push_back(input.at(0, sample));
    roundLayer(op.getContext(), *inputs, samples, limits.maxPositions,
               options.correctBias, mayClip(options.weights, rounded),
               /*descends=*/false,
               *getConstantF32(layer.getWeightOperand()->get()), rounded);
  }
  return dequantizeWeights(rounded);
}

/// With few bits in `stream`.
llvm::Error Run::computeLayer(Operation &op, unsigned stream) {
  LayerWeights weights;
  weights.kinds.assign(streams.count(), -1);
  weights.kinds[stream] = 0;
  weights.make = [&](int) { return getRounded(op); };
  auto result = streams.computeLayer(op, weights);
  if (!result)
    return result.takeError();
  const ChannelLayout layout(op, getChannelAxis(op));
  std::vector<double> delta(layout.channels);
  forEachChannelBlock(
      op.getContext(), layout.channels, [&](size_t first, size_t last) {
        if (options.correctBias)
          streams.moveMeans(*result, layout, first, last, stream,
                            /*estimatingOnly=*/splits(), delta);
        streams.clamp(op, *result, layout, first, last);
      });
  streams.set(op.getResult(0), std::move(*result));
  return llvm::Error::success();
}

llvm::Error Run::visit(Operation &op) {
  if (isa<ConstantOp>(op))
    return llvm::Error::success();
  const auto *layer =
      llvm::find_if(layers, [&](const Layer &one) { return one.op == &op; });
  if (auto observe = dyn_cast<ObserveOp>(op)) {
    streams.set(observe.getResult(), streams.take(observe.getInput()));
  } else if (layer != layers.end()) {
    if (llvm::Error error = computeLayer(op, 1 + (layer - layers.begin())))
      return error;
  } else {
    if (llvm::Error error = streams.run(op))
      return error;
  }
  streams.release(op);
  return llvm::Error::success();
}

void Run::judge() {
  const OutputParts parts(function);
  for (auto [index, layer] : llvm::enumerate(layers)) {
    PartErrors errors(parts);
    for (size_t sample = 0; sample < streams.size(); ++sample)
      if (!splits() || !Streams::isEstimating(sample))
        streams.addOutputs(errors, sample, 1 + index);
    layer.noise = errors.getNoise();
  }
}

llvm::Expected<bool> Run::run() {
  const StreamLimits limits{/*minSamples=*/1, options.maxSamples,
                            options.maxBytes, options.maxMacs};
  if (llvm::Error error = streams.load(limits))
    return std::move(error);
  if (streams.size() == 0)
    return false;
  for (Operation &op : function.getBody().front().without_terminator())
    if (llvm::Error error = visit(op))
      return std::move(error);
  judge();
  return true;
}

static std::vector<Layer> findLayers(func::FuncOp function, WeightForm form) {
  std::vector<Layer> layers;
  for (Operation &op : function.getBody().front()) {
    auto layer = dyn_cast<QuantizableOpInterface>(op);
    if (!layer || getChannelAxis(op) < 0 || op.hasAttr(weightBitsAttr))
      continue;
    auto weights = getQuantizedWeights(layer, form);
    if (weights && weights->bits < 8)
      layers.push_back({&op, int64_t(weights->values.size())});
  }
  return layers;
}

/// The layers that get 8 bits: those with most noise a weight, until that of
/// the others is `enough`. Gives the noise that is left.
static double giveBack(ArrayRef<Layer> layers, double enough, double noise,
                       SmallVectorImpl<const Layer *> &result) {
  SmallVector<const Layer *> order;
  for (const Layer &layer : layers)
    order.push_back(&layer);
  // Addresses are in program order.
  llvm::sort(order, [](const Layer *a, const Layer *b) {
    const double left = a->noise * b->weights, right = b->noise * a->weights;
    return left != right ? left > right : a < b;
  });
  SmallVector<const Layer *> given;
  for (const Layer *layer : order) {
    if (noise <= enough)
      break;
    noise -= layer->noise;
    given.push_back(layer);
  }
  if (given.size() == layers.size())
    noise = 0;
  // What was given early may fit beside what had to be given late.
  for (const Layer *layer : llvm::reverse(given)) {
    if (noise + layer->noise <= enough)
      noise += layer->noise;
    else
      result.push_back(layer);
  }
  return noise;
}

llvm::Expected<WeightBitSearch> mlir::qopt::evaluation::searchWeightBits(
    func::FuncOp calibrated, const observers::CalibrationState &state,
    const WeightBitSearchOptions &options) {
  WeightBitSearch result;
  std::vector<Layer> layers = findLayers(calibrated, options.weights);
  result.candidates = result.kept = layers.size();
  double noise = 0;
  bool isMeasured = true;
  for (size_t first = 0; first < layers.size(); first += layersARun) {
    auto own = MutableArrayRef(layers).drop_front(first).take_front(layersARun);
    auto hasSamples = Run(calibrated, state, options, own).run();
    if (!hasSamples)
      return hasSamples.takeError();
    isMeasured &= *hasSamples;
    for (Layer &layer : own) {
      noise += layer.noise;
      result.candidateWeights += layer.weights;
    }
  }
  result.keptWeights = result.candidateWeights;
  auto toDb = [&](double part) {
    return part > 0 ? std::min(300.0, -10 * std::log10(part)) : 300.0;
  };
  result.beforeDb = toDb(noise);
  const double enough = std::pow(10.0, -options.targetDb / 10) / 2;
  SmallVector<const Layer *> given;
  if (isMeasured)
    noise = giveBack(layers, enough, noise, given);
  else // Nothing shows that few bits are enough.
    for (const Layer &layer : layers)
      given.push_back(&layer);
  result.afterDb = toDb(noise);
  for (const Layer *layer : given) {
    layer->op->setAttr(weightBitsAttr, Builder(layer->op).getI64IntegerAttr(8));
    --result.kept;
    result.keptWeights -= layer->weights;
  }
  return result;
}
