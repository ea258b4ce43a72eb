// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resizing by taps, in float and in integers (docs/arithmetic.md,
// "Interpolate").

#include "Loops.h"
#include "Ops.h"
#include "Requantizer.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

/// For each result element calls `emit(index, sum)` with the sum over its taps
/// of row weight times column weight times `read(input index)`.
template <typename Acc, typename Op, typename Read, typename Emit>
static void interpolate(Op op, const Tensor &input, const Tensor &out,
                        Read read, Emit emit) {
  ArrayRef<int64_t> from = input.getShape(), to = out.getShape();
  int64_t rowTaps = op.getRowIndices().size() / to[2];
  int64_t columnTaps = op.getColumnIndices().size() / to[3];
  int64_t index = 0;
  for (int64_t plane = 0; plane < to[0] * to[1]; ++plane)
    for (int64_t h = 0; h < to[2]; ++h)
      for (int64_t w = 0; w < to[3]; ++w, ++index) {
        Acc sum = 0;
        for (int64_t i = h * rowTaps; i < (h + 1) * rowTaps; ++i) {
          int64_t row = (plane * from[2] + op.getRowIndices()[i]) * from[3];
          Acc rowSum = 0;
          for (int64_t j = w * columnTaps; j < (w + 1) * columnTaps; ++j)
            rowSum += static_cast<Acc>(op.getColumnWeights()[j]) *
                      read(row + op.getColumnIndices()[j]);
          sum += static_cast<Acc>(op.getRowWeights()[i]) * rowSum;
        }
        emit(index, sum);
      }
}

llvm::Error reference::evaluateOp(InterpolateOp op, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>();
  MutableArrayRef<float> result = out.values<float>();
  interpolate<double>(
      op, *in[0], out, [&](int64_t i) { return static_cast<double>(x[i]); },
      [&](int64_t index, double sum) {
        result[index] = static_cast<float>(sum);
      });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::InterpolateOp op, Operands in,
                                  Tensor &out) {
  Requantizer requantize(op.getRequant());
  interpolate<int64_t>(
      op, *in[0], out,
      [&](int64_t i) {
        return static_cast<int64_t>(in[0]->getInteger(i)) -
               op.getInputZeroPoint();
      },
      [&](int64_t index, int64_t sum) {
        out.setInteger(index, requantize(sum));
      });
  return requantize.finish(op);
}
