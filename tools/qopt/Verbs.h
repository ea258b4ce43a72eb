// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the words of a command line ask for.
#pragma once

#include "CommandLine.h"

namespace mlir::qopt::tool {

/// Runs the verb, or compiles where the first word is a model. Results go to
/// standard output, progress to standard error.
llvm::Error run(CommandLine &line);

} // namespace mlir::qopt::tool
