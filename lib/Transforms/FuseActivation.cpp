// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moves clamps into the op that computes their input and joins chains of
// scalar functions.

#include "Names.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_FUSEACTIVATION
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// What `value` is, in another place: its source behind moves that nothing else
/// reads, which are added to `moves`.
Value stripMoves(Value value, SmallVectorImpl<Operation *> &moves) {
  for (Operation *op = value.getDefiningOp();
       isa_and_nonnull<ReshapeOp, TransposeOp>(op) && op->hasOneUse();
       op = value.getDefiningOp()) {
    moves.push_back(op);
    value = op->getOperand(0);
  }
  return value;
}

/// unary(op(x)) [clamp, rest...] -> unary(op(x) {activation = clamp}) [rest...]
struct FuseClamp final : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnaryOp unary,
                                PatternRewriter &rewriter) const override {
    SmallVector<Operation *> clamped;
    auto producer = stripMoves(unary.getInput(), clamped)
                        .getDefiningOp<FusesActivationInterface>();
    if (!producer)
      return rewriter.notifyMatchFailure(unary, "producer fuses no activation");
    ArrayRef<Attribute> functions = unary.getFunctions().getValue();
    auto clamp = cast<FnAttr>(functions.front());
    if (!clamp.isClamp())
      return rewriter.notifyMatchFailure(unary, "first function is no clamp");
    if (producer.getFusedActivation())
      return rewriter.notifyMatchFailure(producer, "already has an activation");
    // A second user still needs the value before the clamp.
    if (!producer->hasOneUse())
      return rewriter.notifyMatchFailure(producer, "has more than one user");

    clamped.push_back(producer);
    rewriter.modifyOpInPlace(producer,
                             [&] { producer.setFusedActivation(clamp); });
    bool isWhole = functions.size() == 1;
    for (Operation *op : clamped)
      // The value between the clamp and the rest has no name of its own.
      rewriter.modifyOpInPlace(
          op, [&] { isWhole ? takeValueName(unary, op) : dropValueName(op); });
    if (isWhole)
      rewriter.replaceOp(unary, unary.getInput());
    else
      rewriter.modifyOpInPlace(unary, [&] {
        unary.setFunctionsAttr(rewriter.getArrayAttr(functions.drop_front()));
      });
    return success();
  }
};

/// unary(unary(x) [f]) [g] -> unary(x) [f, g]
struct JoinUnaries final : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnaryOp unary,
                                PatternRewriter &rewriter) const override {
    auto first = unary.getInput().getDefiningOp<UnaryOp>();
    if (!first)
      return rewriter.notifyMatchFailure(unary, "producer is no unary");
    // A second user would evaluate the first functions twice.
    if (!first->hasOneUse())
      return rewriter.notifyMatchFailure(first, "has more than one user");

    SmallVector<Attribute> functions(first.getFunctions().getValue());
    llvm::append_range(functions, unary.getFunctions());
    rewriter.modifyOpInPlace(unary, [&] {
      unary.setFunctionsAttr(rewriter.getArrayAttr(functions));
      unary.getInputMutable().assign(first.getInput());
    });
    rewriter.eraseOp(first);
    return success();
  }
};

struct FuseActivation final : impl::FuseActivationBase<FuseActivation> {
  template <typename Pattern> void apply() {
    RewritePatternSet patterns(&getContext());
    patterns.add<Pattern>(&getContext());
    // A function that could be fused still is as right beside its producer.
    (void)applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  void runOnOperation() override {
    // Clamps first: a clamp that has been joined has lost its value's name.
    apply<FuseClamp>();
    apply<JoinUnaries>();
    apply<FuseClamp>();
  }
};

} // namespace
} // namespace mlir::qopt
