// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folds maps of the form `scale[c] x + shift[c]` (batch norms, affine
// functions, products and sums with per-channel constants) into the weights
// and bias of a neighbouring conv or gemm.

#include "ChannelMap.h"
#include "Names.h"
#include "Scales.h"
#include "SimplifyPatterns.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

namespace {

bool allFinite(ArrayRef<float> values) {
  return llvm::all_of(values, [](float value) { return std::isfinite(value); });
}

/// The weight and bias of a conv or gemm, bias zero where there is none.
struct Parameters {
  SmallVector<float> weight;
  SmallVector<float> bias;
  int64_t channels;

  /// Weights of one output channel.
  int64_t rowLength() const { return weight.size() / channels; }
};

template <typename OpT> std::optional<Parameters> getParameters(OpT op) {
  auto weight = getConstantF32(op.getWeight());
  int64_t channels =
      cast<RankedTensorType>(op.getWeight().getType()).getDimSize(0);
  if (!weight || channels == 0)
    return std::nullopt;
  Parameters result{std::move(*weight), SmallVector<float>(channels, 0.0f),
                    channels};
  if (op.getBias()) {
    auto bias = getConstantF32(op.getBias());
    if (!bias)
      return std::nullopt;
    result.bias = std::move(*bias);
  }
  return result;
}

template <typename OpT>
void setParameters(PatternRewriter &rewriter, OpT op,
                   const Parameters &parameters) {
  rewriter.setInsertionPoint(op);
  auto weightType = cast<RankedTensorType>(op.getWeight().getType());
  auto biasType =
      RankedTensorType::get({parameters.channels}, weightType.getElementType());
  Value weight = createConstantF32(rewriter, op.getWeight().getLoc(),
                                   weightType, parameters.weight);
  Value bias = createConstantF32(
      rewriter, op.getBias() ? op.getBias().getLoc() : op.getLoc(), biasType,
      parameters.bias);
  rewriter.modifyOpInPlace(op, [&] {
    op.getWeightMutable().assign(weight);
    op.getBiasMutable().assign(bias);
  });
}

/// A weight that the model holds as integers, `scale[c]` times as large: the
/// integers stay, their scales change. A negative factor mirrors the channel,
/// `-1 - q` for `q` and the zero point, which no integer leaves the range by.
/// Null where a scale would not be a type's.
Value scaleImported(PatternRewriter &rewriter, Value weight,
                    ArrayRef<double> factors) {
  auto type = cast<RankedTensorType>(weight.getType());
  auto storage = storageTensorType(type).getElementType();
  bool perAxis = isPerAxis(type);
  if (storage.getIntOrFloatBitWidth() != 8 || (perAxis && quantAxis(type) != 0))
    return Value();
  SmallVector<int32_t> values = *getQuantizedConstant(weight);
  int64_t length = values.size() / factors.size();
  SmallVector<double> scales;
  SmallVector<int64_t> zeroPoints;
  for (auto [channel, factor] : llvm::enumerate(factors)) {
    int64_t index = perAxis ? channel : 0;
    auto scale =
        static_cast<float>(quantScale(type, index) * std::fabs(factor));
    int64_t zeroPoint = quantParams(type, index).zeroPoint;
    auto row = MutableArrayRef(values).slice(channel * length, length);
    if (factor == 0) {
      scale = 1;
      llvm::fill(row, zeroPoint);
    }
    if (!std::isnormal(scale))
      return Value();
    if (factor < 0) {
      zeroPoint = -1 - zeroPoint;
      for (int32_t &value : row)
        value = -1 - value;
    }
    scales.push_back(scale);
    zeroPoints.push_back(zeroPoint);
  }
  auto element = quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, storage, rewriter.getF32Type(), scales,
      zeroPoints, /*quantizedDimension=*/0, numerics::signedMin(8),
      numerics::signedMax(8));
  Value constant = createQuantizedConstant(rewriter, weight.getLoc(),
                                           type.clone(element), values);
  return DequantizeOp::create(rewriter, weight.getLoc(),
                              type.clone(rewriter.getF32Type()), constant);
}

/// Takes the leading map off `op`: whole, or the first function of a chain.
/// `producer` computes the map's result from now on.
void removeMap(PatternRewriter &rewriter, Operation *op, Operation *producer) {
  auto unary = dyn_cast<UnaryOp>(op);
  if (unary && unary.getFunctions().size() > 1) {
    rewriter.modifyOpInPlace(unary, [&] {
      unary.setFunctionsAttr(
          rewriter.getArrayAttr(unary.getFunctions().getValue().drop_front()));
    });
    rewriter.modifyOpInPlace(producer, [&] { dropValueName(producer); });
    return;
  }
  rewriter.modifyOpInPlace(producer, [&] { takeValueName(op, producer); });
  rewriter.replaceOp(op, producer);
}

/// map(conv(x, w, b)) -> conv(x, scale w, scale b + shift); gemm alike.
template <typename MapOp, typename OpT>
struct FoldIntoProducer final : OpRewritePattern<MapOp> {
  using OpRewritePattern<MapOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(MapOp op,
                                PatternRewriter &rewriter) const override {
    // Either operand may be the producer; the other one is a constant.
    OpT producer;
    for (Value operand : op->getOperands())
      if (!producer)
        producer = operand.template getDefiningOp<OpT>();
    if (!producer)
      return rewriter.notifyMatchFailure(op, "producer has no weights");
    int64_t axis = isa<ConvOp>(producer) ? 1 : producer.getType().getRank() - 1;
    std::optional<ChannelMap> map = matchChannelMap(op, axis);
    if (!map || map->input != producer.getResult())
      return rewriter.notifyMatchFailure(op, "is no map of output channels");
    if (producer.getActivation())
      return rewriter.notifyMatchFailure(producer, "has an activation");
    // A second user still needs the value before the map.
    if (!producer->hasOneUse())
      return rewriter.notifyMatchFailure(producer, "has more than one user");
    if (Value weight = getImportedConstant(producer.getWeight()))
      return foldIntoScales(op, producer, weight, *map, rewriter);
    std::optional<Parameters> parameters = getParameters(producer);
    if (!parameters)
      return rewriter.notifyMatchFailure(producer, "weights are no constants");

    int64_t length = parameters->rowLength();
    for (auto [index, value] : llvm::enumerate(parameters->weight))
      value = static_cast<float>(value * map->scale[index / length]);
    for (auto [index, value] : llvm::enumerate(parameters->bias))
      value = static_cast<float>(value * map->scale[index] + map->shift[index]);
    if (!allFinite(parameters->weight) || !allFinite(parameters->bias))
      return rewriter.notifyMatchFailure(op, "folded weights overflow");

    setParameters(rewriter, producer, *parameters);
    removeMap(rewriter, op, producer);
    return success();
  }

  /// The same for the integers of `weight`.
  LogicalResult foldIntoScales(MapOp op, OpT producer, Value weight,
                               const ChannelMap &map,
                               PatternRewriter &rewriter) const {
    SmallVector<float> bias(map.shift.begin(), map.shift.end());
    if (producer.getBias()) {
      auto known = getConstantF32(producer.getBias());
      if (!known)
        return rewriter.notifyMatchFailure(producer, "bias is no constant");
      for (auto [index, value] : llvm::enumerate(*known))
        bias[index] =
            static_cast<float>(value * map.scale[index] + map.shift[index]);
    }
    if (!allFinite(bias))
      return rewriter.notifyMatchFailure(op, "folded bias overflows");
    rewriter.setInsertionPoint(producer);
    Value scaled = scaleImported(rewriter, weight, map.scale);
    if (!scaled)
      return rewriter.notifyMatchFailure(op, "folded scales leave their range");
    auto biasType =
        RankedTensorType::get({int64_t(bias.size())}, rewriter.getF32Type());
    Value newBias =
        createConstantF32(rewriter, producer.getLoc(), biasType, bias);
    rewriter.modifyOpInPlace(producer, [&] {
      producer.getWeightMutable().assign(scaled);
      producer.getBiasMutable().assign(newBias);
    });
    removeMap(rewriter, op, producer);
    return success();
  }
};

/// The input channel that weight `index` of output channel `channel` meets.
int64_t getInputChannel(ConvOp op, int64_t channel, int64_t index) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op.getWeight().getType()).getShape();
  int64_t group = channel / (shape[0] / op.getGroups());
  return group * shape[1] + index / (shape[2] * shape[3]);
}
int64_t getInputChannel(GemmOp op, int64_t channel, int64_t index) {
  return index;
}

/// Padding counts as zero behind the map, so a shift must not reach it.
bool hasPadding(ConvOp op) {
  return llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
}
bool hasPadding(GemmOp op) { return false; }

/// conv(map(x), w, b) -> conv(x, w scale, b + sum w shift); gemm alike.
template <typename OpT> struct FoldIntoConsumer final : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp();
    if (!producer)
      return rewriter.notifyMatchFailure(op, "input is an argument");
    auto unary = dyn_cast<UnaryOp>(producer);
    if (unary && unary.getFunctions().size() > 1)
      return rewriter.notifyMatchFailure(op, "input is a chain of functions");
    int64_t rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
    std::optional<ChannelMap> map =
        matchChannelMap(producer, isa<ConvOp>(op) ? 1 : rank - 1);
    if (!map || isConstantF32(map->input))
      return rewriter.notifyMatchFailure(op, "input is no map of channels");
    if (!producer->hasOneUse())
      return rewriter.notifyMatchFailure(producer, "has more than one user");
    // In front of it is the better place: the map costs nothing there too, and
    // padding is no obstacle.
    if (map->input.getDefiningOp() &&
        isa<ConvOp, GemmOp>(map->input.getDefiningOp()) &&
        map->input.hasOneUse())
      return rewriter.notifyMatchFailure(producer, "folds into its producer");
    if (hasPadding(op) && map->hasShift())
      return rewriter.notifyMatchFailure(op, "padding is not shifted");
    std::optional<Parameters> parameters = getParameters(op);
    if (!parameters)
      return rewriter.notifyMatchFailure(op, "weights are no constants");
    foldMap(op, *map, *parameters);
    if (!allFinite(parameters->weight) || !allFinite(parameters->bias))
      return rewriter.notifyMatchFailure(op, "folded weights overflow");

    setParameters(rewriter, op, *parameters);
    rewriter.modifyOpInPlace(op,
                             [&] { op.getInputMutable().assign(map->input); });
    rewriter.eraseOp(producer);
    return success();
  }

  static void foldMap(OpT op, const ChannelMap &map, Parameters &parameters) {
    int64_t length = parameters.rowLength();
    for (int64_t channel = 0; channel < parameters.channels; ++channel) {
      double bias = parameters.bias[channel];
      for (int64_t index = 0; index < length; ++index) {
        float &weight = parameters.weight[channel * length + index];
        int64_t input = getInputChannel(op, channel, index);
        bias += weight * map.shift[input];
        weight = static_cast<float>(weight * map.scale[input]);
      }
      parameters.bias[channel] = static_cast<float>(bias);
    }
  }
};

/// batch_norm(x) -> depthwise 1x1 conv, behind and before reshapes where the
/// rank is not 4.
struct BatchNormToConv final : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    auto scale = getConstantF32(op.getScale());
    auto shift = getConstantF32(op.getShift());
    if (!scale || !shift)
      return rewriter.notifyMatchFailure(op, "scale or shift is no constant");
    auto type = cast<RankedTensorType>(op.getType());
    int64_t channels = type.getDimSize(1);
    Location loc = op.getLoc();
    auto image = type;
    Value input = op.getInput();
    if (type.getRank() != 4) {
      int64_t pixels = 1;
      for (int64_t size : type.getShape().drop_front(2))
        pixels *= size;
      image = RankedTensorType::get({type.getDimSize(0), channels, pixels, 1},
                                    type.getElementType());
      input = ReshapeOp::create(rewriter, loc, image, input);
    }
    Value weight = createConstantF32(
        rewriter, loc,
        RankedTensorType::get({channels, 1, 1, 1}, type.getElementType()),
        *scale);
    auto conv = ConvOp::create(rewriter, loc, image, input, weight,
                               op.getShift(), /*strides=*/{1, 1},
                               /*pads=*/{0, 0, 0, 0}, /*dilations=*/{1, 1},
                               channels, /*activation=*/nullptr);
    Operation *result = conv;
    if (image != type)
      result = ReshapeOp::create(rewriter, loc, type, conv);
    takeValueName(op, conv);
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void mlir::qopt::populateChannelMapPatterns(RewritePatternSet &patterns) {
  patterns
      .add<FoldIntoProducer<BatchNormOp, ConvOp>,
           FoldIntoProducer<BatchNormOp, GemmOp>,
           FoldIntoProducer<MulOp, ConvOp>, FoldIntoProducer<MulOp, GemmOp>,
           FoldIntoProducer<AddOp, ConvOp>, FoldIntoProducer<AddOp, GemmOp>,
           FoldIntoProducer<UnaryOp, ConvOp>, FoldIntoProducer<UnaryOp, GemmOp>,
           FoldIntoConsumer<ConvOp>, FoldIntoConsumer<GemmOp>>(
          patterns.getContext());
}

void mlir::qopt::populateBatchNormPatterns(RewritePatternSet &patterns) {
  patterns.add<BatchNormToConv>(patterns.getContext());
}
