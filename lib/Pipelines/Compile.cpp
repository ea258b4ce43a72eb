// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front door: one model to all files that were asked for.

#include "qopt/Pipelines/Compile.h"
#include "Artifacts.h"
#include "Data.h"
#include "Outputs.h"
#include "Report.h"
#include "Summary.h"
#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Pipelines/Config.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Transforms/Imported.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

/// Whether anything below level `observed` is asked for.
static bool needsStatistics(const CompileOptions &options) {
  return !options.eval.empty() ||
         llvm::any_of(options.emissions, [](const Emission &emission) {
           return emission.kind != EmitKind::Mlir ||
                  (emission.level != "import" && emission.level != "float" &&
                   emission.level != "observed");
         });
}

static bool needsObject(const CompileOptions &options) {
  return !options.eval.empty() ||
         llvm::any_of(options.emissions, [](const Emission &emission) {
           return emission.kind != EmitKind::Mlir &&
                  emission.kind != EmitKind::Qcal &&
                  emission.kind != EmitKind::OnnxQdq &&
                  emission.kind != EmitKind::Tosa;
         });
}

static bool needsCode(const CompileOptions &options) {
  return needsObject(options) ||
         llvm::any_of(options.emissions, [](const Emission &emission) {
           return emission.kind == EmitKind::Mlir &&
                  (emission.level == "loops" || emission.level == "llvm");
         });
}

static std::vector<std::string> exampleCommands(const CompileOptions &options) {
  return {"qopt " + options.model + " --calibrate data/ --emit=obj",
          "qopt " + options.model +
              " --calibrate random:uniform:0:1,n=64 --emit=obj   (to try it "
              "out; ranges will be wrong)"};
}

/// The error of a model whose `undecided` values need data to get a scale.
static llvm::Error missingData(Levels &levels, ArrayRef<ObserveOp> undecided,
                               const CompileOptions &options) {
  std::vector<std::string> notes = exampleCommands(options);
  StringRef help = "qopt --help lists the kinds of data";
  if (!levels.isImported())
    return makeError(
        103, "a float model needs calibration data, but --calibrate is missing",
        std::move(notes), help.str());
  constexpr size_t limit = 20;
  std::string values;
  for (ObserveOp op : undecided.take_front(limit))
    values += (values.empty() ? "'" : ", '") + op.getId().str() + "'";
  if (undecided.size() > limit)
    values += " and " + std::to_string(undecided.size() - limit) + " more";
  notes.insert(notes.begin(), "without a scale in the model: " + values);
  return makeError(
      103,
      "the model is quantized only in part: " +
          std::to_string(undecided.size()) +
          (undecided.size() == 1 ? " value needs" : " values need") +
          " calibration data, but --calibrate is missing",
      std::move(notes), help.str());
}

/// The statistics of what --calibrate names; none where the model brings every
/// scale itself.
static llvm::Expected<observers::CalibrationState>
getStatistics(Levels &levels, const CompileOptions &options,
              const Streams &streams, RunFigures &figures) {
  const MemoryInputs &memory = options.memory;
  if (memory.samples || memory.statistics || !options.calibrate.empty())
    return loadStatistics(levels, options, streams, figures);
  SmallVector<ObserveOp> undecided =
      getUndecidedObservers(levels.getFunction("observed"));
  if (!undecided.empty() || wants(options, EmitKind::Qcal) ||
      !levels.isImported())
    return missingData(levels, undecided, options);
  return observers::CalibrationState::create(levels.getModelHash(), {}, {});
}

static llvm::Error evaluateModel(Levels &levels,
                                 const ObjectArtifacts &artifacts,
                                 const CompileOptions &options,
                                 const Streams &streams, RunFigures &figures) {
  auto data = openLabelled(levels, options);
  if (!data)
    return data.takeError();
  Progress progress(streams, "evaluating");
  evaluation::EvaluationOptions evaluationOptions;
  auto tick = [&](int64_t done, int64_t total) { progress.tick(done, total); };
  evaluationOptions.progress = tick;
  auto result = evaluation::evaluate(
      levels.getFloatFunction("import"), levels.getFloatFunction("calibrated"),
      levels.getFunction("qint"), artifacts.object, artifacts.info.name, **data,
      evaluationOptions);
  progress.finish();
  if (!result)
    return result.takeError();
  figures.evaluation = std::move(*result);
  return llvm::Error::success();
}

static bool hasAutoRange(func::FuncOp observed) {
  return observed
      .walk([](ObserveOp op) {
        return op.getMethod() == autoMethod ? WalkResult::interrupt()
                                            : WalkResult::advance();
      })
      .wasInterrupted();
}

static llvm::Error checkCancelled(const Streams &streams) {
  if (streams.cancelled && streams.cancelled())
    return makeError(155, "the run was cancelled");
  return llvm::Error::success();
}

/// Everything down to the object, as far as `options` ask for it.
static llvm::Error makeLevels(Levels &levels, const CompileOptions &options,
                              const Streams &streams, RunFigures &figures) {
  if (llvm::Error error = levels.import())
    return error;
  for (const std::string &note : levels.getNotes())
    streams.progress << "note: " << note << "\n";
  if (llvm::Error error = levels.observe())
    return error;
  if (!needsStatistics(options))
    return llvm::Error::success();
  auto state = getStatistics(levels, options, streams, figures);
  if (!state)
    return state.takeError();
  if (llvm::Error error = checkCancelled(streams))
    return error;
  figures.qcal = state->serialize();
  figures.calibrationSamples = state->getSamples().size();
  auto equalization = levels.measureEqualization(*state);
  if (!equalization)
    return equalization.takeError();
  if (equalization->samples > 0)
    figures.equalization = *equalization;
  // What a model that brings scales leaves to decide is not worth a trial.
  if (hasAutoRange(levels.getFunction("observed")) && !levels.isImported()) {
    auto trial = levels.tryRanges(*state);
    if (!trial)
      return trial.takeError();
    figures.rangeTrial = std::move(*trial);
  }
  if (llvm::Error error = levels.foldStatistics(*state))
    return error;
  if (options.maxSlowdown > 1 && !levels.isImported()) {
    Progress progress(streams, "searching bits");
    auto search = levels.searchBits(*state);
    progress.finish();
    if (!search)
      return search.takeError();
    figures.bitSearch = *search;
  }
  // A model's own scales go with its own weights and biases.
  if (!levels.isImported()) {
    auto refinements = levels.refineLayers(*state);
    if (!refinements)
      return refinements.takeError();
    figures.refinements = *refinements;
  }
  if (llvm::Error error = checkCancelled(streams))
    return error;
  if (llvm::Error error = levels.quantize())
    return error;
  if (!wants(options, EmitKind::ReportHtml))
    return llvm::Error::success();
  auto layers = levels.measureLayers(*state);
  if (!layers)
    return layers.takeError();
  figures.layers = std::move(*layers);
  return llvm::Error::success();
}

namespace {

/// One compilation, from its options to the bytes of all files.
struct Run {
  explicit Run(const CompileOptions &options)
      : options(options), levels(options) {}

  llvm::Error build(const Streams &streams);

  const CompileOptions &options;
  Levels levels;
  RunFigures figures;
  target::ResolvedTarget target;
  OutputPaths paths;
  ObjectArtifacts artifacts;
};

} // namespace

llvm::Error Run::build(const Streams &streams) {
  if (!options.shard.empty())
    return makeError(104, "--shard belongs to 'qopt calibrate'", {},
                     "qopt calibrate " + options.model +
                         " --calibrate data --shard " + options.shard +
                         " -o shard.qcal");
  target::TargetOptions targetOptions;
  targetOptions.triple = options.target;
  targetOptions.cpu = options.cpu;
  auto resolved = target::resolveTarget(targetOptions);
  if (!resolved)
    return resolved.takeError();
  target = std::move(*resolved);
  auto planned = planOutputs(options);
  if (!planned)
    return planned.takeError();
  paths = std::move(*planned);

  if (llvm::Error error = makeLevels(levels, options, streams, figures))
    return error;
  if (needsCode(options))
    if (llvm::Error error = levels.lower(target, paths.name))
      return error;
  if (needsObject(options)) {
    auto built = buildObject(
        levels, target, paths.name, options.io == BoundaryIO::Float,
        wants(options, EmitKind::Assembly), wants(options, EmitKind::LLVM));
    if (!built)
      return built.takeError();
    artifacts = std::move(*built);
  }
  return options.eval.empty()
             ? llvm::Error::success()
             : evaluateModel(levels, artifacts, options, streams, figures);
}

static llvm::Error saveConfig(Run &run) {
  if (run.options.saveConfig.empty())
    return llvm::Error::success();
  return writeFileAtomically(run.options.saveConfig,
                             makeConfig(run.options,
                                        run.levels.getFunction("observed"),
                                        run.levels.getFunction("calibrated")));
}

llvm::Error mlir::qopt::pipelines::compile(const CompileOptions &options,
                                           const Streams &streams) {
  Run run(options);
  if (llvm::Error error = run.build(streams))
    return error;
  auto files = makeFiles(run.levels, run.artifacts, options, run.target,
                         run.paths, run.figures);
  if (!files)
    return files.takeError();
  if (llvm::Error error =
          writeFiles(*files, run.artifacts, run.target, run.paths, streams))
    return error;
  if (llvm::Error error = saveConfig(run))
    return error;
  printSummary(streams.results, options, run.levels, run.artifacts, run.figures,
               *files);
  return llvm::Error::success();
}

llvm::Expected<Compiled>
mlir::qopt::pipelines::compileInMemory(const CompileOptions &given,
                                       const Streams &streams) {
  CompileOptions options = given;
  options.output.clear();
  if (wants(options, EmitKind::Executable))
    return makeError(111, "an executable cannot be made in memory", {},
                     "save the object, or compile to files");
  // Its paths are no files here, so that none may be asked for twice.
  std::vector<Emission> emissions;
  llvm::append_range(emissions, options.emissions);
  for (EmitKind kind : {EmitKind::Object, EmitKind::Header, EmitKind::Report})
    emissions.push_back({kind, ""});
  options.emissions.clear();
  for (const Emission &emission : emissions)
    if (llvm::none_of(options.emissions, [&](const Emission &other) {
          return other.kind == emission.kind && other.level == emission.level;
        }))
      options.emissions.push_back(emission);
  Run run(options);
  if (llvm::Error error = run.build(streams))
    return std::move(error);
  auto files = makeFiles(run.levels, run.artifacts, options, run.target,
                         run.paths, run.figures);
  if (!files)
    return files.takeError();
  Compiled compiled;
  compiled.name = run.paths.name;
  compiled.files["qcal"] = run.figures.qcal;
  for (auto [emission, file] : llvm::zip(options.emissions, *files))
    compiled.files[formatEmission(emission)] = std::move(file.contents);
  if (llvm::Error error = saveConfig(run))
    return std::move(error);
  return compiled;
}
