// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which x86 instructions compute in floating point.
#pragma once

#include "llvm/ADT/StringRef.h"

namespace llvm {
class MCInstrDesc;
class MCRegisterInfo;
} // namespace llvm

namespace mlir::qopt::target {

/// Whether the instruction does floating-point arithmetic, conversion,
/// comparison or control. `opcodeName` is LLVM's name of its opcode.
bool isFloatInstruction(const llvm::MCInstrDesc &description,
                        llvm::StringRef opcodeName,
                        const llvm::MCRegisterInfo &registers);

} // namespace mlir::qopt::target
