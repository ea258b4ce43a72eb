// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: ops that compute.

#include "FromTosa.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

/// TOSA's top, bottom, left, right to top, left, bottom, right.
static SmallVector<int64_t> getPads(ArrayRef<int64_t> pad) {
  return {pad[0], pad[2], pad[1], pad[3]};
}

template <typename OpT>
LogicalResult TosaReader::finishConv(OpT op, ArrayRef<int64_t> weightShape,
                                     ArrayRef<float> weight, int64_t groups) {
  int64_t outputs = weightShape[0];
  std::optional<SmallVector<float>> bias = getFloats(op.getBias());
  if (!bias)
    return refuse(op, "its bias is not constant");
  if (getScalar(op.getInputZp()) != 0.0f || getScalar(op.getWeightZp()) != 0.0f)
    return refuse(op, "it has zero points");
  if (bias->size() == 1)
    bias->resize(outputs, bias->front());
  Value biasValue;
  if (llvm::any_of(*bias, [](float value) { return value != 0; }))
    biasValue = createConstantF32(
        builder, op.getLoc(),
        RankedTensorType::get({outputs}, builder.getF32Type()), *bias);
  Value weightValue = createConstantF32(
      builder, op.getLoc(),
      RankedTensorType::get(weightShape, builder.getF32Type()), weight);
  auto conv = ConvOp::create(
      builder, op.getLoc(), getType(op.getType(), /*channelsFirst=*/true),
      getChannelsFirst(op.getInput()), weightValue, biasValue, op.getStride(),
      getPads(op.getPad()), op.getDilation(), groups, FnAttr());
  return finish(op, conv, /*channelsFirst=*/true);
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

std::optional<SmallVector<FnAttr>> TosaReader::getFunctions(Operation *op) {
  auto fn = [&](Function function, ArrayRef<double> params = {}) {
    return FnAttr::get(op->getContext(), function, params);
  };
  using Result = std::optional<SmallVector<FnAttr>>;
  auto one = [&](Function function) { return Result({fn(function)}); };
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](tosa::SigmoidOp) { return one(Function::Sigmoid); })
      .Case([&](tosa::TanhOp) { return one(Function::Tanh); })
      .Case([&](tosa::ErfOp) { return one(Function::Erf); })
      .Case([&](tosa::ExpOp) { return one(Function::Exp); })
      .Case([&](tosa::LogOp) { return one(Function::Log); })
      .Case([&](tosa::AbsOp) { return one(Function::Abs); })
      .Case([&](tosa::FloorOp) { return one(Function::Floor); })
      .Case([&](tosa::CeilOp) { return one(Function::Ceil); })
      .Case([&](tosa::ReciprocalOp) { return one(Function::Reciprocal); })
      .Case([&](tosa::RsqrtOp) {
        return Result({fn(Function::Sqrt), fn(Function::Reciprocal)});
      })
      .Case([&](tosa::NegateOp negate) -> Result {
        if (getScalar(negate.getInput1Zp()) != 0.0f ||
            getScalar(negate.getOutputZp()) != 0.0f)
          return std::nullopt;
        return Result({fn(Function::Affine, {-1.0, 0.0})});
      })
      .Case([&](tosa::PowOp pow) -> Result {
        std::optional<float> exponent = getScalar(pow.getInput2());
        if (!exponent || pow.getInput1().getType() != pow.getType())
          return std::nullopt;
        return Result({fn(Function::Pow, {static_cast<double>(*exponent)})});
      })
      .Default([](Operation *) { return std::nullopt; });
}
