// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognizes normalizations and softmax where exporters write them out.

#include "NormalizationPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_FUSENORMALIZATION
#include "qopt/Transforms/Passes.h.inc"

namespace {

struct FuseNormalization final
    : impl::FuseNormalizationBase<FuseNormalization> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDeviationPatterns(patterns);
    populateSoftmaxPatterns(patterns);
    populateFactorPatterns(patterns);
    // What stays written out is as right.
    (void)applyPatternsGreedily(getOperation(), std::move(patterns));
    RewritePatternSet rest(&getContext());
    populateVariancePatterns(rest);
    (void)applyPatternsGreedily(getOperation(), std::move(rest));
  }
};

} // namespace
} // namespace mlir::qopt
