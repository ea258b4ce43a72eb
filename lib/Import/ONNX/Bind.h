// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Graph inputs to static shapes.
#pragma once

#include "Model.h"
#include "qopt/Import/ONNX/Import.h"

namespace mlir::qopt::importer {

/// One static shape for each graph input. `--shape` binds dimensions and, by
/// their names, the same dimensions of other inputs; where the model fixes
/// another size, with a note. An open leading dimension is 1, with a note.
/// Errors: Q0120 (`--shape` names no input), Q0121 (it has another number of
/// dimensions, or binds one to two sizes), Q0204 (an open dimension; prints the flag), Q0209.
Expected<std::vector<Shape>> bindShapes(const Graph &graph,
                                        ImportOptions &options);

} // namespace mlir::qopt::importer
