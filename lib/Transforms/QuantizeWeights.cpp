// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized constants: weights, biases, activations known at compile time.

#include "QuantizeWeights.h"
#include "Names.h"
#include "Scales.h"
#include "qopt/IR/Diagnostics.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Requantize.h"
#include "qopt/Numerics/Weights.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using quant::UniformQuantizedPerAxisType;
using quant::UniformQuantizedType;
using quant::QuantizationFlags::Signed;

Type mlir::qopt::getActivationType(MLIRContext *context, int64_t bits,
                                   double scale, int64_t zeroPoint) {
  return UniformQuantizedType::get(
      Signed, IntegerType::get(context, bits <= 8 ? 8 : 16),
      Float32Type::get(context), scale, zeroPoint, numerics::signedMin(bits),
      numerics::signedMax(bits));
}

Value mlir::qopt::quantizeConstant(OpBuilder &builder, Value value,
                                   Type element) {
  auto type = cast<RankedTensorType>(value.getType()).clone(element);
  numerics::QuantParams params = quantParams(type);
  SmallVector<int32_t> integers;
  SmallVector<float> reals = *getKnownValues(value);
  for (float real : reals)
    integers.push_back(numerics::quantize(real, params));
  return createQuantizedConstant(builder, value.getLoc(), type, integers);
}

/// A symmetric type with one scale, or one an index of axis 0.
static Type getSymmetricType(MLIRContext *context, unsigned bits,
                             ArrayRef<double> scales, int64_t qmin,
                             int64_t qmax) {
  auto storage = IntegerType::get(context, bits);
  auto expressed = Float32Type::get(context);
  if (scales.size() == 1)
    return UniformQuantizedType::get(Signed, storage, expressed, scales[0],
                                     /*zeroPoint=*/0, qmin, qmax);
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  return UniformQuantizedPerAxisType::get(Signed, storage, expressed, scales,
                                          zeroPoints, /*quantizedDimension=*/0,
                                          qmin, qmax);
}

/// A constant whose type is per axis only where it has more than one scale.
static Value createSymmetric(OpBuilder &builder, Value original, unsigned bits,
                             ArrayRef<double> scales, int64_t qmin,
                             int64_t qmax, ArrayRef<int32_t> values) {
  Type element =
      getSymmetricType(builder.getContext(), bits, scales, qmin, qmax);
  auto type = cast<RankedTensorType>(original.getType()).clone(element);
  return createQuantizedConstant(builder, original.getLoc(), type, values);
}

namespace {
/// The integers of a weight, in `[-qmax, qmax]`, and one scale, or one a
/// channel.
struct WeightIntegers {
  unsigned bits = 8;
  /// Of weights in two parts; the bias is on the grid of the high one.
  int lowBits = 0;
  int32_t qmax = numerics::signedMax(8);
  SmallVector<int32_t> values;
  SmallVector<float> scales;
};
} // namespace

/// Whether a model that arrived quantized computes `op` with more bits than 8:
/// its result has the model's scale, but its weight is no tensor of integers
/// with one scale a channel.
static bool hasWideWeight(QuantizableOpInterface op) {
  auto conv = dyn_cast<ConvOp>(op.getOperation());
  auto weight = cast<RankedTensorType>(op.getWeightOperand()->get().getType());
  bool isDepthwise = conv && conv.getGroups() == weight.getDimSize(0);
  return !isDepthwise &&
         llvm::any_of(op->getResult(0).getUsers(), [](Operation *user) {
           auto observe = dyn_cast<ObserveOp>(user);
           return observe && observe.getMethod() == importedMethod;
         });
}

static std::optional<WeightIntegers>
quantizeWideWeight(QuantizableOpInterface op, ArrayRef<float> biases,
                   const numerics::QuantParams &input, float scaleFloor) {
  Value weight = op.getWeightOperand()->get();
  size_t channels = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  int64_t reach =
      std::max(input.zeroPoint - input.qmin, input.qmax - input.zeroPoint);
  auto wide =
      numerics::quantizeWideWeights(*getConstantF32(weight), channels, biases,
                                    input.scale, reach, scaleFloor);
  if (!wide)
    return std::nullopt;
  return WeightIntegers{32, wide->lowBits, wide->getLargest(),
                        llvm::to_vector(wide->values),
                        llvm::to_vector(wide->scales)};
}

WeightForm mlir::qopt::getOwnForm(QuantizableOpInterface op, WeightForm form) {
  if (auto own = op->getAttrOfType<BoolAttr>(perChannelAttr))
    form.perChannel = own.getValue();
  if (auto own = op->getAttrOfType<IntegerAttr>(weightBitsAttr))
    form.bits = static_cast<int>(own.getInt());
  if (auto own = op->getAttrOfType<IntegerAttr>(weightGroupAttr))
    form.group = own.getInt();
  auto conv = dyn_cast<ConvOp>(op.getOperation());
  if (conv && conv.getGroups() > 1 &&
      cast<RankedTensorType>(conv.getWeight().getType()).getDimSize(1) == 1)
    form.bits = 8;
  if (form.bits == 8)
    form.group = 0;
  return form;
}

/// The elements of a weight for one input channel of one output channel: the
/// taps of a kernel, or the positions of an image that is flattened for `op`.
static size_t countTaps(QuantizableOpInterface op) {
  auto getShape = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  };
  ArrayRef<int64_t> shape = getShape(op.getWeightOperand()->get());
  if (isa<GemmOp>(op.getOperation())) {
    Value input = op->getOperand(0);
    if (auto observe = input.getDefiningOp<ObserveOp>())
      input = observe.getInput();
    auto reshape = input.getDefiningOp<ReshapeOp>();
    if (!reshape)
      return 1;
    ArrayRef<int64_t> image = getShape(reshape.getInput());
    // An image of one channel lies as it is flattened.
    if (image.size() != 4 || image[1] == 1 ||
        shape[1] != image[1] * image[2] * image[3])
      return 1;
    shape = image;
  }
  return llvm::product_of(shape.drop_front(2));
}

static numerics::QuantizedWeights quantizeReals(QuantizableOpInterface op,
                                                ArrayRef<float> weights,
                                                ArrayRef<float> floors,
                                                WeightForm form) {
  Value weight = op.getWeightOperand()->get();
  form = getOwnForm(op, form);
  numerics::WeightOptions options;
  options.bits = form.bits;
  options.groups = {static_cast<size_t>(form.group), countTaps(op)};
  options.perChannel = form.perChannel;
  options.scaling = form.clip ? numerics::WeightScaling::MseClip
                              : numerics::WeightScaling::MaxAbs;
  options.powerOfTwo = form.powerOfTwo;
  options.scaleFloors = floors;
  size_t channels = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  return numerics::quantizeWeights(weights, channels, options);
}

numerics::QuantizedWeights
mlir::qopt::quantizeInPlaceOf(QuantizableOpInterface op,
                              ArrayRef<float> weights, WeightForm form) {
  return quantizeReals(op, weights, /*floors=*/{}, form);
}

/// The integers of `op`'s weight where its input has scale `inputScale`.
static numerics::QuantizedWeights quantizeWeight(QuantizableOpInterface op,
                                                 ArrayRef<float> biases,
                                                 float inputScale,
                                                 WeightForm form) {
  SmallVector<float> floors;
  for (float value : biases)
    floors.push_back(numerics::weightScaleFloor(value, inputScale));
  return quantizeReals(op, *getConstantF32(op.getWeightOperand()->get()),
                       floors, form);
}

static WeightIntegers getIntegers(const numerics::QuantizedWeights &quantized) {
  WeightIntegers result;
  result.qmax = quantized.getLargest();
  result.values.assign(quantized.values.begin(), quantized.values.end());
  result.scales.assign(quantized.scales.begin(), quantized.scales.end());
  return result;
}

/// The constant of `quantized` in place of `original`.
static Value createWeight(OpBuilder &builder, Value original,
                          const WeightIntegers &quantized) {
  return createSymmetric(builder, original, quantized.bits,
                         llvm::to_vector_of<double>(quantized.scales),
                         -quantized.qmax, quantized.qmax, quantized.values);
}

std::optional<numerics::QuantizedWeights>
mlir::qopt::getQuantizedWeights(QuantizableOpInterface op, WeightForm form) {
  OpOperand *weight = op.getWeightOperand();
  OpOperand *bias = op.getBiasOperand();
  if (!weight || op.getWeightChannelAxis() != 0 ||
      !isConstantF32(weight->get()) || (bias && !isConstantF32(bias->get())))
    return std::nullopt;
  ObserveOp observe = getDecidingObserver(op->getOperand(0));
  if (!observe || !observe.getScale())
    return std::nullopt;
  SmallVector<float> biases;
  if (bias)
    biases = *getConstantF32(bias->get());
  return quantizeWeight(op, biases, observe.getScale()->convertToFloat(), form);
}

SmallVector<float>
mlir::qopt::dequantizeWeights(const numerics::QuantizedWeights &weights) {
  const size_t row =
      weights.values.size() / std::max<size_t>(weights.scales.size(), 1);
  SmallVector<float> reals;
  reals.reserve(weights.values.size());
  for (auto [index, value] : llvm::enumerate(weights.values))
    reals.push_back(weights.scales[index / row] * static_cast<float>(value));
  return reals;
}

void mlir::qopt::setQuantizedWeights(
    QuantizableOpInterface op, const numerics::QuantizedWeights &weights) {
  OpOperand *weight = op.getWeightOperand();
  Value original = weight->get();
  OpBuilder builder(op);
  Value integers = createWeight(builder, original, getIntegers(weights));
  weight->set(
      DequantizeOp::create(builder, op.getLoc(), original.getType(), integers));
  if (original.use_empty())
    original.getDefiningOp()->erase();
}

Value mlir::qopt::createDequantizedWeight(OpBuilder &builder,
                                          QuantizableOpInterface op,
                                          WeightForm form) {
  Value original = op.getWeightOperand()->get();
  Value integers = createWeight(
      builder, original,
      getIntegers(quantizeWeight(op, /*biases=*/{}, /*inputScale=*/1, form)));
  return DequantizeOp::create(builder, op.getLoc(), original.getType(),
                              integers);
}

/// The scales of a weight that the model itself holds as integers, one an
/// output channel if it has several.
static SmallVector<double> getImportedScales(Value weight) {
  Type type = weight.getType();
  int64_t count =
      isPerAxis(type) ? cast<RankedTensorType>(type).getDimSize(0) : 1;
  SmallVector<double> scales;
  for (int64_t channel = 0; channel < count; ++channel)
    scales.push_back(quantScale(type, channel));
  return scales;
}

/// How often the weights of a channel whose products have scale `productScale`
/// are halved: until the bias has room and the result is not too far away.
static int countHalvings(double productScale, float bias, double resultScale) {
  int count = 0;
  for (; std::fabs(bias) / productScale > 0x1p30; productScale *= 2)
    ++count;
  for (; productScale / resultScale < 0x1p-40; productScale *= 2)
    ++count;
  return count;
}

/// The imported `weight` with coarser steps in the channels whose scale is too
/// small (docs/arithmetic.md, "Imported scales"). `scales` become the result's.
static Value raiseScales(OpBuilder &builder, Value weight,
                         ArrayRef<float> biases, double inputScale,
                         double resultScale, SmallVector<double> &scales) {
  auto type = cast<RankedTensorType>(weight.getType());
  SmallVector<int> halvings;
  for (int64_t channel = 0; channel < type.getDimSize(0); ++channel)
    halvings.push_back(
        countHalvings(inputScale * scales[scales.size() == 1 ? 0 : channel],
                      biases.empty() ? 0 : biases[channel], resultScale));
  if (llvm::all_of(halvings, [](int count) { return count == 0; }))
    return weight;
  SmallVector<int32_t> values = *getQuantizedConstant(weight);
  size_t row = values.size() / halvings.size();
  unsigned bits = storageTensorType(type).getElementTypeBitWidth();
  int64_t qmin = numerics::signedMin(bits), qmax = numerics::signedMax(bits);
  SmallVector<double> raised;
  SmallVector<int64_t> zeroPoints;
  for (auto [channel, count] : llvm::enumerate(halvings)) {
    numerics::QuantParams params =
        quantParams(type, isPerAxis(type) ? channel : 0);
    raised.push_back(std::ldexp(double(params.scale), count));
    zeroPoints.push_back(count ? 0 : params.zeroPoint);
    if (count)
      for (int32_t &value : MutableArrayRef(values).slice(channel * row, row))
        value = numerics::clamp(numerics::roundHalfEven(std::ldexp(
                                    double(value - params.zeroPoint), -count)),
                                qmin, qmax);
  }
  scales = raised;
  auto element = UniformQuantizedPerAxisType::get(
      Signed, builder.getIntegerType(bits), builder.getF32Type(), raised,
      zeroPoints, /*quantizedDimension=*/0, qmin, qmax);
  return createQuantizedConstant(builder, weight.getLoc(), type.clone(element),
                                 values);
}

LogicalResult mlir::qopt::quantizeWeightAndBias(OpBuilder &builder,
                                                QuantizableOpInterface op,
                                                double resultScale,
                                                WeightForm form) {
  OpOperand *weight = op.getWeightOperand();
  OpOperand *bias = op.getBiasOperand();
  if (op.getWeightChannelAxis() != 0)
    return op->emitOpError("expects its weight's output channels first");
  numerics::QuantParams input = quantParams(op->getOperand(0).getType());
  float inputScale = input.scale;

  SmallVector<float> biases;
  if (bias)
    biases = *getKnownValues(bias->get());
  SmallVector<double> scales;
  int lowBits = 0;
  if (Value imported = getImportedConstant(weight->get())) {
    if (isPerAxis(imported.getType()) && quantAxis(imported.getType()) != 0)
      return op->emitOpError("expects weight scales along the output channels");
    scales = getImportedScales(imported);
    weight->set(raiseScales(builder, imported, biases, inputScale, resultScale,
                            scales));
  } else {
    std::optional<WeightIntegers> quantized;
    if (hasWideWeight(op))
      quantized = quantizeWideWeight(op, biases, input,
                                     0x1p-40 * resultScale / inputScale);
    if (!quantized)
      quantized = getIntegers(quantizeWeight(op, biases, inputScale, form));
    lowBits = quantized->lowBits;
    scales.assign(quantized->scales.begin(), quantized->scales.end());
    weight->set(createWeight(builder, weight->get(), *quantized));
  }
  if (!bias)
    return success();

  for (double &scale : scales)
    scale = std::ldexp(scale, lowBits);
  SmallVector<int32_t> integers;
  for (auto [channel, value] : llvm::enumerate(biases)) {
    float scale = static_cast<float>(scales[scales.size() == 1 ? 0 : channel]);
    llvm::Expected<int32_t> integer =
        numerics::quantizeBias(value, inputScale, scale);
    if (!integer)
      return emitRefusal(op, integer.takeError());
    integers.push_back(*integer);
  }
  for (double &scale : scales)
    scale *= static_cast<double>(inputScale);
  bias->set(createSymmetric(builder, bias->get(), 32, scales, INT32_MIN,
                            INT32_MAX, integers));
  return success();
}
