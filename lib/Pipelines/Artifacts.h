// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The object of a lowered model and everything made from it.
#pragma once

#include "Timing.h"
#include "qopt/Pipelines/Interface.h"
#include "qopt/Pipelines/Levels.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qopt::pipelines {

/// An object that has passed the integer-only check, and what goes with it.
struct ObjectArtifacts {
  ModelInfo info;
  Boundary boundary;
  std::string object;
  std::string assembly;
  std::string llvmIR;
  std::string header;
};

/// Translates level `llvm` of `levels`, adds the ABI, emits, checks (P1, P5)
/// and patches the figures. Assembly and LLVM IR are made where asked for.
/// `clock` goes through the phases `LLVM` and `Check`.
llvm::Expected<ObjectArtifacts>
buildObject(Levels &levels, llvm::ArrayRef<target::ResolvedTarget> targets,
            llvm::StringRef name, const CompileOptions &options,
            PhaseClock &clock);

} // namespace mlir::qopt::pipelines
