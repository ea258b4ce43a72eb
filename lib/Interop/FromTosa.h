// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rebuilds a function of TOSA ops in the qopt dialect, one op after another.
#pragma once

#include "Layouts.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Interop/TosaOps.h"

namespace mlir::qopt {

/// On a foreign op or an argument: the id of the value, by which statistics are
/// found again.
inline constexpr llvm::StringLiteral idAttr = "qopt.id";

class TosaReader {
public:
  explicit TosaReader(func::FuncOp function);

  /// Reports every op that has no form in qopt.
  LogicalResult run();

  /// How ops of one name are read, for qopt/Interop/TosaOps.h.
  struct Rule {
    TosaOp op;
    LogicalResult (*read)(TosaReader &reader, Operation *op);
  };
  static ArrayRef<Rule> getRules();

private:
  template <typename OpT, LogicalResult (TosaReader::*method)(OpT)>
  static LogicalResult read(TosaReader &reader, Operation *op) {
    return (reader.*method)(cast<OpT>(op));
  }
  template <LogicalResult (TosaReader::*method)(Operation *)>
  static LogicalResult readAny(TosaReader &reader, Operation *op) {
    return (reader.*method)(op);
  }
  template <Function function>
  static LogicalResult readFunction(TosaReader &reader, Operation *op) {
    return reader.convertFunction(op,
                                  FnAttr::get(op->getContext(), function, {}));
  }

  LogicalResult convert(Operation *op);
  LogicalResult convertReturn(func::ReturnOp op);
  LogicalResult checkTypes(Operation *op);
  LogicalResult refuse(Operation *op, const Twine &reason);
  void nameBoundary(func::ReturnOp op);
  void cleanUp();

  /// The new value of an old one, as TOSA has it and with channels first.
  Value get(Value old);
  Value getChannelsFirst(Value old);
  /// The numbers of a constant.
  std::optional<SmallVector<float>> getFloats(Value old);
  std::optional<SmallVector<int64_t>> getIntegers(Value old);
  /// The one number of a constant whose elements are equal.
  std::optional<float> getScalar(Value old);

  /// Whether an op that treats all axes alike works with channels first.
  bool worksChannelsFirst(Operation *op);
  Value getOperand(Value old, bool channelsFirst) {
    return channelsFirst ? getChannelsFirst(old) : get(old);
  }
  /// `type` of a TOSA value, or with channels first.
  RankedTensorType getType(Type type, bool channelsFirst);
  /// The position of a TOSA axis.
  int64_t getAxis(int64_t axis, bool channelsFirst);
  /// `made` stands for the only result of `op` and takes its id.
  LogicalResult finish(Operation *op, Operation *made, bool channelsFirst);
  /// What was made for `op` on the way to `made` takes ids of its own.
  void nameParts(Operation *made, StringAttr id);

  // Ops that compute.
  LogicalResult convertConv(tosa::Conv2DOp op);
  LogicalResult convertDepthwise(tosa::DepthwiseConv2DOp op);
  /// A convolution of a TOSA value; the rest is in qopt's layout.
  Value createConv(Location loc, RankedTensorType type, Value input,
                   ArrayRef<int64_t> weightShape, ArrayRef<float> weight,
                   ArrayRef<float> bias, ArrayRef<int64_t> strides,
                   ArrayRef<int64_t> pads, ArrayRef<int64_t> dilations,
                   int64_t groups);
  /// Everything of a convolution that both kinds share; `weight` in qopt's
  /// layout.
  template <typename OpT>
  LogicalResult finishConv(OpT op, ArrayRef<int64_t> weightShape,
                           ArrayRef<float> weight, int64_t groups);
  LogicalResult convertTransposeConv(tosa::TransposeConv2DOp op);
  LogicalResult convertMatMul(tosa::MatMulOp op);
  template <typename From, typename To> LogicalResult convertPool(From op);
  template <typename To> LogicalResult convertBinary(Operation *op);
  template <typename To> LogicalResult convertReduce(Operation *op);
  LogicalResult convertMul(tosa::MulOp op);
  LogicalResult convertFunction(Operation *op, ArrayRef<FnAttr> functions);
  LogicalResult convertClamp(tosa::ClampOp op);
  LogicalResult convertNegate(tosa::NegateOp op);
  LogicalResult convertPow(tosa::PowOp op);
  LogicalResult convertRsqrt(tosa::RsqrtOp op);
  LogicalResult convertResize(tosa::ResizeOp op);

  // Bools, which are 0 and 1 in f32.
  Value createUnary(Location loc, Value input, Function function,
                    ArrayRef<double> params);
  Value createNot(Value input);
  Value createMul(Value lhs, Value rhs);
  template <Function function> LogicalResult convertComparison(Operation *op);
  LogicalResult convertLogicalAnd(Operation *op);
  LogicalResult convertLogicalOr(Operation *op);
  LogicalResult convertLogicalXor(Operation *op);
  LogicalResult convertLogicalNot(Operation *op);
  LogicalResult convertSelect(tosa::SelectOp op);
  LogicalResult convertArgMax(tosa::ArgMaxOp op);
  LogicalResult convertCast(tosa::CastOp op);

  // Ops that move values.
  LogicalResult convertReshape(tosa::ReshapeOp op);
  LogicalResult convertTranspose(tosa::TransposeOp op);
  LogicalResult convertConcat(tosa::ConcatOp op);
  LogicalResult convertPad(tosa::PadOp op);
  LogicalResult convertSlice(tosa::SliceOp op);
  LogicalResult convertIdentity(tosa::IdentityOp op);
  Value createGather(Value input, int64_t axis, ArrayRef<int64_t> indices);
  LogicalResult convertReverse(tosa::ReverseOp op);
  LogicalResult convertTile(tosa::TileOp op);
  /// `indices` of rows of each batch, as those of all batches' rows.
  std::optional<SmallVector<int64_t>> getRows(Value indices, int64_t count);
  LogicalResult convertGather(tosa::GatherOp op);
  LogicalResult convertScatter(tosa::ScatterOp op);

  func::FuncOp function;
  OpBuilder builder;
  Layouts layouts;
  SmallVector<Operation *> old;
};

} // namespace mlir::qopt
