// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one error type of qopt: what went wrong, where, and what to do about it.
#pragma once

#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir::qopt {

/// Exit codes of the command line; docs/cli.md.
enum class ExitCode : int {
  Ok = 0,
  Usage = 1,
  BadModel = 2,
  Unsupported = 3,
  BadData = 4,
  IO = 5,
  AccuracyGate = 6,
  Internal = 70,
};

/// A refusal that a person reads. It prints as
///
///   error[Q0201]: dimension 'N' of input 'x' is not bound
///     note: the model says x: ?x1x28x28
///     help: add --shape x=1x1x28x28
///
/// `code` is stable: 01xx usage, 02xx model, 03xx unsupported, 04xx data,
/// 05xx files, 06xx accuracy, 07xx internal. The hundreds digit fixes the
/// exit code.
class QoptError : public llvm::ErrorInfo<QoptError> {
public:
  static char ID;

  QoptError(int code, std::string message, std::vector<std::string> notes = {},
            std::string help = {})
      : code(code), message(std::move(message)), notes(std::move(notes)),
        help(std::move(help)) {}

  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

  ExitCode exitCode() const;
  int getCode() const { return code; }
  llvm::StringRef getMessage() const { return message; }
  const std::vector<std::string> &getNotes() const { return notes; }
  llvm::StringRef getHelp() const { return help; }

private:
  int code;
  std::string message;
  std::vector<std::string> notes;
  std::string help;
};

/// `makeError(402, "file 'x.npy' holds f64, expected f32", {}, "convert it")`.
inline llvm::Error makeError(int code, std::string message,
                             std::vector<std::string> notes = {},
                             std::string help = {}) {
  return llvm::make_error<QoptError>(code, std::move(message),
                                     std::move(notes), std::move(help));
}

/// Prints every error in `error` to `os`; returns the first one's exit code
/// (`Internal` for an error that is not a QoptError), or Ok for success.
ExitCode reportError(llvm::Error error, llvm::raw_ostream &os);

} // namespace mlir::qopt
