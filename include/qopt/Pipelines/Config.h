// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--config` and `--save-config`: decisions about single values as a file.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Pipelines/Options.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qopt::pipelines {

/// Reads `path` into `options`: its global keys as the flags that they are
/// named after, its rules behind those that are there. Fails with Q0502 (cannot
/// be read), Q0143 (not a config file: `path:line:column`).
llvm::Error loadConfig(llvm::StringRef path, CompileOptions &options);

/// Edits the observers of `observed` that have no scale yet by `rules`, the
/// later rule last. Fails with Q0144 on a rule that fits no such value, or asks
/// for what no value can have.
llvm::Error applyConfig(llvm::ArrayRef<ValueRule> rules,
                        const CompileOptions &options, func::FuncOp observed);

/// The file that decides as `options` and the observers of `calibrated` (or, if
/// null, `observed`) do: one rule for each value that `observed` leaves open.
/// `loadConfig` of it gives the same object from the same data.
std::string makeConfig(const CompileOptions &options, func::FuncOp observed,
                       func::FuncOp calibrated);

} // namespace mlir::qopt::pipelines
