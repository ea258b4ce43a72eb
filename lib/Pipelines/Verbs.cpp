// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt calibrate and merge.

#include "Data.h"
#include "Outputs.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Support/Error.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

static llvm::Error missingOutput(StringRef verb, StringRef example) {
  return makeError(108, ("qopt " + verb + " needs an output file").str(), {},
                   ("add -o " + example).str());
}

llvm::Expected<observers::CalibrationState>
mlir::qopt::pipelines::makeStatistics(const CompileOptions &options,
                                      const Streams &streams) {
  if (options.calibrate.empty() && !options.memory.samples &&
      !options.memory.statistics)
    return makeError(103, "qopt calibrate needs data", {},
                     "add --calibrate data/");
  Levels levels(options);
  if (llvm::Error error = levels.import())
    return std::move(error);
  for (const std::string &note : levels.getNotes())
    streams.progress << "note: " << note << "\n";
  if (llvm::Error error = levels.observe())
    return std::move(error);
  RunFigures figures;
  return loadStatistics(levels, options, streams, figures);
}

llvm::Error mlir::qopt::pipelines::calibrate(const CompileOptions &options,
                                             const Streams &streams) {
  if (!options.calibrate.empty() && options.output.empty())
    return missingOutput("calibrate", "model.qcal");
  if (llvm::Error error = checkOverwrites(options.output, options))
    return error;
  auto state = makeStatistics(options, streams);
  if (!state)
    return state.takeError();
  if (llvm::Error error = state->write(options.output))
    return error;
  // An output on standard output has that for itself.
  (options.output == "-" ? streams.progress : streams.results)
      << "calibrated  " << state->getTensors().size() << " tensors on "
      << state->getSamples().size() << " samples\nwrote       "
      << options.output << "\n";
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::merge(ArrayRef<std::string> shards,
                                         StringRef output,
                                         const Streams &streams) {
  if (output.empty())
    return missingOutput("merge", "all.qcal");
  auto state = observers::mergeFiles(shards);
  if (!state)
    return state.takeError();
  if (llvm::Error error = state->write(output))
    return error;
  (output == "-" ? streams.progress : streams.results)
      << "merged      " << shards.size() << " files, "
      << state->getSamples().size() << " samples\nwrote       " << output
      << "\n";
  return llvm::Error::success();
}
