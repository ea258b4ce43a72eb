// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The JSON report of a run.
#pragma once

#include "Summary.h"

namespace mlir::qopt::pipelines {

/// `--emit=report`, schema_version 1: model, options, sizes, the quantized
/// tensors, and the evaluation where there is one. Holds no times or paths but
/// the model's name, so that equal runs give equal bytes.
std::string makeReport(const CompileOptions &options, Levels &levels,
                       const ObjectArtifacts &artifacts,
                       const RunFigures &figures);

} // namespace mlir::qopt::pipelines
