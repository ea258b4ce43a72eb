// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the function once and runs every op on all samples, in streams
// side by side; layers are changed as they come.

#include "qopt/Evaluation/RefineLayers.h"
#include "RoundLayer.h"
#include "Streams.h"
#include "mlir/IR/Threading.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

/// One simulation of the model.
struct StreamForm {
  enum class Weights { Real, Nearest, Rounded };
  Weights weights = Weights::Nearest;
  /// Activations are rounded.
  bool quantized = true;
  /// Means of channels are those of the float model.
  bool corrected = false;
  /// What this stream decides is fitted to all samples, not to those alone that
  /// do not judge.
  bool usesAll = false;
};

/// What is kept of a layer.
struct LayerChange {
  Operation *op;
  /// What is added to the bias; empty: nothing.
  std::vector<double> delta;
  std::optional<numerics::QuantizedWeights> weights;
};

class Refiner {
public:
  Refiner(func::FuncOp function, const observers::CalibrationState &state,
          const RefineOptions &options)
      : body(function.getBody().front()), options(options),
        forms(makeForms(options)), streams(function, state, forms.size()) {}

  llvm::Expected<Refinements> run();

private:
  static SmallVector<StreamForm> makeForms(const RefineOptions &options);
  llvm::Error visit(Operation &op);
  void observe(ObserveOp op);
  llvm::Error compute(Operation &op);
  llvm::Error computeLayer(Operation &op, int64_t axis,
                           const numerics::QuantizedWeights &nearest);
  bool mayRound(const LayerInputs &inputs, bool searchesScales);
  numerics::QuantizedWeights round(Operation &op, const LayerInputs &inputs,
                                   size_t stream,
                                   const numerics::QuantizedWeights &nearest);
  std::vector<double> correct(Operation &op, int64_t axis,
                              StreamValues &result);
  Refinements judge();
  void apply(const LayerChange &change);
  void addToBias(const LayerChange &change);

  Block &body;
  const RefineOptions &options;
  /// First the float model, then nearest rounding, last what may be kept.
  SmallVector<StreamForm> forms;
  Streams streams;
  std::vector<LayerChange> changes;
  uint64_t work = 0;
  int64_t tooLarge = 0;
};

} // namespace

SmallVector<StreamForm> Refiner::makeForms(const RefineOptions &options) {
  using Weights = StreamForm::Weights;
  SmallVector<StreamForm> forms = {{Weights::Real, /*quantized=*/false}, {}};
  StreamForm judged{Weights::Nearest, /*quantized=*/true, options.correctBias};
  if (options.correctBias)
    forms.push_back(judged);
  if (options.roundWeights) {
    judged.weights = Weights::Rounded;
    forms.push_back(judged);
  }
  judged.usesAll = true;
  forms.push_back(judged);
  return forms;
}

void Refiner::observe(ObserveOp op) {
  StreamValues result = streams.take(op.getInput());
  if (op.getScale() && op.getZeroPoint()) {
    const numerics::QuantParams params = getParams(op);
    parallelFor(op.getContext(), 0, streams.size(), [&](size_t sample) {
      for (auto [stream, form] : llvm::enumerate(forms))
        if (form.quantized)
          numerics::simulate(result.at(stream, sample), params);
    });
  }
  streams.set(op.getResult(), std::move(result));
}

/// Moves the channel means of the corrected streams to those of the float one,
/// then applies the clamp that the engine left out. Gives what the last stream
/// added, if it is one of them.
std::vector<double> Refiner::correct(Operation &op, int64_t axis,
                                     StreamValues &result) {
  const ChannelLayout layout(op, axis);
  std::vector<double> delta(layout.channels);
  forEachChannelBlock(
      op.getContext(), layout.channels, [&](size_t first, size_t last) {
        for (auto [stream, form] : llvm::enumerate(forms))
          if (form.corrected)
            streams.moveMeans(result, layout, first, last, stream,
                              /*estimatingOnly=*/!form.usesAll, delta);
        streams.clamp(op, result, layout, first, last);
      });
  if (!forms.back().corrected)
    delta.clear();
  return delta;
}

bool Refiner::mayRound(const LayerInputs &inputs, bool searchesScales) {
  const uint64_t needed =
      countWork(
          inputs,
          countRows(inputs, (streams.size() + 1) / 2, options.maxPositions),
          searchesScales) +
      countWork(inputs, countRows(inputs, streams.size(), options.maxPositions),
                searchesScales);
  if (inputs.rowSize > options.maxRowWeights ||
      needed > options.maxWork - work) {
    ++tooLarge;
    return false;
  }
  work += needed;
  return true;
}

numerics::QuantizedWeights
Refiner::round(Operation &op, const LayerInputs &inputs, size_t stream,
               const numerics::QuantizedWeights &nearest) {
  StreamValues &input = streams.get(op.getOperand(0));
  SmallVector<ArrayRef<float>> fitted;
  for (size_t sample = 0; sample < streams.size(); ++sample)
    if (forms[stream].usesAll || Streams::isEstimating(sample))
      fitted.push_back(input.at(stream, sample));
  Value weight = cast<QuantizableOpInterface>(op).getWeightOperand()->get();
  numerics::QuantizedWeights rounded = nearest;
  roundLayer(op.getContext(), inputs, fitted, options.maxPositions,
             forms[stream].corrected, mayClip(options.weights, nearest),
             options.descends, *getConstantF32(weight), rounded);
  return rounded;
}

/// A layer that has `nearest` without refinement.
llvm::Error Refiner::computeLayer(Operation &op, int64_t axis,
                                  const numerics::QuantizedWeights &nearest) {
  LayerChange change;
  change.op = &op;
  SmallVector<numerics::QuantizedWeights> rounded;
  LayerWeights weights;
  std::optional<LayerInputs> inputs = LayerInputs::get(op);
  const bool rounds = options.roundWeights && inputs &&
                      mayRound(*inputs, mayClip(options.weights, nearest));
  for (auto [stream, form] : llvm::enumerate(forms)) {
    if (form.weights == StreamForm::Weights::Rounded && rounds) {
      rounded.push_back(round(op, *inputs, stream, nearest));
      weights.kinds.push_back(rounded.size());
    } else {
      const bool isReal = form.weights == StreamForm::Weights::Real;
      weights.kinds.push_back(isReal ? -1 : 0);
    }
  }
  weights.make = [&](int kind) {
    return dequantizeWeights(kind == 0 ? nearest : rounded[kind - 1]);
  };
  auto result = streams.computeLayer(op, weights);
  if (!result)
    return result.takeError();
  if (result->elements)
    change.delta = correct(op, axis, *result);
  // Of the last stream.
  if (!rounded.empty())
    change.weights = std::move(rounded.back());
  streams.set(op.getResult(0), std::move(*result));
  changes.push_back(std::move(change));
  return llvm::Error::success();
}

llvm::Error Refiner::compute(Operation &op) {
  const int64_t axis = getChannelAxis(op);
  if (auto quantizable = dyn_cast<QuantizableOpInterface>(op);
      quantizable && axis >= 0)
    if (auto nearest = getQuantizedWeights(quantizable, options.weights))
      return computeLayer(op, axis, *nearest);
  return streams.run(op);
}

llvm::Error Refiner::visit(Operation &op) {
  if (isa<ConstantOp>(op))
    return llvm::Error::success();
  if (auto observer = dyn_cast<ObserveOp>(op))
    observe(observer);
  else if (llvm::Error error = compute(op))
    return error;
  streams.release(op);
  return llvm::Error::success();
}

Refinements Refiner::judge() {
  const OutputParts parts(streams.getFunction());
  SmallVector<double> sqnr;
  for (size_t stream = 0; stream < forms.size(); ++stream) {
    PartErrors errors(parts);
    for (size_t sample = 0; sample < streams.size(); ++sample)
      if (!Streams::isEstimating(sample))
        streams.addOutputs(errors, sample, stream);
    sqnr.push_back(errors.sqnrDb());
  }
  // The last stream has seen the samples that judge.
  const double best = *std::max_element(sqnr.begin() + 1, sqnr.end() - 2);
  const double judged = sqnr[sqnr.size() - 2];
  const bool kept = !changes.empty() && judged > best;
  auto count = [&](auto isChanged) {
    return kept ? llvm::count_if(changes, isChanged) : 0;
  };
  Refinements result;
  if (options.correctBias) {
    const int64_t layers =
        count([](const LayerChange &change) { return !change.delta.empty(); });
    result.bias = {layers, 0, layers > 0, sqnr[1], sqnr[2]};
  }
  if (options.roundWeights) {
    const int64_t layers =
        count([](const LayerChange &change) { return bool(change.weights); });
    result.rounding = {layers, tooLarge, layers > 0, best, judged};
  }
  return result;
}

void Refiner::addToBias(const LayerChange &change) {
  auto op = cast<QuantizableOpInterface>(change.op);
  OpBuilder builder(change.op);
  const int64_t channels = change.delta.size();
  SmallVector<float> bias(channels, 0.0f);
  Operation *old = nullptr;
  if (OpOperand *operand = op.getBiasOperand()) {
    bias = *getConstantF32(operand->get());
    old = operand->get().getDefiningOp();
  }
  for (auto [value, delta] : llvm::zip_equal(bias, change.delta))
    value = static_cast<float>(value + delta);
  auto type = RankedTensorType::get({channels}, builder.getF32Type());
  Value constant = createConstantF32(builder, op.getLoc(), type, bias);
  if (auto conv = dyn_cast<ConvOp>(change.op))
    conv.getBiasMutable().assign(constant);
  else if (auto gemm = dyn_cast<GemmOp>(change.op))
    gemm.getBiasMutable().assign(constant);
  if (old && old->use_empty())
    old->erase();
}

void Refiner::apply(const LayerChange &change) {
  if (change.weights)
    setQuantizedWeights(cast<QuantizableOpInterface>(change.op),
                        *change.weights);
  if (!change.delta.empty())
    addToBias(change);
}

llvm::Expected<Refinements> Refiner::run() {
  StreamLimits limits;
  limits.maxSamples = options.maxSamples;
  limits.maxBytes = options.maxBytes;
  limits.mostBytes = options.mostBytes;
  limits.enoughSamples = 8;
  if (llvm::Error error = streams.load(limits))
    return std::move(error);
  if (streams.size() == 0) {
    Refinements none;
    if (options.roundWeights)
      none.rounding = Refinement();
    if (options.correctBias)
      none.bias = Refinement();
    return none;
  }
  for (Operation &op : body.without_terminator())
    if (llvm::Error error = visit(op))
      return std::move(error);
  Refinements result = judge();
  if ((result.rounding && result.rounding->kept) ||
      (result.bias && result.bias->kept))
    for (const LayerChange &change : changes)
      apply(change);
  return result;
}

double Refinements::getDb() const {
  // Rounding is judged behind biases.
  for (const std::optional<Refinement> &one : {rounding, bias})
    if (one && one->kept)
      return one->afterDb;
  return bias ? bias->beforeDb : rounding ? rounding->beforeDb : 0;
}

llvm::Expected<Refinements>
mlir::qopt::evaluation::refineLayers(func::FuncOp calibrated,
                                     const observers::CalibrationState &state,
                                     const RefineOptions &options) {
  if (!options.roundWeights && !options.correctBias)
    return Refinements();
  auto both = Refiner(calibrated, state, options).run();
  if (!both || !options.roundWeights || !options.correctBias ||
      both->rounding->kept)
    return both;
  // The two together do not help; the better one may do so alone.
  const bool preferBias = both->bias->afterDb > both->bias->beforeDb;
  RefineOptions alone = options;
  (preferBias ? alone.roundWeights : alone.correctBias) = false;
  auto one = Refiner(calibrated, state, alone).run();
  if (!one)
    return one;
  (preferBias ? both->bias : both->rounding) =
      preferBias ? one->bias : one->rounding;
  return both;
}
