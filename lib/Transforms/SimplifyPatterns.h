// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pattern families of qopt-simplify.
#pragma once

#include "mlir/IR/PatternMatch.h"

namespace mlir::qopt {

/// batch_norm, affine functions and per-channel constants into conv and gemm.
void populateChannelMapPatterns(RewritePatternSet &patterns);

/// Ops whose operands are all constants.
void populateConstantPatterns(RewritePatternSet &patterns);

/// reshape, transpose, pad, slice and gather.
void populateMovePatterns(RewritePatternSet &patterns);

/// Elementwise ops: identities, differences, scalar constants.
void populateElementwisePatterns(RewritePatternSet &patterns);

} // namespace mlir::qopt
