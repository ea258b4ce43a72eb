// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Averages to integer arithmetic: the division stands in the multiplier
// (docs/arithmetic.md, "Average pool", "Mean").

#include "QintPatterns.h"
#include "qopt/IR/Shapes.h"

using namespace mlir;
using namespace mlir::qopt;

/// Sums of more elements than this are refused.
static constexpr int64_t largestCount = 1 << 22;

/// The form of an average over `counts`, ascending, elements: multipliers of
/// `s_x / (n s_y)` for each `n` of them, one product, one quotient.
static llvm::Expected<qint::RequantAttr>
getMeanRequant(MLIRContext *context, const ValueParams &params,
               ArrayRef<int64_t> counts) {
  if (counts.back() > largestCount)
    return llvm::createStringError("averages " + Twine(counts.back()) +
                                   " elements, which is more than " +
                                   Twine(largestCount));
  SmallVector<double> factors;
  for (int64_t count : counts)
    factors.push_back(params.inputs.front().scale /
                      (static_cast<double>(count) * params.result.scale));
  llvm::Expected<numerics::Multipliers> multipliers =
      numerics::chooseMultipliers(factors, getMagnitude(params.inputs.front()) *
                                               counts.back());
  if (!multipliers)
    return multipliers.takeError();
  return ResultForm(params.result, FnAttr())
      .getRequant(context, multipliers->multiplier, multipliers->shift);
}

namespace {

struct AvgPoolPattern final : TensorPattern<AvgPoolOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(AvgPoolOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(op.getInput().getType()).getShape();
    std::optional<Window2D> window =
        Window2D::get(shape.take_back(2), op.getKernel(), op.getStrides(),
                      op.getPads(), op.getDilations());
    SmallVector<int64_t> counts = window->tapCounts();
    llvm::Expected<qint::RequantAttr> requant =
        getMeanRequant(op.getContext(), params, counts);
    if (!requant)
      return requant.takeError();
    return qint::AvgPoolOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
        op.getKernelAttr(), op.getStridesAttr(), op.getPadsAttr(),
        op.getDilationsAttr(), rewriter.getDenseI64ArrayAttr(counts),
        rewriter.getI32IntegerAttr(params.inputs.front().zeroPoint), *requant);
  }
};

struct ReduceMeanPattern final : TensorPattern<ReduceMeanOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(ReduceMeanOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    int64_t count = 1;
    for (int64_t axis : op.getAxes())
      count *= cast<RankedTensorType>(op.getInput().getType()).getDimSize(axis);
    llvm::Expected<qint::RequantAttr> requant =
        getMeanRequant(op.getContext(), params, count);
    if (!requant)
      return requant.takeError();
    return qint::ReduceMeanOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
        op.getAxesAttr(), op.getKeepDimsAttr(),
        rewriter.getI32IntegerAttr(params.inputs.front().zeroPoint), *requant);
  }
};

} // namespace

void mlir::qopt::populateQintReductionPatterns(const TypeConverter &converter,
                                               RewritePatternSet &patterns,
                                               Refusals &refusals) {
  patterns.add<AvgPoolPattern, ReduceMeanPattern>(
      converter, patterns.getContext(), refusals);
}
