// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA out: ops that compute. TOSA's `rescale` with SINGLE_ROUND is the
// requantization of docs/arithmetic.md.

#include "ToTosa.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qopt;

/// The largest `|q - zeroPoint|` of an integer tensor.
static int64_t getMagnitude(Value value, int64_t zeroPoint) {
  unsigned width =
      getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  return std::max(llvm::maxIntN(width) - zeroPoint,
                  zeroPoint - llvm::minIntN(width));
}

static bool isI8(Value value) {
  return getElementTypeOrSelf(value.getType()).isInteger(8);
}

/// The integers of a constant; none for another value or where data is missing.
static std::optional<SmallVector<int64_t>> readIntegers(Value value) {
  auto constant = value.getDefiningOp<qint::ConstantOp>();
  if (!constant)
    return std::nullopt;
  ElementsAttr elements = constant.getValue();
  SmallVector<int64_t> result;
  if (auto dense = dyn_cast<DenseIntElementsAttr>(elements)) {
    for (const APInt &element : dense.getValues<APInt>())
      result.push_back(element.getSExtValue());
    return result;
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(elements);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  size_t width = elements.getElementType().getIntOrFloatBitWidth() / 8;
  if (!blob || blob->getData().size() !=
                   width * static_cast<size_t>(elements.getNumElements()))
    return std::nullopt;
  const char *data = blob->getData().data();
  for (int64_t i = 0; i < elements.getNumElements(); ++i) {
    // little endian, as all that qopt writes
    uint64_t bits = 0;
    std::memcpy(&bits, data + i * width, width);
    result.push_back(llvm::SignExtend64(bits, 8 * width));
  }
  return result;
}

Value TosaWriter::subtractZeroPoint(Value value, int64_t zeroPoint) {
  auto type = cast<RankedTensorType>(value.getType());
  RankedTensorType wide = type.clone(builder.getI32Type());
  if (zeroPoint == 0)
    return tosa::CastOp::create(builder, loc, wide, value);
  // TOSA takes zero points off 8-bit values alone.
  if (!isI8(value)) {
    SmallVector<int64_t> ones(type.getRank(), 1);
    Value cast = tosa::CastOp::create(builder, loc, wide, value);
    return tosa::SubOp::create(builder, loc, wide, cast,
                               makeConstant(wide.clone(ones), {zeroPoint}));
  }
  return tosa::RescaleOp::create(
      builder, loc, wide, value, makeZero(builder.getI32Type(), 1 << 30),
      makeZero(builder.getI8Type(), 30),
      makeZero(type.getElementType(), zeroPoint),
      makeZero(builder.getI32Type()), /*scale32=*/true,
      tosa::RoundingMode::SINGLE_ROUND, /*per_channel=*/false,
      /*input_unsigned=*/false, /*output_unsigned=*/false);
}

Value TosaWriter::rescale(Operation *op, Value value, int64_t zeroPoint,
                          qint::RequantAttr requant, Type elementType,
                          ArrayRef<int64_t> bound) {
  auto failed = [&](const Twine &reason) {
    (void)refuse(op, reason);
    return Value();
  };
  if (requant.getRounding() != qint::Rounding::HalfUp)
    return failed("it rounds halves to even");
  if (elementType.isInteger(16) && requant.getZeroPoint() != 0)
    return failed("16-bit values have no zero point there");
  if (!isI8(value) && zeroPoint != 0) {
    value = subtractZeroPoint(value, zeroPoint);
    zeroPoint = 0;
  }
  size_t channels =
      std::max(requant.getMultiplier().size(), requant.getShift().size());
  SmallVector<int64_t> multipliers, shifts;
  for (size_t channel = 0; channel < channels; ++channel) {
    int64_t multiplier = requant.getMultiplierFor(channel);
    int64_t shift = requant.getShiftFor(channel);
    int64_t limit = channels == 1 ? *llvm::max_element(bound)
                                  : bound[bound.size() == 1 ? 0 : channel];
    // TOSA wants |value| < 2^(shift - 1); doubling both changes nothing.
    while ((shift < 2 || limit >= (INT64_C(1) << (shift - 1))) && shift < 62 &&
           multiplier < (1 << 30)) {
      multiplier *= 2;
      ++shift;
    }
    if (shift < 2 || limit >= (INT64_C(1) << (shift - 1)))
      return failed("its factor is too large");
    multipliers.push_back(multiplier);
    shifts.push_back(shift);
  }
  auto type = cast<RankedTensorType>(value.getType()).clone(elementType);
  auto list = [&](Type element, ArrayRef<int64_t> values) {
    return makeConstant(
        RankedTensorType::get({static_cast<int64_t>(values.size())}, element),
        values);
  };
  Value result = tosa::RescaleOp::create(
      builder, loc, type, value, list(builder.getI32Type(), multipliers),
      list(builder.getI8Type(), shifts),
      makeZero(getElementTypeOrSelf(value.getType()), zeroPoint),
      makeZero(elementType, requant.getZeroPoint()), /*scale32=*/true,
      tosa::RoundingMode::SINGLE_ROUND, /*per_channel=*/channels > 1,
      /*input_unsigned=*/false, /*output_unsigned=*/false);
  unsigned width = elementType.getIntOrFloatBitWidth();
  if (requant.getClampMin() <= llvm::minIntN(width) &&
      requant.getClampMax() >= llvm::maxIntN(width))
    return result;
  return tosa::ClampOp::create(
      builder, loc, type, result,
      builder.getIntegerAttr(elementType, requant.getClampMin()),
      builder.getIntegerAttr(elementType, requant.getClampMax()));
}

Value TosaWriter::fitWindow(Value input, ArrayRef<int64_t> kernel,
                            ArrayRef<int64_t> strides,
                            ArrayRef<int64_t> dilations,
                            SmallVectorImpl<int64_t> &pads) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape(type.getShape());
  // qopt's top, left, bottom, right
  for (unsigned axis : {0u, 1u}) {
    int64_t extent = (kernel[axis] - 1) * dilations[axis] + 1;
    int64_t left = (shape[1 + axis] + pads[axis] + pads[2 + axis] - extent) %
                   strides[axis];
    int64_t padding = std::min(left, pads[2 + axis]);
    pads[2 + axis] -= padding;
    shape[1 + axis] -= left - padding;
  }
  std::swap(pads[1], pads[2]);
  if (type.getShape() == ArrayRef<int64_t>(shape))
    return input;
  return tosa::SliceOp::create(builder, loc, type.clone(shape), input,
                               makeShape({0, 0, 0, 0}), makeShape(shape));
}

template <typename OpT>
FailureOr<TosaWriter::Weight> TosaWriter::readWeight(OpT op) {
  if (!isI8(op.getInput()) || !isI8(op.getWeight()))
    return refuse(op, "it has 16-bit operands");
  Weight weight;
  auto values = readIntegers(op.getWeight());
  if (!values)
    return refuse(op, "its weight is not constant");
  weight.values = std::move(*values);
  weight.shape =
      llvm::to_vector(cast<ShapedType>(op.getWeight().getType()).getShape());
  ArrayRef<int32_t> zeroPoints = op.getWeightZeroPoints();
  if (!zeroPoints.empty() && !llvm::all_equal(zeroPoints))
    return refuse(op, "its channels have zero points of their own");
  weight.zeroPoint = zeroPoints.empty() ? 0 : zeroPoints.front();
  size_t outputs = weight.shape[0], size = weight.values.size() / outputs;
  weight.bias.assign(outputs, 0);
  if (op.getBias()) {
    auto bias = readIntegers(op.getBias());
    if (!bias)
      return refuse(op, "its bias is not constant");
    weight.bias = std::move(*bias);
  }
  int64_t magnitude = getMagnitude(op.getInput(), op.getInputZeroPoint());
  for (size_t output = 0; output < outputs; ++output) {
    int64_t sum = std::abs(weight.bias[output]);
    for (int64_t value :
         ArrayRef<int64_t>(weight.values).slice(output * size, size))
      sum += std::abs(value - weight.zeroPoint) * magnitude;
    weight.bound.push_back(sum);
  }
  return weight;
}

Value TosaWriter::convolveGroup(qint::ConvOp op, const Weight &weight,
                                Value input, int64_t group,
                                ArrayRef<int64_t> pads) {
  Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
  int64_t groups = op.getGroups();
  SmallVector<int64_t> shape(weight.shape);
  shape[0] /= groups;
  size_t size = weight.values.size() / groups;
  if (groups > 1) {
    auto type = cast<RankedTensorType>(input.getType());
    SmallVector<int64_t> part(type.getShape());
    part[3] = shape[1];
    input = tosa::SliceOp::create(builder, loc, type.clone(part), input,
                                  makeShape({0, 0, 0, group * shape[1]}),
                                  makeShape(part));
  }
  Value kernel = makeConstant(
      RankedTensorType::get(permuteAxes(shape, {0, 2, 3, 1}), i8),
      permuteValues<int64_t>(
          ArrayRef<int64_t>(weight.values).slice(group * size, size), shape,
          {0, 2, 3, 1}));
  Value bias = makeConstant(
      RankedTensorType::get({shape[0]}, i32),
      ArrayRef<int64_t>(weight.bias).slice(group * shape[0], shape[0]));
  SmallVector<int64_t> result(getType(op.getResult(), true).getShape());
  result[3] = shape[0];
  return tosa::Conv2DOp::create(
      builder, loc, RankedTensorType::get(result, i32), input, kernel, bias,
      makeZero(i8, op.getInputZeroPoint()), makeZero(i8, weight.zeroPoint),
      pads, op.getStrides(), op.getDilations(), i32);
}

LogicalResult TosaWriter::convertConv(qint::ConvOp op) {
  FailureOr<Weight> weight = readWeight(op);
  if (failed(weight))
    return failure();
  ArrayRef<int64_t> shape = weight->shape;
  int64_t groups = op.getGroups();
  bool depthwise = groups > 1 && shape[1] == 1;
  SmallVector<int64_t> pads(op.getPads());
  Value input = fitWindow(getChannelsLast(op.getInput()), shape.drop_front(2),
                          op.getStrides(), op.getDilations(), pads);
  Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
  RankedTensorType type = getType(op.getResult(), true);
  Value bias =
      makeConstant(RankedTensorType::get({shape[0]}, i32), weight->bias);
  Value inputZero = makeZero(i8, op.getInputZeroPoint());
  Value weightZero = makeZero(i8, weight->zeroPoint);
  Value sum;
  if (depthwise) {
    SmallVector<int64_t> split = {groups, shape[0] / groups, shape[2],
                                  shape[3]};
    Value kernel = makeConstant(
        RankedTensorType::get({shape[2], shape[3], split[0], split[1]}, i8),
        permuteValues<int64_t>(weight->values, split, {2, 3, 0, 1}));
    sum = tosa::DepthwiseConv2DOp::create(
        builder, loc, type.clone(i32), input, kernel, bias, inputZero,
        weightZero, pads, op.getStrides(), op.getDilations(), i32);
  } else {
    SmallVector<Value> parts;
    for (int64_t group = 0; group < groups; ++group)
      parts.push_back(convolveGroup(op, *weight, input, group, pads));
    sum = groups == 1 ? parts.front()
                      : tosa::ConcatOp::create(builder, loc, type.clone(i32),
                                               parts, uint32_t(3));
  }
  return finish(op,
                rescale(op, sum, 0, op.getRequant(), type.getElementType(),
                        weight->bound),
                true);
}

/// A convolution of one tap, with a row for each vector.
LogicalResult TosaWriter::convertGemm(qint::GemmOp op) {
  FailureOr<Weight> weight = readWeight(op);
  if (failed(weight))
    return failure();
  int64_t outputs = weight->shape[0], inner = weight->shape[1];
  RankedTensorType type = op.getType();
  int64_t rows = type.getNumElements() / outputs;
  Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
  Value input = reshape(get(op.getInput()), {rows, 1, 1, inner});
  Value kernel = makeConstant(RankedTensorType::get({outputs, 1, 1, inner}, i8),
                              weight->values);
  Value bias =
      makeConstant(RankedTensorType::get({outputs}, i32), weight->bias);
  Value sum = tosa::Conv2DOp::create(
      builder, loc, RankedTensorType::get({rows, 1, 1, outputs}, i32), input,
      kernel, bias, makeZero(i8, op.getInputZeroPoint()),
      makeZero(i8, weight->zeroPoint), ArrayRef<int64_t>{0, 0, 0, 0},
      ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{1, 1}, i32);
  Value result = rescale(op, sum, 0, op.getRequant(), type.getElementType(),
                         weight->bound);
  if (!result)
    return failure();
  return finish(op, reshape(result, type.getShape()), false);
}

LogicalResult TosaWriter::convertMatMul(qint::MatMulOp op) {
  if (!isI8(op.getLhs()) || !isI8(op.getRhs()))
    return refuse(op, "it has 16-bit operands");
  ArrayRef<int64_t> lhs = cast<ShapedType>(op.getLhs().getType()).getShape();
  ArrayRef<int64_t> rhs = cast<ShapedType>(op.getRhs().getType()).getShape();
  if (lhs.drop_back(2) != rhs.drop_back(2))
    return refuse(op, "its operands broadcast");
  int64_t batch = 1;
  for (int64_t size : lhs.drop_back(2))
    batch *= size;
  int64_t m = lhs[lhs.size() - 2], k = lhs.back(), n = rhs.back();
  Type i8 = builder.getI8Type();
  Value sum = tosa::MatMulOp::create(
      builder, loc, RankedTensorType::get({batch, m, n}, builder.getI32Type()),
      reshape(get(op.getLhs()), {batch, m, k}),
      reshape(get(op.getRhs()), {batch, k, n}),
      makeZero(i8, op.getLhsZeroPoint()), makeZero(i8, op.getRhsZeroPoint()));
  int64_t bound = k * getMagnitude(op.getLhs(), op.getLhsZeroPoint()) *
                  getMagnitude(op.getRhs(), op.getRhsZeroPoint());
  Value result = rescale(op, sum, 0, op.getRequant(),
                         op.getType().getElementType(), bound);
  if (!result)
    return failure();
  return finish(op, reshape(result, op.getType().getShape()), false);
}

/// `value` with ones in front of its shape, as TOSA broadcasts.
static SmallVector<int64_t> alignShape(Value value, size_t rank) {
  ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
  SmallVector<int64_t> aligned(rank - shape.size(), 1);
  llvm::append_range(aligned, shape);
  return aligned;
}

LogicalResult TosaWriter::convertAdd(qint::AddOp op) {
  qint::RequantAttr requant = op.getRequant();
  bool last = worksChannelsLast(op);
  RankedTensorType type = getType(op.getResult(), last);
  RankedTensorType wide = type.clone(builder.getI32Type());
  SmallVector<int64_t> ones(type.getRank(), 1);
  int64_t bound = 0;
  SmallVector<Value, 2> terms;
  const int64_t zeroPoints[] = {op.getLhsZeroPoint(), op.getRhsZeroPoint()};
  for (auto [index, zeroPoint] : llvm::enumerate(zeroPoints)) {
    Value old = op->getOperand(index);
    int64_t multiplier = requant.getMultiplier()[index];
    bound += getMagnitude(old, zeroPoint) * std::abs(multiplier);
    Value term = subtractZeroPoint(getOperand(old, last), zeroPoint);
    term = reshape(term, alignShape(term, type.getRank()));
    terms.push_back(
        tosa::MulOp::create(builder, loc, term.getType(), term,
                            makeConstant(wide.clone(ones), {multiplier}),
                            makeZero(builder.getI8Type())));
  }
  if (bound > llvm::maxIntN(32))
    return refuse(op, "its sum leaves 32 bits");
  Value sum = tosa::AddOp::create(builder, loc, wide, terms[0], terms[1]);
  // What is left of the requantization is the division.
  auto division = qint::RequantAttr::get(
      op.getContext(), {1}, requant.getShift(), requant.getZeroPoint(),
      requant.getClampMin(), requant.getClampMax(), requant.getRounding());
  return finish(op, rescale(op, sum, 0, division, type.getElementType(), bound),
                last);
}

LogicalResult TosaWriter::convertMul(qint::MulOp op) {
  bool last = worksChannelsLast(op);
  RankedTensorType type = getType(op.getResult(), last);
  int64_t bound = getMagnitude(op.getLhs(), op.getLhsZeroPoint()) *
                  getMagnitude(op.getRhs(), op.getRhsZeroPoint());
  if (bound > llvm::maxIntN(32))
    return refuse(op, "its product leaves 32 bits");
  auto widen = [&](Value old, int64_t zeroPoint) {
    Value value = subtractZeroPoint(getOperand(old, last), zeroPoint);
    return reshape(value, alignShape(value, type.getRank()));
  };
  Value lhs = widen(op.getLhs(), op.getLhsZeroPoint());
  Value rhs = widen(op.getRhs(), op.getRhsZeroPoint());
  Value product =
      tosa::MulOp::create(builder, loc, type.clone(builder.getI32Type()), lhs,
                          rhs, makeZero(builder.getI8Type()));
  return finish(
      op,
      rescale(op, product, 0, op.getRequant(), type.getElementType(), bound),
      last);
}

template <typename To> LogicalResult TosaWriter::convertExtreme(Operation *op) {
  bool last = worksChannelsLast(op);
  RankedTensorType type = getType(op->getResult(0), last);
  auto widen = [&](Value old) {
    Value value = subtractZeroPoint(getOperand(old, last), 0);
    return reshape(value, alignShape(value, type.getRank()));
  };
  Value lhs = widen(op->getOperand(0)), rhs = widen(op->getOperand(1));
  Value wide =
      To::create(builder, loc, type.clone(builder.getI32Type()), lhs, rhs);
  return finish(op, tosa::CastOp::create(builder, loc, type, wide), last);
}
template LogicalResult TosaWriter::convertExtreme<tosa::MaximumOp>(Operation *);
template LogicalResult TosaWriter::convertExtreme<tosa::MinimumOp>(Operation *);

LogicalResult TosaWriter::convertTable(qint::TableOp op) {
  if (!isI8(op.getInput()) || !isI8(op.getResult()))
    return refuse(op, "its table is not of 8 bits");
  bool last = worksChannelsLast(op);
  SmallVector<int64_t> entries(op.getTable().begin(), op.getTable().end());
  Value table =
      makeConstant(RankedTensorType::get({256}, builder.getI8Type()), entries);
  return finish(op,
                tosa::TableOp::create(builder, loc,
                                      getType(op.getResult(), last),
                                      getOperand(op.getInput(), last), table),
                last);
}

LogicalResult TosaWriter::convertRequantize(qint::RequantizeOp op) {
  bool last = worksChannelsLast(op);
  return finish(op,
                rescale(op, getOperand(op.getInput(), last),
                        op.getInputZeroPoint(), op.getRequant(),
                        op.getType().getElementType(),
                        getMagnitude(op.getInput(), op.getInputZeroPoint())),
                last);
}

LogicalResult TosaWriter::convertMaxPool(qint::MaxPoolOp op) {
  if (llvm::any_of(op.getDilations(), [](int64_t step) { return step != 1; }))
    return refuse(op, "its window has gaps");
  SmallVector<int64_t> pads(op.getPads());
  Value input = fitWindow(getChannelsLast(op.getInput()), op.getKernel(),
                          op.getStrides(), op.getDilations(), pads);
  return finish(
      op,
      tosa::MaxPool2dOp::create(builder, loc, getType(op.getResult(), true),
                                input, op.getKernel(), op.getStrides(), pads),
      true);
}

/// TOSA's own average pool rounds its reciprocals in another way; a depthwise
/// convolution with ones sums exactly.
LogicalResult TosaWriter::convertAvgPool(qint::AvgPoolOp op) {
  if (!isI8(op.getInput()))
    return refuse(op, "it has 16-bit operands");
  ArrayRef<int64_t> kernel = op.getKernel();
  SmallVector<int64_t> pads(op.getPads());
  std::optional<Window2D> window = Window2D::get(
      cast<ShapedType>(op.getInput().getType()).getShape().drop_front(2),
      kernel, op.getStrides(), pads, op.getDilations());
  if (!window)
    return refuse(op, "its window does not fit");
  Value input = fitWindow(getChannelsLast(op.getInput()), kernel,
                          op.getStrides(), op.getDilations(), pads);
  RankedTensorType type = getType(op.getResult(), true);
  int64_t channels = type.getShape().back();
  Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
  auto weightType =
      RankedTensorType::get({kernel[0], kernel[1], channels, 1}, i8);
  SmallVector<int64_t> ones(weightType.getNumElements(), 1);
  SmallVector<int64_t> zeros(channels, 0);
  Value sum = tosa::DepthwiseConv2DOp::create(
      builder, loc, type.clone(i32), input, makeConstant(weightType, ones),
      makeConstant(RankedTensorType::get({channels}, i32), zeros),
      makeZero(i8, op.getInputZeroPoint()), makeZero(i8), pads, op.getStrides(),
      op.getDilations(), i32);
  return finish(op, divideByTaps(op, sum, *window), true);
}

/// Windows at the border may have fewer taps, so another multiplier: each is
/// applied to all sums, and the windows that it is for are taken.
Value TosaWriter::divideByTaps(qint::AvgPoolOp op, Value sum,
                               const Window2D &window) {
  qint::RequantAttr all = op.getRequant();
  RankedTensorType type = getType(op.getResult(), true);
  RankedTensorType wide = type.clone(builder.getI32Type());
  ArrayRef<int64_t> counts = op.getTapCounts();
  int64_t bound =
      counts.back() * getMagnitude(op.getInput(), op.getInputZeroPoint());
  Value total;
  for (size_t i = 0; i < counts.size(); ++i) {
    auto requant = qint::RequantAttr::get(
        op.getContext(), {all.getMultiplierFor(i)}, {all.getShiftFor(i)},
        all.getZeroPoint(), all.getClampMin(), all.getClampMax(),
        all.getRounding());
    Value part = rescale(op, sum, 0, requant, type.getElementType(), bound);
    if (!part || counts.size() == 1)
      return part;
    SmallVector<int64_t> mask;
    for (int64_t row = 0; row < type.getDimSize(1); ++row)
      for (int64_t column = 0; column < type.getDimSize(2); ++column) {
        auto rows = window.axes[0].insideTaps(row);
        auto columns = window.axes[1].insideTaps(column);
        mask.push_back((rows.second - rows.first) *
                           (columns.second - columns.first) ==
                       counts[i]);
      }
    Value taken = makeConstant(
        wide.clone({1, type.getDimSize(1), type.getDimSize(2), 1}), mask);
    Value widened = tosa::CastOp::create(builder, loc, wide, part);
    part = tosa::MulOp::create(builder, loc, wide, widened, taken,
                               makeZero(builder.getI8Type()));
    total = total ? Value(tosa::AddOp::create(builder, loc, wide, total, part))
                  : part;
  }
  return tosa::CastOp::create(builder, loc, type, total);
}

template <typename To>
Value TosaWriter::reduce(Value input, ArrayRef<int64_t> axes,
                         bool channelsLast) {
  for (int64_t old : axes) {
    uint32_t axis = getAxis(old, channelsLast);
    auto type = cast<RankedTensorType>(input.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[axis] = 1;
    input = To::create(builder, loc, type.clone(shape), input, axis);
  }
  return input;
}

LogicalResult TosaWriter::finishReduce(Operation *op, Value made,
                                       ArrayRef<int64_t> axes,
                                       bool channelsLast) {
  if (!made)
    return failure();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (cast<RankedTensorType>(made.getType()).getRank() == type.getRank())
    return finish(op, made, channelsLast);
  // Without rows and columns both layouts are one.
  if (channelsLast && axes != ArrayRef<int64_t>{2, 3}) {
    SmallVector<int32_t> back = {0, 3, 1, 2};
    auto from = cast<RankedTensorType>(made.getType());
    made = tosa::TransposeOp::create(
        builder, loc,
        from.clone(permuteAxes(from.getShape(), layouts.getToPlain())), made,
        back);
  }
  return finish(op, reshape(made, type.getShape()), false);
}

LogicalResult TosaWriter::convertMean(qint::ReduceMeanOp op) {
  RankedTensorType inputType = cast<RankedTensorType>(op.getInput().getType());
  int64_t count = inputType.getNumElements() /
                  std::max<int64_t>(1, op.getType().getNumElements());
  int64_t bound = count * getMagnitude(op.getInput(), op.getInputZeroPoint());
  if (bound > llvm::maxIntN(32))
    return refuse(op, "its sum leaves 32 bits");
  bool last = layouts.hasOther(op.getInput()) && inputType.getRank() == 4;
  Value sum = reduce<tosa::ReduceSumOp>(
      subtractZeroPoint(getOperand(op.getInput(), last),
                        op.getInputZeroPoint()),
      op.getAxes(), last);
  return finishReduce(op,
                      rescale(op, sum, 0, op.getRequant(),
                              op.getType().getElementType(), bound),
                      op.getAxes(), last);
}

template <typename To, typename OpT>
LogicalResult TosaWriter::convertReduce(OpT op) {
  bool last = layouts.hasOther(op.getInput()) &&
              cast<RankedTensorType>(op.getInput().getType()).getRank() == 4;
  return finishReduce(
      op, reduce<To>(getOperand(op.getInput(), last), op.getAxes(), last),
      op.getAxes(), last);
}
template LogicalResult
    TosaWriter::convertReduce<tosa::ReduceMaxOp>(qint::ReduceMaxOp);
template LogicalResult
    TosaWriter::convertReduce<tosa::ReduceMinOp>(qint::ReduceMinOp);
