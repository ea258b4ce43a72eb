// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front door: one model to all files that were asked for.

#include "qopt/Pipelines/Compile.h"
#include "Run.h"
#include "qopt/Pipelines/Config.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

static llvm::Error saveConfig(Run &run) {
  if (run.options.saveConfig.empty())
    return llvm::Error::success();
  return writeFileAtomically(run.options.saveConfig,
                             makeConfig(run.options,
                                        run.levels.getFunction("observed"),
                                        run.levels.getFunction("calibrated")));
}

static llvm::Error savePlan(Run &run) {
  if (run.options.tune.empty())
    return llvm::Error::success();
  return writeFileAtomically(run.options.tune, run.levels.printPlan());
}

/// Where the summary goes: an output on standard output has that for itself.
static llvm::raw_ostream &getSummaryStream(const CompileOptions &options,
                                           const Streams &streams) {
  return llvm::is_contained({options.output, options.saveConfig, options.tune},
                            "-")
             ? streams.progress
             : streams.results;
}

llvm::Error mlir::qopt::pipelines::compile(const CompileOptions &options,
                                           const Streams &streams) {
  Run run(options);
  if (llvm::Error error = run.build(streams))
    return error;
  auto files = makeFiles(run.levels, run.artifacts, options, run.targets.front(),
                         run.paths, run.figures);
  if (!files)
    return files.takeError();
  if (llvm::Error error =
          writeFiles(*files, run.artifacts, run.targets.front(), run.paths,
                     streams))
    return error;
  if (llvm::Error error = saveConfig(run))
    return error;
  if (llvm::Error error = savePlan(run))
    return error;
  llvm::raw_ostream &os = getSummaryStream(options, streams);
  printSummary(os, options, run.levels, run.artifacts, run.figures, *files);
  if (options.timing)
    printTiming(os, run.figures.clock);
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
  emissions.push_back({EmitKind::Report, ""});
  if (makesObject(options))
    for (EmitKind kind : {EmitKind::Object, EmitKind::Header})
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
  auto files = makeFiles(run.levels, run.artifacts, options, run.targets.front(),
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
  if (llvm::Error error = savePlan(run))
    return std::move(error);
  return compiled;
}
