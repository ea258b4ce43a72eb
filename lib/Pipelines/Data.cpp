// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens what --calibrate and --eval name.

#include "Data.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/ChannelScales.h"
#include <chrono>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using calibration::InputSpec;

/// The model's inputs, with the `--input` normalizations.
static std::vector<InputSpec> makeInputSpecs(Levels &levels) {
  std::vector<InputSpec> specs =
      calibration::getInputSpecs(levels.getFunction("import"));
  for (const InputOption &given : levels.getInputOptions())
    for (InputSpec &spec : specs)
      if (spec.name == given.name) {
        spec.u8 = given.u8;
        spec.image = given.image;
      }
  return specs;
}

static llvm::Expected<calibration::DataOptions>
makeDataOptions(const CompileOptions &options) {
  calibration::DataOptions dataOptions;
  dataOptions.limit = options.limit;
  dataOptions.seed = options.seed;
  if (!options.shard.empty())
    if (llvm::Error error = calibration::parseShard(options.shard, dataOptions))
      return std::move(error);
  return dataOptions;
}

llvm::Expected<observers::CalibrationState>
mlir::qopt::pipelines::loadStatistics(Levels &levels,
                                      const CompileOptions &options,
                                      const Streams &streams,
                                      RunFigures &figures) {
  if (options.memory.statistics)
    return observers::CalibrationState::parse(*options.memory.statistics,
                                              "statistics");
  if (StringRef(options.calibrate).ends_with(".qcal")) {
    if (options.limit || options.seed || !options.shard.empty())
      return makeError(141,
                       "--limit, --seed and --shard choose samples, but '" +
                           options.calibrate + "' holds their statistics",
                       {}, "choose them in qopt calibrate");
    return observers::CalibrationState::read(options.calibrate);
  }
  std::vector<InputSpec> specs = makeInputSpecs(levels);
  auto dataOptions = makeDataOptions(options);
  if (!dataOptions)
    return dataOptions.takeError();
  auto data =
      options.memory.samples
          ? calibration::DataSet::fromMemory(*options.memory.samples, specs,
                                             *dataOptions)
          : calibration::DataSet::open(options.calibrate, specs, *dataOptions);
  if (!data)
    return data.takeError();
  size_t warned = 0;
  auto warn = [&] {
    for (llvm::ArrayRef<std::string> all = (*data)->getWarnings();
         warned < all.size(); ++warned)
      streams.progress << "warning: " << all[warned] << "\n";
  };
  warn();

  Progress progress(streams, "calibrating");
  auto begin = std::chrono::steady_clock::now();
  auto tick = [&](int64_t done, int64_t total) {
    progress.tick(done, total);
    return !streams.cancelled || !streams.cancelled();
  };
  func::FuncOp observed = levels.getFloatFunction("observed");
  OwningOpRef<ModuleOp> both(observed->getParentOfType<ModuleOp>().clone());
  func::FuncOp function = *both->getOps<func::FuncOp>().begin();
  addPlainObservers(function);
  auto state =
      calibration::calibrate(function, levels.getModelHash(), **data, tick);
  progress.finish();
  // Of samples that a function brings, some are known only now.
  warn();
  figures.calibrationSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  return state;
}

llvm::Expected<std::unique_ptr<calibration::LabelledSet>>
mlir::qopt::pipelines::openLabelled(Levels &levels,
                                    const CompileOptions &options) {
  std::vector<InputSpec> specs = makeInputSpecs(levels);
  calibration::DataOptions dataOptions;
  dataOptions.limit = options.evalLimit;
  return calibration::LabelledSet::open(
      options.eval, specs,
      evaluation::getOutputSpecs(levels.getFunction("import")), dataOptions);
}
