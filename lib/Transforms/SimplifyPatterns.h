// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pattern families of qopt-simplify.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// batch_norm, affine functions and per-channel constants into conv and gemm.
void populateChannelMapPatterns(RewritePatternSet &patterns);

/// The batch_norm that is left then to a depthwise conv.
void populateBatchNormPatterns(RewritePatternSet &patterns);

/// Padding of normalized bytes.
void populateBytePatterns(RewritePatternSet &patterns);

/// Ops whose operands are all constants.
void populateConstantPatterns(RewritePatternSet &patterns);

/// reshape, transpose, pad, slice and gather.
void populateMovePatterns(RewritePatternSet &patterns);

/// Elementwise ops: identities, differences, scalar constants.
void populateElementwisePatterns(RewritePatternSet &patterns);

/// The `[top, left, bottom, right]` of a pad of an image; nothing where it pads
/// batch or channels.
std::optional<SmallVector<int64_t>> getImagePads(PadOp op);

} // namespace mlir::qopt
