// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Flags by name: what the command line and the C API share.

#include "qopt/Pipelines/Config.h"
#include "qopt/Pipelines/Inputs.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using llvm::StringRef;

namespace {

using Parser = llvm::Error (*)(StringRef, CompileOptions &);

struct Option {
  StringRef name;
  Parser parse;
  /// Every one of several counts, not only the last.
  bool isList = false;
};

} // namespace

template <std::string CompileOptions::*Member>
static llvm::Error takeText(StringRef text, CompileOptions &options) {
  options.*Member = text.str();
  return llvm::Error::success();
}

static llvm::Error takeEmit(StringRef text, CompileOptions &options) {
  auto emissions = parseEmit(text);
  if (!emissions)
    return emissions.takeError();
  llvm::append_range(options.emissions, *emissions);
  return llvm::Error::success();
}

static llvm::Error takeShape(StringRef text, CompileOptions &options) {
  auto shape = parseShape(text);
  if (!shape)
    return shape.takeError();
  options.shapes.push_back(std::move(*shape));
  return llvm::Error::success();
}

static llvm::Error takeInput(StringRef text, CompileOptions &options) {
  auto input = parseInput(text);
  if (!input)
    return input.takeError();
  options.inputs.push_back(text.str());
  return llvm::Error::success();
}

static llvm::Error takeConfig(StringRef path, CompileOptions &options) {
  return loadConfig(path, options);
}

static llvm::Error takeInputNames(StringRef text, CompileOptions &options) {
  return parseNames("--inputs", text, options.cutInputs);
}

static llvm::Error takeOutputNames(StringRef text, CompileOptions &options) {
  return parseNames("--outputs", text, options.cutOutputs);
}

/// In the order in which they are read: flags say more than the file.
static const Option table[] = {
    {"config", takeConfig, true},
    {"mode", parseMode},
    {"range", parseRange},
    {"scales", parseScales},
    {"weights", parseWeights},
    {"weight-bits", parseWeightBits},
    {"weight-group", parseWeightGroup},
    {"weight-rounding", parseWeightRounding},
    {"weight-scaling", parseWeightScaling},
    {"bias-correction", parseBiasCorrection},
    {"fuse-activations", parseFuseActivations},
    {"max-slowdown", parseMaxSlowdown},
    {"target-sqnr", parseTargetSqnr},
    {"activations", parseActivations},
    {"io", parseIO},
    {"jobs", parseJobs},
    {"timing", parseTiming},
    {"threads", parseThreads},
    {"plan", takeText<&CompileOptions::plan>},
    {"tune", takeText<&CompileOptions::tune>},
    {"limit", parseLimit},
    {"seed", parseSeed},
    {"emit", takeEmit, true},
    {"inputs", takeInputNames, true},
    {"outputs", takeOutputNames, true},
    {"shape", takeShape, true},
    {"input", takeInput, true},
    {"o", takeText<&CompileOptions::output>},
    {"name", takeText<&CompileOptions::name>},
    {"calibrate", takeText<&CompileOptions::calibrate>},
    {"shard", takeText<&CompileOptions::shard>},
    {"target", takeText<&CompileOptions::target>},
    {"mcpu", takeText<&CompileOptions::cpu>},
    {"save-config", takeText<&CompileOptions::saveConfig>},
    {"eval", takeText<&CompileOptions::eval>},
    {"eval-limit", parseEvalLimit},
    {"max-drop", parseMaxDrop},
    {"force", parseForce},
    {"simulate", parseSimulate},
};

llvm::ArrayRef<StringRef> mlir::qopt::pipelines::getOptionNames() {
  static const std::vector<StringRef> names = [] {
    std::vector<StringRef> all;
    for (const Option &option : table)
      all.push_back(option.name);
    return all;
  }();
  return names;
}

static llvm::Error unknownOption(StringRef name) {
  StringRef best;
  unsigned distance = 4;
  for (StringRef known : getOptionNames())
    if (unsigned d = name.edit_distance(known, true, distance); d < distance) {
      best = known;
      distance = d;
    }
  std::vector<std::string> notes;
  if (!best.empty())
    notes.push_back(("did you mean '" + best + "'?").str());
  return makeError(101, ("unknown flag '" + name + "'").str(), std::move(notes),
                   "qopt --help lists the flags");
}

static const Option *findOption(StringRef name) {
  const auto *found = llvm::find_if(
      table, [&](const Option &option) { return option.name == name; });
  return found == std::end(table) ? nullptr : found;
}

llvm::Error mlir::qopt::pipelines::checkOption(StringRef name,
                                               StringRef value) {
  const Option *option = findOption(name);
  if (!option)
    return unknownOption(name);
  CompileOptions scratch;
  return option->parse(value, scratch);
}

llvm::Error mlir::qopt::pipelines::applyOptions(const OptionList &flags,
                                                CompileOptions &options) {
  for (const auto &[name, value] : flags)
    if (!findOption(name))
      return unknownOption(name);
  for (const Option &option : table) {
    const std::string *last = nullptr;
    for (const auto &[name, value] : flags) {
      if (name != option.name)
        continue;
      last = &value;
      if (option.isList)
        if (llvm::Error error = option.parse(value, options))
          return error;
    }
    if (last && !option.isList)
      if (llvm::Error error = option.parse(*last, options))
        return error;
  }
  return llvm::Error::success();
}
