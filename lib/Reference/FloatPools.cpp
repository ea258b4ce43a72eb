// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float pooling and reductions.

#include "Loops.h"
#include "Ops.h"
#include <cmath>

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

/// The sums of `term(x)` over the reduced axes in double.
template <typename Op, typename Term>
static std::vector<double> reducedSums(Op op, Operands in, const Tensor &out,
                                       Term term) {
  BroadcastMap map = reductionMap(in[0]->getShape(), op.getAxes());
  ArrayRef<float> x = in[0]->values<float>();
  std::vector<double> sums(out.getNumElements());
  for (size_t i = 0; i < x.size(); ++i)
    sums[map(i)] += term(static_cast<double>(x[i]));
  return sums;
}

static double itself(double x) { return x; }

static void store(ArrayRef<double> values, Tensor &out) {
  for (size_t i = 0; i < values.size(); ++i)
    out.values<float>()[i] = static_cast<float>(values[i]);
}

llvm::Error reference::evaluateOp(ReduceMeanOp op, Operands in, Tensor &out) {
  std::vector<double> sums = reducedSums(op, in, out, itself);
  int64_t elements = in[0]->getNumElements();
  double count =
      elements == 0 ? 1 : static_cast<double>(elements) / sums.size();
  for (double &sum : sums)
    sum /= count;
  store(sums, out);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReduceSumOp op, Operands in, Tensor &out) {
  store(reducedSums(op, in, out, itself), out);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReduceL1Op op, Operands in, Tensor &out) {
  store(reducedSums(op, in, out, [](double x) { return std::fabs(x); }), out);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReduceSumSquareOp op, Operands in,
                                  Tensor &out) {
  store(reducedSums(op, in, out, [](double x) { return x * x; }), out);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReduceL2Op op, Operands in, Tensor &out) {
  std::vector<double> sums =
      reducedSums(op, in, out, [](double x) { return x * x; });
  for (double &sum : sums)
    sum = std::sqrt(sum);
  store(sums, out);
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

llvm::Error reference::evaluateOp(ArgMaxOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>();
  findExtremes(
      op, in[0]->getShape(), [&](int64_t a, int64_t b) { return x[a] > x[b]; },
      [&](int64_t row, int64_t index) {
        out.values<float>()[row] = static_cast<float>(index);
      });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ArgMinOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>();
  findExtremes(
      op, in[0]->getShape(), [&](int64_t a, int64_t b) { return x[a] < x[b]; },
      [&](int64_t row, int64_t index) {
        out.values<float>()[row] = static_cast<float>(index);
      });
  return llvm::Error::success();
}
