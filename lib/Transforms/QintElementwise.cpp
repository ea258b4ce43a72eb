// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops, products and softmax to integer arithmetic
// (docs/arithmetic.md, "Add and Sub", "Mul", "Div", "Matrix product", "Table",
// "Requantize op", "Softmax").

#include "QintPatterns.h"
#include "qopt/Numerics/PiecewiseTables.h"
#include "qopt/Numerics/Softmax.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using numerics::QuantParams;

namespace {

/// The integer op of two operands with their zero points.
template <typename QintOpT, typename OpT>
Operation *createBinary(const TensorPattern<OpT> &pattern, OpT op,
                        typename OpT::Adaptor adaptor,
                        const ValueParams &params, qint::RequantAttr requant,
                        PatternRewriter &rewriter) {
  return QintOpT::create(
      rewriter, op.getLoc(), pattern.getResultType(op), adaptor.getLhs(),
      adaptor.getRhs(),
      rewriter.getI32IntegerAttr(params.inputs.front().zeroPoint),
      rewriter.getI32IntegerAttr(params.inputs.back().zeroPoint), requant);
}

/// The same with one rescaling by `multipliers` and `activation`'s clamp, or
/// their error.
template <typename QintOpT, typename OpT>
llvm::Expected<Operation *>
createRescaled(const TensorPattern<OpT> &pattern, OpT op,
               typename OpT::Adaptor adaptor, const ValueParams &params,
               llvm::Expected<numerics::Multipliers> multipliers,
               FnAttr activation, PatternRewriter &rewriter) {
  if (!multipliers)
    return multipliers.takeError();
  return createBinary<QintOpT>(pattern, op, adaptor, params,
                               ResultForm(params.result, activation)
                                   .getRequant(op.getContext(), *multipliers),
                               rewriter);
}

/// The only input at the result's scale, with `activation`'s clamp.
template <typename OpT>
llvm::Expected<Operation *>
createRequantize(const TensorPattern<OpT> &pattern, OpT op,
                 typename OpT::Adaptor adaptor, const ValueParams &params,
                 FnAttr activation, PatternRewriter &rewriter) {
  const QuantParams &input = params.inputs.front();
  double factor = static_cast<double>(input.scale) / params.result.scale;
  llvm::Expected<numerics::Multipliers> multipliers =
      numerics::chooseMultipliers(factor, numerics::int32Bound,
                                  numerics::maxValueFactor);
  if (!multipliers)
    return multipliers.takeError();
  qint::RequantAttr requant = ResultForm(params.result, activation)
                                  .getRequant(op.getContext(), *multipliers);
  return qint::RequantizeOp::create(
      rewriter, op.getLoc(), pattern.getResultType(op), adaptor.getInput(),
      rewriter.getI32IntegerAttr(input.zeroPoint), requant);
}

/// add and sub: two multipliers, one rounding.
template <typename OpT> struct SumPattern final : TensorPattern<OpT> {
  using TensorPattern<OpT>::TensorPattern;
  using OpAdaptor = typename TensorPattern<OpT>::OpAdaptor;

  llvm::Expected<Operation *> build(OpT op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &lhs = params.inputs[0];
    const QuantParams &rhs = params.inputs[1];
    double scale = params.result.scale;
    llvm::Expected<numerics::SumMultipliers> multipliers =
        numerics::chooseAddMultipliers(
            lhs.scale / scale, rhs.scale / scale, getBits(lhs), getBits(rhs),
            getBits(params.result), op->hasAttr(roundingAttr));
    if (!multipliers)
      return multipliers.takeError();
    std::vector<int32_t> pair = multipliers->multiplier;
    if (isa<SubOp>(op))
      pair[1] = -pair[1];
    qint::RequantAttr requant =
        ResultForm(params.result, op.getActivationAttr())
            .getRequant(op.getContext(), pair, multipliers->shift);
    return createBinary<qint::AddOp>(*this, op, adaptor, params, requant,
                                     rewriter);
  }
};

struct MulPattern final : TensorPattern<MulOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(MulOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &lhs = params.inputs[0];
    const QuantParams &rhs = params.inputs[1];
    double factor =
        static_cast<double>(lhs.scale) * rhs.scale / params.result.scale;
    return createRescaled<qint::MulOp>(
        *this, op, adaptor, params,
        numerics::chooseMultipliers(factor,
                                    getMagnitude(lhs) * getMagnitude(rhs)),
        op.getActivationAttr(), rewriter);
  }
};

struct DivPattern final : TensorPattern<DivOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(DivOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &lhs = params.inputs[0];
    const QuantParams &rhs = params.inputs[1];
    double divisor = static_cast<double>(rhs.scale) * params.result.scale;
    return createRescaled<qint::DivOp>(
        *this, op, adaptor, params,
        numerics::chooseQuotientMultiplier(lhs.scale / divisor),
        op.getActivationAttr(), rewriter);
  }
};

struct MatMulPattern final : TensorPattern<MatMulOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(MatMulOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &lhs = params.inputs[0];
    const QuantParams &rhs = params.inputs[1];
    int64_t terms =
        cast<RankedTensorType>(op.getLhs().getType()).getShape().back();
    int64_t product = getMagnitude(lhs) * getMagnitude(rhs);
    if (terms > INT32_MAX / product)
      return llvm::createStringError("a sum of " + Twine(terms) +
                                     " products may leave 32 bits");
    double factor =
        static_cast<double>(lhs.scale) * rhs.scale / params.result.scale;
    return createRescaled<qint::MatMulOp>(
        *this, op, adaptor, params,
        numerics::chooseMultipliers(factor, terms * product), FnAttr(),
        rewriter);
  }
};

struct RequantizePattern final : TensorPattern<RequantizeOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(RequantizeOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    return createRequantize(*this, op, adaptor, params, FnAttr(), rewriter);
  }
};

struct UnaryPattern final : TensorPattern<UnaryOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(UnaryOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    QuantParams input = params.inputs.front();
    int bits = getBits(input);
    auto function = cast<FnAttr>(op.getFunctions()[0]);
    // A clamp needs no table: a rescaling has one.
    if (bits == 16 && op.getFunctions().size() == 1 && function.isClamp())
      return createRequantize(*this, op, adaptor, params, function, rewriter);
    // A narrower storage range still indexes by all values.
    input.qmin = numerics::signedMin(bits);
    input.qmax = numerics::signedMax(bits);
    // What a model's own scales ask for is rounded as they say, to the bit.
    if (bits == 16 && !op->hasAttr(roundingAttr))
      if (auto pieces = numerics::buildPiecewiseTable(op.getChain(), input,
                                                      params.result))
        return qint::PiecewiseOp::create(
            rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
            pieces->base, pieces->slope, pieces->curve, pieces->fractionBits,
            params.result.qmin, params.result.qmax);
    std::vector<int16_t> table =
        numerics::buildTable(op.getChain(), input, params.result);
    return qint::TableOp::create(rewriter, op.getLoc(), getResultType(op),
                                 adaptor.getInput(),
                                 rewriter.getDenseI16ArrayAttr(table));
  }
};

struct SoftmaxPattern final : TensorPattern<SoftmaxOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(SoftmaxOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &input = params.inputs.front();
    const QuantParams &output = params.result;
    std::vector<uint32_t> tables =
        numerics::buildSoftmaxTables(input.scale, getBits(input));
    std::optional<numerics::SoftmaxLevels> levels =
        numerics::SoftmaxLevels::of(output.scale);
    if (!levels)
      return llvm::createStringError(
          "a softmax has scales in (2^-30, 2^15], but got " +
          formatScale(output.scale));
    return qint::SoftmaxOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
        op.getAxisAttr(),
        rewriter.getDenseI32ArrayAttr(llvm::to_vector_of<int32_t>(tables)),
        rewriter.getI32IntegerAttr(levels->levels),
        rewriter.getI32IntegerAttr(levels->shift),
        rewriter.getI32IntegerAttr(output.zeroPoint));
  }
};

} // namespace

void mlir::qopt::populateQintElementwisePatterns(const TypeConverter &converter,
                                                 RewritePatternSet &patterns,
                                                 Refusals &refusals) {
  patterns.add<SumPattern<AddOp>, SumPattern<SubOp>, MulPattern, DivPattern,
               MatMulPattern, RequantizePattern, UnaryPattern, SoftmaxPattern>(
      converter, patterns.getContext(), refusals);
}
