// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One model on its way down: each level of IR, made from the one above.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Codegen/TileChoice.h"
#include "qopt/Evaluation/EqualizationGain.h"
#include "qopt/Evaluation/LayerErrors.h"
#include "qopt/Evaluation/RangeTrial.h"
#include "qopt/Evaluation/RefineLayers.h"
#include "qopt/Evaluation/SalientChannels.h"
#include "qopt/Evaluation/SearchBits.h"
#include "qopt/Evaluation/SearchWeightBits.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Pipelines/Inputs.h"
#include "qopt/Pipelines/Options.h"
#include "qopt/Target/Abi.h"
#include "qopt/Target/Target.h"
#include "llvm/Support/ThreadPool.h"
#include <map>

namespace mlir::qopt::pipelines {

/// The code for one CPU.
struct VariantFigures {
  std::string computeFunction;
  /// With more than one thread.
  std::vector<target::AbiRegion> regions;
  /// All functions that are for this CPU alone; none where there is no other.
  std::vector<std::string> functions;
};

/// What code generation said of the module it made.
struct CodeFigures {
  /// One for each CPU, poorest first.
  std::vector<VariantFigures> variants;
  uint64_t arenaBytes = 0;
  /// The largest sum of what is alive at one time.
  uint64_t liveBytes = 0;
  uint64_t constBytes = 0;
  uint64_t macs = 0;
  /// How products were cut, by shape.
  std::vector<codegen::TileUse> tiles;
};

/// What finer weights for channels with large inputs did. SQNR as of
/// `refineLayers`, without and with them.
struct WeightScaling {
  /// No groups: there was nothing to gain, or nothing to scale.
  evaluation::SalientChannels channels;
  double beforeDb = 0, afterDb = 0;

  bool isKept() const { return afterDb > beforeDb; }
};

/// The levels of one compilation. Each `to...` needs the one before it and
/// keeps it: levels are printed, compared and evaluated side by side.
class Levels {
public:
  explicit Levels(const CompileOptions &options);

  /// Reads the model: the float graph as it is written (level `import`), with
  /// the normalization of inputs that take bytes (`--input`).
  llvm::Error import();
  /// Levels `float` and `observed`.
  llvm::Error observe();
  /// Finds the range method of level `observed` where it is `auto`.
  llvm::Expected<evaluation::RangeTrial>
  tryRanges(const observers::CalibrationState &state);
  /// Level `calibrated`: scales decided by `state`, which must be of this model
  /// (Q0414).
  llvm::Error foldStatistics(const observers::CalibrationState &state);
  /// Gives layers of level `calibrated` weights of 8 bits where fewer harm
  /// most, on the samples that `state` kept, until the SQNR is `targetDb`.
  llvm::Expected<evaluation::WeightBitSearch>
  searchWeightBits(const observers::CalibrationState &state, double targetDb);
  /// Gives activations of level `calibrated` more bits where that helps most,
  /// on the samples that `state` kept.
  llvm::Expected<evaluation::BitSearch>
  searchBits(const observers::CalibrationState &state, double targetDb);
  /// Rounds weights and corrects biases of level `calibrated` in place on the
  /// samples that `state` kept, as far as the options ask for it.
  llvm::Expected<evaluation::Refinements>
  refineLayers(const observers::CalibrationState &state);
  /// Drops every level behind `observed`, so that it can be decided anew.
  void undoDecisions();
  /// Levels `quantized` and `qint`.
  llvm::Error quantize();
  /// Level `quantized` of `--mode=weights` and `dynamic`, from `calibrated`
  /// where there is that, else from `observed`: activations are float.
  llvm::Error quantizeWeights();
  /// Level `qint` of `--mode=dynamic`, from that.
  llvm::Error rewriteToDynamic();
  /// What scaled channels are worth, method by method, on the samples that
  /// `state` kept; levels `float` and `observed` are made anew without what
  /// does not help. Before ranges are decided.
  llvm::Expected<std::vector<evaluation::EqualizationGain>>
  decideEqualization(const observers::CalibrationState &state);
  /// Makes levels `float` and `observed` anew with channels that are scaled for
  /// weights of few bits, on the samples that `state` kept, which gets the
  /// statistics that go with them; leaves them as they are where that does not
  /// help. Nothing where the options do not ask for it. Before ranges are
  /// decided.
  llvm::Expected<std::optional<WeightScaling>>
  scaleWeights(observers::CalibrationState &state);
  /// Where errors come from, on the samples that `state` kept.
  llvm::Expected<evaluation::LayerErrors>
  measureLayers(const observers::CalibrationState &state);
  /// Cuts products as `--plan` says. Q0145, Q0502.
  llvm::Error readPlan();
  /// Measures how products of level `qint` are best cut on this machine, where
  /// `--plan` does not say it. Q0145 with several targets, Q0334.
  llvm::Error tune(llvm::ArrayRef<target::ResolvedTarget> targets);
  /// The text of what was read and measured, for `--plan`.
  std::string printPlan() const;
  /// Levels `loops` and `llvm`, with code for each of `targets`; symbols begin
  /// with `name`.
  llvm::Error lower(llvm::ArrayRef<target::ResolvedTarget> targets,
                    llvm::StringRef name);

  /// The module of a level (`mlirLevels`); null where it has not been made.
  ModuleOp getLevel(llvm::StringRef level);
  /// The model's function at a level.
  func::FuncOp getFunction(llvm::StringRef level);
  /// The same for an engine of float ops: as it is, without what
  /// `refineLayers` changed, or without the integers and the roundings of a
  /// model that arrived quantized; level `quantized` of `--mode=weights` with
  /// the reals of its weights. Level `import` gives `float` then, which
  /// says the same without them.
  func::FuncOp getFloatFunction(llvm::StringRef level);
  /// Whether the model brings scales (known from level `observed` on).
  bool isImported();
  /// The text of a level; large constants are elided unless `full`.
  std::string print(llvm::StringRef level, bool full);
  /// Level `qint` as TOSA of the same bytes; Q0322 where that has no such form.
  llvm::Expected<std::string> printTosa();

  observers::Hash getModelHash() const { return modelHash; }
  /// In lower-case hexadecimal digits.
  std::string printModelHash() const;
  uint64_t getModelBytes() const { return modelBytes; }
  const CodeFigures &getFigures() const { return figures; }
  llvm::ArrayRef<std::string> getNotes() const { return notes; }
  /// What `--input` says, known from level `import` on. Data of inputs that
  /// take bytes stay bytes: their affine maps are the identity.
  llvm::ArrayRef<InputOption> getInputOptions() const { return inputOptions; }
  /// Nodes that `--inputs` and `--outputs` left out, by operator.
  const std::map<std::string, int64_t> &getLeftOut() const { return leftOut; }

  /// Q0414 where `state` is of another model.
  llvm::Error checkModel(const observers::CalibrationState &state) const;

private:
  /// Level `float`.
  llvm::Error simplify();
  /// A form of level `observed` whose channels are scaled by `methods` alone,
  /// or by none where there are no statistics of that, with the statistics that
  /// go with it; `floatLevel` becomes what it is made of.
  llvm::Expected<OwningOpRef<ModuleOp>>
  observeScaled(llvm::ArrayRef<ChannelMethod> methods,
                OwningOpRef<ModuleOp> &floatLevel);
  /// The gains of `decideEqualization`.
  llvm::Expected<std::vector<evaluation::EqualizationGain>>
  measureEqualization(llvm::ArrayRef<ChannelMethod> methods,
                      const observers::CalibrationState &state,
                      const evaluation::EqualizationGainOptions &gainOptions);
  /// Levels `float` and `observed` without the methods that are not kept.
  llvm::Error undoScales(llvm::ArrayRef<evaluation::EqualizationGain> gains);

  /// Level `observed` of `floatLevel`, whose channels `scaleSalientChannels`
  /// has scaled; `state` gets the statistics of these.
  llvm::Expected<OwningOpRef<ModuleOp>>
  observeSalient(ModuleOp floatLevel, observers::CalibrationState &state);
  /// The outputs' SQNR with refined layers on samples that judge.
  llvm::Expected<double> judgeWeights(ModuleOp observed,
                                      const observers::CalibrationState &state);
  evaluation::RefineOptions makeRefineOptions() const;
  /// Frees the constants that no level has.
  void releaseConstants();

  /// Runs passes on a copy of `from` and stores it as `to`. What they say is
  /// the message of error `code`.
  llvm::Error run(llvm::StringRef from, llvm::StringRef to, int code,
                  llvm::function_ref<void(OpPassManager &)> addPasses);

  /// The inputs that `--input` makes inputs of bytes. Q0105, Q0142.
  llvm::Error takeBytes();

  CompileOptions options;
  std::vector<InputOption> inputOptions;
  /// Null with one job. Outlives the context, which runs its work on it.
  std::unique_ptr<llvm::ThreadPoolInterface> threads;
  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<std::pair<std::string, OwningOpRef<ModuleOp>>> levels;
  /// What `getFloatFunction` made, by level.
  std::vector<std::pair<std::string, OwningOpRef<ModuleOp>>> floatForms;
  /// Level `float` before channels were scaled; null where none were.
  OwningOpRef<ModuleOp> unequalized;
  observers::Hash modelHash{};
  uint64_t modelBytes = 0;
  CodeFigures figures;
  codegen::TileChoices tiles;
  std::vector<std::string> notes;
  std::map<std::string, int64_t> leftOut;
};

} // namespace mlir::qopt::pipelines
