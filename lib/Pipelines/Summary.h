// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run tells: a progress bar while it works, at most 12 lines at its end.
#pragma once

#include "Artifacts.h"
#include "DropSearch.h"
#include "Scales.h"
#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Evaluation/LayerErrors.h"
#include "qopt/Evaluation/OpSteps.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Pipelines/Levels.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

namespace mlir::qopt::pipelines {

/// A bar on a terminal, nothing elsewhere; tells who asked for it.
class Progress {
public:
  Progress(const Streams &streams, llvm::StringRef what)
      : streams(streams), os(streams.progress), what(what),
        isTerminal(os.is_displayed()) {}
  void tick(int64_t done, int64_t total);
  void finish();

private:
  const Streams &streams;
  llvm::raw_ostream &os;
  llvm::StringRef what;
  bool isTerminal;
  int lastPercent = -1;
};

/// What is known of a run beside its levels and files.
struct RunFigures {
  PhaseClock clock;
  std::string qcal;
  uint64_t calibrationSamples = 0;
  /// 0 where statistics were read from a file.
  double calibrationSeconds = 0;
  /// One for each method that scaled channels.
  std::vector<evaluation::EqualizationGain> equalization;
  /// Absent where it was not asked for.
  std::optional<WeightScaling> weightScaling;
  /// Absent where a method was named.
  std::optional<evaluation::RangeTrial> rangeTrial;
  /// Absent where they were not asked for.
  std::optional<evaluation::BitSearch> bitSearch;
  std::optional<evaluation::WeightBitSearch> weightBitSearch;
  evaluation::Refinements refinements;
  /// With --emit=report-html alone.
  std::optional<evaluation::LayerErrors> layers;
  std::optional<evaluation::Evaluation> evaluation;
  /// With --max-drop alone.
  std::optional<DropSearch> drop;
  /// With --mode=weights alone.
  std::optional<WeightSizes> weightSizes;
  /// With --simulate=float alone.
  std::optional<evaluation::OpDifferences> opDifferences;
};

/// One file to write.
struct OutputFile {
  EmitKind kind;
  std::string path;
  std::string contents;
};

void printSummary(llvm::raw_ostream &os, const CompileOptions &options,
                  Levels &levels, const ObjectArtifacts &artifacts,
                  const RunFigures &figures,
                  llvm::ArrayRef<OutputFile> files);

} // namespace mlir::qopt::pipelines
