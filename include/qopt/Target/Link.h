// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One object as a shared library, an archive or, with the driver of
// `Runtime`, an executable.
#pragma once

#include "qopt/Target/Target.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qopt::target {

/// Whether the files of a link lie in a temporary folder now. May be called in a
/// signal handler.
bool isLinking();

/// Bytes of an ELF shared library with the object's global symbols, linked in
/// this process. `soname` may be empty. Calls from several threads wait for
/// one another: the linker has one state. Fails with Q0712.
llvm::Expected<std::string> linkShared(llvm::StringRef object,
                                       llvm::StringRef soname = {});

/// Bytes of an archive with `object` as the member `memberName` and a symbol
/// table; no dates or owners. Fails with Q0712.
llvm::Expected<std::string> makeArchive(llvm::StringRef object,
                                        llvm::StringRef memberName);

/// Links `object`, whose `modelSymbol` is a `qopt_model`, and the archive
/// `runtimePath` (libQoptRuntime.a) into the executable `path`, by calling
/// `cc`. The file appears whole or not at all. Fails with Q0503 (no compiler
/// driver, or no runtime archive), Q0504 (the linker's own refusal) and Q0501.
llvm::Error linkExecutable(llvm::StringRef object, llvm::StringRef modelSymbol,
                           const ResolvedTarget &target,
                           llvm::StringRef runtimePath, llvm::StringRef path);

} // namespace mlir::qopt::target
