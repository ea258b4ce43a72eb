// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Averages to integer arithmetic: the division stands in the multiplier
// (docs/arithmetic.md, "Average pool", "Mean").

#include "QintPatterns.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/IR/Shapes.h"

using namespace mlir;
using namespace mlir::qopt;
using numerics::QuantParams;

/// Sums of more elements than this are refused.
static constexpr int64_t largestCount = 1 << 22;

/// Multipliers of `s_x / (n s_y)` for each `n` of `counts`, one product, one
/// quotient.
static llvm::Expected<numerics::Multipliers>
chooseMeanMultipliers(const QuantParams &input, const QuantParams &output,
                      ArrayRef<int64_t> counts) {
  SmallVector<double> factors;
  for (int64_t count : counts)
    factors.push_back(input.scale /
                      (static_cast<double>(count) * output.scale));
  int64_t step =
      std::max<int64_t>(input.qmax - static_cast<int64_t>(input.zeroPoint),
                        static_cast<int64_t>(input.zeroPoint) - input.qmin);
  return numerics::chooseMultipliers(factors, step * counts.back());
}

namespace {

struct AvgPoolPattern final : QintPattern<AvgPoolOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(AvgPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto input = getTensorParams(op.getInput());
    auto output = getTensorParams(op.getResult());
    if (!input || !output)
      return refuse(op, rewriter,
                    "input or result is not quantized per tensor");
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(op.getInput().getType()).getShape();
    std::optional<Window2D> window =
        Window2D::get(shape.take_back(2), op.getKernel(), op.getStrides(),
                      op.getPads(), op.getDilations());
    SmallVector<int64_t> counts = window->tapCounts();
    if (counts.back() > largestCount)
      return refuse(op, rewriter,
                    "averages " + Twine(counts.back()) +
                        " elements, which is more than " + Twine(largestCount));
    llvm::Expected<numerics::Multipliers> multipliers =
        chooseMeanMultipliers(*input, *output, counts);
    if (!multipliers)
      return refuse(op, rewriter, multipliers.takeError());
    qint::RequantAttr requant =
        ResultForm(*output, FnAttr())
            .getRequant(op.getContext(), multipliers->multiplier,
                        multipliers->shift);
    return replace(
        op, rewriter,
        qint::AvgPoolOp::create(
            rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
            op.getKernelAttr(), op.getStridesAttr(), op.getPadsAttr(),
            op.getDilationsAttr(), rewriter.getDenseI64ArrayAttr(counts),
            rewriter.getI32IntegerAttr(input->zeroPoint), requant));
  }
};

struct ReduceMeanPattern final : QintPattern<ReduceMeanOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(ReduceMeanOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto input = getTensorParams(op.getInput());
    auto output = getTensorParams(op.getResult());
    if (!input || !output)
      return refuse(op, rewriter,
                    "input or result is not quantized per tensor");
    int64_t count = 1;
    for (int64_t axis : op.getAxes())
      count *= cast<RankedTensorType>(op.getInput().getType()).getDimSize(axis);
    if (count > largestCount)
      return refuse(op, rewriter,
                    "averages " + Twine(count) +
                        " elements, which is more than " + Twine(largestCount));
    llvm::Expected<numerics::Multipliers> multipliers =
        chooseMeanMultipliers(*input, *output, count);
    if (!multipliers)
      return refuse(op, rewriter, multipliers.takeError());
    qint::RequantAttr requant =
        ResultForm(*output, FnAttr())
            .getRequant(op.getContext(), multipliers->multiplier,
                        multipliers->shift);
    return replace(op, rewriter,
                   qint::ReduceMeanOp::create(
                       rewriter, op.getLoc(), getResultType(op),
                       adaptor.getInput(), op.getAxesAttr(),
                       op.getKeepDimsAttr(),
                       rewriter.getI32IntegerAttr(input->zeroPoint), requant));
  }
};

} // namespace

void mlir::qopt::populateQintReductionPatterns(const TypeConverter &converter,
                                               RewritePatternSet &patterns,
                                               Refusals &refusals) {
  patterns.add<AvgPoolPattern, ReduceMeanPattern>(
      converter, patterns.getContext(), refusals);
}
