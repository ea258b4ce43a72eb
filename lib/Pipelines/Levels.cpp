// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to the LLVM dialect, one level after the other.

#include "qopt/Pipelines/Levels.h"
#include "LevelPasses.h"
#include "Modes.h"
#include "PlanFile.h"
#include "ReadMlir.h"
#include "Tune.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Verifier.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Interop/Passes.h"
#include "qopt/Pipelines/Config.h"
#include "qopt/Pipelines/Interface.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Imported.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Pipelines.h"
#include "qopt/Transforms/Statistics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

Levels::Levels(const CompileOptions &options) : options(options) {
  auto strategy = llvm::hardware_concurrency(options.jobs);
  if (options.jobs == 0 ? strategy.compute_thread_count() > 1
                        : options.jobs > 1) {
    threads = std::make_unique<llvm::DefaultThreadPool>(strategy);
    context.setThreadPool(*threads);
  }
  // A message names the node; the whole function would drown it.
  context.printOpOnDiagnostic(false);
  context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect,
                      quant::QuantDialect>();
}

ModuleOp Levels::getLevel(StringRef level) {
  for (auto &[name, module] : levels)
    if (name == level)
      return *module;
  return nullptr;
}

func::FuncOp Levels::getFunction(StringRef level) {
  ModuleOp module = getLevel(level);
  return module ? *module.getOps<func::FuncOp>().begin() : func::FuncOp();
}

bool Levels::isImported() {
  func::FuncOp observed = getFunction("observed");
  return observed && hasImportedScales(observed);
}

func::FuncOp Levels::getFloatFunction(StringRef level) {
  for (auto &[name, module] : floatForms)
    if (name == level)
      return getMain(*module);
  const bool holdsIntegers =
      isImported() || (options.mode == Mode::Weights && level == "quantized");
  if (!holdsIntegers)
    return getFunction(level);
  OwningOpRef<ModuleOp> copy(
      getLevel(level == "import" ? "float" : level).clone());
  dequantizeConstants(getMain(*copy));
  floatForms.emplace_back(level.str(), std::move(copy));
  return getMain(*floatForms.back().second);
}

llvm::Error Levels::import() {
  auto importOptions = makeImportOptions(options);
  if (!importOptions)
    return importOptions.takeError();
  DiagnosticCollector diagnostics(context);
  const std::optional<StringRef> &bytes = options.memory.model;
  if (!bytes && isMlirFile(options.model) && !importOptions->values.empty())
    return makeError(105, "--input '" + importOptions->values.front().first +
                              ":value=...' is for ONNX models");
  auto module =
      bytes ? importer::importModelBytes(*bytes, context, *importOptions,
                                         /*folder=*/"", options.model)
      : isMlirFile(options.model)
          ? readMlir(options.model, context)
          : importer::importModel(options.model, context, *importOptions);
  if (!module)
    return module.takeError();
  if (failed(verify(**module)))
    return diagnostics.take(720, "the imported module is not valid");
  notes = importOptions->notes;
  leftOut = importOptions->leftOut;
  if (auto hash = module->get()->getAttrOfType<StringAttr>("qopt.model_hash")) {
    std::string bytes = llvm::fromHex(hash.getValue());
    if (bytes.size() == modelHash.size())
      std::copy(bytes.begin(), bytes.end(), modelHash.begin());
  }
  if (bytes)
    modelBytes = bytes->size();
  else
    llvm::sys::fs::file_size(options.model, modelBytes);
  levels.emplace_back("import", std::move(*module));
  return takeBytes();
}

/// The model's inputs by name.
static SmallVector<std::pair<StringRef, ArrayRef<int64_t>>>
getInputs(func::FuncOp function) {
  SmallVector<std::pair<StringRef, ArrayRef<int64_t>>> inputs;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    if (auto name = function.getArgAttrOfType<StringAttr>(i, "qopt.name"))
      inputs.emplace_back(name.getValue(), cast<ShapedType>(type).getShape());
  return inputs;
}

llvm::Error Levels::takeBytes() {
  auto inputs = getInputs(getFunction("import"));
  PassManager manager(&context);
  llvm::StringSet<> seen;
  for (const std::string &text : options.inputs) {
    auto given = parseInput(text);
    if (!given)
      return given.takeError();
    if (!seen.insert(given->name).second)
      return makeError(142, "--input is given twice for '" + given->name + "'",
                       {}, "say all of an input in one --input");
    if (given->value)
      continue;
    auto found = llvm::find_if(
        inputs, [&](const auto &input) { return input.first == given->name; });
    if (found == inputs.end()) {
      std::vector<std::string> known;
      for (auto [name, shape] : inputs)
        known.push_back(("the model has an input '" + name + "'").str());
      return makeError(105,
                       "--input names '" + given->name +
                           "', which is no input of the model",
                       std::move(known));
    }
    calibration::Affine &affine = given->getAffine();
    if (affine.inModel) {
      TakeBytesOptions bytes;
      bytes.input = given->name;
      bytes.axis = given->image ? given->image->getChannelAxis(found->second)
                                : affine.axis;
      bytes.scale = llvm::to_vector_of<double>(affine.getScale());
      bytes.shift = llvm::to_vector_of<double>(affine.getShift());
      manager.addNestedPass<func::FuncOp>(createTakeBytes(bytes));
      affine = calibration::Affine{
          calibration::Affine::Form::ScaleBias, {1.0f}, {0.0f}};
    }
    inputOptions.push_back(std::move(*given));
  }
  DiagnosticCollector diagnostics(context);
  if (failed(manager.run(getLevel("import"))))
    return diagnostics.take(142, "--input does not fit the model");
  return llvm::Error::success();
}

llvm::Error Levels::run(StringRef from, StringRef to, int code,
                        llvm::function_ref<void(OpPassManager &)> addPasses) {
  OwningOpRef<ModuleOp> copy(getLevel(from).clone());
  PassManager manager(&context);
  addPasses(manager.nest<func::FuncOp>());
  DiagnosticCollector diagnostics(context);
  if (failed(manager.run(*copy)))
    return diagnostics.take(
        code,
        ("the passes to level '" + to + "' failed without a message").str());
  levels.emplace_back(to.str(), std::move(copy));
  return llvm::Error::success();
}

void Levels::releaseConstants() {
  SmallVector<ModuleOp> inUse;
  for (auto *modules : {&levels, &floatForms})
    for (auto &[name, module] : *modules)
      inUse.push_back(*module);
  if (unequalized)
    inUse.push_back(*unequalized);
  releaseUnusedConstants(context, inUse);
}

llvm::Error Levels::observe() {
  if (llvm::Error error = simplify())
    return error;
  if (options.mode != Mode::Static && hasImportedScales(getFunction("float")))
    return makeError(317,
                     "--mode=" + formatMode(options.mode) +
                         " quantizes float models, but '" + options.model +
                         "' brings scales of its own",
                     {}, "--mode=static keeps the model's scales");
  llvm::Error error =
      run("float", "observed", 720, [&](OpPassManager &manager) {
        manager.addPass(makeObservers(options));
      });
  if (error)
    return error;
  return applyConfig(options.rules, options, getFunction("observed"));
}

llvm::Error Levels::checkModel(const observers::CalibrationState &state) const {
  if (state.getModelHash() != modelHash)
    return makeError(
        414, "the statistics are of another model than '" + options.model + "'",
        {},
        "calibrate this model: qopt calibrate " + options.model +
            " --calibrate data -o new.qcal");
  return llvm::Error::success();
}

llvm::Expected<evaluation::RangeTrial>
Levels::tryRanges(const observers::CalibrationState &state) {
  if (llvm::Error error = checkModel(state))
    return std::move(error);
  evaluation::RangeTrialOptions trial;
  trial.weights = getWeightForm(options);
  trial.correctBias = options.biasCorrection;
  DiagnosticCollector diagnostics(context);
  auto result = evaluation::tryRanges(getFunction("observed"), state, trial);
  if (!result && diagnostics.hasMessages()) {
    llvm::consumeError(result.takeError());
    return diagnostics.take(420, "");
  }
  return result;
}

llvm::Error Levels::foldStatistics(const observers::CalibrationState &state) {
  if (llvm::Error error = checkModel(state))
    return error;
  OwningOpRef<ModuleOp> copy(getLevel("observed").clone());
  DiagnosticCollector diagnostics(context);
  for (func::FuncOp function : copy->getOps<func::FuncOp>())
    if (failed(qopt::foldStatistics(function, state)))
      return diagnostics.take(420, "the statistics do not fit the model");
  levels.emplace_back("calibrated", std::move(copy));
  return llvm::Error::success();
}

llvm::Expected<evaluation::WeightBitSearch>
Levels::searchWeightBits(const observers::CalibrationState &state,
                         double targetDb) {
  evaluation::WeightBitSearchOptions search;
  search.weights = getWeightForm(options);
  search.targetDb = targetDb;
  search.roundWeights = options.weightRounding;
  search.correctBias = options.biasCorrection;
  return evaluation::searchWeightBits(getFunction("calibrated"), state, search);
}

llvm::Expected<evaluation::BitSearch>
Levels::searchBits(const observers::CalibrationState &state, double targetDb) {
  evaluation::BitSearchOptions search;
  search.weights = getWeightForm(options);
  search.targetDb = targetDb;
  search.maxSlowdown = options.maxSlowdown;
  search.widensInputs = options.io == BoundaryIO::Float;
  search.choosesRange = options.range == autoMethod;
  return evaluation::searchBits(getFunction("calibrated"), state, search);
}

evaluation::RefineOptions Levels::makeRefineOptions() const {
  evaluation::RefineOptions refine;
  refine.weights = getWeightForm(options);
  refine.roundWeights = options.weightRounding;
  refine.descends = options.descendsWeights;
  refine.correctBias = options.biasCorrection;
  return refine;
}

llvm::Expected<evaluation::Refinements>
Levels::refineLayers(const observers::CalibrationState &state) {
  floatForms.emplace_back("calibrated", getLevel("calibrated").clone());
  return evaluation::refineLayers(getFunction("calibrated"), state,
                                  makeRefineOptions());
}

void Levels::undoDecisions() {
  auto isDecided = [](const auto &level) {
    return !llvm::is_contained({"import", "float", "observed"}, level.first);
  };
  llvm::erase_if(levels, isDecided);
  llvm::erase_if(floatForms, isDecided);
  releaseConstants();
  figures = {};
}

llvm::Error Levels::quantize() {
  if (llvm::Error error =
          run("calibrated", "quantized", 320, [&](OpPassManager &manager) {
            QuantizeOptions quantizeOptions;
            quantizeOptions.perChannel = options.weightsPerChannel;
            quantizeOptions.powerOfTwo = options.powerOfTwo;
            quantizeOptions.weightBits = options.weightBits;
            quantizeOptions.weightGroup = options.weightGroup;
            manager.addPass(createQuantize(quantizeOptions));
          }))
    return error;
  return run("quantized", "qint", 321, [](OpPassManager &manager) {
    manager.addPass(createRewriteToQint());
  });
}

llvm::Error Levels::quantizeWeights() {
  // Rules of a config file stand at level `observed`.
  StringRef from = getLevel("calibrated") ? "calibrated" : "observed";
  return run(from, "quantized", 320, [&](OpPassManager &manager) {
    WeightsOnlyOptions weights;
    weights.perChannel = options.weightsPerChannel;
    weights.powerOfTwo = options.powerOfTwo;
    weights.weightBits = options.weightBits;
    weights.weightGroup = options.weightGroup;
    manager.addPass(createWeightsOnly(weights));
  });
}

llvm::Error Levels::rewriteToDynamic() {
  return run("quantized", "qint", 321, [](OpPassManager &manager) {
    manager.addPass(createRewriteToDynamic());
  });
}

llvm::Expected<evaluation::LayerErrors>
Levels::measureLayers(const observers::CalibrationState &state) {
  return evaluation::measureLayers(getFloatFunction("calibrated"),
                                   getFunction("quantized"),
                                   getFunction("qint"), state);
}

/// The kernel instruction set of a target.
static codegen::Isa isaFor(const target::ResolvedTarget &target) {
  codegen::Isa isa;
  isa.kind = static_cast<codegen::IsaKind>(target.cpuFeatures.isa);
  isa.hasVbmi = target.cpuFeatures.hasVBMI;
  return isa;
}

/// One form of code for each of several targets; none where there is one.
static std::vector<codegen::CodeVariant>
getVariants(ArrayRef<target::ResolvedTarget> targets) {
  std::vector<codegen::CodeVariant> variants;
  if (targets.size() > 1)
    for (const target::ResolvedTarget &target : targets)
      variants.push_back({toIdentifier(target.cpu), isaFor(target)});
  return variants;
}

/// Tells LLVM which CPU the functions of a variant are for; returns their
/// names.
static std::vector<std::string>
assignTarget(ModuleOp module, StringRef variant,
             const target::ResolvedTarget &target) {
  std::vector<std::string> names;
  MLIRContext *context = module.getContext();
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto mark = function->getAttrOfType<StringAttr>(codegen::variantAttr);
    if (!mark || mark.getValue() != variant)
      continue;
    function.setTargetCpu(target.cpu);
    if (!target.features.empty())
      function.setTargetFeaturesAttr(
          LLVM::TargetFeaturesAttr::get(context, target.features));
    names.push_back(function.getName().str());
  }
  return names;
}

llvm::Error Levels::readPlan() {
  auto read = pipelines::readPlan(options.plan);
  if (!read)
    return read.takeError();
  tiles = std::move(*read);
  return llvm::Error::success();
}

llvm::Error Levels::tune(ArrayRef<target::ResolvedTarget> targets) {
  if (targets.size() > 1)
    return makeError(145, "--tune measures code for one CPU", {},
                     "tune for one CPU at a time: --plan adds what is known");
  codegen::CodegenOptions codegenOptions;
  codegenOptions.isa = isaFor(targets.front());
  codegenOptions.threads = options.threads;
  codegenOptions.tiles = tiles;
  target::TargetOptions target;
  target.triple = options.target;
  target.cpu = options.cpu;
  auto tuned = tuneTiles(getFunction("qint"), codegenOptions, target);
  if (!tuned)
    return tuned.takeError();
  tiles = std::move(*tuned);
  return llvm::Error::success();
}

std::string Levels::printPlan() const { return pipelines::printPlan(tiles); }

llvm::Error Levels::lower(ArrayRef<target::ResolvedTarget> targets,
                          StringRef name) {
  codegen::CodegenOptions codegenOptions;
  codegenOptions.name = name.str();
  codegenOptions.isa = isaFor(targets.front());
  codegenOptions.variants = getVariants(targets);
  codegenOptions.threads = options.threads;
  codegenOptions.tiles = tiles;
  DiagnosticCollector diagnostics(context);
  auto compiled = codegen::lower(getFunction("qint"), codegenOptions);
  if (!compiled)
    return llvm::joinErrors(
        compiled.takeError(),
        diagnostics.take(341, "code generation failed without a message"));
  figures = CodeFigures();
  figures.arenaBytes = compiled->arenaBytes;
  figures.liveBytes = compiled->liveBytes;
  figures.constBytes = compiled->constBytes;
  figures.macs = compiled->macs;
  figures.tiles = std::move(compiled->tiles);
  for (const codegen::VariantCode &code : compiled->variants) {
    figures.variants.emplace_back().computeFunction = code.computeFunction;
    for (const codegen::Region &region : code.regions)
      figures.variants.back().regions.push_back(
          {region.function, region.parts});
  }
  OwningOpRef<ModuleOp> lowered(compiled->module->clone());
  levels.emplace_back("loops", std::move(compiled->module));
  if (failed(codegen::lowerToLLVM(*lowered, codegenOptions.isa,
                                  codegenOptions.variants)))
    return diagnostics.take(721, "lowering to the LLVM dialect failed");
  for (auto [i, variant] : llvm::enumerate(codegenOptions.variants))
    figures.variants[i].functions =
        assignTarget(*lowered, variant.name, targets[i]);
  levels.emplace_back("llvm", std::move(lowered));
  return llvm::Error::success();
}

llvm::Expected<std::string> Levels::printTosa() {
  if (llvm::Error error = run("qint", "tosa", 322, [](OpPassManager &manager) {
        manager.addPass(createConvertQintToTosa());
      }))
    return std::move(error);
  return print("tosa", /*full=*/true);
}

std::string Levels::printModelHash() const {
  return llvm::toHex(modelHash, /*LowerCase=*/true);
}

std::string Levels::print(StringRef level, bool full) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  if (!full)
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
  getLevel(level).print(os, flags);
  os << "\n";
  return text;
}
