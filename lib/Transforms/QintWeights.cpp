// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// conv and gemm to integer arithmetic: bounds, multipliers, clamps
// (docs/arithmetic.md, "Convolution and gemm", "Sums in parts").

#include "QintPatterns.h"
#include "qopt/IR/QintDynamic.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Weights.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

/// Low bits are signed bytes.
static constexpr int maxLowBits = 8;

namespace {

/// The integers and parameters of a layer with weights.
struct Layer {
  numerics::QuantParams input;
  SmallVector<int32_t> weights;
  SmallVector<int32_t> weightZeroPoints;
  SmallVector<int64_t> biases;
  SmallVector<double> factors;
  int64_t channels;
  /// Of the weights' storage.
  unsigned weightBits = 8;

  int32_t weightZeroPoint(int64_t channel) const {
    return weightZeroPoints[channel % weightZeroPoints.size()];
  }
};

/// A layer as `2^lowBits high + low`: the accumulators of both fit an int32.
struct LayerParts {
  int lowBits = 0;
  Layer high, low;
  /// The largest magnitude of the sum of both.
  int64_t bound = 0;
};

bool isZero(int32_t value) { return value == 0; }
bool isByte(int32_t value) { return value == int8_t(value); }
bool isWord(int32_t value) { return value == int16_t(value); }

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
  layer.weightBits = storageTensorType(type).getElementTypeBitWidth();
  if (isPerAxis(type) && quantAxis(type) != 0)
    return llvm::createStringError(
        "weight scales are not along the output channels");
  layer.channels = type.getDimSize(0);
  if (layer.channels == 0)
    return llvm::createStringError("weight has no output channels");
  layer.weights = std::move(*weights);
  constexpr int32_t most = INT16_MAX << maxLowBits;
  if (llvm::any_of(layer.weights,
                   [](int32_t value) { return value < -most || value > most; }))
    return llvm::createStringError("weight has more than 24 bits");
  int64_t count = isPerAxis(type) ? layer.channels : 1;
  for (int64_t channel = 0; channel < count; ++channel)
    layer.weightZeroPoints.push_back(quantParams(type, channel).zeroPoint);
  if (layer.weightBits != 8 && !llvm::all_of(layer.weightZeroPoints, isZero))
    return llvm::createStringError("weight of " + Twine(layer.weightBits) +
                                   " bits has a zero point other than 0");
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
    // Of weights with low bits the bias is on the grid of the high ones.
    int shift = std::ilogb(scale / expected * (1 + 1e-6));
    if (shift < 0 || shift > maxLowBits ||
        !areEqualScales(scale, std::ldexp(expected, shift)))
      return llvm::createStringError(
          "bias scale " + formatScale(scale) + " of channel " + Twine(channel) +
          " is not the product " + formatScale(expected) +
          " of the input's and the weight's");
    layer.biases[channel] = (*values)[channel] * (int64_t(1) << shift);
  }
  return llvm::Error::success();
}

/// The extremes of each channel's accumulator.
numerics::AccumulatorBound getBound(const Layer &layer, int64_t channel) {
  size_t length = layer.weights.size() / layer.channels;
  return numerics::accumulatorBound(
      ArrayRef(layer.weights).slice(channel * length, length),
      layer.weightZeroPoint(channel), layer.input.qmin, layer.input.qmax,
      layer.input.zeroPoint, layer.biases[channel]);
}

/// An error where the accumulator of a channel may leave int32; else the
/// largest magnitude of any.
llvm::Expected<int64_t> proveAccumulators(const Layer &layer) {
  if (!llvm::all_of(layer.weights, isWord))
    return llvm::createStringError("weight has more than 16 bits");
  int64_t largest = 0;
  for (int64_t channel = 0; channel < layer.channels; ++channel) {
    numerics::AccumulatorBound bound = getBound(layer, channel);
    if (!bound.fitsInt32())
      return llvm::createStringError(
          "the accumulator of channel " + Twine(channel) + " reaches [" +
          Twine(bound.min) + ", " + Twine(bound.max) +
          "], which is outside int32");
    largest = std::max(largest, bound.magnitude());
  }
  return largest;
}

/// `layer` with weights and biases cut above `lowBits` bits.
LayerParts cutLayer(const Layer &layer, int lowBits) {
  LayerParts parts;
  parts.lowBits = lowBits;
  parts.high = parts.low = layer;
  parts.high.weightZeroPoints = parts.low.weightZeroPoints = {0};
  size_t length = layer.weights.size() / layer.channels;
  for (auto [i, weight] : llvm::enumerate(layer.weights)) {
    auto [high, low] = numerics::splitWeight(
        weight - layer.weightZeroPoint(i / length), lowBits);
    parts.high.weights[i] = high;
    parts.low.weights[i] = low;
  }
  for (auto [i, bias] : llvm::enumerate(layer.biases)) {
    parts.high.biases[i] = (bias + (int64_t(1) << (lowBits - 1))) >> lowBits;
    parts.low.biases[i] = bias - parts.high.biases[i] * (int64_t(1) << lowBits);
  }
  return parts;
}

/// The cut with most low bits where both parts are proved inside int32; an
/// error where there is none.
llvm::Expected<LayerParts> splitLayer(const Layer &layer) {
  for (int lowBits = maxLowBits; lowBits > 1; --lowBits) {
    LayerParts parts = cutLayer(layer, lowBits);
    llvm::Expected<int64_t> high = proveAccumulators(parts.high);
    llvm::Expected<int64_t> low = proveAccumulators(parts.low);
    if (high && low) {
      parts.bound = *high * (int64_t(1) << lowBits) + *low;
      return parts;
    }
    llvm::consumeError(llvm::joinErrors(high.takeError(), low.takeError()));
  }
  return llvm::createStringError("no cut of the weights' bits in two leaves "
                                 "both accumulators inside int32");
}

/// `s_x s_w / s_y`, one a weight scale: one product, one quotient.
void setFactors(Layer &layer, Type weight, double resultScale) {
  for (size_t index = 0; index < layer.weightZeroPoints.size(); ++index)
    layer.factors.push_back(static_cast<double>(layer.input.scale) *
                            quantScale(weight, index) / resultScale);
}

/// A constant of `shape` in as few bits as hold the values.
Value createIntegers(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                     ArrayRef<int32_t> values) {
  unsigned bits = llvm::all_of(values, isByte) ? 8 : 16;
  auto type = RankedTensorType::get(shape, builder.getIntegerType(bits));
  return qint::ConstantOp::create(builder, loc,
                                  createIntegerElements(type, values));
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
    setFactors(layer, weightType, params.result.scale);
    ResultForm form(params.result, op.getActivationAttr());
    if (layer.weightBits > 16)
      return buildParts(op, adaptor, layer, form, rewriter);
    llvm::Expected<int64_t> bound = proveAccumulators(layer);
    if (!bound) {
      llvm::Expected<Operation *> parts =
          buildParts(op, adaptor, layer, form, rewriter);
      std::string why = getErrorMessage(bound.takeError());
      if (parts)
        return parts;
      llvm::consumeError(parts.takeError());
      return llvm::createStringError(
          why + ", and so does each cut of its weights in two");
    }
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(layer.factors);
    if (!multipliers)
      return multipliers.takeError();
    SmallVector<int32_t> zeroPoints = layer.weightZeroPoints;
    if (llvm::all_of(zeroPoints, isZero))
      zeroPoints.clear();
    return create(op, rewriter, this->getResultType(op),
                  {adaptor.getInput(), adaptor.getWeight(), adaptor.getBias()},
                  layer.input.zeroPoint, zeroPoints,
                  form.getRequant(op.getContext(), *multipliers));
  }

  /// The layer in two parts, each with accumulators as its result.
  llvm::Expected<Operation *> buildParts(OpT op, OpAdaptor adaptor,
                                         const Layer &layer,
                                         const ResultForm &form,
                                         PatternRewriter &rewriter) const {
    llvm::Expected<LayerParts> parts = splitLayer(layer);
    if (!parts)
      return parts.takeError();
    llvm::Expected<numerics::Multipliers> multipliers =
        numerics::chooseMultipliers(layer.factors, parts->bound);
    if (!multipliers)
      return multipliers.takeError();
    RankedTensorType type = this->getResultType(op);
    auto createPart = [&](const Layer &part) {
      Location loc = op.getLoc();
      Value weight = createIntegers(
          rewriter, loc, op.getWeight().getType().getShape(), part.weights);
      auto biasType =
          RankedTensorType::get({part.channels}, rewriter.getI32Type());
      Value bias = qint::ConstantOp::create(
          rewriter, loc,
          createIntegerElements(biasType,
                                llvm::to_vector_of<int32_t>(part.biases)));
      return create(op, rewriter, type.clone(rewriter.getI32Type()),
                    {adaptor.getInput(), weight, bias}, layer.input.zeroPoint,
                    {}, qint::getIdentityRequant(op.getContext()))
          ->getResult(0);
    };
    Value high = createPart(parts->high), low = createPart(parts->low);
    const int64_t axis = isa<ConvOp>(op) ? 1 : type.getRank() - 1;
    return qint::SumPartsOp::create(
        rewriter, op.getLoc(), type, high, low,
        rewriter.getI64IntegerAttr(axis),
        rewriter.getI32IntegerAttr(parts->lowBits),
        form.getRequant(op.getContext(), *multipliers));
  }

  /// Input, weight and bias, of which the last may be null.
  using Values = std::array<Value, 3>;

  Operation *create(ConvOp op, PatternRewriter &rewriter, Type type,
                    const Values &values, int32_t inputZeroPoint,
                    ArrayRef<int32_t> zeroPoints,
                    qint::RequantAttr requant) const {
    return qint::ConvOp::create(
        rewriter, op.getLoc(), type, values[0], values[1], values[2],
        rewriter.getI32IntegerAttr(inputZeroPoint),
        rewriter.getDenseI32ArrayAttr(zeroPoints), op.getStridesAttr(),
        op.getPadsAttr(), op.getDilationsAttr(), op.getGroupsAttr(), requant);
  }

  Operation *create(GemmOp op, PatternRewriter &rewriter, Type type,
                    const Values &values, int32_t inputZeroPoint,
                    ArrayRef<int32_t> zeroPoints,
                    qint::RequantAttr requant) const {
    return qint::GemmOp::create(
        rewriter, op.getLoc(), type, values[0], values[1], values[2],
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
