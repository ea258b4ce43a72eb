// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect to LLVM IR to optimized IR, assembly and object bytes. The same
// module and target give the same bytes, whatever ran before.
#pragma once

#include "qopt/Target/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace mlir::qopt::target {

/// LLVM IR of `module`, all of whose ops are of the LLVM dialect. Fails with
/// Q0702; what is wrong is in the MLIR diagnostics.
llvm::Expected<std::unique_ptr<llvm::Module>> translate(ModuleOp module,
                                                        llvm::LLVMContext &);

/// Gives `module` the target's triple, data layout and function attributes
/// (no exceptions, unwind tables, red zone, frame pointer or stack protector;
/// 512-bit vectors where the CPU has them) and hides every definition but
/// `exports`. Fails with Q0703 if an export is not defined.
llvm::Error prepare(llvm::Module &module, llvm::TargetMachine &machine,
                    llvm::ArrayRef<std::string> exports);

/// A fixed scalar pipeline. It neither vectorizes nor unrolls, and inlines
/// only what is marked: the generators have decided that. It makes no call but
/// of memcpy, memset and memmove. Fails with Q0704.
llvm::Error optimize(llvm::Module &module, llvm::TargetMachine &machine);

/// Bytes of an ELF object, or assembly text. `module` stays as it is. Fails
/// with Q0705.
llvm::Expected<std::string> emitObject(const llvm::Module &module,
                                       llvm::TargetMachine &machine);
llvm::Expected<std::string> emitAssembly(const llvm::Module &module,
                                         llvm::TargetMachine &machine);
std::string emitLLVMIR(const llvm::Module &module);

/// `translate`, `prepare` and `optimize` in one.
llvm::Expected<std::unique_ptr<llvm::Module>>
lowerToOptimizedIR(ModuleOp module, llvm::LLVMContext &context,
                   llvm::TargetMachine &machine,
                   llvm::ArrayRef<std::string> exports);

} // namespace mlir::qopt::target
