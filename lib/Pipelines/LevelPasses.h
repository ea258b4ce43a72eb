// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running passes on a level, and what the options tell them.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Pipelines/Options.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt::pipelines {

/// Collects what passes report while it lives: the errors of one QoptError.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
            messages.push_back(text(diagnostic));
          return success();
        }) {}

  /// The first message with the others as notes.
  llvm::Error take(int code, StringRef fallback) {
    if (messages.empty())
      return makeError(code, fallback.str());
    std::vector<std::string> notes(messages.begin() + 1, messages.end());
    return makeError(code, messages.front(), std::move(notes));
  }

  bool hasMessages() const { return !messages.empty(); }

private:
  static std::string text(Diagnostic &diagnostic) {
    std::string message = diagnostic.str();
    if (auto name = dyn_cast<NameLoc>(diagnostic.getLocation()))
      message += " (node '" + name.getName().str() + "')";
    for (Diagnostic &note : diagnostic.getNotes())
      message += "; " + note.str();
    return message;
  }

  std::vector<std::string> messages;
  ScopedDiagnosticHandler handler;
};

func::FuncOp getMain(ModuleOp module);

/// Runs `pass` on the functions of `module`.
LogicalResult runPass(ModuleOp module, std::unique_ptr<Pass> pass);

/// `qopt-insert-observers` as the options want it.
std::unique_ptr<Pass> makeObservers(const CompileOptions &options);

WeightForm getWeightForm(const CompileOptions &options);

} // namespace mlir::qopt::pipelines
