// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--inputs` and `--outputs`: a part of a model in place of the whole.
#pragma once

#include "ReadGraph.h"

namespace mlir::qopt::importer {

/// What the user asked for; empty lists leave that side whole.
struct CutOptions {
  std::vector<std::string> inputs, outputs;

  bool empty() const { return inputs.empty() && outputs.empty(); }
};

/// Makes the named values the inputs of `graph`, in that order, and takes the
/// type and shape of each from what the model declares; one that it does not
/// declare is float32 with an open shape. `graph.outputs` becomes the named
/// outputs. Errors: Q0122 (a name that the model does not compute, with the
/// nearest ones; a name that is given twice or is a weight).
llvm::Error applyCut(Graph &graph, GraphReader &reader,
                     const CutOptions &options);

} // namespace mlir::qopt::importer
