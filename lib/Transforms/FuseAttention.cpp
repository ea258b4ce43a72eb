// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Joins a softmax and the matrix product that reads it.

#include "Names.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_FUSEATTENTION
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// matmul(softmax(x), v) -> attend(x, v)
struct ProductToAttend final : OpRewritePattern<MatMulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatMulOp op,
                                PatternRewriter &rewriter) const override {
    auto softmax = op.getLhs().getDefiningOp<SoftmaxOp>();
    if (!softmax)
      return rewriter.notifyMatchFailure(op, "left side is no softmax");
    if (!softmax->hasOneUse())
      return rewriter.notifyMatchFailure(softmax, "has more than one reader");
    if (softmax.getAxis() + 1 != softmax.getType().getRank())
      return rewriter.notifyMatchFailure(softmax, "axis is not the last");
    auto attend = AttendOp::create(rewriter, op.getLoc(), op.getType(),
                                   softmax.getInput(), op.getRhs());
    takeValueName(op, attend);
    rewriter.replaceOp(op, attend);
    return success();
  }
};

struct FuseAttention final : impl::FuseAttentionBase<FuseAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ProductToAttend>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::qopt
