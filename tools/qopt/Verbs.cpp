// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words to functions of Pipelines.

#include "Verbs.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Support/Error.h"

using namespace mlir::qopt;
using namespace mlir::qopt::tool;

/// The one model that a verb takes.
static llvm::Error takeModel(CommandLine &line, size_t position) {
  if (line.words.size() != position + 1)
    return makeError(110,
                     line.words.size() <= position
                         ? "no model was given"
                         : "one model was expected, but got also '" +
                               line.words[position + 1] + "'",
                     {}, "qopt model.onnx --calibrate data --emit=obj");
  line.options.model = line.words[position];
  return llvm::Error::success();
}

llvm::Error mlir::qopt::tool::run(CommandLine &line,
                                  std::function<bool()> cancelled) {
  pipelines::Streams streams{llvm::outs(), llvm::errs(), line.program};
  streams.cancelled = std::move(cancelled);
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
