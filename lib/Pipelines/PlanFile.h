// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file of `--tune` and `--plan`.
#pragma once

#include "qopt/Codegen/TileChoice.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qopt::pipelines {

/// The choices of a file. Q0502 where it cannot be read, Q0145 where it is no
/// plan.
llvm::Expected<codegen::TileChoices> readPlan(llvm::StringRef path);

/// The file's text; equal choices give equal bytes.
std::string printPlan(const codegen::TileChoices &choices);

} // namespace mlir::qopt::pipelines
