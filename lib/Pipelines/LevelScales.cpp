// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Levels `float` and `observed` with scaled channels, and without those that
// samples speak against.

#include "LevelPasses.h"
#include "qopt/Pipelines/Config.h"
#include "qopt/Pipelines/Levels.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Pipelines.h"
#include "qopt/Transforms/Statistics.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

/// By what the channels of `function` are scaled.
static SmallVector<ChannelMethod> getChannelMethods(func::FuncOp function) {
  SmallVector<ChannelMethod> methods;
  function.walk([&](Operation *op) {
    if (auto scale = ChannelScale::get(op);
        scale && !llvm::is_contained(methods, scale->method))
      methods.push_back(scale->method);
  });
  return methods;
}

llvm::Error Levels::simplify() {
  if (llvm::Error error =
          run("import", "float", 720, [&](OpPassManager &manager) {
            addFusionPasses(manager, options.fuseActivations);
          }))
    return error;
  // Shares all constants with the level until that is changed.
  OwningOpRef<ModuleOp> plain(getLevel("float").clone());
  DiagnosticCollector diagnostics(context);
  if (failed(runPass(getLevel("float"), createEqualizeChannels())))
    return diagnostics.take(720, "channels cannot be equalized");
  if (!getChannelMethods(getFunction("float")).empty())
    unequalized = std::move(plain);
  return llvm::Error::success();
}

llvm::Expected<OwningOpRef<ModuleOp>>
Levels::observeScaled(ArrayRef<ChannelMethod> methods,
                      OwningOpRef<ModuleOp> &floatLevel) {
  EqualizeChannelsOptions scaling;
  scaling.weights = llvm::is_contained(methods, ChannelMethod::Weights);
  scaling.norms = llvm::is_contained(methods, ChannelMethod::Norms);
  floatLevel = unequalized->clone();
  DiagnosticCollector diagnostics(context);
  if (failed(runPass(*floatLevel, createEqualizeChannels(scaling))))
    return diagnostics.take(720, "channels cannot be equalized");
  OwningOpRef<ModuleOp> observed(floatLevel->clone());
  if (failed(runPass(*observed, makeObservers(options))))
    return diagnostics.take(720, "the model cannot be observed");
  if (llvm::Error error =
          applyConfig(options.rules, options, getMain(*observed)))
    return std::move(error);
  // Factors of norms depend on weights that layers' factors have changed: they
  // cannot go without these.
  if (failed(takePlainStatistics(getMain(*observed), getFunction("observed"))))
    return observeScaled({}, floatLevel);
  return observed;
}

/// Scales for all of `observed` as it is.
static llvm::Expected<OwningOpRef<ModuleOp>>
foldCopy(ModuleOp observed, const observers::CalibrationState &state) {
  OwningOpRef<ModuleOp> copy(observed.clone());
  if (failed(qopt::foldStatistics(getMain(*copy), state)))
    return makeError(420, "the statistics do not fit the model");
  return copy;
}

llvm::Expected<std::vector<evaluation::EqualizationGain>>
Levels::measureEqualization(
    ArrayRef<ChannelMethod> methods, const observers::CalibrationState &state,
    const evaluation::EqualizationGainOptions &gainOptions) {
  auto scaled = foldCopy(getLevel("observed"), state);
  if (!scaled)
    return scaled.takeError();
  SmallVector<OwningOpRef<ModuleOp>> forms;
  SmallVector<evaluation::PlainForm> plains;
  for (ChannelMethod method : methods) {
    SmallVector<ChannelMethod> others(methods);
    llvm::erase(others, method);
    OwningOpRef<ModuleOp> floatLevel;
    auto observed = observeScaled(others, floatLevel);
    if (!observed)
      return observed.takeError();
    auto form = foldCopy(**observed, state);
    if (!form)
      return form.takeError();
    plains.push_back({method, getMain(**form)});
    forms.push_back(std::move(*form));
  }
  return evaluation::measureEqualization(getMain(**scaled), plains, state,
                                         gainOptions);
}

llvm::Expected<std::vector<evaluation::EqualizationGain>>
Levels::decideEqualization(const observers::CalibrationState &state) {
  std::vector<evaluation::EqualizationGain> gains;
  if (!unequalized || isImported() ||
      !hasPlainStatistics(getFunction("observed"), state))
    return gains;
  if (llvm::Error error = checkModel(state))
    return std::move(error);
  const SmallVector<ChannelMethod> methods =
      getChannelMethods(getFunction("float"));
  evaluation::EqualizationGainOptions gainOptions;
  gainOptions.weights = getWeightForm(options);
  gainOptions.correctBias = options.biasCorrection;
  auto isPossible = evaluation::canMeasureEqualization(
      getFunction("observed"), methods.size(), state, gainOptions);
  if (!isPossible)
    return isPossible.takeError();
  if (*isPossible) {
    auto measured = measureEqualization(methods, state, gainOptions);
    if (!measured)
      return measured.takeError();
    gains = std::move(*measured);
    if (llvm::Error error = undoScales(gains))
      return std::move(error);
  } else {
    for (ChannelMethod method : methods)
      gains.push_back({method});
  }
  unequalized = nullptr;
  releaseConstants();
  return gains;
}

llvm::Error Levels::undoScales(ArrayRef<evaluation::EqualizationGain> gains) {
  SmallVector<ChannelMethod> kept;
  for (const evaluation::EqualizationGain &gain : gains)
    if (gain.isKept())
      kept.push_back(gain.method);
  if (kept.size() == gains.size())
    return llvm::Error::success();
  OwningOpRef<ModuleOp> floatLevel;
  auto observed = observeScaled(kept, floatLevel);
  if (!observed)
    return observed.takeError();
  for (auto &[name, module] : levels)
    if (name == "float")
      module = std::move(floatLevel);
    else if (name == "observed")
      module = std::move(*observed);
  return llvm::Error::success();
}
