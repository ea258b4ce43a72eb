// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float elementwise ops, softmax, and the ops between levels.

#include "Loops.h"
#include "Ops.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

/// `compute(a, b)` of broadcast operands, clamped, rounded once.
template <typename Op, typename Compute>
static llvm::Error evaluateBinary(Op op, Operands in, Tensor &out,
                                  Compute compute) {
  BroadcastMap left(out.getShape(), in[0]->getShape());
  BroadcastMap right(out.getShape(), in[1]->getShape());
  ArrayRef<float> a = in[0]->values<float>(), b = in[1]->values<float>();
  FnAttr activation = op.getActivationAttr();
  MutableArrayRef<float> result = out.values<float>();
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    double value = compute(static_cast<double>(a[left(i)]),
                           static_cast<double>(b[right(i)]));
    if (activation)
      value = std::min(std::max(value, activation.getClampMin()),
                       activation.getClampMax());
    result[i] = static_cast<float>(value);
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(AddOp op, Operands in, Tensor &out) {
  return evaluateBinary(op, in, out, [](double a, double b) { return a + b; });
}

llvm::Error reference::evaluateOp(SubOp op, Operands in, Tensor &out) {
  return evaluateBinary(op, in, out, [](double a, double b) { return a - b; });
}

llvm::Error reference::evaluateOp(MulOp op, Operands in, Tensor &out) {
  return evaluateBinary(op, in, out, [](double a, double b) { return a * b; });
}

llvm::Error reference::evaluateOp(DivOp op, Operands in, Tensor &out) {
  return evaluateBinary(op, in, out, [](double a, double b) { return a / b; });
}

/// `choose(a, b)` of broadcast operands.
template <typename Choose>
static llvm::Error evaluateExtreme(Operands in, Tensor &out, Choose choose) {
  BroadcastMap left(out.getShape(), in[0]->getShape());
  BroadcastMap right(out.getShape(), in[1]->getShape());
  ArrayRef<float> a = in[0]->values<float>(), b = in[1]->values<float>();
  for (int64_t i = 0; i < out.getNumElements(); ++i)
    out.values<float>()[i] = choose(a[left(i)], b[right(i)]);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(MaxOp, Operands in, Tensor &out) {
  return evaluateExtreme(in, out,
                         [](float a, float b) { return std::max(a, b); });
}

llvm::Error reference::evaluateOp(MinOp, Operands in, Tensor &out) {
  return evaluateExtreme(in, out,
                         [](float a, float b) { return std::min(a, b); });
}

llvm::Error reference::evaluateOp(UnaryOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  SmallVector<numerics::ScalarFunction> chain = op.getChain();
  for (size_t i = 0; i < x.size(); ++i)
    result[i] = static_cast<float>(numerics::evaluate(chain, x[i]));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(BatchNormOp, Operands in, Tensor &out) {
  AxisView view(out.getShape(), 1);
  ArrayRef<float> x = in[0]->values<float>();
  ArrayRef<float> scale = in[1]->values<float>();
  ArrayRef<float> shift = in[2]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    int64_t c = i / view.step % view.length;
    result[i] = static_cast<float>(static_cast<double>(x[i]) * scale[c] +
                                   static_cast<double>(shift[c]));
  }
  return llvm::Error::success();
}

/// `finish(x - max, e^(x - max), sum of these)` of each element of each row.
template <typename Op, typename Finish>
static llvm::Error evaluateRows(Op op, Operands in, Tensor &out,
                                Finish finish) {
  AxisView view(out.getShape(), op.getAxis());
  ArrayRef<float> x = in[0]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  std::vector<double> row(view.length);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.step; ++i) {
      double largest = -HUGE_VAL, sum = 0;
      for (int64_t k = 0; k < view.length; ++k)
        largest = std::max<double>(largest, x[view.index(o, k, i)]);
      for (int64_t k = 0; k < view.length; ++k)
        sum += row[k] = numerics::expDouble(x[view.index(o, k, i)] - largest);
      for (int64_t k = 0; k < view.length; ++k) {
        int64_t index = view.index(o, k, i);
        result[index] =
            static_cast<float>(finish(x[index] - largest, row[k], sum));
      }
    }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(SoftmaxOp op, Operands in, Tensor &out) {
  return evaluateRows(op, in, out,
                      [](double, double e, double sum) { return e / sum; });
}

llvm::Error reference::evaluateOp(LogSoftmaxOp op, Operands in, Tensor &out) {
  return evaluateRows(op, in, out, [](double x, double, double sum) {
    return x - std::log(sum);
  });
}

// The evaluator moves every result to its type's grid, so the ops between
// levels have nothing else to do.

static llvm::Error copyInput(Operands in, Tensor &out) {
  llvm::copy(in[0]->bytes(), out.bytes().begin());
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ObserveOp, Operands in, Tensor &out) {
  return copyInput(in, out);
}

llvm::Error reference::evaluateOp(QuantizeOp, Operands in, Tensor &out) {
  return copyInput(in, out);
}

llvm::Error reference::evaluateOp(DequantizeOp, Operands in, Tensor &out) {
  return copyInput(in, out);
}

llvm::Error reference::evaluateOp(RequantizeOp, Operands in, Tensor &out) {
  return copyInput(in, out);
}
