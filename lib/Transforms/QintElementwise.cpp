// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops and softmax to integer arithmetic (docs/arithmetic.md, "Add
// and Sub", "Mul", "Table", "Requantize op", "Softmax").

#include "QintPatterns.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/ScalarFunctions.h"
#include "qopt/Numerics/Softmax.h"

using namespace mlir;
using namespace mlir::qopt;
using numerics::QuantParams;
using numerics::ScalarFunction;

namespace {

int getBits(const QuantParams &params) { return params.qmax > 127 ? 16 : 8; }

/// The largest `|q - z|`.
int64_t getMagnitude(const QuantParams &params) {
  return std::max<int64_t>(params.qmax - static_cast<int64_t>(params.zeroPoint),
                           static_cast<int64_t>(params.zeroPoint) -
                               params.qmin);
}

/// add and sub: two multipliers, one rounding.
template <typename OpT> struct SumPattern final : QintPattern<OpT> {
  using QintPattern<OpT>::QintPattern;
  using OpAdaptor = typename QintPattern<OpT>::OpAdaptor;

  LogicalResult
  matchAndRewrite(OpT op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto lhs = getTensorParams(op.getLhs());
    auto rhs = getTensorParams(op.getRhs());
    auto output = getTensorParams(op.getResult());
    if (!lhs || !rhs || !output)
      return this->refuse(op, rewriter,
                          "operand or result is not quantized per tensor");
    double scale = output->scale;
    llvm::Expected<numerics::SumMultipliers> multipliers =
        numerics::chooseAddMultipliers(lhs->scale / scale, rhs->scale / scale,
                                       getBits(*lhs), getBits(*rhs),
                                       getBits(*output));
    if (!multipliers)
      return this->refuse(op, rewriter, multipliers.takeError());
    std::vector<int32_t> pair = multipliers->multiplier;
    if (isa<SubOp>(op))
      pair[1] = -pair[1];
    qint::RequantAttr requant =
        ResultForm(*output, op.getActivationAttr())
            .getRequant(op.getContext(), pair, multipliers->shift);
    return this->replace(
        op, rewriter,
        qint::AddOp::create(
            rewriter, op.getLoc(), this->getResultType(op), adaptor.getLhs(),
            adaptor.getRhs(), rewriter.getI32IntegerAttr(lhs->zeroPoint),
            rewriter.getI32IntegerAttr(rhs->zeroPoint), requant));
  }
};

struct MulPattern final : QintPattern<MulOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(MulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto lhs = getTensorParams(op.getLhs());
    auto rhs = getTensorParams(op.getRhs());
    auto output = getTensorParams(op.getResult());
    if (!lhs || !rhs || !output)
      return refuse(op, rewriter,
                    "operand or result is not quantized per tensor");
    double factor =
        static_cast<double>(lhs->scale) * rhs->scale / output->scale;
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(factor,
                                    getMagnitude(*lhs) * getMagnitude(*rhs));
    if (!multipliers)
      return refuse(op, rewriter, multipliers.takeError());
    qint::RequantAttr requant =
        ResultForm(*output, op.getActivationAttr())
            .getRequant(op.getContext(), multipliers->multiplier,
                        multipliers->shift);
    return replace(op, rewriter,
                   qint::MulOp::create(
                       rewriter, op.getLoc(), getResultType(op),
                       adaptor.getLhs(), adaptor.getRhs(),
                       rewriter.getI32IntegerAttr(lhs->zeroPoint),
                       rewriter.getI32IntegerAttr(rhs->zeroPoint), requant));
  }
};

struct RequantizePattern final : QintPattern<RequantizeOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(RequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto input = getTensorParams(op.getInput());
    auto output = getTensorParams(op.getResult());
    if (!input || !output)
      return refuse(op, rewriter,
                    "input or result is not quantized per tensor");
    double factor = static_cast<double>(input->scale) / output->scale;
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(factor, getMagnitude(*input));
    if (!multipliers)
      return refuse(op, rewriter, multipliers.takeError());
    qint::RequantAttr requant =
        ResultForm(*output, FnAttr())
            .getRequant(op.getContext(), multipliers->multiplier,
                        multipliers->shift);
    return replace(op, rewriter,
                   qint::RequantizeOp::create(
                       rewriter, op.getLoc(), getResultType(op),
                       adaptor.getInput(),
                       rewriter.getI32IntegerAttr(input->zeroPoint), requant));
  }
};

struct UnaryPattern final : QintPattern<UnaryOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(UnaryOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto input = getTensorParams(op.getInput());
    auto output = getTensorParams(op.getResult());
    if (!input || !output)
      return refuse(op, rewriter,
                    "input or result is not quantized per tensor");
    if (getBits(*input) != 8)
      return refuse(op, rewriter, "a table reads 8 bits, but the input has 16");
    SmallVector<ScalarFunction> chain;
    for (Attribute function : op.getFunctions())
      chain.push_back(cast<FnAttr>(function).getScalarFunction());
    // A narrower storage range still indexes by all 256 values.
    input->qmin = numerics::signedMin(8);
    input->qmax = numerics::signedMax(8);
    std::vector<int16_t> table = numerics::buildTable(chain, *input, *output);
    return replace(op, rewriter,
                   qint::TableOp::create(rewriter, op.getLoc(),
                                         getResultType(op), adaptor.getInput(),
                                         rewriter.getDenseI16ArrayAttr(table)));
  }
};

struct SoftmaxPattern final : QintPattern<SoftmaxOp> {
  using QintPattern::QintPattern;

  LogicalResult
  matchAndRewrite(SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto input = getTensorParams(op.getInput());
    auto output = getTensorParams(op.getResult());
    if (!input || !output)
      return refuse(op, rewriter,
                    "input or result is not quantized per tensor");
    if (getBits(*input) != 8)
      return refuse(op, rewriter, "softmax reads 8 bits, but the input has 16");
    double inverse = 1.0 / output->scale;
    double levels = numerics::roundHalfEven(inverse);
    if (levels != inverse || levels < 1 || levels > 32768)
      return refuse(op, rewriter,
                    "expects a result scale whose inverse is an integer up to "
                    "32768, but got " +
                        formatScale(output->scale));
    std::vector<uint32_t> table = numerics::buildSoftmaxTable(input->scale);
    return replace(
        op, rewriter,
        qint::SoftmaxOp::create(
            rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
            op.getAxisAttr(),
            rewriter.getDenseI32ArrayAttr(llvm::to_vector_of<int32_t>(table)),
            rewriter.getI32IntegerAttr(static_cast<int32_t>(levels)),
            rewriter.getI32IntegerAttr(output->zeroPoint)));
  }
};

} // namespace

void mlir::qopt::populateQintElementwisePatterns(const TypeConverter &converter,
                                                 RewritePatternSet &patterns,
                                                 Refusals &refusals) {
  patterns.add<SumPattern<AddOp>, SumPattern<SubOp>, MulPattern,
               RequantizePattern, UnaryPattern, SoftmaxPattern>(
      converter, patterns.getContext(), refusals);
}
