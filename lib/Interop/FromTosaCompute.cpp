// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: ops that compute.

#include "FromTosa.h"
#include "qopt/Transforms/Constants.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

/// TOSA's top, bottom, left, right to top, left, bottom, right.
static SmallVector<int64_t> getPads(ArrayRef<int64_t> pad) {
  return {pad[0], pad[2], pad[1], pad[3]};
}

Value TosaReader::createConv(Location loc, RankedTensorType type, Value input,
                             ArrayRef<int64_t> weightShape,
                             ArrayRef<float> weight, ArrayRef<float> bias,
                             ArrayRef<int64_t> strides, ArrayRef<int64_t> pads,
                             ArrayRef<int64_t> dilations, int64_t groups) {
  auto createConstant = [&](ArrayRef<int64_t> shape, ArrayRef<float> values) {
    return createConstantF32(builder, loc,
                             RankedTensorType::get(shape, builder.getF32Type()),
                             values);
  };
  Value biasValue;
  if (llvm::any_of(bias, [](float value) { return value != 0; }))
    biasValue = createConstant({weightShape[0]}, bias);
  Value weightValue = createConstant(weightShape, weight);
  return ConvOp::create(builder, loc, type, getChannelsFirst(input),
                        weightValue, biasValue, strides, pads, dilations,
                        groups, FnAttr());
}

template <typename OpT>
LogicalResult TosaReader::finishConv(OpT op, ArrayRef<int64_t> weightShape,
                                     ArrayRef<float> weight, int64_t groups) {
  std::optional<SmallVector<float>> bias = getFloats(op.getBias());
  if (!bias)
    return refuse(op, "its bias is not constant");
  if (getScalar(op.getInputZp()) != 0.0f || getScalar(op.getWeightZp()) != 0.0f)
    return refuse(op, "it has zero points");
  if (bias->size() == 1)
    bias->resize(weightShape[0], bias->front());
  Value conv =
      createConv(op.getLoc(), getType(op.getType(), true), op.getInput(),
                 weightShape, weight, *bias, op.getStride(),
                 getPads(op.getPad()), op.getDilation(), groups);
  return finish(op, conv.getDefiningOp(), /*channelsFirst=*/true);
}

LogicalResult TosaReader::convertConv(tosa::Conv2DOp op) {
  std::optional<SmallVector<float>> weight = getFloats(op.getWeight());
  if (!weight)
    return refuse(op, "its weight is not constant");
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op.getWeight().getType()).getShape();
  return finishConv(op, layouts.other(shape),
                    permuteValues<float>(*weight, shape, layouts.getToOther()),
                    /*groups=*/1);
}

LogicalResult TosaReader::convertDepthwise(tosa::DepthwiseConv2DOp op) {
  std::optional<SmallVector<float>> weight = getFloats(op.getWeight());
  if (!weight)
    return refuse(op, "its weight is not constant");
  // rows, columns, channels, multiples to channels and multiples, rows, columns
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op.getWeight().getType()).getShape();
  return finishConv(op, {shape[2] * shape[3], 1, shape[0], shape[1]},
                    permuteValues<float>(*weight, shape, {2, 3, 0, 1}),
                    /*groups=*/shape[2]);
}

/// A product with a constant matrix is a `gemm`, whose weight has its outputs
/// first.
LogicalResult TosaReader::convertMatMul(tosa::MatMulOp op) {
  if (getScalar(op.getAZp()) != 0.0f || getScalar(op.getBZp()) != 0.0f)
    return refuse(op, "it has zero points");
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getB().getType()).getShape();
  std::optional<SmallVector<float>> weight = getFloats(op.getB());
  if (!weight || shape[0] != 1)
    return finish(op,
                  MatMulOp::create(builder, op.getLoc(), op.getType(),
                                   get(op.getA()), get(op.getB())),
                  false);
  Value constant = createConstantF32(
      builder, op.getLoc(),
      RankedTensorType::get({shape[2], shape[1]}, builder.getF32Type()),
      permuteValues<float>(*weight, shape, {0, 2, 1}));
  return finish(op,
                GemmOp::create(builder, op.getLoc(), op.getType(),
                               get(op.getA()), constant, Value(), FnAttr()),
                false);
}

template <typename From, typename To>
LogicalResult TosaReader::convertPool(From op) {
  if constexpr (std::is_same_v<From, tosa::AvgPool2dOp>)
    if (getScalar(op.getInputZp()) != 0.0f ||
        getScalar(op.getOutputZp()) != 0.0f)
      return refuse(op, "it has zero points");
  return finish(op,
                To::create(builder, op.getLoc(), getType(op.getType(), true),
                           getChannelsFirst(op.getInput()), op.getKernel(),
                           op.getStride(), getPads(op.getPad()),
                           ArrayRef<int64_t>{1, 1}),
                true);
}
template LogicalResult
    TosaReader::convertPool<tosa::MaxPool2dOp, MaxPoolOp>(tosa::MaxPool2dOp);
template LogicalResult
    TosaReader::convertPool<tosa::AvgPool2dOp, AvgPoolOp>(tosa::AvgPool2dOp);

template <typename To> LogicalResult TosaReader::convertBinary(Operation *op) {
  bool first = worksChannelsFirst(op);
  Value lhs = getOperand(op->getOperand(0), first);
  Value rhs = getOperand(op->getOperand(1), first);
  RankedTensorType type = getType(op->getResult(0).getType(), first);
  if constexpr (std::is_same_v<To, MaxOp> || std::is_same_v<To, MinOp>)
    return finish(op, To::create(builder, op->getLoc(), type, lhs, rhs), first);
  else
    return finish(
        op, To::create(builder, op->getLoc(), type, lhs, rhs, FnAttr()), first);
}
template LogicalResult TosaReader::convertBinary<AddOp>(Operation *);
template LogicalResult TosaReader::convertBinary<SubOp>(Operation *);
template LogicalResult TosaReader::convertBinary<MulOp>(Operation *);
template LogicalResult TosaReader::convertBinary<MaxOp>(Operation *);
template LogicalResult TosaReader::convertBinary<MinOp>(Operation *);

/// A sum over several axes is one op, though TOSA has one an axis.
template <typename To> LogicalResult TosaReader::convertReduce(Operation *op) {
  bool first = worksChannelsFirst(op);
  Value input = getOperand(op->getOperand(0), first);
  int64_t axis =
      getAxis(cast<IntegerAttr>(op->getAttr("axis")).getInt(), first);
  SmallVector<int64_t> axes = {axis};
  auto inner = input.getDefiningOp<To>();
  if (inner && op->getOperand(0).hasOneUse() &&
      !llvm::is_contained(inner.getAxes(), axis)) {
    llvm::append_range(axes, inner.getAxes());
    llvm::sort(axes);
    input = inner.getInput();
  }
  auto sum = To::create(builder, op->getLoc(),
                        getType(op->getResult(0).getType(), first), input, axes,
                        /*keep_dims=*/true);
  return finish(op, sum, first);
}
template LogicalResult TosaReader::convertReduce<ReduceSumOp>(Operation *);
template LogicalResult TosaReader::convertReduce<ReduceMaxOp>(Operation *);
template LogicalResult TosaReader::convertReduce<ReduceMinOp>(Operation *);

/// A sum divided by the number of its terms is a mean.
LogicalResult TosaReader::convertMul(tosa::MulOp op) {
  for (unsigned index : {0u, 1u}) {
    Value other = op->getOperand(index);
    std::optional<float> factor = getScalar(op->getOperand(1 - index));
    if (!factor || other.getType() != op.getType())
      continue;
    bool first = worksChannelsFirst(op);
    auto sum = getOperand(other, first).getDefiningOp<ReduceSumOp>();
    if (!sum || !other.hasOneUse())
      continue;
    int64_t count = sum.getInput().getType().getNumElements() /
                    std::max<int64_t>(1, sum.getType().getNumElements());
    if (*factor != static_cast<float>(1.0 / count))
      continue;
    return finish(op,
                  ReduceMeanOp::create(builder, op.getLoc(), sum.getType(),
                                       sum.getInput(), sum.getAxes(),
                                       sum.getKeepDims()),
                  first);
  }
  return convertBinary<MulOp>(op);
}

LogicalResult TosaReader::convertFunction(Operation *op,
                                          ArrayRef<FnAttr> functions) {
  bool first = worksChannelsFirst(op);
  SmallVector<Attribute> list(functions.begin(), functions.end());
  return finish(op,
                UnaryOp::create(builder, op->getLoc(),
                                getType(op->getResult(0).getType(), first),
                                getOperand(op->getOperand(0), first),
                                builder.getArrayAttr(list)),
                first);
}

LogicalResult TosaReader::convertClamp(tosa::ClampOp op) {
  double low = cast<FloatAttr>(op.getMinVal()).getValueAsDouble();
  double high = cast<FloatAttr>(op.getMaxVal()).getValueAsDouble();
  // TOSA writes an open end as the largest float.
  if (low <= -FLT_MAX)
    low = -HUGE_VAL;
  if (high >= FLT_MAX)
    high = HUGE_VAL;
  if (std::isnan(low) || std::isnan(high) || low > high)
    return refuse(op, "its bounds are not ordered");
  MLIRContext *context = op.getContext();
  if (low == 0 && high == HUGE_VAL)
    return convertFunction(op, FnAttr::get(context, Function::Relu, {}));
  return convertFunction(op, FnAttr::get(context, Function::Clip, {low, high}));
}

LogicalResult TosaReader::convertNegate(tosa::NegateOp op) {
  if (getScalar(op.getInput1Zp()) != 0.0f ||
      getScalar(op.getOutputZp()) != 0.0f)
    return refuse(op, "it has zero points");
  return convertFunction(
      op, FnAttr::get(op.getContext(), Function::Affine, {-1.0, 0.0}));
}

LogicalResult TosaReader::convertPow(tosa::PowOp op) {
  std::optional<float> exponent = getScalar(op.getInput2());
  if (!exponent || op.getInput1().getType() != op.getType())
    return refuse(op, "its exponent is not one constant");
  return convertFunction(op, FnAttr::get(op.getContext(), Function::Pow,
                                         {static_cast<double>(*exponent)}));
}

LogicalResult TosaReader::convertRsqrt(tosa::RsqrtOp op) {
  MLIRContext *context = op.getContext();
  return convertFunction(op, {FnAttr::get(context, Function::Sqrt, {}),
                              FnAttr::get(context, Function::Reciprocal, {})});
}
