// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of reductions over axes.
#pragma once

#include "Fold.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {

/// The loops over results, and over the terms of one result.
struct Reduction {
  SmallVector<int64_t> shape;
  NestOperand to, from;
  LoopSpace terms;
  /// The terms are contiguous along the last dimension of `terms`, and results
  /// are not contiguous in the input.
  bool alongTerms = false;

  Reduction(const View &in, const View &out, ArrayRef<int64_t> axes,
            bool keepDims);

  /// The axes as text.
  static std::string key(ArrayRef<int64_t> axes);
};

/// `rows` without its last dimension.
LoopSpace dropInner(LoopSpace rows);

/// Adds up all terms with lanes along the innermost of them. `add` gets a
/// vector whose lanes past the terms are zero.
SmallVector<Value>
sumAlong(KernelBuilder &k, const Reduction &r, Value memory, Value position,
         VectorType type, ValueRange init,
         llvm::function_ref<SmallVector<Value>(Value, ValueRange)> add);

} // namespace mlir::qopt::codegen
