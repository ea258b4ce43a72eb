// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rebuilds a function of TOSA ops in the qopt dialect, one op after another.
#pragma once

#include "Layouts.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// On a foreign op or an argument: the id of the value, by which statistics are
/// found again.
inline constexpr llvm::StringLiteral idAttr = "qopt.id";

class TosaReader {
public:
  explicit TosaReader(func::FuncOp function);

  /// Reports every op that has no form in qopt.
  LogicalResult run();

private:
  LogicalResult convert(Operation *op);
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

  // Ops that compute.
  LogicalResult convertConv(tosa::Conv2DOp op);
  LogicalResult convertDepthwise(tosa::DepthwiseConv2DOp op);
  /// Everything of a convolution that both kinds share; `weight` in qopt's
  /// layout.
  template <typename OpT>
  LogicalResult finishConv(OpT op, ArrayRef<int64_t> weightShape,
                           ArrayRef<float> weight, int64_t groups);
  LogicalResult convertMatMul(tosa::MatMulOp op);
  template <typename From, typename To> LogicalResult convertPool(From op);
  template <typename To> LogicalResult convertBinary(Operation *op);
  template <typename To> LogicalResult convertReduce(Operation *op);
  LogicalResult convertMul(tosa::MulOp op);
  LogicalResult convertFunction(Operation *op, ArrayRef<FnAttr> functions);
  LogicalResult convertClamp(tosa::ClampOp op);
  /// Functions of one value without parameters; fails silently for another op.
  std::optional<SmallVector<FnAttr>> getFunctions(Operation *op);

  // Ops that move values.
  LogicalResult convertMove(Operation *op);
  LogicalResult convertReshape(tosa::ReshapeOp op);
  LogicalResult convertTranspose(tosa::TransposeOp op);
  LogicalResult convertConcat(tosa::ConcatOp op);
  LogicalResult convertPad(tosa::PadOp op);
  LogicalResult convertSlice(tosa::SliceOp op);

  func::FuncOp function;
  OpBuilder builder;
  Layouts layouts;
  SmallVector<Operation *> old;
};

} // namespace mlir::qopt
