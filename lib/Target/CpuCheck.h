// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function that asks the CPU it runs on whether it can run an object.
#pragma once

#include "qopt/Target/Target.h"

namespace llvm {
class Function;
class Module;
class Twine;
} // namespace llvm

namespace mlir::qopt::target {

/// Adds `uint32_t name(void)`: 0 if the CPU and the system have every vector
/// extension that `features` names, else QOPT_NO_VARIANT. Always 0 where none
/// is named.
llvm::Function *buildCpuCheck(llvm::Module &module, const llvm::Twine &name,
                              const CpuFeatures &features);

} // namespace mlir::qopt::target
