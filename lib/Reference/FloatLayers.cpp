// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float convolution and fully connected layers.

#include "Loops.h"
#include "Ops.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

/// `value` clamped by the fused activation, rounded to float32.
static float finish(FnAttr activation, double value) {
  if (activation)
    value = std::min(std::max(value, activation.getClampMin()),
                     activation.getClampMax());
  return static_cast<float>(value);
}

/// The bias of channel `o`, or 0.
static double biasOf(Operands in, int64_t o) {
  return in.size() > 2 ? in[2]->values<float>()[o] : 0.0;
}

llvm::Error reference::evaluateOp(ConvOp op, Operands in, Tensor &out) {
  auto geometry =
      ConvGeometry::get(in[0]->getShape(), in[1]->getShape(), op.getStrides(),
                        op.getPads(), op.getDilations(), op.getGroups());
  MutableArrayRef<float> result = out.values<float>();
  FnAttr activation = op.getActivationAttr();
  convolve<double>(
      geometry, in[0]->values<float>(), in[1]->values<float>(), 0.0,
      [](int64_t) { return 0.0; }, [&](int64_t o) { return biasOf(in, o); },
      [&](int64_t, int64_t first, ArrayRef<double> row) {
        for (size_t i = 0; i < row.size(); ++i)
          result[first + i] = finish(activation, row[i]);
      });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(GemmOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>(), w = in[1]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  int64_t width = in[1]->getShape()[0], depth = in[1]->getShape()[1];
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    int64_t row = i / width, n = i % width;
    double acc = biasOf(in, n);
    for (int64_t k = 0; k < depth; ++k)
      acc += static_cast<double>(x[row * depth + k]) * w[n * depth + k];
    result[i] = finish(op.getActivationAttr(), acc);
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(MatMulOp op, Operands in, Tensor &out) {
  ArrayRef<float> a = in[0]->values<float>(), b = in[1]->values<float>();
  multiplyMatrices<double>(
      in[0]->getShape(), in[1]->getShape(), out.getShape(),
      [&](int64_t i, int64_t j) { return static_cast<double>(a[i]) * b[j]; },
      [&](int64_t index, double sum) {
        out.values<float>()[index] = static_cast<float>(sum);
      });
  return llvm::Error::success();
}
