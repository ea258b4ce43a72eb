// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float pooling and reductions.

#include "Loops.h"
#include "Ops.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

template <typename Op> static Window2D windowOf(Op op, const Tensor &input) {
  return *Window2D::get(input.getShape().drop_front(2), op.getKernel(),
                        op.getStrides(), op.getPads(), op.getDilations());
}

llvm::Error reference::evaluateOp(MaxPoolOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  forEachWindow(in[0]->getShape(), windowOf(op, *in[0]),
                [&](int64_t index, auto taps) {
                  float largest = -HUGE_VALF;
                  taps([&](int64_t i) { largest = std::max(largest, x[i]); });
                  result[index] = largest;
                });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(AvgPoolOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  forEachWindow(in[0]->getShape(), windowOf(op, *in[0]),
                [&](int64_t index, auto taps) {
                  double sum = 0;
                  int64_t count = 0;
                  taps([&](int64_t i) {
                    sum += x[i];
                    ++count;
                  });
                  result[index] = static_cast<float>(sum / count);
                });
  return llvm::Error::success();
}

/// The sums over the reduced axes in double.
template <typename Op>
static std::vector<double> reducedSums(Op op, Operands in, const Tensor &out) {
  BroadcastMap map = reductionMap(in[0]->getShape(), op.getAxes());
  ArrayRef<float> x = in[0]->values<float>();
  std::vector<double> sums(out.getNumElements());
  for (size_t i = 0; i < x.size(); ++i)
    sums[map(i)] += x[i];
  return sums;
}

llvm::Error reference::evaluateOp(ReduceMeanOp op, Operands in, Tensor &out) {
  std::vector<double> sums = reducedSums(op, in, out);
  int64_t elements = in[0]->getNumElements();
  double count =
      elements == 0 ? 1 : static_cast<double>(elements) / sums.size();
  for (size_t i = 0; i < sums.size(); ++i)
    out.values<float>()[i] = static_cast<float>(sums[i] / count);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReduceSumOp op, Operands in, Tensor &out) {
  std::vector<double> sums = reducedSums(op, in, out);
  for (size_t i = 0; i < sums.size(); ++i)
    out.values<float>()[i] = static_cast<float>(sums[i]);
  return llvm::Error::success();
}

/// `choose(best, x)` over the reduced elements, from `start` on.
template <typename Op, typename Choose>
static llvm::Error reduceExtreme(Op op, Operands in, Tensor &out, float start,
                                 Choose choose) {
  BroadcastMap map = reductionMap(in[0]->getShape(), op.getAxes());
  ArrayRef<float> x = in[0]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  std::fill(result.begin(), result.end(), start);
  for (size_t i = 0; i < x.size(); ++i)
    result[map(i)] = choose(result[map(i)], x[i]);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReduceMaxOp op, Operands in, Tensor &out) {
  return reduceExtreme(op, in, out, -HUGE_VALF,
                       [](float a, float b) { return std::max(a, b); });
}

llvm::Error reference::evaluateOp(ReduceMinOp op, Operands in, Tensor &out) {
  return reduceExtreme(op, in, out, HUGE_VALF,
                       [](float a, float b) { return std::min(a, b); });
}
