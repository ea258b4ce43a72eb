// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of a compilation's steps, and the search that accuracy on labelled
// data may ask for.

#include "Run.h"
#include "Data.h"
#include "Modes.h"
#include "qopt/Evaluation/OpSteps.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Imported.h"

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

/// Whether `emission` is made from an object.
static bool holdsCode(const Emission &emission) {
  switch (emission.kind) {
  case EmitKind::Mlir:
  case EmitKind::Qcal:
  case EmitKind::OnnxQdq:
  case EmitKind::Tosa:
  case EmitKind::Scales:
  case EmitKind::Report:
  case EmitKind::ReportHtml:
    return false;
  default:
    return true;
  }
}

/// A report tells the sizes of an object, where there is to be one.
static bool needsObject(const CompileOptions &options) {
  if (!makesObject(options))
    return false;
  return !options.eval.empty() || wants(options, EmitKind::Report) ||
         wants(options, EmitKind::ReportHtml) ||
         llvm::any_of(options.emissions, holdsCode);
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

/// Whether the options bring samples or statistics.
static bool hasData(const CompileOptions &options) {
  return options.memory.samples || options.memory.statistics ||
         !options.calibrate.empty();
}

/// The statistics of what --calibrate names; none where the model brings every
/// scale itself.
static llvm::Expected<observers::CalibrationState>
getStatistics(Levels &levels, const CompileOptions &options,
              const Streams &streams, RunFigures &figures) {
  if (hasData(options))
    return loadStatistics(levels, options, streams, figures);
  SmallVector<ObserveOp> undecided =
      getUndecidedObservers(levels.getFunction("observed"));
  if (!undecided.empty() || wants(options, EmitKind::Qcal) ||
      !levels.isImported())
    return missingData(levels, undecided, options);
  return observers::CalibrationState::create(levels.getModelHash(), {}, {});
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

/// Whether there is something of `emission` where activations stay float.
static bool isOfWeightsMode(const Emission &emission) {
  switch (emission.kind) {
  case EmitKind::OnnxQdq:
  case EmitKind::Report:
  case EmitKind::Scales:
    return true;
  case EmitKind::Mlir:
    return llvm::is_contained({"import", "float", "quantized"}, emission.level);
  default:
    return false;
  }
}

/// Whether there is something of `emission` where activations have no scales
/// before the object runs.
static bool isOfDynamicMode(const Emission &emission) {
  switch (emission.kind) {
  case EmitKind::Report:
    return true;
  case EmitKind::Mlir:
    return emission.level != "observed" && emission.level != "calibrated";
  default:
    return holdsCode(emission);
  }
}

static llvm::Error checkEmissions(const CompileOptions &options) {
  for (const Emission &emission : options.emissions) {
    if (options.mode == Mode::Weights && !isOfWeightsMode(emission))
      return makeError(
          316,
          "--mode=weights leaves activations float, which no output of qopt "
          "computes with: --emit=" +
              formatEmission(emission) + " is not possible",
          {},
          "--mode=static and --mode=dynamic make integer-only objects; "
          "--mode=weights takes --eval and --emit=onnx-qdq,report,scales");
    if (options.mode == Mode::Dynamic && !isOfDynamicMode(emission))
      return makeError(316,
                       "--mode=dynamic knows no scales of activations: --emit=" +
                           formatEmission(emission) + " is not possible",
                       {}, "--mode=static decides them from samples");
  }
  return llvm::Error::success();
}

/// Whether `rule` says more than how a weight is quantized.
static bool decidesActivation(const ValueRule &rule) {
  return rule.range || rule.powerOfTwo || rule.bits || rule.symmetric;
}

/// Of the modes that decide nothing about activations.
static llvm::Error checkLooseMode(const CompileOptions &options) {
  if (llvm::Error error = checkEmissions(options))
    return error;
  std::string unused;
  if (options.simulation != SimulationKind::None)
    unused = "--simulate";
  else if (options.searchesWeightBits)
    unused = "--weight-bits=auto";
  else if (!options.saveConfig.empty())
    unused = "--save-config";
  else if (auto rule = llvm::find_if(options.rules, decidesActivation);
           rule != options.rules.end())
    unused = "what the rule at " + rule->where + " says of activations";
  else if (options.mode == Mode::Dynamic && options.io == BoundaryIO::Int8)
    unused = "--io=int8";
  if (!unused.empty())
    return makeError(114,
                     "--mode=" + formatMode(options.mode) + " has no use for " +
                         unused,
                     {},
                     "weights are quantized by themselves, and --eval runs "
                     "the result as it is");
  return llvm::Error::success();
}

llvm::Error Run::checkOptions() const {
  if (!options.shard.empty())
    return makeError(104, "--shard belongs to 'qopt calibrate'", {},
                     "qopt calibrate " + options.model +
                         " --calibrate data --shard " + options.shard +
                         " -o shard.qcal");
  if (options.eval.empty() && options.evalLimit)
    return makeError(112,
                     "--eval-limit needs labelled data, but --eval is missing",
                     {}, "--eval labelled.npz, with the inputs and 'label'");
  if (options.eval.empty() && options.maxDrop)
    return makeError(112,
                     "--max-drop needs labelled data, but --eval is "
                     "missing",
                     {}, "--eval labelled.npz, with the inputs and 'label'");
  if (options.eval.empty() && options.simulation != SimulationKind::None)
    return makeError(112,
                     "--simulate runs over labelled data, but --eval is "
                     "missing",
                     {},
                     "--eval labelled.npz, with the inputs and 'label' or "
                     "'ref'");
  if (options.mode != Mode::Static)
    return checkLooseMode(options);
  if (options.simulation == SimulationKind::None)
    return llvm::Error::success();
  for (const Emission &emission : options.emissions)
    if (holdsCode(emission))
      return makeError(113,
                       "--simulate makes no object, but --emit=" +
                           formatEmission(emission) + " needs one",
                       {}, "leave one of the two out");
  return llvm::Error::success();
}

llvm::Error Run::import(const Streams &streams) {
  if (llvm::Error error = levels.import())
    return error;
  for (const std::string &note : levels.getNotes())
    streams.progress << "note: " << note << "\n";
  if (levels.getFunction("import").getNumArguments() == 0 &&
      options.mode != Mode::Weights && needsStatistics(options))
    return makeError(340, "the model has no inputs: its outputs are constants",
                     {}, "--emit=mlir:import shows them");
  return checkLabelledData();
}

/// Before the work that would be in vain without them.
llvm::Error Run::checkLabelledData() {
  if (options.eval.empty())
    return llvm::Error::success();
  auto data = openLabelled(levels, options);
  if (!data)
    return data.takeError();
  if (!options.maxDrop || (*data)->hasLabels())
    return llvm::Error::success();
  return makeError(448,
                   "--max-drop needs labels, but '" + options.eval +
                       "' has references alone",
                   {}, "add an array 'label' with one integer a sample");
}

/// Whether each input has one value in all samples: ranges of that are none.
static bool isConstant(func::FuncOp observed,
                       const observers::CalibrationState &state) {
  bool any = false;
  for (BlockArgument argument : observed.getArguments())
    for (Operation *user : argument.getUsers())
      if (auto observe = dyn_cast<ObserveOp>(user)) {
        const observers::TensorStats *stats = state.find(observe.getId());
        if (!stats || stats->min != stats->max)
          return false;
        any = true;
      }
  return any;
}

llvm::Error Run::prepare(const Streams &streams) {
  if (llvm::Error error = import(streams))
    return error;
  if (llvm::Error error = levels.observe())
    return error;
  if (!needsStatistics(options))
    return llvm::Error::success();
  figures.clock.enter(Phase::Calibrate);
  auto state = getStatistics(levels, options, streams, figures);
  if (!state)
    return state.takeError();
  if (llvm::Error error = checkCancelled(streams))
    return error;
  if (isConstant(levels.getFunction("observed"), *state))
    streams.progress << "warning: the inputs have one value in all samples; "
                        "ranges from these are not those of other data\n";
  figures.qcal = state->serialize();
  figures.calibrationSamples = state->getSamples().size();
  figures.clock.enter(Phase::Search);
  auto equalization = levels.decideEqualization(*state);
  if (!equalization)
    return equalization.takeError();
  figures.equalization = std::move(*equalization);
  auto scaling = levels.scaleWeights(*state);
  if (!scaling)
    return scaling.takeError();
  figures.weightScaling = *scaling;
  // What a model that brings scales leaves to decide is not worth a trial.
  if (hasAutoRange(levels.getFunction("observed")) && !levels.isImported()) {
    auto trial = levels.tryRanges(*state);
    if (!trial)
      return trial.takeError();
    figures.rangeTrial = std::move(*trial);
  }
  statistics = std::move(*state);
  return llvm::Error::success();
}

llvm::Error Run::decide(double targetDb, const Streams &streams) {
  figures.clock.enter(Phase::Search);
  if (llvm::Error error = levels.foldStatistics(*statistics))
    return error;
  if (options.searchesWeightBits && !levels.isImported()) {
    auto search = levels.searchWeightBits(*statistics, targetDb);
    if (!search)
      return search.takeError();
    figures.weightBitSearch = *search;
  }
  if (options.maxSlowdown <= 1 || levels.isImported())
    return llvm::Error::success();
  Progress progress(streams, "searching bits");
  auto search = levels.searchBits(*statistics, targetDb);
  progress.finish();
  if (!search)
    return search.takeError();
  figures.bitSearch = *search;
  return llvm::Error::success();
}

llvm::Error Run::makeCode() {
  if (!options.tune.empty())
    if (llvm::Error error = levels.tune(targets))
      return error;
  return levels.lower(targets, paths.name);
}

llvm::Error Run::complete(const Streams &streams) {
  // A model's own scales go with its own weights and biases.
  if (!levels.isImported()) {
    auto refinements = levels.refineLayers(*statistics);
    if (!refinements)
      return refinements.takeError();
    figures.refinements = *refinements;
  }
  if (llvm::Error error = checkCancelled(streams))
    return error;
  figures.clock.enter(Phase::Lower);
  if (llvm::Error error = levels.quantize())
    return error;
  if (llvm::Error error = lower())
    return error;
  return options.eval.empty() ? llvm::Error::success() : evaluate(streams);
}

llvm::Error Run::lower() {
  if (needsCode(options))
    if (llvm::Error error = makeCode())
      return error;
  if (needsObject(options)) {
    auto built =
        buildObject(levels, targets, paths.name, options, figures.clock);
    if (!built)
      return built.takeError();
    artifacts = std::move(*built);
  } else {
    artifacts.info.name = paths.name;
    artifacts.info.modelHash = levels.printModelHash();
  }
  return llvm::Error::success();
}

/// What stands beside the float model: the object, or a simulation.
static llvm::Expected<std::unique_ptr<evaluation::QuantizedModel>>
makeQuantized(Levels &levels, const ObjectArtifacts &artifacts,
              const CompileOptions &options) {
  if (options.mode == Mode::Weights)
    return evaluation::simulateCompiled(levels.getFloatFunction("quantized"));
  switch (options.simulation) {
  case SimulationKind::Float:
    return evaluation::simulateFloat(levels.getFunction("quantized"));
  case SimulationKind::Integer:
    return evaluation::simulateInteger(levels.getFunction("qint"));
  case SimulationKind::None:
    break;
  }
  return evaluation::loadObject(artifacts.object, artifacts.info.name);
}

llvm::Error Run::evaluate(const Streams &streams) {
  figures.clock.enter(Phase::Evaluate);
  auto data = openLabelled(levels, options);
  if (!data)
    return data.takeError();
  auto quantized = makeQuantized(levels, artifacts, options);
  if (!quantized)
    return quantized.takeError();
  Progress progress(streams, "evaluating");
  evaluation::EvaluationOptions evaluationOptions;
  auto tick = [&](int64_t done, int64_t total) { progress.tick(done, total); };
  evaluationOptions.progress = tick;
  // Activations that stay float have no errors of their own.
  func::FuncOp observed = options.mode == Mode::Static
                              ? levels.getFloatFunction("calibrated")
                              : func::FuncOp();
  auto result = evaluation::evaluate(
      levels.getFloatFunction("import"), observed, levels.getFunction("qint"),
      **quantized, **data, evaluationOptions);
  progress.finish();
  if (!result)
    return result.takeError();
  figures.evaluation = std::move(*result);
  if (options.simulation != SimulationKind::Float)
    return llvm::Error::success();
  auto differences = evaluation::compareOps(levels.getFunction("quantized"),
                                            levels.getFunction("qint"), **data);
  if (!differences)
    return differences.takeError();
  figures.opDifferences = *differences;
  return llvm::Error::success();
}

llvm::Error Run::meetDrop(const Streams &streams) {
  // The largest asks for all that --max-slowdown has room for.
  constexpr double steps[] = {0, 6, 12, 18, 200};
  DropSearch search;
  search.allowed = *options.maxDrop;
  std::optional<evaluation::BitSearch> before;
  for (double step : steps) {
    const double targetDb = std::min(options.targetSqnr + step, 200.0);
    levels.undoDecisions();
    if (llvm::Error error = decide(targetDb, streams))
      return error;
    const bool isSame = before &&
                        figures.bitSearch->slowdown == before->slowdown &&
                        figures.bitSearch->widened == before->widened;
    if (isSame)
      continue;
    if (llvm::Error error = complete(streams))
      return error;
    search.add(targetDb, figures.bitSearch, *figures.evaluation);
    if (search.isMet() || !figures.bitSearch)
      break;
    before = figures.bitSearch;
  }
  figures.drop = search;
  if (search.isMet())
    return llvm::Error::success();
  if (!options.force)
    return search.refuse(options);
  // The last search may have found nothing new, or the best came before.
  levels.undoDecisions();
  if (llvm::Error error = decide(search.getBest().targetDb, streams))
    return error;
  return complete(streams);
}

/// Rounds weights and corrects biases on samples.
llvm::Error Run::fitWeights(const Streams &streams) {
  figures.clock.enter(Phase::Calibrate);
  auto state = getStatistics(levels, options, streams, figures);
  if (!state)
    return state.takeError();
  figures.calibrationSamples = state->getSamples().size();
  figures.clock.enter(Phase::Search);
  auto equalization = levels.decideEqualization(*state);
  if (!equalization)
    return equalization.takeError();
  figures.equalization = std::move(*equalization);
  auto scaling = levels.scaleWeights(*state);
  if (!scaling)
    return scaling.takeError();
  figures.weightScaling = *scaling;
  if (llvm::Error error = levels.foldStatistics(*state))
    return error;
  auto refinements = levels.refineLayers(*state);
  if (!refinements)
    return refinements.takeError();
  figures.refinements = *refinements;
  return checkCancelled(streams);
}

llvm::Error Run::buildLoosely(const Streams &streams) {
  if (llvm::Error error = import(streams))
    return error;
  if (llvm::Error error = levels.observe())
    return error;
  if (hasData(options))
    if (llvm::Error error = fitWeights(streams))
      return error;
  if (llvm::Error error = levels.quantizeWeights())
    return error;
  if (options.mode == Mode::Weights)
    figures.weightSizes = countWeightBytes(levels.getFunction("quantized"));
  else if (llvm::Error error = levels.rewriteToDynamic())
    return error;
  figures.clock.enter(Phase::Lower);
  if (llvm::Error error = lower())
    return error;
  if (options.eval.empty())
    return llvm::Error::success();
  if (llvm::Error error = evaluate(streams))
    return error;
  if (!options.maxDrop)
    return llvm::Error::success();
  DropSearch search;
  search.allowed = *options.maxDrop;
  search.add(options.targetSqnr, std::nullopt, *figures.evaluation);
  figures.drop = search;
  return search.isMet() || options.force ? llvm::Error::success()
                                         : search.refuse(options);
}

llvm::Error Run::build(const Streams &streams) {
  if (llvm::Error error = checkOptions())
    return error;
  target::TargetOptions targetOptions;
  targetOptions.triple = options.target;
  targetOptions.cpu = options.cpu;
  auto resolved = target::resolveVariants(targetOptions);
  if (!resolved)
    return resolved.takeError();
  targets = std::move(*resolved);
  auto planned = planOutputs(options);
  if (!planned)
    return planned.takeError();
  paths = std::move(*planned);

  if (!options.plan.empty())
    if (llvm::Error error = levels.readPlan())
      return error;

  if (options.mode != Mode::Static) {
    if (llvm::Error error = buildLoosely(streams))
      return error;
  } else if (llvm::Error error = prepare(streams)) {
    return error;
  }
  if (statistics)
    if (llvm::Error error = reach(streams))
      return error;
  figures.clock.enter(Phase::Write);
  return llvm::Error::success();
}

llvm::Error Run::reach(const Streams &streams) {
  if (options.maxDrop) {
    if (llvm::Error error = meetDrop(streams))
      return error;
  } else {
    if (llvm::Error error = decide(options.targetSqnr, streams))
      return error;
    if (llvm::Error error = complete(streams))
      return error;
  }
  if (!wants(options, EmitKind::ReportHtml))
    return llvm::Error::success();
  figures.clock.enter(Phase::Evaluate);
  auto layers = levels.measureLayers(*statistics);
  if (!layers)
    return layers.takeError();
  figures.layers = std::move(*layers);
  return llvm::Error::success();
}
