// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Measures how products are best cut on this machine.
#pragma once

#include "qopt/Codegen/Codegen.h"
#include "qopt/Target/Target.h"

namespace mlir::qopt::pipelines {

/// The fastest candidate for each shape of a product in `function` (level
/// `qint`), and what `options.tiles` knows already. Fails with Q0334 where this
/// CPU cannot run code for `target`.
llvm::Expected<codegen::TileChoices>
tuneTiles(func::FuncOp function, codegen::CodegenOptions options,
          const target::TargetOptions &target);

} // namespace mlir::qopt::pipelines
