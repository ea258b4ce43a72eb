// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants and ops that move values to the integer level, all exact
// (docs/arithmetic.md, "Max and min", "Max pool", "Moves"), and interpolation.

#include "QintPatterns.h"
#include "qopt/Numerics/Taps.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

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

/// Ops that compute no new values: the integer op has the same operands and
/// attributes. The verifiers see to operands and result of one type.
template <typename OpT, typename QintOpT>
struct MovePattern final : TensorPattern<OpT> {
  using TensorPattern<OpT>::TensorPattern;
  using OpAdaptor = typename TensorPattern<OpT>::OpAdaptor;

  llvm::Expected<Operation *> build(OpT op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    return QintOpT::create(rewriter, op.getLoc(),
                           TypeRange(this->getResultType(op)),
                           adaptor.getOperands(), op->getAttrs());
  }
};

struct PadPattern final : TensorPattern<PadOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(PadOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    int32_t value =
        numerics::quantize(op.getValue().convertToFloat(), params.result);
    return qint::PadOp::create(rewriter, op.getLoc(), getResultType(op),
                               adaptor.getInput(), op.getPadsAttr(),
                               rewriter.getI32IntegerAttr(value));
  }
};

/// The one op here that rounds (docs/arithmetic.md, "Interpolate").
struct InterpolatePattern final : TensorPattern<InterpolateOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(InterpolateOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    RankedTensorType type = getResultType(op);
    auto tapsOf = [&](ArrayRef<double> weights, int64_t axis) {
      return numerics::quantizeTaps(weights,
                                    weights.size() / type.getDimSize(axis));
    };
    auto rows = tapsOf(op.getRowWeights(), 2);
    auto columns = tapsOf(op.getColumnWeights(), 3);
    if (!rows || !columns)
      return llvm::createStringError("has weights beyond 2^15");
    int64_t bound = getMagnitude(params.inputs[0]);
    if (llvm::MulOverflow(bound, rows->largestSum, bound) ||
        llvm::MulOverflow(bound, columns->largestSum, bound))
      return llvm::createStringError("has weights whose sums leave 64 bits");
    double factor = std::ldexp(params.inputs[0].scale / params.result.scale,
                               -rows->bits - columns->bits);
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(factor, bound);
    if (!multipliers)
      return multipliers.takeError();
    return qint::InterpolateOp::create(
        rewriter, op.getLoc(), type, adaptor.getInput(), op.getRowIndicesAttr(),
        rewriter.getDenseI32ArrayAttr(rows->weights), op.getColumnIndicesAttr(),
        rewriter.getDenseI32ArrayAttr(columns->weights),
        rewriter.getI32IntegerAttr(params.inputs[0].zeroPoint),
        ResultForm(params.result, FnAttr())
            .getRequant(op.getContext(), *multipliers));
  }
};

} // namespace

void mlir::qopt::populateQintMovePatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns,
                                          Refusals &refusals) {
  patterns.add<ConstantPattern, PadPattern, InterpolatePattern,
               MovePattern<ReshapeOp, qint::ReshapeOp>,
               MovePattern<TransposeOp, qint::TransposeOp>,
               MovePattern<ConcatOp, qint::ConcatOp>,
               MovePattern<SliceOp, qint::SliceOp>,
               MovePattern<GatherOp, qint::GatherOp>,
               MovePattern<MaxPoolOp, qint::MaxPoolOp>,
               MovePattern<MaxOp, qint::MaxOp>, MovePattern<MinOp, qint::MinOp>,
               MovePattern<ReduceMaxOp, qint::ReduceMaxOp>,
               MovePattern<ReduceMinOp, qint::ReduceMinOp>>(
      converter, patterns.getContext(), refusals);
}
