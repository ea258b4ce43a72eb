// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt: from a float ONNX model and samples to an integer-only object.

#include "CommandLine.h"
#include "Verbs.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;

int main(int argc, char **argv) {
  auto line = tool::parseCommandLine(argc, argv);
  if (!line)
    return static_cast<int>(reportError(line.takeError(), llvm::errs()));
  if (line->help) {
    tool::printHelp(llvm::outs());
    return 0;
  }
  if (line->version) {
    llvm::outs() << "qopt " QOPT_VERSION "\n";
    return 0;
  }
  return static_cast<int>(reportError(tool::run(*line), llvm::errs()));
}
