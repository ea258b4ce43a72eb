// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Printing and exit codes of qopt's error type.

#include "qopt/Support/Error.h"
#include "qopt/Support/Printable.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;

char QoptError::ID = 0;

void QoptError::log(llvm::raw_ostream &os) const {
  auto print = [&](llvm::StringRef text) {
    os << makePrintable(text, "\n\t") << "\n";
  };
  os << "error[Q" << llvm::format("%04d", code) << "]: ";
  print(message);
  for (const std::string &note : notes) {
    os << "  note: ";
    print(note);
  }
  if (!help.empty()) {
    os << "  help: ";
    print(help);
  }
}

std::error_code QoptError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

ExitCode QoptError::exitCode() const {
  switch (code / 100) {
  case 1:
    return ExitCode::Usage;
  case 2:
    return ExitCode::BadModel;
  case 3:
    return ExitCode::Unsupported;
  case 4:
    return ExitCode::BadData;
  case 5:
    return ExitCode::IO;
  case 6:
    return ExitCode::AccuracyGate;
  default:
    return ExitCode::Internal;
  }
}

ExitCode mlir::qopt::reportError(llvm::Error error, llvm::raw_ostream &os) {
  ExitCode first = ExitCode::Ok;
  auto note = [&](ExitCode code) {
    if (first == ExitCode::Ok)
      first = code;
  };
  llvm::handleAllErrors(
      std::move(error),
      [&](const QoptError &qoptError) {
        qoptError.log(os);
        note(qoptError.exitCode());
      },
      [&](const llvm::ErrorInfoBase &other) {
        os << "error[Q0700]: " << other.message() << "\n";
        note(ExitCode::Internal);
      });
  return first;
}
