// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exists so that the precompiled MLIR headers have a target to belong to.
namespace mlir::qopt {}
