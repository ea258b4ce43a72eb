// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of the rooms below MLIR, as diagnostics at an op.

#include "qopt/IR/Diagnostics.h"
#include "qopt/Support/Error.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

LogicalResult mlir::qopt::emitRefusal(Operation *op, llvm::Error error) {
  llvm::handleAllErrors(
      std::move(error),
      [&](const QoptError &refusal) {
        InFlightDiagnostic diagnostic = op->emitError(refusal.getMessage());
        for (const std::string &note : refusal.getNotes())
          diagnostic.attachNote() << note;
        if (!refusal.getHelp().empty())
          diagnostic.attachNote() << refusal.getHelp();
      },
      [&](const llvm::ErrorInfoBase &other) {
        op->emitError(other.message());
      });
  return failure();
}
