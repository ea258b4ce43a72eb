// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parsers of flag values: what is known, what is known but not built, and what
// is a mistake with a near neighbour.

#include "qopt/Pipelines/Options.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using llvm::StringRef;

/// The word of `known` nearest to `word`, or empty if none is near.
static StringRef nearest(StringRef word, llvm::ArrayRef<StringRef> known) {
  StringRef best;
  // A word of one letter is not near to all others of one.
  unsigned bestDistance = std::min<unsigned>(3, word.size());
  for (StringRef candidate : known) {
    unsigned distance = word.edit_distance(candidate, true, bestDistance);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

/// "unknown value 'x' for --flag", with the known values as help.
static llvm::Error unknownValue(StringRef flag, StringRef word,
                                llvm::ArrayRef<StringRef> known) {
  std::vector<std::string> notes;
  if (StringRef near = nearest(word, known); !near.empty())
    notes.push_back(("did you mean '" + near + "'?").str());
  return makeError(102, ("unknown value '" + word + "' for " + flag).str(),
                   std::move(notes),
                   ("known values: " + llvm::join(known, ", ")));
}

/// Known by design, not part of this version.
static llvm::Error notBuilt(StringRef flag, StringRef word, StringRef instead) {
  return makeError(
      310, (flag + "=" + word + " is not supported by this version").str(), {},
      instead.str());
}

static constexpr StringRef emitWords[] = {
    "obj",    "asm",    "llvm", "mlir",     "lib",         "a",   "exe",
    "header", "report", "qcal", "onnx-qdq", "report-html", "tosa",
    "scales"};
static constexpr EmitKind emitKinds[] = {
    EmitKind::Object,     EmitKind::Assembly,      EmitKind::LLVM,
    EmitKind::Mlir,       EmitKind::SharedLibrary, EmitKind::Archive,
    EmitKind::Executable, EmitKind::Header,        EmitKind::Report,
    EmitKind::Qcal,       EmitKind::OnnxQdq,       EmitKind::ReportHtml,
    EmitKind::Tosa,       EmitKind::Scales};

llvm::Expected<std::vector<Emission>>
mlir::qopt::pipelines::parseEmit(StringRef text) {
  std::vector<Emission> emissions;
  for (StringRef word : llvm::split(text, ',')) {
    auto [kind, level] = word.split(':');
    const auto *it = llvm::find(emitWords, kind);
    if (it == std::end(emitWords))
      return unknownValue("--emit", kind, emitWords);
    Emission emission{emitKinds[it - emitWords], level.str()};
    if (emission.kind == EmitKind::Mlir) {
      if (level.empty())
        emission.level = "qint";
      if (!llvm::is_contained(mlirLevels, StringRef(emission.level))) {
        llvm::SmallVector<StringRef> levels(std::begin(mlirLevels),
                                            std::end(mlirLevels));
        return unknownValue("--emit=mlir", level, levels);
      }
    } else if (!level.empty()) {
      return makeError(
          102, ("--emit=" + kind + " takes no level, but got '" + level + "'")
                   .str());
    }
    emissions.push_back(emission);
  }
  return emissions;
}

bool mlir::qopt::pipelines::wants(const CompileOptions &options,
                                  EmitKind kind) {
  return llvm::any_of(options.emissions, [&](const Emission &emission) {
    return emission.kind == kind;
  });
}

bool mlir::qopt::pipelines::makesObject(const CompileOptions &options) {
  return options.simulation == SimulationKind::None &&
         options.mode != Mode::Weights;
}

void mlir::qopt::pipelines::addDefaultEmission(CompileOptions &options) {
  if (options.emissions.empty() && makesObject(options))
    options.emissions.push_back({EmitKind::Object, ""});
}

std::string mlir::qopt::pipelines::formatEmission(const Emission &emission) {
  const auto *kind = llvm::find(emitKinds, emission.kind);
  std::string word = emitWords[kind - emitKinds].str();
  return emission.level.empty() ? word : word + ":" + emission.level;
}

llvm::Expected<std::pair<std::string, llvm::SmallVector<int64_t>>>
mlir::qopt::pipelines::parseShape(StringRef text) {
  auto [name, dims] = text.rsplit('=');
  llvm::SmallVector<int64_t> shape;
  bool valid = !name.empty() && !dims.empty();
  for (StringRef word : llvm::split(dims, 'x')) {
    int64_t dim = 0;
    valid &= !word.getAsInteger(10, dim) && dim > 0 && dim <= INT32_MAX;
    shape.push_back(dim);
  }
  if (!valid)
    return makeError(
        102,
        ("--shape expects name=1x3x224x224, but got '" + text + "'").str());
  return std::make_pair(name.str(), shape);
}

static llvm::Error parseSwitch(StringRef flag, StringRef text, bool &value) {
  if (text != "on" && text != "off")
    return unknownValue(flag, text, {"on", "off"});
  value = text == "on";
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseMode(StringRef text,
                                             CompileOptions &options) {
  if (text != "static" && text != "weights" && text != "dynamic")
    return unknownValue("--mode", text, {"static", "dynamic", "weights"});
  options.mode = text == "static"    ? Mode::Static
                 : text == "weights" ? Mode::Weights
                                     : Mode::Dynamic;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseRange(StringRef text,
                                              CompileOptions &options) {
  auto [method, argument] = text.split(':');
  if (method == "moving-average" || method == "ema")
    return makeError(102,
                     ("--range=" + method +
                      " is not offered: a moving average depends on the order "
                      "of the samples, so that shards would not merge")
                         .str(),
                     {"mean-minmax is nearest: the mean of the samples' "
                      "extremes, whatever their order"},
                     "use --range=mean-minmax");
  if (method == "percentile") {
    double percentile = 99.99;
    if (text.contains(':') && (argument.getAsDouble(percentile) ||
                               !(percentile > 50.0) || !(percentile <= 100.0)))
      return makeError(102, ("--range=percentile expects a percentage in (50, "
                             "100], but got '" +
                             argument + "'")
                                .str());
    options.range = argument.empty() ? "percentile:99.99" : text.str();
    return llvm::Error::success();
  }
  static const StringRef known[] = {"auto",        "mse",        "minmax",
                                    "mean-minmax", "percentile", "entropy"};
  if (text == "kl")
    text = "entropy";
  if (!llvm::is_contained(known, text))
    return unknownValue("--range", text, known);
  options.range = text.str();
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseScales(StringRef text,
                                               CompileOptions &options) {
  if (text != "real" && text != "pow2")
    return unknownValue("--scales", text, {"real", "pow2"});
  options.powerOfTwo = text == "pow2";
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseWeights(StringRef text,
                                                CompileOptions &options) {
  for (StringRef word : llvm::split(text, ',')) {
    if (word == "per-channel")
      options.weightsPerChannel = true;
    else if (word == "per-tensor")
      options.weightsPerChannel = false;
    else if (word == "asym")
      return notBuilt("--weights", word, "use sym");
    else if (word.consume_front("bits=")) {
      if (llvm::Error error = parseWeightBits(word, options))
        return error;
    } else if (word != "sym")
      return unknownValue("--weights", word,
                          {"per-channel", "per-tensor", "sym", "bits=8"});
  }
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseWeightBits(StringRef text,
                                                   CompileOptions &options) {
  int bits = 4;
  const bool isAuto = text == "auto";
  if (!isAuto &&
      (text.getAsInteger(10, bits) || (bits != 8 && bits != 4 && bits != 2)))
    return unknownValue("--weight-bits", text, {"8", "4", "2", "auto"});
  options.weightBits = bits;
  options.searchesWeightBits = isAuto;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseWeightGroup(StringRef text,
                                                    CompileOptions &options) {
  int64_t inputs = 0;
  if (text.getAsInteger(10, inputs) || inputs < 0 || inputs > 65536)
    return makeError(102,
                     ("--weight-group expects a number of input channels from "
                      "0 to 65536, but got '" +
                      text + "'")
                         .str(),
                     {}, "--weight-group=0 gives a channel one scale");
  options.weightGroup = inputs;
  return llvm::Error::success();
}

llvm::Error
mlir::qopt::pipelines::parseWeightRounding(StringRef text,
                                           CompileOptions &options) {
  if (text != "auto" && text != "nearest" && text != "adaround")
    return unknownValue("--weight-rounding", text,
                        {"auto", "nearest", "adaround"});
  options.weightRounding = text != "nearest";
  options.descendsWeights = text == "adaround";
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseWeightScaling(StringRef text,
                                                      CompileOptions &options) {
  if (text != "off" && text != "awq")
    return unknownValue("--weight-scaling", text, {"off", "awq"});
  options.scalesWeights = text == "awq";
  return llvm::Error::success();
}

llvm::Error
mlir::qopt::pipelines::parseFuseActivations(StringRef text,
                                            CompileOptions &options) {
  return parseSwitch("--fuse-activations", text, options.fuseActivations);
}

llvm::Error
mlir::qopt::pipelines::parseBiasCorrection(StringRef text,
                                           CompileOptions &options) {
  return parseSwitch("--bias-correction", text, options.biasCorrection);
}

llvm::Error mlir::qopt::pipelines::parseTargetSqnr(StringRef text,
                                                   CompileOptions &options) {
  double value = 0;
  if (text.getAsDouble(value) || !(value > 0 && value <= 200))
    return makeError(102, "--target-sqnr expects decibels above 0 to 200, but "
                          "got '" +
                              text.str() + "'");
  options.targetSqnr = value;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseMaxSlowdown(StringRef text,
                                                    CompileOptions &options) {
  double value = 0;
  if (text.getAsDouble(value) || !(value >= 1 && value <= 100))
    return makeError(102,
                     "--max-slowdown expects a factor of 1 to 100, but "
                     "got '" +
                         text.str() + "'",
                     {}, "--max-slowdown=1 keeps all activations at 8 bits");
  options.maxSlowdown = value;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseMaxDrop(StringRef text,
                                                CompileOptions &options) {
  double value = 0;
  if (text.getAsDouble(value) || !(value >= 0 && value <= 100))
    return makeError(102, "--max-drop expects points of accuracy, 0 to 100, "
                          "but got '" +
                              text.str() + "'");
  options.maxDrop = value;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseForce(StringRef text,
                                              CompileOptions &options) {
  // The command line's flag has no value.
  return parseSwitch("--force", text.empty() ? "on" : text, options.force);
}

llvm::Error mlir::qopt::pipelines::parseSimulate(StringRef text,
                                                 CompileOptions &options) {
  if (text == "float")
    options.simulation = SimulationKind::Float;
  else if (text == "integer")
    options.simulation = SimulationKind::Integer;
  else
    return unknownValue("--simulate", text, {"float", "integer"});
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseActivations(StringRef text,
                                                    CompileOptions &options) {
  for (StringRef word : llvm::split(text, ',')) {
    if (word == "asym" || word == "sym")
      options.activationsSymmetric = word == "sym";
    else if (word == "bits=16")
      return notBuilt("--activations", word, "use bits=8");
    else if (word != "bits=8")
      return unknownValue("--activations", word, {"asym", "sym", "bits=8"});
  }
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseIO(StringRef text,
                                           CompileOptions &options) {
  if (text == "float")
    options.io = BoundaryIO::Float;
  else if (text == "int")
    options.io = BoundaryIO::Int;
  else if (text == "int8")
    options.io = BoundaryIO::Int8;
  else
    return unknownValue("--io", text, {"float", "int", "int8"});
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseThreads(StringRef text,
                                                CompileOptions &options) {
  int64_t threads = 0;
  if (text.getAsInteger(10, threads) || threads < 1 || threads > 64)
    return makeError(
        102, ("--threads expects a number from 1 to 64, but got '" + text + "'")
                 .str());
  options.threads = threads;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseTiming(StringRef text,
                                               CompileOptions &options) {
  // The command line has it without a value.
  if (!text.empty() && text != "on" && text != "off")
    return unknownValue("--timing", text, {"on", "off"});
  options.timing = text != "off";
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseJobs(StringRef text,
                                             CompileOptions &options) {
  unsigned jobs = 0;
  if (text.getAsInteger(10, jobs) || jobs == 0 || jobs > 1024)
    return makeError(
        102, ("--jobs expects a number from 1 to 1024, but got '" + text + "'")
                 .str());
  options.jobs = jobs;
  return llvm::Error::success();
}

static llvm::Error parseSampleCount(StringRef flag, StringRef text,
                                    std::optional<int64_t> &count) {
  int64_t value = 0;
  if (text.getAsInteger(10, value) || value <= 0)
    return makeError(
        102,
        (flag + " expects a number of samples >= 1, but got '" + text + "'")
            .str());
  count = value;
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseLimit(StringRef text,
                                              CompileOptions &options) {
  return parseSampleCount("--limit", text, options.limit);
}

llvm::Error mlir::qopt::pipelines::parseEvalLimit(StringRef text,
                                                  CompileOptions &options) {
  return parseSampleCount("--eval-limit", text, options.evalLimit);
}

llvm::Error mlir::qopt::pipelines::parseNames(StringRef flag, StringRef text,
                                              std::vector<std::string> &names) {
  for (StringRef word : llvm::split(text, ',')) {
    if (word.empty())
      return makeError(102, (flag +
                             " expects names separated by commas, but "
                             "got '" +
                             text + "'")
                                .str());
    names.push_back(word.str());
  }
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::parseSeed(StringRef text,
                                             CompileOptions &options) {
  uint64_t seed = 0;
  if (text.getAsInteger(10, seed))
    return makeError(
        102, ("--seed expects a whole number, but got '" + text + "'").str());
  options.seed = seed;
  return llvm::Error::success();
}
