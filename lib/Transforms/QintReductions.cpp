// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Averages and sums to integer arithmetic: the division stands in the
// multiplier (docs/arithmetic.md, "Average pool", "Mean and sum").

#include "QintReductions.h"
#include "qopt/IR/Shapes.h"

using namespace mlir;
using namespace mlir::qopt;

/// Sums of more elements than this are refused.
static constexpr int64_t largestCount = 1 << 22;

llvm::Expected<qint::RequantAttr>
mlir::qopt::getSumRequant(MLIRContext *context, const ValueParams &params,
                          ArrayRef<int64_t> counts, bool isMean) {
  if (counts.back() > largestCount)
    return llvm::createStringError("sums " + Twine(counts.back()) +
                                   " elements, which is more than " +
                                   Twine(largestCount));
  SmallVector<double> factors;
  for (int64_t count : counts)
    factors.push_back(
        params.inputs.front().scale /
        ((isMean ? static_cast<double>(count) : 1.0) * params.result.scale));
  llvm::Expected<numerics::Multipliers> multipliers =
      numerics::chooseMultipliers(
          factors, getMagnitude(params.inputs.front()) * counts.back(),
          isMean ? numerics::maxValueFactor : numerics::maxFactor);
  if (!multipliers)
    return multipliers.takeError();
  return ResultForm(params.result, FnAttr()).getRequant(context, *multipliers);
}

SmallVector<int64_t> mlir::qopt::countTaps(AvgPoolOp op) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op.getInput().getType()).getShape();
  std::optional<Window2D> window =
      Window2D::get(shape.take_back(2), op.getKernel(), op.getStrides(),
                    op.getPads(), op.getDilations());
  return window->tapCounts();
}

namespace {

struct AvgPoolPattern final : TensorPattern<AvgPoolOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(AvgPoolOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    SmallVector<int64_t> counts = countTaps(op);
    llvm::Expected<qint::RequantAttr> requant =
        getSumRequant(op.getContext(), params, counts, /*isMean=*/true);
    if (!requant)
      return requant.takeError();
    return qint::AvgPoolOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
        op.getKernelAttr(), op.getStridesAttr(), op.getPadsAttr(),
        op.getDilationsAttr(), rewriter.getDenseI64ArrayAttr(counts),
        rewriter.getI32IntegerAttr(params.inputs.front().zeroPoint), *requant);
  }
};

/// Mean and sum differ in the multiplier alone.
template <typename OpT> struct ReducePattern final : TensorPattern<OpT> {
  using TensorPattern<OpT>::TensorPattern;
  using OpAdaptor = typename TensorPattern<OpT>::OpAdaptor;

  llvm::Expected<Operation *> build(OpT op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    int64_t count = 1;
    for (int64_t axis : op.getAxes())
      count *= cast<RankedTensorType>(op.getInput().getType()).getDimSize(axis);
    llvm::Expected<qint::RequantAttr> requant = getSumRequant(
        op.getContext(), params, count, /*isMean=*/isa<ReduceMeanOp>(op));
    if (!requant)
      return requant.takeError();
    return qint::ReduceMeanOp::create(
        rewriter, op.getLoc(), this->getResultType(op), adaptor.getInput(),
        op.getAxesAttr(), op.getKeepDimsAttr(),
        rewriter.getI32IntegerAttr(params.inputs.front().zeroPoint), *requant);
  }
};

} // namespace

void mlir::qopt::populateQintReductionPatterns(const TypeConverter &converter,
                                               RewritePatternSet &patterns,
                                               Refusals &refusals) {
  patterns.add<AvgPoolPattern, ReducePattern<ReduceMeanOp>,
               ReducePattern<ReduceSumOp>>(converter, patterns.getContext(),
                                           refusals);
}
