// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers LLVM's x86 backend.
#pragma once

namespace mlir::qopt::target {

/// Registers the backend, its assembler parser and its disassembler on the
/// first call; any thread may call it.
void initializeX86();

} // namespace mlir::qopt::target
