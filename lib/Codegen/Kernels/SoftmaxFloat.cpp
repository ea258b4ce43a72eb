// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float softmax and its logarithm, for calibration. Sums go in one order on
// every machine.

#include "Arith.h"
#include "Products.h"
#include "Rows.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include <cmath>

namespace mlir::qopt::codegen {
namespace {

using Combine = Value (*)(KernelBuilder &, Value, Value);

class FloatSoftmaxBody {
public:
  FloatSoftmaxBody(KernelBuilder &k, const Rows &rows, bool isLog,
                   ValueRange args)
      : k(k), rows(rows), isLog(isLog), from(args[0]), to(args[1]),
        // Lanes count as partial sums, so their number is the same everywhere.
        type(k.vec(rows.isContiguous() ? 16 : 1, k.f32())) {}

  void emit() {
    rows.run(k, [&](Value rowIn, Value rowOut) { row(rowIn, rowOut); });
  }

private:
  int64_t lanes() const { return type.getNumElements(); }

  /// The first `count` lanes of `vector`, `rest` in the others.
  Value keepFirst(Value vector, int64_t count, float rest) {
    if (count >= lanes())
      return vector;
    SmallVector<int64_t> mask(lanes(), 0);
    for (int64_t lane = 0; lane < count; ++lane)
      mask[lane] = 1;
    return select(k, k.constantVector(k.i1(), mask), vector,
                  k.constantF(type, rest));
  }

  SmallVector<Value> chunks(
      ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)> body) {
    int64_t size = rows.length(), whole = size - size % lanes();
    SmallVector<Value> values =
        k.loop(0, whole, lanes(), init, [&](Value iv, ValueRange carried) {
          return body(iv, lanes(), carried);
        });
    if (whole < size)
      values = body(k.index(whole), size - whole, values);
    return values;
  }

  /// All lanes of `vector` combined, in every lane.
  Value reduce(Value vector, Combine combine) {
    for (int64_t half = lanes() / 2; half > 0; half /= 2)
      vector =
          combine(k, k.slice(vector, 0, half), k.slice(vector, half, half));
    return k.shuffle(vector, vector, SmallVector<int64_t>(lanes(), 0));
  }

  Value loadIn(Value row, Value index, int64_t count) {
    return k.loadTail(from, k.add(row, k.mul(index, rows.inStep())), type,
                      count);
  }

  void row(Value rowIn, Value rowOut) {
    float lowest = -INFINITY;
    Value best = chunks({k.constantF(type, lowest)}, [&](Value i, int64_t count,
                                                         ValueRange carried) {
      Value x = keepFirst(loadIn(rowIn, i, count), count, lowest);
      return SmallVector<Value>{floatMax(k, x, carried[0])};
    })[0];
    Value maximum = reduce(best, floatMax);
    auto outAt = [&](Value i) {
      return k.add(rowOut, k.mul(i, rows.outStep()));
    };
    Value sums = chunks({k.constantF(type, 0.0f)}, [&](Value i, int64_t count,
                                                       ValueRange carried) {
      Value x = loadIn(rowIn, i, count);
      Value e = floatExp(k, subF(k, x, maximum));
      if (!isLog)
        k.storeTail(to, outAt(i), e, count);
      return SmallVector<Value>{addF(k, carried[0], keepFirst(e, count, 0.0f))};
    })[0];
    Value total = reduce(sums, addF);
    if (isLog)
      total = floatLog(k, total);
    chunks({}, [&](Value i, int64_t count, ValueRange) {
      Value y = isLog
                    ? subF(k, subF(k, loadIn(rowIn, i, count), maximum), total)
                    : divF(k, k.loadTail(to, outAt(i), type, count), total);
      k.storeTail(to, outAt(i), y, count);
      return SmallVector<Value>();
    });
  }

  KernelBuilder &k;
  const Rows &rows;
  bool isLog;
  Value from, to;
  VectorType type;
};

} // namespace

static void emitRows(KernelContext &context, Location loc, StringRef family,
                     int64_t axis, bool isLog, const View &in,
                     const View &out) {
  Rows rows(in, out, axis);
  context.emitKernel(loc, family, llvm::Twine(axis),
                     {KernelArg::read(in), KernelArg::write(out)},
                     [&](KernelBuilder &k, ValueRange args) {
                       FloatSoftmaxBody(k, rows, isLog, args).emit();
                     });
}

void emitFloatSoftmax(KernelContext &context, Location loc, int64_t axis,
                      const View &in, const View &out) {
  emitRows(context, loc, "softmax_f32", axis, /*isLog=*/false, in, out);
}

LogicalResult emit(KernelContext &context, qopt::SoftmaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  emitFloatSoftmax(context, op.getLoc(), op.getAxis(), in[0], out[0]);
  return success();
}

LogicalResult emit(KernelContext &context, qopt::LogSoftmaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  emitRows(context, op.getLoc(), "log_softmax_f32", op.getAxis(),
           /*isLog=*/true, in[0], out[0]);
  return success();
}

} // namespace mlir::qopt::codegen
