// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer pooling and means (docs/arithmetic.md).

#include "Loops.h"
#include "Ops.h"
#include "Requantizer.h"
#include "qopt/Numerics/Normalize.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

template <typename Op> static Window2D windowOf(Op op, const Tensor &input) {
  return *Window2D::get(input.getShape().drop_front(2), op.getKernel(),
                        op.getStrides(), op.getPads(), op.getDilations());
}

llvm::Error reference::evaluateOp(qint::MaxPoolOp op, Operands in,
                                  Tensor &out) {
  forEachWindow(in[0]->getShape(), windowOf(op, *in[0]),
                [&](int64_t index, auto taps) {
                  int32_t largest = INT32_MIN;
                  taps([&](int64_t i) {
                    largest = std::max(largest, in[0]->getInteger(i));
                  });
                  out.setInteger(index, largest);
                });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::AvgPoolOp op, Operands in,
                                  Tensor &out) {
  Requantizer requantize(op.getRequant());
  ArrayRef<int64_t> counts = op.getTapCounts();
  forEachWindow(
      in[0]->getShape(), windowOf(op, *in[0]), [&](int64_t index, auto taps) {
        int64_t acc = 0, count = 0;
        taps([&](int64_t i) {
          acc += in[0]->getInteger(i) - op.getInputZeroPoint();
          ++count;
        });
        int64_t which = llvm::lower_bound(counts, count) - counts.begin();
        out.setInteger(index, requantize.average(acc, which, out.getKind()));
      });
  return requantize.finish(op);
}

/// `choose(best, x)` over the reduced elements.
template <typename Op, typename Choose>
static llvm::Error reduceExtreme(Op op, Operands in, Tensor &out,
                                 Choose choose) {
  BroadcastMap map = reductionMap(in[0]->getShape(), op.getAxes());
  std::vector<bool> isSet(out.getNumElements());
  for (int64_t i = 0; i < in[0]->getNumElements(); ++i) {
    int64_t index = map(i);
    int32_t x = in[0]->getInteger(i);
    out.setInteger(index, isSet[index] ? choose(out.getInteger(index), x) : x);
    isSet[index] = true;
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::ReduceMaxOp op, Operands in,
                                  Tensor &out) {
  return reduceExtreme(op, in, out,
                       [](int32_t a, int32_t b) { return std::max(a, b); });
}

llvm::Error reference::evaluateOp(qint::ReduceMinOp op, Operands in,
                                  Tensor &out) {
  return reduceExtreme(op, in, out,
                       [](int32_t a, int32_t b) { return std::min(a, b); });
}

llvm::Error reference::evaluateOp(qint::ReduceMeanOp op, Operands in,
                                  Tensor &out) {
  BroadcastMap map = reductionMap(in[0]->getShape(), op.getAxes());
  std::vector<int64_t> sums(out.getNumElements());
  for (int64_t i = 0; i < in[0]->getNumElements(); ++i)
    sums[map(i)] += in[0]->getInteger(i) - op.getInputZeroPoint();
  Requantizer requantize(op.getRequant());
  for (size_t i = 0; i < sums.size(); ++i)
    out.setInteger(i, requantize(sums[i]));
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::ReducePowerOp op, Operands in,
                                  Tensor &out) {
  BroadcastMap map = reductionMap(in[0]->getShape(), op.getAxes());
  std::vector<int64_t> sums(out.getNumElements());
  for (int64_t i = 0; i < in[0]->getNumElements(); ++i) {
    int64_t x = in[0]->getInteger(i) - op.getInputZeroPoint();
    sums[map(i)] += op.getPower() == 1 ? std::abs(x) : x * x;
  }
  Requantizer requantize(op.getRequant());
  for (size_t i = 0; i < sums.size(); ++i) {
    if (std::optional<int32_t> shift = op.getRootShift())
      sums[i] = numerics::squareRootFloor(sums[i] << (2 * *shift));
    out.setInteger(i, requantize(sums[i]));
  }
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::ArgMaxOp op, Operands in, Tensor &out) {
  findExtremes(
      op, in[0]->getShape(),
      [&](int64_t a, int64_t b) {
        return in[0]->getInteger(a) > in[0]->getInteger(b);
      },
      [&](int64_t row, int64_t index) {
        out.setInteger(row, index + op.getZeroPoint());
      });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::ArgMinOp op, Operands in, Tensor &out) {
  findExtremes(
      op, in[0]->getShape(),
      [&](int64_t a, int64_t b) {
        return in[0]->getInteger(a) < in[0]->getInteger(b);
      },
      [&](int64_t row, int64_t index) {
        out.setInteger(row, index + op.getZeroPoint());
      });
  return llvm::Error::success();
}
