// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data sets and statistics as the options name them.
#pragma once

#include "Summary.h"
#include "qopt/Calibration/DataLabelled.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Pipelines/Levels.h"

namespace mlir::qopt::pipelines {

/// Statistics for level `observed`: read from a `.qcal`, or made from data.
llvm::Expected<observers::CalibrationState>
loadStatistics(Levels &levels, const CompileOptions &options,
               const Streams &streams, RunFigures &figures);

/// The labelled data of `--eval`.
llvm::Expected<std::unique_ptr<calibration::LabelledSet>>
openLabelled(Levels &levels, const CompileOptions &options);

} // namespace mlir::qopt::pipelines
