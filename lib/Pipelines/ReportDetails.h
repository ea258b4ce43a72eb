// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a report that a page shows: graph, errors by cause, histograms,
// weight ranges, what was weighed, remedies.
#pragma once

#include "Summary.h"
#include "llvm/Support/JSON.h"

namespace mlir::qopt::pipelines {

/// Writes the members `graph`, `layers`, `histograms`, `weights`, `trade_off`
/// and `remedies` into the open object. `state` may be null.
void writeDetails(llvm::json::OStream &json, const CompileOptions &options,
                  Levels &levels, const RunFigures &figures,
                  const observers::CalibrationState *state);

/// The report as one page that needs nothing else.
std::string makeReportPage(const std::string &report);

} // namespace mlir::qopt::pipelines
