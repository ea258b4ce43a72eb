// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer convolution and fully connected layers (docs/arithmetic.md,
// "Convolution and gemm").

#include "Loops.h"
#include "Ops.h"
#include "Requantizer.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

/// Biases and weight zero points by output channel.
template <typename Op> struct LayerParameters {
  LayerParameters(Op op, Operands in)
      : bias(in.size() > 2 ? in[2]->values<int32_t>() : ArrayRef<int32_t>()),
        weightZeros(op.getWeightZeroPoints()) {}

  int64_t biasOf(int64_t o) const { return bias.empty() ? 0 : bias[o]; }
  int64_t weightZero(int64_t o) const {
    if (weightZeros.empty())
      return 0;
    return weightZeros[weightZeros.size() == 1 ? 0 : o];
  }

  ArrayRef<int32_t> bias, weightZeros;
};

template <typename In, typename Weight>
static llvm::Error evaluateConv(qint::ConvOp op, Operands in, Tensor &out) {
  auto geometry =
      ConvGeometry::get(in[0]->getShape(), in[1]->getShape(), op.getStrides(),
                        op.getPads(), op.getDilations(), op.getGroups());
  LayerParameters<qint::ConvOp> parameters(op, in);
  Requantizer requantize(op.getRequant());
  auto run = [&](auto zero) {
    using Acc = decltype(zero);
    // The bias joins in int64, where the sum of both is exact.
    convolve<Acc>(
        geometry, in[0]->values<In>(), in[1]->values<Weight>(),
        static_cast<Acc>(op.getInputZeroPoint()),
        [&](int64_t o) { return static_cast<Acc>(parameters.weightZero(o)); },
        [](int64_t) { return Acc(0); },
        [&](int64_t o, int64_t first, ArrayRef<Acc> row) {
          for (size_t i = 0; i < row.size(); ++i)
            out.setInteger(first + i, requantize.fromInt32(
                                          row[i] + parameters.biasOf(o), o));
        });
  };
  // A product of 8-bit values is at most 255 * 255.
  if (sizeof(In) + sizeof(Weight) == 2 && geometry.taps() <= INT32_MAX / 65025)
    run(int32_t(0));
  else
    run(int64_t(0));
  return requantize.finish(op);
}

/// Calls `function` with a zero of the input's and one of the weight's type.
template <typename Function>
static llvm::Error withTypes(Operands in, Function function) {
  auto withInput = [&](auto input) {
    return in[1]->getKind() == ElementKind::I8 ? function(input, int8_t())
                                               : function(input, int16_t());
  };
  return in[0]->getKind() == ElementKind::I8 ? withInput(int8_t())
                                             : withInput(int16_t());
}

llvm::Error reference::evaluateOp(qint::ConvOp op, Operands in, Tensor &out) {
  return withTypes(in, [&](auto input, auto weight) {
    return evaluateConv<decltype(input), decltype(weight)>(op, in, out);
  });
}

template <typename In, typename Weight>
static llvm::Error evaluateGemm(qint::GemmOp op, Operands in, Tensor &out) {
  ArrayRef<In> x = in[0]->values<In>();
  ArrayRef<Weight> w = in[1]->values<Weight>();
  int64_t width = in[1]->getShape()[0], depth = in[1]->getShape()[1];
  int32_t inputZero = op.getInputZeroPoint();
  LayerParameters<qint::GemmOp> parameters(op, in);
  Requantizer requantize(op.getRequant());
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    int64_t row = i / width, n = i % width;
    int32_t weightZero = parameters.weightZero(n);
    int64_t acc = parameters.biasOf(n);
    for (int64_t k = 0; k < depth; ++k)
      acc += int64_t(x[row * depth + k] - inputZero) *
             (w[n * depth + k] - weightZero);
    out.setInteger(i, requantize.fromInt32(acc, n));
  }
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::GemmOp op, Operands in, Tensor &out) {
  return withTypes(in, [&](auto input, auto weight) {
    return evaluateGemm<decltype(input), decltype(weight)>(op, in, out);
  });
}

llvm::Error reference::evaluateOp(qint::SumPartsOp op, Operands in,
                                  Tensor &out) {
  int64_t step = 1;
  for (int64_t size : out.getShape().drop_front(op.getAxis() + 1))
    step *= size;
  const int64_t channels = out.getShape()[op.getAxis()];
  ArrayRef<int32_t> high = in[0]->values<int32_t>();
  ArrayRef<int32_t> low = in[1]->values<int32_t>();
  Requantizer requantize(op.getRequant());
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    int64_t acc = int64_t(high[i]) * (int64_t(1) << op.getLowBits()) + low[i];
    out.setInteger(i, requantize(acc, i / step % channels));
  }
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::MatMulOp op, Operands in, Tensor &out) {
  Requantizer requantize(op.getRequant());
  multiplyMatrices<int64_t>(
      in[0]->getShape(), in[1]->getShape(), out.getShape(),
      [&](int64_t i, int64_t j) {
        return (static_cast<int64_t>(in[0]->getInteger(i)) -
                op.getLhsZeroPoint()) *
               (static_cast<int64_t>(in[1]->getInteger(j)) -
                op.getRhsZeroPoint());
      },
      [&](int64_t index, int64_t sum) {
        out.setInteger(index, requantize.fromInt32(sum, 0));
      });
  return requantize.finish(op);
}
