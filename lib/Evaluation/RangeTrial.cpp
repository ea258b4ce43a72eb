// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the model once with one stream a range method and compares what comes
// out.

#include "qopt/Evaluation/RangeTrial.h"
#include "Streams.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Threading.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Support/Error.h"
#include <cmath>
#include <tuple>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using numerics::QuantParams;

namespace {

/// The default first: what another method must beat. Of percentiles the widest:
/// one value in 10,000 is some in each sample's larger tensors.
constexpr llvm::StringLiteral methods[] = {"mse", "minmax", "percentile:99.999",
                                           "mean-minmax", "entropy"};
constexpr unsigned streamCount = 1 + std::size(methods);

/// The observers of `function` whose method is to be found.
SmallVector<ObserveOp> getUndecided(func::FuncOp function) {
  SmallVector<ObserveOp> observers;
  function.walk([&](ObserveOp op) {
    if (op.getMethod() == autoMethod)
      observers.push_back(op);
  });
  return observers;
}

/// The mean of `values[i] - others[i]` and its standard error.
std::pair<double, double> comparePairs(ArrayRef<double> values,
                                       ArrayRef<double> others) {
  const double count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (auto [value, other] : llvm::zip_equal(values, others))
    sum += value - other;
  const double mean = sum / count;
  for (auto [value, other] : llvm::zip_equal(values, others))
    squares += (value - other - mean) * (value - other - mean);
  return {mean, std::sqrt(squares / (count - 1) / count)};
}

void decide(func::FuncOp function, StringRef method) {
  for (ObserveOp op : getUndecided(function))
    op.setMethod(method);
}

class Trial {
public:
  Trial(func::FuncOp calibrated, const observers::CalibrationState &state,
        const RangeTrialOptions &options,
        std::vector<std::vector<QuantParams>> params)
      : body(calibrated.getBody().front()), options(options),
        params(std::move(params)), streams(calibrated, state, streamCount) {}

  /// The candidates and the samples of `trial`; there must be enough.
  llvm::Error run(RangeTrial &trial);

private:
  llvm::Error visit(Operation &op);
  llvm::Error compute(Operation &op);
  void observe(ObserveOp op);
  void judge(RangeTrial &trial);

  Block &body;
  const RangeTrialOptions &options;
  /// Of each method: of each observer in program order.
  std::vector<std::vector<QuantParams>> params;
  size_t nextObserver = 0;
  Streams streams;
};

} // namespace

void Trial::observe(ObserveOp op) {
  StreamValues result = streams.take(op.getInput());
  parallelFor(op.getContext(), 0, streams.size(), [&](size_t sample) {
    for (auto [index, own] : llvm::enumerate(params))
      numerics::simulate(result.at(1 + index, sample), own[nextObserver]);
  });
  ++nextObserver;
  streams.set(op.getResult(), std::move(result));
}

llvm::Error Trial::compute(Operation &op) {
  std::optional<numerics::QuantizedWeights> quantized;
  const int64_t axis = getChannelAxis(op);
  if (auto quantizable = dyn_cast<QuantizableOpInterface>(op);
      quantizable && axis >= 0)
    quantized = getQuantizedWeights(quantizable, options.weights);
  if (!quantized)
    return streams.run(op);
  LayerWeights weights;
  weights.kinds.assign(streams.count(), 0);
  weights.kinds[0] = -1;
  weights.make = [&](int) { return dequantizeWeights(*quantized); };
  return streams.runLayer(op, weights, options.correctBias);
}

llvm::Error Trial::visit(Operation &op) {
  if (isa<ConstantOp>(op))
    return llvm::Error::success();
  if (auto observer = dyn_cast<ObserveOp>(op))
    observe(observer);
  else if (llvm::Error error = compute(op))
    return error;
  streams.release(op);
  return llvm::Error::success();
}

void Trial::judge(RangeTrial &trial) {
  const OutputParts parts(streams.getFunction());
  std::vector<PartErrors> sums(params.size(), PartErrors(parts));
  std::vector<std::vector<double>> samples(params.size());
  for (size_t sample = 0; sample < streams.size(); ++sample) {
    if (options.correctBias && Streams::isEstimating(sample))
      continue;
    ++trial.samples;
    for (auto [index, sum] : llvm::enumerate(sums)) {
      PartErrors own(parts);
      streams.addOutputs(own, sample, 1 + index);
      sum.add(own);
      samples[index].push_back(own.sqnrDb());
    }
  }
  for (auto [index, sum] : llvm::enumerate(sums)) {
    RangeTrial::Candidate candidate;
    candidate.method = methods[index].str();
    candidate.db = sum.sqnrDb();
    std::tie(candidate.gainDb, candidate.gainErrorDb) =
        comparePairs(samples[index], samples[0]);
    trial.candidates.push_back(std::move(candidate));
  }
}

static StreamLimits getLimits(const RangeTrialOptions &options) {
  StreamLimits limits;
  limits.minSamples = options.correctBias ? 2 * minimalJudges : minimalJudges;
  limits.maxSamples = options.maxSamples;
  limits.maxBytes = options.maxBytes;
  limits.mostBytes = options.mostBytes;
  limits.enoughSamples = limits.minSamples;
  limits.maxMacs = options.maxMacs;
  return limits;
}

llvm::Error Trial::run(RangeTrial &trial) {
  if (llvm::Error error = streams.load(getLimits(options)))
    return error;
  for (Operation &op : body.without_terminator())
    if (llvm::Error error = visit(op))
      return error;
  judge(trial);
  return llvm::Error::success();
}

/// The best of what is better than the first beyond noise, else the first.
static StringRef choose(ArrayRef<RangeTrial::Candidate> candidates) {
  StringRef chosen = methods[0];
  double best = candidates.empty() ? 0 : candidates[0].db + minimalGainDb;
  for (const RangeTrial::Candidate &candidate : candidates) {
    if (candidate.db < best || candidate.gainDb < minimalGainDb ||
        candidate.gainDb < certainty * candidate.gainErrorDb)
      continue;
    best = candidate.db;
    chosen = candidate.method;
  }
  return chosen;
}

/// What `observed` decides with `method`, observer by observer.
static llvm::Expected<OwningOpRef<func::FuncOp>>
foldWith(func::FuncOp observed, StringRef method,
         const observers::CalibrationState &state) {
  OwningOpRef<func::FuncOp> copy(observed.clone());
  decide(*copy, method);
  if (failed(foldStatistics(*copy, state)))
    return makeError(420, "the statistics do not fit the model");
  return copy;
}

static std::vector<QuantParams> getAllParams(func::FuncOp calibrated) {
  std::vector<QuantParams> params;
  calibrated.walk([&](ObserveOp op) { params.push_back(getParams(op)); });
  return params;
}

llvm::Expected<RangeTrial>
mlir::qopt::evaluation::tryRanges(func::FuncOp observed,
                                  const observers::CalibrationState &state,
                                  const RangeTrialOptions &options) {
  RangeTrial trial;
  trial.chosen = methods[0].str();
  // Ranges by all methods take a second on a large model.
  auto samples = Streams(observed, state, streamCount).plan(getLimits(options));
  if (!samples)
    return samples.takeError();
  if (*samples == 0) {
    decide(observed, trial.chosen);
    return trial;
  }
  OwningOpRef<func::FuncOp> calibrated;
  std::vector<std::vector<QuantParams>> params;
  for (StringRef method : methods) {
    auto folded = foldWith(observed, method, state);
    if (!folded)
      return folded.takeError();
    params.push_back(getAllParams(**folded));
    if (!calibrated)
      calibrated = std::move(*folded);
  }
  if (llvm::Error error =
          Trial(*calibrated, state, options, std::move(params)).run(trial))
    return std::move(error);
  trial.chosen = choose(trial.candidates).str();
  decide(observed, trial.chosen);
  return trial;
}
