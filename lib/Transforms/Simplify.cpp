// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings a float graph into its smallest equivalent form.

#include "SimplifyPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_SIMPLIFY
#include "qopt/Transforms/Passes.h.inc"

namespace {

struct Simplify final : impl::SimplifyBase<Simplify> {
  void runOnOperation() override {
    // A batch_norm that becomes a conv of its own folds no more.
    for (bool isLast : {false, true})
      simplify(isLast);
  }

  void simplify(bool isLast) {
    RewritePatternSet patterns(&getContext());
    if (isLast)
      populateBatchNormPatterns(patterns);
    populateChannelMapPatterns(patterns);
    populateBytePatterns(patterns);
    populateConstantPatterns(patterns);
    populateMovePatterns(patterns);
    populateElementwisePatterns(patterns);
    // A graph that could be smaller still is a right one.
    (void)applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace mlir::qopt
