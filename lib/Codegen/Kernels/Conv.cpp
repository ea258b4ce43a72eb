// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions and fully connected layers, integer and float, as products:
// which strides rows and sums have, and what is folded into weights and biases.

#include "Table.h"
#include "WeightDigits.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/TileGemm.h"
#include "qopt/Codegen/Plan/Geometry.h"
#include <limits>

namespace mlir::qopt::codegen {
namespace {

/// One axis of the sum, in elements; outermost first.
struct SumAxis {
  int64_t count;
  int64_t stride;
};

/// Splits the sum into a contiguous run and the levels above it.
void setSum(TileGemm &gemm, ArrayRef<SumAxis> axes) {
  int64_t width = byteWidth(gemm.in);
  gemm.runElements = 1;
  bool isRun = true;
  for (const SumAxis &axis : llvm::reverse(axes)) {
    if (axis.count == 1)
      continue;
    if (isRun && axis.stride == gemm.runElements) {
      gemm.runElements *= axis.count;
      continue;
    }
    isRun = false;
    gemm.segments.insert(gemm.segments.begin(),
                         {axis.count, axis.stride * width});
  }
}

int64_t sumLength(const TileGemm &gemm) {
  return gemm.numRuns() * gemm.runElements;
}

/// What an integer op multiplies by and adds; `at(channel, position)` is the
/// stored weight in the order of the sum.
struct IntegerWeights {
  ConstantData data;
  std::optional<ConstantData> bias;
  ArrayRef<int32_t> zeroPoints;
  std::function<int64_t(int64_t channel, int64_t position)> indexOf;
  /// Of the op's channels, the one that is channel 0 here.
  int64_t firstChannel = 0;

  int64_t biasAt(int64_t channel) const {
    return bias ? bias->intAt(firstChannel + channel) : 0;
  }
  int32_t at(int64_t channel, int64_t position) const {
    channel += firstChannel;
    int64_t z = zeroPoints.empty()       ? 0
                : zeroPoints.size() == 1 ? zeroPoints[0]
                                         : zeroPoints[channel];
    return data.intAt(indexOf(channel, position)) - z;
  }
};

/// Passes over the sum once for each digit of the high bytes, then once for the
/// low bytes.
void setWideWeights(TileGemm &gemm, std::shared_ptr<IntegerWeights> weights) {
  int64_t length = sumLength(gemm), digits = 1;
  for (int64_t channel = 0; channel < gemm.channels * gemm.groups; ++channel)
    for (int64_t position = 0; position < length; ++position)
      digits = std::max(
          digits, countWeightDigits(highBytes(weights->at(channel, position))));
  gemm.segments.insert(gemm.segments.begin(), {digits + 1, 0});
  gemm.leadingShift = 8;
  gemm.weight = [weights, length, digits](int64_t channel, int64_t position) {
    int32_t weight = weights->at(channel, position % length);
    int64_t digit = position / length;
    return digit == digits ? lowByte(weight)
                           : weightDigit(highBytes(weight), digit);
  };
}

/// Folds zero points into the bias and, where weights less their zero points
/// leave 8 bits, passes over the sum once for each of their digits.
void setIntegerWeights(TileGemm &gemm, std::shared_ptr<IntegerWeights> weights,
                       int64_t inputZeroPoint, int64_t inputBias) {
  int64_t length = sumLength(gemm), channels = gemm.channels * gemm.groups;
  int64_t digits = 1;
  bool isWide = weights->data.kind != ElementKind::I8;
  int64_t top = gemm.in == ElementKind::I8 ? INT8_MAX : INT16_MAX;
  int64_t reach = std::max(top - inputZeroPoint, top + 1 + inputZeroPoint);
  gemm.requant.bound = 0;
  gemm.bias.resize(channels);
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t sum = 0, magnitude = 0;
    for (int64_t position = 0; position < length; ++position) {
      int32_t weight = weights->at(channel, position);
      if (!isWide)
        digits = std::max(digits, countWeightDigits(weight));
      sum += weight;
      magnitude += std::abs(weight);
    }
    int64_t bias = weights->biasAt(channel);
    gemm.requant.bound =
        std::max(gemm.requant.bound, reach * magnitude + std::abs(bias));
    // Modulo 2^32, like the sum itself; the whole fits.
    gemm.bias[channel] = static_cast<int32_t>(
        static_cast<uint32_t>(bias - (inputZeroPoint + inputBias) * sum));
  }
  if (gemm.in == ElementKind::I8 && isWide)
    return setWideWeights(gemm, std::move(weights));
  if (gemm.in != ElementKind::I8 || digits == 1) {
    gemm.weight = [weights](int64_t channel, int64_t position) {
      return weights->at(channel, position);
    };
    if (!isWide)
      gemm.packing = findPacking(gemm);
    return;
  }
  gemm.segments.insert(gemm.segments.begin(), {digits, 0});
  gemm.weight = [weights, length](int64_t channel, int64_t position) {
    return weightDigit(weights->at(channel, position % length),
                       position / length);
  };
}

/// Float weights, bias and clamp.
void setFloatWeights(TileGemm &gemm, std::shared_ptr<ConstantData> weights,
                     std::optional<ConstantData> bias, qopt::FnAttr activation,
                     std::function<int64_t(int64_t, int64_t)> indexOf) {
  for (int64_t channel = 0; channel < gemm.channels * gemm.groups; ++channel)
    gemm.bias.push_back(
        llvm::bit_cast<int32_t>(bias ? bias->floatAt(channel) : 0.0f));
  gemm.weight = [weights, indexOf](int64_t channel, int64_t position) {
    return llvm::bit_cast<int32_t>(
        weights->floatAt(indexOf(channel, position)));
  };
  gemm.out = ElementKind::F32;
  gemm.requant.form = TileRequant::Form::Float;
  constexpr double inf = std::numeric_limits<double>::infinity();
  gemm.requant.floatMin =
      static_cast<float>(activation ? activation.getClampMin() : -inf);
  gemm.requant.floatMax =
      static_cast<float>(activation ? activation.getClampMax() : inf);
}

/// Rows, sum and positions of a convolution.
/// Rows are the view's, and channels where there are no groups: it may be a
/// part of the result.
TileGemm convGemm(const ConvGeometry &g, const View &in, const View &out) {
  TileGemm gemm;
  gemm.in = in.kind;
  gemm.out = out.kind;
  int64_t inWidth = in.elementBytes(), outWidth = out.elementBytes();
  gemm.rows = {
      {out.shape[0], in.strides[0] * inWidth, out.strides[0] * outWidth},
      {out.shape[2], g.strideH * in.strides[2] * inWidth,
       out.strides[2] * outWidth},
      {g.outW, g.strideW * in.strides[3] * inWidth, out.strides[3] * outWidth}};
  int64_t groupChannels = g.inChannels / g.groups;
  setSum(gemm, {{g.kernelH, g.dilationH * in.strides[2]},
                {g.kernelW, g.dilationW * in.strides[3]},
                {groupChannels, in.strides[1]}});
  gemm.channels = g.groups == 1 ? out.shape[1] : g.outChannels / g.groups;
  gemm.groups = g.groups;
  gemm.inGroupStride = groupChannels * in.strides[1] * inWidth;
  gemm.outGroupStride = gemm.channels * outWidth;
  gemm.inOrigin =
      (in.origin() - g.padTop * in.strides[2] - g.padLeft * in.strides[3]) *
      inWidth;
  gemm.outOrigin = out.origin() * outWidth;
  return gemm;
}

/// ONNX order is O, I, KH, KW; the sum goes KH, KW, I.
std::function<int64_t(int64_t, int64_t)> convIndex(const ConvGeometry &g) {
  int64_t channels = g.inChannels / g.groups, taps = g.kernelH * g.kernelW;
  return [channels, taps](int64_t channel, int64_t position) {
    int64_t tap = position / channels, input = position % channels;
    return (channel * channels + input) * taps + tap;
  };
}

/// Rows, sum and positions of a fully connected layer. An input view of
/// another rank than the operand's is a channels-last value, flattened.
TileGemm fcGemm(Value input, int64_t channels, const View &in,
                const View &out) {
  TileGemm gemm;
  gemm.in = in.kind;
  gemm.out = out.kind;
  gemm.channels = channels;
  int64_t inWidth = in.elementBytes(), outWidth = out.elementBytes();
  int64_t rank = cast<ShapedType>(input.getType()).getRank();
  if (in.rank() != rank) {
    gemm.rows = {
        {in.shape[0], in.strides[0] * inWidth, out.strides[0] * outWidth}};
    setSum(gemm, {{in.shape[2], in.strides[2]},
                  {in.shape[3], in.strides[3]},
                  {in.shape[1], in.strides[1]}});
  } else {
    for (int64_t axis = 0; axis + 1 < rank; ++axis)
      gemm.rows.push_back({in.shape[axis], in.strides[axis] * inWidth,
                           out.strides[axis] * outWidth});
    if (gemm.rows.empty())
      gemm.rows.push_back({1, 0, 0});
    setSum(gemm, {{in.shape[rank - 1], in.strides[rank - 1]}});
  }
  gemm.inOrigin = in.origin() * inWidth;
  gemm.outOrigin = out.origin() * outWidth;
  return gemm;
}

std::function<int64_t(int64_t, int64_t)> fcIndex(Value input, const View &in) {
  auto type = cast<ShapedType>(input.getType());
  int64_t length = type.getShape().back();
  if (in.rank() == type.getRank())
    return [length](int64_t channel, int64_t position) {
      return channel * length + position;
    };
  int64_t channels = in.shape[1], taps = in.shape[2] * in.shape[3];
  return [=](int64_t channel, int64_t position) {
    int64_t tap = position / channels, input = position % channels;
    return channel * length + input * taps + tap;
  };
}

/// Fails unless rows of output channels are contiguous.
LogicalResult checkOutput(Operation *op, const View &out, int64_t axis) {
  if (out.shape[axis] != 1 && out.strides[axis] != 1)
    return op->emitOpError("expects output channels next to each other, but "
                           "got a stride of ")
           << out.strides[axis];
  return success();
}

/// Weight and bias constants of `op`.
template <typename OpTy>
LogicalResult readParameters(OpTy op, ConstantData &weight,
                             std::optional<ConstantData> &bias) {
  auto weights = readConstant(op.getWeight());
  if (failed(weights))
    return op.emitOpError("expects constant weights");
  weight = std::move(*weights);
  if (!op.getBias())
    return success();
  auto values = readConstant(op.getBias());
  if (failed(values))
    return op.emitOpError("expects a constant bias");
  bias = std::move(*values);
  return success();
}

template <typename OpTy>
LogicalResult emitInteger(KernelContext &context, OpTy op, TileGemm &gemm,
                          std::function<int64_t(int64_t, int64_t)> indexOf,
                          const View &in, const View &out,
                          const ProductPart &part) {
  auto weights = std::make_shared<IntegerWeights>();
  if (failed(readParameters(op, weights->data, weights->bias)))
    return failure();
  weights->zeroPoints = op.getWeightZeroPoints();
  weights->indexOf = std::move(indexOf);
  weights->firstChannel = part.firstChannel;
  setIntegerWeights(gemm, weights, op.getInputZeroPoint(), in.storageBias);
  if (!part.table.empty())
    gemm.table = byteTable(part.table, out);
  setOutput(gemm, op.getRequant(), part.table.empty() ? out : indexView(out));
  int64_t channels = gemm.channels * gemm.groups;
  auto own = [&](ArrayRef<int32_t> values) {
    return values.size() == 1 ? values
                              : values.slice(part.firstChannel, channels);
  };
  chooseTileForm(gemm.requant, own(op.getRequant().getMultiplier()),
                 own(op.getRequant().getShift()), channels, out.kind);
  emitTileGemm(context, op.getLoc(), gemm, in, out);
  return success();
}

template <typename OpTy>
LogicalResult emitFloat(KernelContext &context, OpTy op, TileGemm &gemm,
                        std::function<int64_t(int64_t, int64_t)> indexOf,
                        const View &in, const View &out) {
  auto weights = std::make_shared<ConstantData>();
  std::optional<ConstantData> bias;
  if (failed(readParameters(op, *weights, bias)))
    return failure();
  setFloatWeights(gemm, weights, std::move(bias), op.getActivationAttr(),
                  std::move(indexOf));
  emitTileGemm(context, op.getLoc(), gemm, in, out);
  return success();
}

} // namespace

LogicalResult emit(KernelContext &context, qint::ConvOp op, ArrayRef<View> in,
                   ArrayRef<View> out, const ProductPart &part) {
  ConvGeometry g = *convGeometry(op);
  if (g.isDepthwise() && op.getWeight().getType().getElementType().isInteger(8))
    return emitDepthwise(context, op, in, out, part);
  if (failed(checkOutput(op, out[0], 1)))
    return failure();
  TileGemm gemm = convGemm(g, in[0], out[0]);
  return emitInteger(context, op, gemm, convIndex(g), in[0], out[0], part);
}

LogicalResult emit(KernelContext &context, qopt::ConvOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  ConvGeometry g = *convGeometry(op);
  if (g.isDepthwise())
    return emitDepthwise(context, op, in, out);
  if (failed(checkOutput(op, out[0], 1)))
    return failure();
  TileGemm gemm = convGemm(g, in[0], out[0]);
  return emitFloat(context, op, gemm, convIndex(g), in[0], out[0]);
}

LogicalResult emit(KernelContext &context, qint::GemmOp op, ArrayRef<View> in,
                   ArrayRef<View> out, const ProductPart &part) {
  if (failed(checkOutput(op, out[0], out[0].rank() - 1)))
    return failure();
  TileGemm gemm = fcGemm(op.getInput(), out[0].shape.back(), in[0], out[0]);
  return emitInteger(context, op, gemm, fcIndex(op.getInput(), in[0]), in[0],
                     out[0], part);
}

LogicalResult emit(KernelContext &context, qopt::GemmOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  if (failed(checkOutput(op, out[0], out[0].rank() - 1)))
    return failure();
  TileGemm gemm = fcGemm(op.getInput(), out[0].shape.back(), in[0], out[0]);
  return emitFloat(context, op, gemm, fcIndex(op.getInput(), in[0]), in[0],
                   out[0]);
}

} // namespace mlir::qopt::codegen
