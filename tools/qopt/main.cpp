// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt: from a float ONNX model and samples to an integer-only object.

#include "CommandLine.h"
#include "Verbs.h"
#include "qopt/Support/Error.h"
#include "qopt/Target/Link.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

using namespace mlir::qopt;

namespace {

/// The signal that asked the run to end; 0 as long as none did.
volatile std::sig_atomic_t caught = 0;

/// Ends the process, but lets a link remove its files first; a second signal
/// ends it in any case.
void end(int signal) {
  std::signal(signal, SIG_DFL);
  caught = signal;
  if (!target::isLinking())
    std::raise(signal);
}

} // namespace

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
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    // What the caller ignores, as nohup does, stays ignored.
    if (std::signal(signal, end) == SIG_IGN)
      std::signal(signal, SIG_IGN);
  llvm::Error error = tool::run(*line, [] { return caught != 0; });
  if (!caught)
    return static_cast<int>(reportError(std::move(error), llvm::errs()));
  // The caller sees what ended the run.
  llvm::consumeError(std::move(error));
  std::signal(caught, SIG_DFL);
  return std::raise(caught);
}
