// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the words of a command line ask for.
#pragma once

#include "CommandLine.h"
#include <functional>

namespace mlir::qopt::tool {

/// Runs the verb, or compiles where the first word is a model. Results go to
/// standard output, progress to standard error. Ends early where `cancelled`
/// says so.
llvm::Error run(CommandLine &line, std::function<bool()> cancelled);

} // namespace mlir::qopt::tool
