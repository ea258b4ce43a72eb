// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on whole rows to integer arithmetic: normalizations, the logarithm of
// softmax, norms, positions of extremes (docs/arithmetic.md, "Layer
// normalization", "Log-softmax", "Norms", "Positions of extremes").

#include "QintPatterns.h"
#include "qopt/Numerics/Attention.h"
#include "qopt/Numerics/Normalize.h"
#include "qopt/Numerics/Softmax.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using numerics::QuantParams;

/// The values of factors, `rest` where there are none.
static SmallVector<float> getFactors(DenseElementsAttr attr,
                                     ArrayRef<float> rest) {
  if (!attr)
    return SmallVector<float>(rest);
  return llvm::to_vector(attr.getValues<float>());
}

/// Integer factors in the shape of `attr`, or one for all of `rank` axes.
static DenseElementsAttr shapeFactors(ArrayRef<int32_t> values,
                                      DenseElementsAttr attr, int64_t rank,
                                      Builder &builder) {
  SmallVector<int64_t> shape(rank, 1);
  if (attr)
    shape.assign(attr.getType().getShape().begin(),
                 attr.getType().getShape().end());
  return DenseElementsAttr::get(
      RankedTensorType::get(shape, builder.getI32Type()), values);
}

namespace {

struct LayerNormPattern final : TensorPattern<LayerNormOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(LayerNormOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &input = params.inputs.front();
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(op.getInput().getType()).getShape();
    numerics::NormRule rule;
    for (int64_t axis : op.getAxes())
      rule.length *= shape[axis];
    rule.isCentered = op.getCenter();
    rule.power = static_cast<int>(op.getPower());
    llvm::Expected<numerics::NormConstants> constants =
        numerics::chooseNormConstants(rule, op.getEpsilon().convertToDouble(),
                                      input, params.result.scale,
                                      getFactors(op.getGammaAttr(), {1.0f}),
                                      getFactors(op.getBetaAttr(), {}));
    if (!constants)
      return constants.takeError();
    DenseElementsAttr gamma = shapeFactors(constants->gamma, op.getGammaAttr(),
                                           shape.size(), rewriter);
    DenseElementsAttr beta;
    if (op.getBetaAttr())
      beta = shapeFactors(constants->beta, op.getBetaAttr(), shape.size(),
                          rewriter);
    qint::RequantAttr requant =
        ResultForm(params.result, op.getActivationAttr())
            .getRequant(op.getContext(), 1,
                        static_cast<int8_t>(constants->shift));
    return qint::LayerNormOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
        op.getAxesAttr(), rewriter.getI32IntegerAttr(input.zeroPoint),
        op.getCenterAttr(), op.getPowerAttr(),
        rewriter.getI32IntegerAttr(constants->varianceShift),
        rewriter.getI64IntegerAttr(constants->epsilon),
        cast<DenseIntElementsAttr>(gamma),
        cast_if_present<DenseIntElementsAttr>(beta), requant);
  }
};

struct LogSoftmaxPattern final : TensorPattern<LogSoftmaxOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(LogSoftmaxOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &input = params.inputs.front();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    llvm::Expected<numerics::LogSoftmaxConstants> constants =
        numerics::chooseLogSoftmaxConstants(input.scale, params.result.scale,
                                            type.getDimSize(op.getAxis()),
                                            getBits(input));
    if (!constants)
      return constants.takeError();
    SmallVector<int32_t> tables = llvm::to_vector_of<int32_t>(
        numerics::buildSoftmaxTables(input.scale, getBits(input)));
    qint::RequantAttr requant =
        ResultForm(params.result, FnAttr())
            .getRequant(op.getContext(),
                        {constants->factor, constants->logFactor},
                        {constants->shift, constants->logShift});
    return qint::LogSoftmaxOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getInput(),
        op.getAxisAttr(), rewriter.getDenseI32ArrayAttr(tables), requant);
  }
};

/// Sums of magnitudes and of squares, and roots of these.
template <typename OpT> struct NormPattern final : TensorPattern<OpT> {
  using TensorPattern<OpT>::TensorPattern;
  using OpAdaptor = typename TensorPattern<OpT>::OpAdaptor;

  llvm::Expected<Operation *> build(OpT op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &input = params.inputs.front();
    bool isRoot = isa<ReduceL2Op>(op);
    int64_t power = isa<ReduceL1Op>(op) ? 1 : 2, count = 1;
    for (int64_t axis : op.getAxes())
      count *= cast<RankedTensorType>(op.getInput().getType()).getDimSize(axis);
    if (count > 1 << 22)
      return llvm::createStringError("a norm of " + Twine(count) +
                                     " elements, which is more than 4194304");
    int64_t magnitude = getMagnitude(input);
    int64_t largest = (power == 1 ? magnitude : magnitude * magnitude) * count;
    double factor = power == 1 || isRoot
                        ? static_cast<double>(input.scale)
                        : static_cast<double>(input.scale) * input.scale;
    IntegerAttr rootShift;
    if (isRoot) {
      // As many bits behind the point as 62 leave.
      int32_t shift = 0;
      for (; largest < INT64_C(1) << 60; ++shift)
        largest *= 4;
      factor = std::ldexp(factor, -shift);
      largest = numerics::squareRootFloor(largest);
      rootShift = rewriter.getI32IntegerAttr(shift);
    }
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(factor / params.result.scale, largest);
    if (!multipliers)
      return multipliers.takeError();
    return qint::ReducePowerOp::create(
        rewriter, op.getLoc(), this->getResultType(op), adaptor.getInput(),
        op.getAxesAttr(), op.getKeepDimsAttr(),
        rewriter.getI32IntegerAttr(input.zeroPoint),
        rewriter.getI64IntegerAttr(power), rootShift,
        ResultForm(params.result, FnAttr())
            .getRequant(op.getContext(), *multipliers));
  }
};

template <typename OpT, typename QintOpT>
struct ArgPattern final : TensorPattern<OpT> {
  using TensorPattern<OpT>::TensorPattern;
  using OpAdaptor = typename TensorPattern<OpT>::OpAdaptor;

  llvm::Expected<Operation *> build(OpT op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &output = params.result;
    int64_t last = cast<RankedTensorType>(op.getInput().getType())
                       .getDimSize(op.getAxis()) -
                   1;
    if (output.scale != 1)
      return llvm::createStringError("positions have a scale of 1, but got " +
                                     formatScale(output.scale));
    if (output.zeroPoint + last > output.qmax)
      return llvm::createStringError(
          "positions up to " + Twine(last) + " do not fit " +
          (output.qmax > 127 ? "16" : "8") + " bits");
    return QintOpT::create(rewriter, op.getLoc(), this->getResultType(op),
                           adaptor.getInput(), op.getAxisAttr(),
                           op.getKeepDimsAttr(), op.getSelectLastAttr(),
                           rewriter.getI32IntegerAttr(output.zeroPoint));
  }
};

struct AttendPattern final : TensorPattern<AttendOp> {
  using TensorPattern::TensorPattern;

  llvm::Expected<Operation *> build(AttendOp op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    const QuantParams &logits = params.inputs[0], &values = params.inputs[1];
    if (logits.qmax - logits.qmin > 255 || values.qmax - values.qmin > 255)
      return llvm::createStringError(
          "attention reads 8 bits, but an operand has 16");
    int64_t terms =
        cast<RankedTensorType>(op.getLogits().getType()).getShape().back();
    int64_t most = INT32_MAX / (255 * getMagnitude(values));
    if (terms > most)
      return llvm::createStringError("a sum of " + Twine(terms) +
                                     " products may leave 32 bits");
    llvm::Expected<numerics::Multipliers> multiplier =
        numerics::chooseAttentionMultiplier(static_cast<double>(values.scale) /
                                            params.result.scale);
    if (!multiplier)
      return multiplier.takeError();
    return qint::AttendOp::create(
        rewriter, op.getLoc(), getResultType(op), adaptor.getLogits(),
        adaptor.getValues(),
        rewriter.getDenseI32ArrayAttr(
            numerics::buildAttentionTable(logits.scale)),
        rewriter.getI32IntegerAttr(values.zeroPoint),
        ResultForm(params.result, FnAttr())
            .getRequant(op.getContext(), *multiplier));
  }
};

} // namespace

void mlir::qopt::populateQintNormPatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns,
                                          Refusals &refusals) {
  patterns
      .add<AttendPattern, LayerNormPattern, LogSoftmaxPattern,
           NormPattern<ReduceL1Op>, NormPattern<ReduceL2Op>,
           NormPattern<ReduceSumSquareOp>, ArgPattern<ArgMaxOp, qint::ArgMaxOp>,
           ArgPattern<ArgMinOp, qint::ArgMinOp>>(
          converter, patterns.getContext(), refusals);
}
