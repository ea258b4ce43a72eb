// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Flags in, options out.
#pragma once

#include "qopt/Pipelines/Compile.h"

namespace mlir::qopt::tool {

/// What the command line asked for.
struct CommandLine {
  bool help = false;
  bool version = false;
  /// The words that are not flags: a verb, models, statistics.
  std::vector<std::string> words;
  /// The names of all flags that were given, without dashes.
  std::vector<std::string> flags;
  pipelines::CompileOptions options;
  bool printValues = false;
  pipelines::InspectOptions inspect;
  /// argv[0].
  std::string program;
};

/// Fails with Q0101 for an unknown flag (naming the nearest) or a missing
/// value, and with the errors of the value parsers.
llvm::Expected<CommandLine> parseCommandLine(int argc, char **argv);

void printHelp(llvm::raw_ostream &os);

} // namespace mlir::qopt::tool
