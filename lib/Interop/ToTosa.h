// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rebuilds a function of qint ops in TOSA, one op after another, where TOSA
// gives the same bytes.
#pragma once

#include "Layouts.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Shapes.h"

namespace mlir::qopt {

class TosaWriter {
public:
  explicit TosaWriter(func::FuncOp function);

  /// Reports every op that TOSA has no exact form of.
  LogicalResult run();

private:
  LogicalResult convert(Operation *op);
  LogicalResult refuse(Operation *op, const Twine &reason);
  void writeBoundary();

  Value get(Value old) { return layouts.getPlain(builder, old); }
  Value getChannelsLast(Value old) { return layouts.getOther(builder, old); }
  bool worksChannelsLast(Operation *op);
  Value getOperand(Value old, bool channelsLast) {
    return channelsLast ? getChannelsLast(old) : get(old);
  }
  RankedTensorType getType(Value old, bool channelsLast);
  int64_t getAxis(int64_t axis, bool channelsLast);
  LogicalResult finish(Operation *op, Value made, bool channelsLast);

  // Small constants.
  /// Of i8, i16 or i32; beyond a kilobyte in a resource.
  Value makeConstant(RankedTensorType type, ArrayRef<int64_t> values);
  Value makeZero(Type elementType, int64_t value = 0);
  Value makeShape(ArrayRef<int64_t> shape);
  Value reshape(Value value, ArrayRef<int64_t> shape);

  /// `(value - zeroPoint)` as i32.
  Value subtractZeroPoint(Value value, int64_t zeroPoint);
  /// The requantization of `value`, whose channels are last, to `elementType`;
  /// `bound` is at least every `|value - zeroPoint|`, for each channel or for
  /// all. Null, after an error, where TOSA's rescale is another function.
  Value rescale(Operation *op, Value value, int64_t zeroPoint,
                qint::RequantAttr requant, Type elementType,
                ArrayRef<int64_t> bound);

  /// TOSA's windows end where the padded input does: what lies behind the last
  /// one is taken off the padding, or off `input`, whose channels are last.
  Value fitWindow(Value input, ArrayRef<int64_t> kernel,
                  ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                  SmallVectorImpl<int64_t> &pads);

  /// A constant weight with what TOSA's convolutions ask of it.
  struct Weight {
    SmallVector<int64_t> values;
    SmallVector<int64_t> shape;
    int64_t zeroPoint = 0;
    SmallVector<int64_t> bias;
    /// The largest magnitude of each channel's sum.
    SmallVector<int64_t> bound;
  };
  template <typename OpT> FailureOr<Weight> readWeight(OpT op);

  LogicalResult convertConv(qint::ConvOp op);
  /// The sums of one group's output channels.
  Value convolveGroup(qint::ConvOp op, const Weight &weight, Value input,
                      int64_t group, ArrayRef<int64_t> pads);
  LogicalResult convertGemm(qint::GemmOp op);
  LogicalResult convertMatMul(qint::MatMulOp op);
  LogicalResult convertAdd(qint::AddOp op);
  LogicalResult convertMul(qint::MulOp op);
  template <typename To> LogicalResult convertExtreme(Operation *op);
  LogicalResult convertTable(qint::TableOp op);
  LogicalResult convertRequantize(qint::RequantizeOp op);
  LogicalResult convertMaxPool(qint::MaxPoolOp op);
  LogicalResult convertAvgPool(qint::AvgPoolOp op);
  Value divideByTaps(qint::AvgPoolOp op, Value sum, const Window2D &window);
  LogicalResult convertMean(qint::ReduceMeanOp op);
  /// One TOSA op an axis, on `input` in one of the layouts.
  template <typename To>
  Value reduce(Value input, ArrayRef<int64_t> axes, bool channelsLast);
  /// A result that was reduced with all its axes, to the shape of the op's.
  LogicalResult finishReduce(Operation *op, Value made, ArrayRef<int64_t> axes,
                             bool channelsLast);
  template <typename To, typename OpT> LogicalResult convertReduce(OpT op);

  LogicalResult convertMove(Operation *op);
  LogicalResult convertReshape(qint::ReshapeOp op);
  LogicalResult convertTranspose(qint::TransposeOp op);
  LogicalResult convertConcat(qint::ConcatOp op);
  LogicalResult convertPad(qint::PadOp op);
  LogicalResult convertSlice(qint::SliceOp op);
  LogicalResult convertGather(qint::GatherOp op);
  /// Known indices along an axis of a value that is not transposed.
  Value gather(Value value, int64_t axis, ArrayRef<int64_t> indices);

  func::FuncOp function;
  OpBuilder builder;
  Location loc;
  Layouts layouts;
  SmallVector<Operation *> old;
};

} // namespace mlir::qopt
