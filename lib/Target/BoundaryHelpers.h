// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only float code of an object: its boundary tensors' conversions.
#pragma once

#include "qopt/Target/Abi.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace mlir::qopt::target {

struct BoundaryHelpers {
  /// `NAME_quantize_x(src, dst)` or `NAME_dequantize_y(src, dst)`, one a
  /// tensor.
  std::vector<llvm::Function *> each;
  /// `NAME_quantize(srcs, dsts, ctx)` or `NAME_dequantize`, all of them by the
  /// context's workers.
  llvm::Function *all = nullptr;
};

/// Adds the helpers of all inputs, or of all outputs, to `module`.
BoundaryHelpers buildBoundaryHelpers(llvm::Module &module, const AbiSpec &spec,
                                     bool isInput);

} // namespace mlir::qopt::target
