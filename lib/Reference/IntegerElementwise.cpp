// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer elementwise ops and softmax (docs/arithmetic.md).

#include "Loops.h"
#include "Ops.h"
#include "Requantizer.h"
#include "qopt/Numerics/PiecewiseTables.h"
#include "qopt/Numerics/Softmax.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

/// `compute(a - za, b - zb)` of broadcast operands.
template <typename Op, typename Compute>
static void evaluateBinary(Op op, Operands in, Tensor &out, Compute compute) {
  BroadcastMap left(out.getShape(), in[0]->getShape());
  BroadcastMap right(out.getShape(), in[1]->getShape());
  for (int64_t i = 0; i < out.getNumElements(); ++i)
    out.setInteger(i,
                   compute(static_cast<int64_t>(in[0]->getInteger(left(i))) -
                               op.getLhsZeroPoint(),
                           static_cast<int64_t>(in[1]->getInteger(right(i))) -
                               op.getRhsZeroPoint()));
}

llvm::Error reference::evaluateOp(qint::AddOp op, Operands in, Tensor &out) {
  Requantizer requantize(op.getRequant());
  evaluateBinary(op, in, out,
                 [&](int64_t a, int64_t b) { return requantize.sum(a, b); });
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::MulOp op, Operands in, Tensor &out) {
  Requantizer requantize(op.getRequant());
  evaluateBinary(op, in, out,
                 [&](int64_t a, int64_t b) { return requantize(a * b); });
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::DivOp op, Operands in, Tensor &out) {
  qint::RequantAttr requant = op.getRequant();
  evaluateBinary(op, in, out, [&](int64_t a, int64_t b) {
    return numerics::requantizeQuotient(
        a, b, requant.getMultiplierFor(0), requant.getShiftFor(0),
        requant.getZeroPoint(), requant.getClampMin(), requant.getClampMax());
  });
  return llvm::Error::success();
}

/// `choose(a, b)` of broadcast operands.
template <typename Choose>
static llvm::Error evaluateExtreme(Operands in, Tensor &out, Choose choose) {
  BroadcastMap left(out.getShape(), in[0]->getShape());
  BroadcastMap right(out.getShape(), in[1]->getShape());
  for (int64_t i = 0; i < out.getNumElements(); ++i)
    out.setInteger(
        i, choose(in[0]->getInteger(left(i)), in[1]->getInteger(right(i))));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::MaxOp, Operands in, Tensor &out) {
  return evaluateExtreme(in, out,
                         [](int32_t a, int32_t b) { return std::max(a, b); });
}

llvm::Error reference::evaluateOp(qint::MinOp, Operands in, Tensor &out) {
  return evaluateExtreme(in, out,
                         [](int32_t a, int32_t b) { return std::min(a, b); });
}

llvm::Error reference::evaluateOp(qint::TableOp op, Operands in, Tensor &out) {
  ArrayRef<int16_t> table = op.getTable();
  const int32_t least = -static_cast<int32_t>(table.size() / 2);
  for (int64_t i = 0; i < out.getNumElements(); ++i)
    out.setInteger(i, table[in[0]->getInteger(i) - least]);
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::PiecewiseOp op, Operands in,
                                  Tensor &out) {
  ArrayRef<int16_t> x = in[0]->values<int16_t>();
  const int segmentBits = llvm::Log2_64(op.getSegments());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t segment = (x[i] + 32768) >> (16 - segmentBits);
    const int32_t y =
        numerics::evaluatePiece(op.getBase()[segment], op.getSlope()[segment],
                                op.getCurve()[segment], segmentBits, x[i]);
    out.setInteger(i, std::clamp(y >> op.getFractionBits(), op.getClampMin(),
                                 op.getClampMax()));
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::RequantizeOp op, Operands in,
                                  Tensor &out) {
  Requantizer requantize(op.getRequant());
  for (int64_t i = 0; i < out.getNumElements(); ++i)
    out.setInteger(i, requantize(static_cast<int64_t>(in[0]->getInteger(i)) -
                                 op.getInputZeroPoint()));
  return requantize.finish(op);
}

llvm::Error reference::evaluateOp(qint::SoftmaxOp op, Operands in,
                                  Tensor &out) {
  AxisView view(out.getShape(), op.getAxis());
  SmallVector<uint32_t> tables(op.getExpTable().begin(),
                               op.getExpTable().end());
  int32_t qmax = out.getKind() == ElementKind::I8 ? INT8_MAX : INT16_MAX;
  std::vector<int16_t> logits(view.length);
  std::vector<int16_t> row(view.length);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.step; ++i) {
      if (view.length == 0)
        continue;
      for (int64_t k = 0; k < view.length; ++k)
        logits[k] =
            static_cast<int16_t>(in[0]->getInteger(view.index(o, k, i)));
      numerics::softmaxRow(logits, tables,
                           {static_cast<int32_t>(op.getLevels()),
                            static_cast<int32_t>(op.getLevelShift())},
                           op.getZeroPoint(), -qmax - 1, qmax, row);
      for (int64_t k = 0; k < view.length; ++k)
        out.setInteger(view.index(o, k, i), row[k]);
    }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::LogSoftmaxOp op, Operands in,
                                  Tensor &out) {
  AxisView view(out.getShape(), op.getAxis());
  SmallVector<uint32_t> tables(op.getExpTable().begin(),
                               op.getExpTable().end());
  qint::RequantAttr requant = op.getRequant();
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.step; ++i) {
      auto at = [&](int64_t k) {
        return in[0]->getInteger(view.index(o, k, i));
      };
      int32_t largest = INT16_MIN;
      for (int64_t k = 0; k < view.length; ++k)
        largest = std::max(largest, at(k));
      uint64_t sum = 0;
      for (int64_t k = 0; k < view.length; ++k)
        sum += numerics::softmaxExponential(tables, largest - at(k));
      int64_t log =
          numerics::scaleLog(numerics::logOfSum(sum),
                             requant.getMultiplier()[1], requant.getShift()[1]);
      for (int64_t k = 0; k < view.length; ++k)
        out.setInteger(view.index(o, k, i),
                       numerics::logSoftmaxElement(
                           largest - at(k), log, requant.getMultiplier()[0],
                           requant.getShift()[0], requant.getZeroPoint(),
                           requant.getClampMin(), requant.getClampMax()));
    }
  return llvm::Error::success();
}
