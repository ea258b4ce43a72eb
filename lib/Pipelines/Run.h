// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One compilation: what is decided, built and judged before anything is
// written.
#pragma once

#include "Artifacts.h"
#include "Outputs.h"
#include "Summary.h"
#include "qopt/Pipelines/Compile.h"

namespace mlir::qopt::pipelines {

/// One compilation, from its options to the contents of its files.
class Run {
public:
  explicit Run(const CompileOptions &options)
      : options(options), levels(options) {}

  /// Everything down to what the options ask for. Fails with Q0601 where
  /// `--max-drop` is missed, all that the search may do tried, unless forced.
  llvm::Error build(const Streams &streams);

  const CompileOptions &options;
  Levels levels;
  RunFigures figures;
  /// Poorest first.
  std::vector<target::ResolvedTarget> targets;
  OutputPaths paths;
  ObjectArtifacts artifacts;

private:
  llvm::Error checkOptions() const;
  /// All of `--mode=weights` and `--mode=dynamic`: activations have no scales,
  /// samples are for weights alone.
  llvm::Error buildLoosely(const Streams &streams);
  llvm::Error fitWeights(const Streams &streams);
  /// Level `import`, and what its reading has to say.
  llvm::Error import(const Streams &streams);
  /// Levels `import` to `observed`, statistics, range methods.
  llvm::Error prepare(const Streams &streams);
  /// Everything from the statistics on.
  llvm::Error reach(const Streams &streams);
  /// Scales and bits, with so many dB as enough.
  llvm::Error decide(double targetDb, const Streams &streams);
  /// From level `qint` to the object, as far as the options need it.
  llvm::Error lower();
  /// From the decisions to the object and its evaluation.
  llvm::Error complete(const Streams &streams);
  /// Levels `loops` and `llvm`, tuned where that is asked for.
  llvm::Error makeCode();
  llvm::Error evaluate(const Streams &streams);
  llvm::Error checkLabelledData();
  /// Decides with more and more bits until `--max-drop` is met.
  llvm::Error meetDrop(const Streams &streams);

  /// Absent where no level behind `observed` is asked for.
  std::optional<observers::CalibrationState> statistics;
};

} // namespace mlir::qopt::pipelines
