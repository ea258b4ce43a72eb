// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words to functions of Pipelines.

#include "Verbs.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Support/Error.h"

using namespace mlir::qopt;
using namespace mlir::qopt::tool;

namespace {

/// What can stand before the files, and the flags that have something to say
/// there: those that `takes` lists or, where that is empty, all but those that
/// `refuses` lists.
struct Verb {
  llvm::StringRef name;
  std::vector<llvm::StringRef> takes;
  std::vector<llvm::StringRef> refuses;

  bool hasUseFor(llvm::StringRef flag) const {
    return takes.empty() ? !llvm::is_contained(refuses, flag)
                         : llvm::is_contained(takes, flag);
  }
};

} // namespace

static const Verb compilation = {
    "compilation", {}, {"values", "model", "nodes", "json"}};

static const Verb verbs[] = {
    // Shards are made with the flags of the compilation that they are for, but
    // without those that ask for files or figures.
    {"calibrate",
     {},
     {"values", "model", "nodes", "json", "emit", "name", "save-config", "tune",
      "eval", "eval-limit", "max-drop", "force", "simulate", "timing"}},
    {"merge", {"o"}, {}},
    {"show",
     {"values", "model", "range", "scales", "activations", "weights",
      "weight-bits", "inputs", "outputs", "shape", "input"},
     {}},
    {"inspect", {"nodes", "json", "inputs", "outputs", "shape", "input"}, {}},
    {"compare", {"json"}, {}},
    {"weights", {"json", "inputs", "outputs", "shape", "input"}, {}},
};

/// A flag that would be ignored is an error.
static llvm::Error checkFlags(const CommandLine &line) {
  const llvm::StringRef word =
      line.words.empty() ? llvm::StringRef() : line.words.front();
  const auto *found =
      llvm::find_if(verbs, [&](const Verb &verb) { return verb.name == word; });
  const bool isVerb = found != std::end(verbs);
  const Verb &verb = isVerb ? *found : compilation;
  for (llvm::StringRef flag : line.flags)
    if (!verb.hasUseFor(flag))
      return makeError(101,
                       (isVerb ? "qopt " : "") + verb.name.str() +
                           " has no use for " + (flag == "o" ? "-" : "--") +
                           flag.str(),
                       {}, "leave it out");
  return llvm::Error::success();
}

/// The one model that a verb takes.
static llvm::Error takeModel(CommandLine &line, size_t position) {
  if (line.words.size() != position + 1) {
    std::vector<std::string> notes;
    if (position == 0 && line.words.size() > 1 &&
        llvm::none_of(line.words.front(), [](char c) { return c == '.'; })) {
      notes.push_back("'" + line.words.front() + "' is no verb; there are");
      for (const Verb &verb : verbs)
        notes.back() += (&verb == verbs ? " " : ", ") + verb.name.str();
    }
    return makeError(110,
                     line.words.size() <= position
                         ? "no model was given"
                         : "one model was expected, but got also '" +
                               line.words[position + 1] + "'",
                     std::move(notes),
                     "qopt model.onnx --calibrate data --emit=obj");
  }
  line.options.model = line.words[position];
  return llvm::Error::success();
}

llvm::Error mlir::qopt::tool::run(CommandLine &line,
                                  std::function<bool()> cancelled) {
  pipelines::Streams streams{llvm::outs(), llvm::errs(), line.program};
  streams.cancelled = std::move(cancelled);
  if (llvm::Error error = checkFlags(line))
    return error;
  const std::string verb = line.words.empty() ? "" : line.words.front();
  if (verb == "calibrate" || verb == "inspect" || verb == "weights") {
    if (llvm::Error error = takeModel(line, 1))
      return error;
    if (verb == "inspect")
      return pipelines::inspect(line.options, line.inspect, streams);
    return verb == "weights"
               ? pipelines::weights(line.options, line.inspect.json, streams)
               : pipelines::calibrate(line.options, streams);
  }
  if (verb == "merge")
    return pipelines::merge(
        llvm::ArrayRef<std::string>(line.words).drop_front(),
        line.options.output, streams);
  if (verb == "show") {
    if (line.words.size() != 2)
      return makeError(110, "show takes one file", {},
                       "qopt show all.qcal, or qopt show model.json");
    return pipelines::show(line.words[1], line.options, line.printValues,
                           streams);
  }
  if (verb == "compare") {
    if (line.words.size() != 3)
      return makeError(110, "compare takes two reports", {},
                       "qopt compare a.json b.json");
    return pipelines::compare(line.words[1], line.words[2], line.inspect.json,
                              streams);
  }
  if (llvm::Error error = takeModel(line, 0))
    return error;
  pipelines::addDefaultEmission(line.options);
  return pipelines::compile(line.options, streams);
}
