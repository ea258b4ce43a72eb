// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants and ops that move values to the integer level; all exact
// (docs/arithmetic.md, "Max pool", "Moves").

#include "QintPatterns.h"
#include "qopt/IR/QuantTypes.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

struct ConstantPattern final : QintPattern<ConstantOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(ConstantOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<IntegerType>(op.getValue().getElementType()))
      return refuse(op, rewriter, "holds no integers");
    return replace(
        op, rewriter,
        qint::ConstantOp::create(rewriter, op.getLoc(), op.getValue()));
  }
};

/// Base of the ops whose operands and result have one type.
template <typename OpT> struct MovePattern : QintPattern<OpT> {
  using QintPattern<OpT>::QintPattern;
  using OpAdaptor = typename QintPattern<OpT>::OpAdaptor;

  LogicalResult
  matchAndRewrite(OpT op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    // The verifiers see to operands of the same type.
    if (!getTensorParams(op.getResult()))
      return this->refuse(op, rewriter, "result is not quantized per tensor");
    return this->replace(op, rewriter, build(op, adaptor, rewriter));
  }

  virtual Operation *build(OpT op, OpAdaptor adaptor,
                           PatternRewriter &rewriter) const = 0;
};

struct ReshapePattern final : MovePattern<ReshapeOp> {
  using MovePattern::MovePattern;
  Operation *build(ReshapeOp op, OpAdaptor adaptor,
                   PatternRewriter &rewriter) const override {
    return qint::ReshapeOp::create(rewriter, op.getLoc(), getResultType(op),
                                   adaptor.getInput());
  }
};

struct TransposePattern final : MovePattern<TransposeOp> {
  using MovePattern::MovePattern;
  Operation *build(TransposeOp op, OpAdaptor adaptor,
                   PatternRewriter &rewriter) const override {
    return qint::TransposeOp::create(rewriter, op.getLoc(), getResultType(op),
                                     adaptor.getInput(),
                                     op.getPermutationAttr());
  }
};

struct ConcatPattern final : MovePattern<ConcatOp> {
  using MovePattern::MovePattern;
  Operation *build(ConcatOp op, OpAdaptor adaptor,
                   PatternRewriter &rewriter) const override {
    return qint::ConcatOp::create(rewriter, op.getLoc(), getResultType(op),
                                  adaptor.getInputs(), op.getAxisAttr());
  }
};

struct PadPattern final : MovePattern<PadOp> {
  using MovePattern::MovePattern;
  Operation *build(PadOp op, OpAdaptor adaptor,
                   PatternRewriter &rewriter) const override {
    int32_t value = numerics::quantize(op.getValue().convertToFloat(),
                                       *getTensorParams(op.getResult()));
    return qint::PadOp::create(rewriter, op.getLoc(), getResultType(op),
                               adaptor.getInput(), op.getPadsAttr(),
                               rewriter.getI32IntegerAttr(value));
  }
};

struct MaxPoolPattern final : MovePattern<MaxPoolOp> {
  using MovePattern::MovePattern;
  Operation *build(MaxPoolOp op, OpAdaptor adaptor,
                   PatternRewriter &rewriter) const override {
    return qint::MaxPoolOp::create(rewriter, op.getLoc(), getResultType(op),
                                   adaptor.getInput(), op.getKernelAttr(),
                                   op.getStridesAttr(), op.getPadsAttr(),
                                   op.getDilationsAttr());
  }
};

} // namespace

void mlir::qopt::populateQintMovePatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns,
                                          Refusals &refusals) {
  patterns.add<ConstantPattern, ReshapePattern, TransposePattern, ConcatPattern,
               PadPattern, MaxPoolPattern>(converter, patterns.getContext(),
                                           refusals);
}
