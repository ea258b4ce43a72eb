// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files written whole or not at all, and read with a clear refusal.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace mlir::qopt {

/// Writes `contents` to `path` through a temporary file in the same folder and
/// a rename, so that a reader sees the old file or the whole new one. `-` is
/// standard output. Fails with Q0501.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::StringRef contents,
                                bool executable = false);

/// Whether `path` is a device or a pipe, which is written to in place and never
/// replaced.
bool isSpecialFile(llvm::StringRef path);

/// Reads a whole file (mapped where that pays). Fails with Q0502.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readFile(llvm::StringRef path);

} // namespace mlir::qopt
