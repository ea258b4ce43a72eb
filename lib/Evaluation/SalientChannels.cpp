// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two walks over the float model on samples: how large channels are, then what
// each exponent would cost the layers that read them.

#include "qopt/Evaluation/SalientChannels.h"
#include "RoundLayer.h"
#include "Streams.h"
#include "mlir/IR/Threading.h"
#include "qopt/Numerics/RoundWeights.h"
#include "qopt/Transforms/ChannelGroups.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

/// Candidates: tenths of the exponent of a channel's magnitude.
constexpr int steps = 10;
/// What the best one must gain over none.
constexpr double leastGain = 0.02;

/// What the inputs are divided by, by channel.
using Factors = SmallVector<float>;

/// One group of values while it is decided about.
struct Choice {
  ChannelGroup *group;
  /// By channel: the sum of magnitudes, and how many values that is of.
  std::vector<double> sums;
  int64_t count = 0;
  SmallVector<Factors> candidates;
  std::vector<double> costs;

  void makeCandidates();
};

class Search {
public:
  Search(func::FuncOp function, const observers::CalibrationState &state,
         const SalientChannelOptions &options)
      : function(function), state(state), options(options), groups(function) {}

  llvm::Expected<SalientChannels> run();

private:
  using Visit = llvm::function_ref<void(Choice &, ScaledLayer &, Streams &)>;
  void collect();
  llvm::Expected<bool> walk(Visit visit);
  void addMagnitudes(Choice &choice, ScaledLayer &layer, Streams &streams);
  void addCosts(Choice &choice, ScaledLayer &layer, Streams &streams);
  SmallVector<float> getError(ScaledLayer &layer, const Factors &factors);
  SalientChannels apply();

  func::FuncOp function;
  const observers::CalibrationState &state;
  const SalientChannelOptions &options;
  ChannelGroups groups;
  std::vector<Choice> choices;
  /// By the op of a layer that reads values of a group.
  llvm::DenseMap<Operation *, std::pair<size_t, size_t>> readers;
};

} // namespace

void Choice::makeCandidates() {
  std::vector<double> logs(sums.size(), 0.0);
  double middle = 0;
  size_t known = 0;
  for (auto [sum, log] : llvm::zip_equal(sums, logs))
    if (sum > 0) {
      log = std::log2(sum / static_cast<double>(count));
      middle += log;
      ++known;
    }
  if (known)
    middle /= static_cast<double>(known);
  for (int step = 0; step <= steps; ++step) {
    Factors factors;
    for (auto [sum, log] : llvm::zip_equal(sums, logs))
      factors.push_back(
          sum > 0 ? static_cast<float>(std::exp2(step * (log - middle) / steps))
                  : 1.0f);
    candidates.push_back(std::move(factors));
  }
  costs.assign(candidates.size(), 0.0);
}

/// Where the channels of what `layer` reads lie.
static std::pair<size_t, size_t> getChannelRuns(const ScaledLayer &layer) {
  const auto shape =
      cast<RankedTensorType>(layer.op->getOperand(0).getType()).getShape();
  const size_t channels = layer.inputs * layer.groups;
  if (isa<ConvOp>(layer.op))
    return {channels, llvm::product_of(shape.drop_front(2))};
  return {channels, layer.taps};
}

void Search::addMagnitudes(Choice &choice, ScaledLayer &layer,
                           Streams &streams) {
  auto [channels, inner] = getChannelRuns(layer);
  choice.sums.resize(channels);
  StreamValues &input = streams.get(layer.op->getOperand(0));
  for (size_t sample = 0; sample < streams.size(); ++sample) {
    if (streams.size() >= 4 && !Streams::isEstimating(sample))
      continue;
    ArrayRef<float> values = input.at(0, sample);
    for (auto [index, value] : llvm::enumerate(values))
      choice.sums[index / inner % channels] +=
          std::fabs(static_cast<double>(value));
    choice.count += values.size() / channels;
  }
}

/// What rounding does to each weight of `layer` behind inputs divided by
/// `factors`.
SmallVector<float> Search::getError(ScaledLayer &layer,
                                    const Factors &factors) {
  const size_t row = layer.inputs * layer.taps;
  auto getFactor = [&](size_t i) { return factors[i % row / layer.taps]; };
  SmallVector<float> scaled(layer.weight);
  for (auto [i, weight] : llvm::enumerate(scaled))
    weight *= getFactor(i);
  SmallVector<float> errors = dequantizeWeights(quantizeInPlaceOf(
      cast<QuantizableOpInterface>(layer.op), scaled, options.weights));
  for (auto [i, error] : llvm::enumerate(errors))
    error = error / getFactor(i) - layer.weight[i];
  return errors;
}

/// The cost of all rows of `errors`.
static double sumCosts(MLIRContext *context,
                       const numerics::InputMetric &metric,
                       ArrayRef<float> errors) {
  const size_t size = metric.size();
  const std::vector<int8_t> nothing(size, 0);
  std::vector<double> costs(errors.size() / size);
  parallelFor(context, 0, costs.size(), [&](size_t row) {
    costs[row] = metric.cost(errors.slice(row * size, size), 1.0f, nothing);
  });
  double sum = 0;
  for (double cost : costs)
    sum += cost;
  return sum;
}

void Search::addCosts(Choice &choice, ScaledLayer &layer, Streams &streams) {
  std::optional<LayerInputs> inputs = LayerInputs::get(*layer.op);
  if (!inputs || inputs->groups > 1 ||
      inputs->rowSize > options.maxRowWeights ||
      getOwnForm(cast<QuantizableOpInterface>(layer.op), options.weights)
              .bits == 8)
    return;
  MLIRContext *context = layer.op->getContext();
  StreamValues &input = streams.get(layer.op->getOperand(0));
  SmallVector<ArrayRef<float>> samples;
  for (size_t sample = 0; sample < streams.size(); ++sample)
    if (streams.size() < 4 || Streams::isEstimating(sample))
      samples.push_back(input.at(0, sample));
  auto sideBySide = [&](size_t count, llvm::function_ref<void(size_t)> body) {
    parallelFor(context, 0, count, body);
  };
  const std::vector<float> rows = gatherRows(*inputs, /*group=*/0, samples,
                                             options.maxPositions, sideBySide);
  numerics::InputMetricOptions metricOptions;
  metricOptions.centered = options.correctBias;
  const numerics::InputMetric metric(rows, inputs->rowSize, metricOptions,
                                     sideBySide);
  const double energy = sumCosts(context, metric, layer.weight);
  if (energy <= 0)
    return;
  for (auto [factors, cost] : llvm::zip_equal(choice.candidates, choice.costs))
    cost += sumCosts(context, metric, getError(layer, factors)) / energy;
}

void Search::collect() {
  for (ChannelGroup &group : groups.get()) {
    bool hasFewBits = llvm::any_of(group.consumers, [&](size_t index) {
      auto op = cast<QuantizableOpInterface>(groups.getLayer(index).op);
      return getOwnForm(op, options.weights).bits < 8;
    });
    if (!hasFewBits)
      continue;
    for (size_t index : group.consumers)
      readers[groups.getLayer(index).op] = {choices.size(), index};
    choices.push_back({&group, {}, 0, {}, {}});
  }
}

/// Calls `visit` with each layer that reads values of a group, once these are
/// there. False without samples.
llvm::Expected<bool> Search::walk(Visit visit) {
  Streams streams(function, state, /*streams=*/1);
  StreamLimits limits;
  limits.minSamples = 1;
  limits.maxSamples = options.maxSamples;
  limits.maxBytes = options.maxBytes;
  if (llvm::Error error = streams.load(limits))
    return std::move(error);
  if (streams.size() == 0)
    return false;
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (isa<ConstantOp>(op))
      continue;
    if (auto reader = readers.find(&op); reader != readers.end()) {
      auto [choice, layer] = reader->second;
      visit(choices[choice], groups.getLayer(layer), streams);
    }
    auto result = streams.compute(op);
    if (!result)
      return result.takeError();
    streams.set(op.getResult(0), std::move(*result));
    streams.release(op);
  }
  return true;
}

SalientChannels Search::apply() {
  SalientChannels result;
  for (Choice &choice : choices) {
    const size_t best =
        std::min_element(choice.costs.begin(), choice.costs.end()) -
        choice.costs.begin();
    // The first candidate is none.
    if (choice.costs[best] > (1 - leastGain) * choice.costs[0])
      continue;
    const Factors &factors = choice.candidates[best];
    for (auto [channel, factor] : llvm::enumerate(factors))
      groups.scale(*choice.group, channel, factor);
    ++result.groups;
    result.layers += choice.group->consumers.size();
    Builder builder(function.getContext());
    for (Operation *op : choice.group->ops)
      op->setAttr(salientScaleAttr, builder.getDenseF32ArrayAttr(factors));
  }
  groups.store();
  return result;
}

llvm::Expected<SalientChannels> Search::run() {
  collect();
  if (choices.empty())
    return SalientChannels();
  auto hasSamples = walk([&](auto &...all) { addMagnitudes(all...); });
  if (!hasSamples)
    return hasSamples.takeError();
  if (!*hasSamples)
    return SalientChannels();
  for (Choice &choice : choices)
    choice.makeCandidates();
  hasSamples = walk([&](auto &...all) { addCosts(all...); });
  if (!hasSamples)
    return hasSamples.takeError();
  return apply();
}

llvm::Expected<SalientChannels> mlir::qopt::evaluation::scaleSalientChannels(
    func::FuncOp function, const observers::CalibrationState &state,
    const SalientChannelOptions &options) {
  return Search(function, state, options).run();
}
