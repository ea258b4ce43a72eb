// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One backend test through the importer, the reference evaluator and the
// integer compiler.
#pragma once

#include "BackendCase.h"
#include "IntegerForm.h"
#include "mlir/IR/MLIRContext.h"

namespace qopt_test {

enum class Verdict { Passed, Refused, Wrong };

struct Outcome {
  /// Of the float model against the expected outputs.
  Verdict verdict = Verdict::Refused;
  /// Why it did not pass.
  std::string text;
  /// The operator that the refusal names.
  std::string refusedOperator;
  /// The worst over all data sets.
  IntegerForm integers;
};

/// Runs all data sets. Inputs are bound as constants, from the last to the
/// first, until the importer takes the model: weights and parameters that a
/// test feeds at run time, and integers.
Outcome runCase(const BackendCase &test, mlir::MLIRContext &context);

/// A context with what that needs.
void loadDialects(mlir::MLIRContext &context);

} // namespace qopt_test
