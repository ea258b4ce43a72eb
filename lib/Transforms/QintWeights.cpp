// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// conv and gemm to integer arithmetic: bounds, multipliers, clamps
// (docs/arithmetic.md, "Convolution and gemm").

#include "QintPatterns.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// The integers and parameters of a layer with weights.
struct Layer {
  numerics::QuantParams input;
  SmallVector<int16_t> weights;
  SmallVector<int32_t> weightZeroPoints;
  SmallVector<int32_t> biases;
  SmallVector<double> factors;
  int64_t channels;

  int32_t weightZeroPoint(int64_t channel) const {
    return weightZeroPoints[channel % weightZeroPoints.size()];
  }
};

bool isZero(int32_t value) { return value == 0; }

/// A relative difference that parsing a scale as text cannot make.
bool areEqualScales(double a, double b) {
  return std::max(a, b) <= (1 + 1e-6) * std::min(a, b);
}

/// Fills in weights and zero points.
llvm::Error readWeights(Value weight, Layer &layer) {
  std::optional<SmallVector<int32_t>> weights = getQuantizedConstant(weight);
  if (!weights)
    return llvm::createStringError("weight is not a quantized constant");
  auto type = cast<RankedTensorType>(weight.getType());
  if (storageTensorType(type).getElementTypeBitWidth() > 16)
    return llvm::createStringError("weight is stored in more than 16 bits");
  if (isPerAxis(type) && quantAxis(type) != 0)
    return llvm::createStringError(
        "weight scales are not along the output channels");
  layer.channels = type.getDimSize(0);
  if (layer.channels == 0)
    return llvm::createStringError("weight has no output channels");
  layer.weights.assign(weights->begin(), weights->end());
  int64_t count = isPerAxis(type) ? layer.channels : 1;
  for (int64_t channel = 0; channel < count; ++channel)
    layer.weightZeroPoints.push_back(quantParams(type, channel).zeroPoint);
  if (storageTensorType(type).getElementTypeBitWidth() != 8 &&
      !llvm::all_of(layer.weightZeroPoints, isZero))
    return llvm::createStringError(
        "weight of 16 bits has a zero point other than 0");
  return llvm::Error::success();
}

/// Fills in the biases, zero where there is none.
llvm::Error readBias(Value bias, Type weight, Layer &layer) {
  layer.biases.assign(layer.channels, 0);
  if (!bias)
    return llvm::Error::success();
  std::optional<SmallVector<int32_t>> values = getQuantizedConstant(bias);
  if (!values)
    return llvm::createStringError("bias is not a quantized constant");
  Type type = bias.getType();
  for (int64_t channel = 0; channel < layer.channels; ++channel) {
    double expected =
        quantScale(weight, channel) * static_cast<double>(layer.input.scale);
    double scale = quantScale(type, channel);
    if (!areEqualScales(scale, expected))
      return llvm::createStringError(
          "bias scale " + formatScale(scale) + " of channel " + Twine(channel) +
          " is not the product " + formatScale(expected) +
          " of the input's and the weight's");
  }
  layer.biases = *values;
  return llvm::Error::success();
}

/// An error where the accumulator of a channel may leave int32.
llvm::Error proveAccumulator(const Layer &layer) {
  size_t length = layer.weights.size() / layer.channels;
  for (int64_t channel = 0; channel < layer.channels; ++channel) {
    numerics::AccumulatorBound bound = numerics::accumulatorBound(
        ArrayRef(layer.weights).slice(channel * length, length),
        layer.weightZeroPoint(channel), layer.input.qmin, layer.input.qmax,
        layer.input.zeroPoint, layer.biases[channel]);
    if (!bound.fitsInt32())
      return llvm::createStringError(
          "the accumulator of channel " + Twine(channel) + " reaches [" +
          Twine(bound.min) + ", " + Twine(bound.max) +
          "], which is outside int32");
  }
  return llvm::Error::success();
}

/// `s_x s_w / s_y`, one a weight scale: one product, one quotient.
void setFactors(Layer &layer, Type weight, double resultScale) {
  for (size_t index = 0; index < layer.weightZeroPoints.size(); ++index)
    layer.factors.push_back(static_cast<double>(layer.input.scale) *
                            quantScale(weight, index) / resultScale);
}

/// conv and gemm; `create` makes the integer op.
template <typename OpT> struct WeightPattern final : TensorPattern<OpT> {
  using TensorPattern<OpT>::TensorPattern;
  using OpAdaptor = typename TensorPattern<OpT>::OpAdaptor;

  llvm::Expected<Operation *> build(OpT op, OpAdaptor adaptor,
                                    const ValueParams &params,
                                    PatternRewriter &rewriter) const override {
    Layer layer;
    layer.input = params.inputs.front();
    if (llvm::Error error = readWeights(op.getWeight(), layer))
      return std::move(error);
    Type weightType = op.getWeight().getType();
    if (llvm::Error error = readBias(op.getBias(), weightType, layer))
      return std::move(error);
    if (llvm::Error error = proveAccumulator(layer))
      return std::move(error);
    setFactors(layer, weightType, params.result.scale);
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(layer.factors);
    if (!multipliers)
      return multipliers.takeError();

    SmallVector<int32_t> zeroPoints = layer.weightZeroPoints;
    if (llvm::all_of(zeroPoints, isZero))
      zeroPoints.clear();
    qint::RequantAttr requant =
        ResultForm(params.result, op.getActivationAttr())
            .getRequant(op.getContext(), *multipliers);
    return create(op, adaptor, rewriter, layer.input.zeroPoint, zeroPoints,
                  requant);
  }

  Operation *create(ConvOp op, OpAdaptor adaptor, PatternRewriter &rewriter,
                    int32_t inputZeroPoint, ArrayRef<int32_t> zeroPoints,
                    qint::RequantAttr requant) const {
    return qint::ConvOp::create(
        rewriter, op.getLoc(), this->getResultType(op), adaptor.getInput(),
        adaptor.getWeight(), adaptor.getBias(),
        rewriter.getI32IntegerAttr(inputZeroPoint),
        rewriter.getDenseI32ArrayAttr(zeroPoints), op.getStridesAttr(),
        op.getPadsAttr(), op.getDilationsAttr(), op.getGroupsAttr(), requant);
  }

  Operation *create(GemmOp op, OpAdaptor adaptor, PatternRewriter &rewriter,
                    int32_t inputZeroPoint, ArrayRef<int32_t> zeroPoints,
                    qint::RequantAttr requant) const {
    return qint::GemmOp::create(
        rewriter, op.getLoc(), this->getResultType(op), adaptor.getInput(),
        adaptor.getWeight(), adaptor.getBias(),
        rewriter.getI32IntegerAttr(inputZeroPoint),
        rewriter.getDenseI32ArrayAttr(zeroPoints), requant);
  }
};

} // namespace

void mlir::qopt::populateQintWeightPatterns(const TypeConverter &converter,
                                            RewritePatternSet &patterns,
                                            Refusals &refusals) {
  patterns.add<WeightPattern<ConvOp>, WeightPattern<GemmOp>>(
      converter, patterns.getContext(), refusals);
}
