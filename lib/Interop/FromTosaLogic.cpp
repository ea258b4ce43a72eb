// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: comparisons, logic, selection and positions. A bool is 0 or 1 in
// f32, an index a whole number.

#include "FromTosa.h"
#include "qopt/IR/Shapes.h"

using namespace mlir;
using namespace mlir::qopt;

Value TosaReader::createUnary(Location loc, Value input, Function function,
                              ArrayRef<double> params) {
  FnAttr fn = FnAttr::get(builder.getContext(), function, params);
  return UnaryOp::create(builder, loc, input.getType(), input,
                         builder.getArrayAttr({fn}));
}

Value TosaReader::createNot(Value input) {
  return createUnary(input.getLoc(), input, Function::Affine, {-1, 1});
}

/// A constant that all elements are compared with is a parameter; otherwise the
/// difference is compared with 0.
template <Function function>
LogicalResult TosaReader::convertComparison(Operation *op) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  bool first = worksChannelsFirst(op);
  RankedTensorType type = getType(op->getResult(0).getType(), first);
  for (bool swapped : {false, true}) {
    Value other = swapped ? rhs : lhs;
    std::optional<float> bound = getScalar(swapped ? lhs : rhs);
    if (!bound || getType(other.getType(), first) != type)
      continue;
    Value x = getOperand(other, first);
    // c > x is not x >= c.
    bool inverted = swapped && function != Function::Equal;
    Function kept = !inverted                       ? function
                    : function == Function::Greater ? Function::GreaterOrEqual
                                                    : Function::Greater;
    Value made = createUnary(op->getLoc(), x, kept, {*bound});
    return finish(op, (inverted ? createNot(made) : made).getDefiningOp(),
                  first);
  }
  Value difference =
      SubOp::create(builder, op->getLoc(), type, getOperand(lhs, first),
                    getOperand(rhs, first), FnAttr());
  return finish(
      op, createUnary(op->getLoc(), difference, function, {0}).getDefiningOp(),
      first);
}
template LogicalResult
TosaReader::convertComparison<Function::Equal>(Operation *);
template LogicalResult
TosaReader::convertComparison<Function::Greater>(Operation *);
template LogicalResult
TosaReader::convertComparison<Function::GreaterOrEqual>(Operation *);

LogicalResult TosaReader::convertLogicalAnd(Operation *op) {
  return convertBinary<MulOp>(op);
}

Value TosaReader::createMul(Value lhs, Value rhs) {
  // TOSA's verifier has seen that they agree.
  SmallVector<int64_t> shape =
      *broadcastShapes(cast<RankedTensorType>(lhs.getType()).getShape(),
                       cast<RankedTensorType>(rhs.getType()).getShape());
  return MulOp::create(builder, lhs.getLoc(),
                       RankedTensorType::get(shape, builder.getF32Type()), lhs,
                       rhs, FnAttr());
}

/// a or b is not (not a and not b).
LogicalResult TosaReader::convertLogicalOr(Operation *op) {
  bool first = worksChannelsFirst(op);
  Value lhs = createNot(getOperand(op->getOperand(0), first));
  Value rhs = createNot(getOperand(op->getOperand(1), first));
  return finish(op, createNot(createMul(lhs, rhs)).getDefiningOp(), first);
}

LogicalResult TosaReader::convertLogicalXor(Operation *op) {
  bool first = worksChannelsFirst(op);
  Value difference = SubOp::create(
      builder, op->getLoc(), getType(op->getResult(0).getType(), first),
      getOperand(op->getOperand(0), first),
      getOperand(op->getOperand(1), first), FnAttr());
  return finish(
      op,
      createUnary(op->getLoc(), difference, Function::Abs, {}).getDefiningOp(),
      first);
}

LogicalResult TosaReader::convertLogicalNot(Operation *op) {
  bool first = worksChannelsFirst(op);
  return finish(op,
                createNot(getOperand(op->getOperand(0), first)).getDefiningOp(),
                first);
}

LogicalResult TosaReader::convertSelect(tosa::SelectOp op) {
  bool first = worksChannelsFirst(op);
  RankedTensorType type = getType(op.getType(), first);
  Value condition = getOperand(op.getInput1(), first);
  SmallVector<Value> parts;
  for (auto [weight, branch] :
       {std::pair<Value, Value>(condition, op.getInput2()),
        {createNot(condition), op.getInput3()}}) {
    std::optional<float> known = getScalar(branch);
    if (known && weight.getType() == type)
      parts.push_back(createUnary(op.getLoc(), weight, Function::Affine,
                                  {static_cast<double>(*known), 0}));
    else
      parts.push_back(createMul(weight, getOperand(branch, first)));
  }
  return finish(
      op,
      AddOp::create(builder, op.getLoc(), type, parts[0], parts[1], FnAttr()),
      first);
}

LogicalResult TosaReader::convertArgMax(tosa::ArgMaxOp op) {
  return finish(op,
                ArgMaxOp::create(builder, op.getLoc(),
                                 getType(op.getType(), false),
                                 get(op.getInput()), op.getAxis(),
                                 /*keep_dims=*/false, /*select_last=*/false),
                false);
}

/// A bool or an index is a number already.
LogicalResult TosaReader::convertCast(tosa::CastOp op) {
  if (getElementTypeOrSelf(op.getInput().getType()).isF32())
    return refuse(op, "it casts from f32");
  layouts.set(op.getResult(), get(op.getInput()));
  return success();
}
