// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Levels `float` and `observed` with channels scaled for weights of few bits,
// where samples say that this helps.

#include "LevelPasses.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Pipelines/Config.h"
#include "qopt/Pipelines/Levels.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Statistics.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using observers::CalibrationState;

/// The statistics of scaled values have their id and this behind it.
static constexpr llvm::StringLiteral scaledSuffix = "@scaled";

/// The statistics of `observed` on the samples that `state` kept.
static llvm::Expected<CalibrationState>
observeKept(func::FuncOp observed, const CalibrationState &state) {
  const std::vector<calibration::InputSpec> specs =
      calibration::getInputSpecs(observed);
  const int64_t count = state.getReservoir().size();
  std::vector<std::vector<float>> values(specs.size());
  for (const observers::ReservoirSample &sample : state.getReservoir()) {
    auto next = sample.values.begin();
    for (auto [layout, input] : llvm::zip_equal(state.getInputs(), values)) {
      input.insert(input.end(), next, next + layout.elements);
      next += layout.elements;
    }
  }
  calibration::MemorySamples samples;
  for (auto [spec, input] : llvm::zip_equal(specs, values)) {
    calibration::MemoryArray array;
    array.name = spec.name;
    array.shape = {count};
    llvm::append_range(array.shape, spec.shape);
    array.bytes = StringRef(reinterpret_cast<const char *>(input.data()),
                            input.size() * sizeof(float));
    samples.arrays.push_back(std::move(array));
  }
  auto data = calibration::DataSet::fromMemory(samples, specs);
  if (!data)
    return data.takeError();
  return calibration::calibrate(observed, state.getModelHash(), **data);
}

static SmallVector<ObserveOp> getObservers(ModuleOp module) {
  SmallVector<ObserveOp> observers;
  module.walk([&](ObserveOp op) { observers.push_back(op); });
  return observers;
}

llvm::Expected<OwningOpRef<ModuleOp>>
Levels::observeSalient(ModuleOp floatLevel, CalibrationState &state) {
  OwningOpRef<ModuleOp> observed(floatLevel.clone());
  DiagnosticCollector diagnostics(context);
  if (failed(runPass(*observed, makeObservers(options))))
    return diagnostics.take(720, "the model cannot be observed");
  if (llvm::Error error =
          applyConfig(options.rules, options, getMain(*observed)))
    return std::move(error);
  auto kept = observeKept(getMain(*observed), state);
  if (!kept)
    return kept.takeError();
  for (auto [now, before] : llvm::zip_equal(
           getObservers(*observed), getObservers(getLevel("observed")))) {
    std::string id = getStatisticsId(before).str();
    Operation *producer = now.getInput().getDefiningOp();
    const observers::TensorStats *own = kept->find(now.getId());
    if (producer && producer->hasAttr(evaluation::salientScaleAttr) && own) {
      id = now.getId().str() + scaledSuffix.str();
      state.addTensor(id, *own);
    }
    if (id != now.getId())
      now->setAttr(statisticsAttr, StringAttr::get(&context, id));
  }
  observed->walk(
      [](Operation *op) { op->removeAttr(evaluation::salientScaleAttr); });
  return observed;
}

llvm::Expected<double> Levels::judgeWeights(ModuleOp observed,
                                            const CalibrationState &state) {
  OwningOpRef<ModuleOp> copy(observed.clone());
  DiagnosticCollector diagnostics(context);
  if (failed(qopt::foldStatistics(getMain(*copy), state)))
    return diagnostics.take(420, "the statistics do not fit the model");
  evaluation::RefineOptions refine = makeRefineOptions();
  // Something must be refined for the outputs to be judged.
  refine.correctBias |= !refine.roundWeights;
  auto refined = evaluation::refineLayers(getMain(*copy), state, refine);
  if (!refined)
    return refined.takeError();
  return refined->getDb();
}

llvm::Expected<std::optional<WeightScaling>>
Levels::scaleWeights(CalibrationState &state) {
  if (!options.scalesWeights || isImported())
    return std::nullopt;
  if (llvm::Error error = checkModel(state))
    return std::move(error);
  OwningOpRef<ModuleOp> floatLevel(getLevel("float").clone());
  evaluation::SalientChannelOptions salient;
  salient.weights = getWeightForm(options);
  salient.correctBias = options.biasCorrection;
  auto scaled =
      evaluation::scaleSalientChannels(getMain(*floatLevel), state, salient);
  if (!scaled)
    return scaled.takeError();
  WeightScaling result;
  result.channels = *scaled;
  if (scaled->groups == 0)
    return result;
  auto observed = observeSalient(*floatLevel, state);
  if (!observed)
    return observed.takeError();
  auto before = judgeWeights(getLevel("observed"), state);
  if (!before)
    return before.takeError();
  auto after = judgeWeights(**observed, state);
  if (!after)
    return after.takeError();
  result.beforeDb = *before;
  result.afterDb = *after;
  if (!result.isKept())
    return result;
  for (auto &[name, module] : levels)
    if (name == "float")
      module = std::move(floatLevel);
    else if (name == "observed")
      module = std::move(*observed);
  return result;
}
