// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: the walk over a function, its boundary, and ops that move values.

#include "FromTosa.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Interop/Passes.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;

namespace mlir::qopt {
#define GEN_PASS_DEF_CONVERTTOSATOQOPT
#include "qopt/Interop/Passes.h.inc"
} // namespace mlir::qopt

static Value transpose(OpBuilder &builder, Value value,
                       ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  return TransposeOp::create(
      builder, value.getLoc(),
      type.clone(permuteAxes(type.getShape(), permutation)), value,
      permutation);
}

TosaReader::TosaReader(func::FuncOp function)
    : function(function), builder(function.getContext()),
      layouts({0, 3, 1, 2}, transpose) {
  for (BlockArgument argument : function.getArguments())
    layouts.set(argument, argument);
}

LogicalResult TosaReader::refuse(Operation *op, const Twine &reason) {
  return op->emitError() << "'" << op->getName()
                         << "' has no form in qopt: " << reason;
}

Value TosaReader::get(Value old) {
  auto constant = old.getDefiningOp<tosa::ConstOp>();
  if (constant && !layouts.has(old))
    layouts.set(old,
                ConstantOp::create(builder, constant.getLoc(),
                                   constant.getType(), constant.getValues()));
  return layouts.getPlain(builder, old);
}

Value TosaReader::getChannelsFirst(Value old) {
  get(old);
  return layouts.getOther(builder, old);
}

std::optional<SmallVector<float>> TosaReader::getFloats(Value old) {
  auto constant = old.getDefiningOp<tosa::ConstOp>();
  if (!constant || !getElementTypeOrSelf(old.getType()).isF32())
    return std::nullopt;
  return getConstantF32(get(old));
}

std::optional<SmallVector<int64_t>> TosaReader::getIntegers(Value old) {
  DenseIntElementsAttr values;
  if (!matchPattern(old, m_Constant(&values)))
    return std::nullopt;
  SmallVector<int64_t> result;
  for (const APInt &value : values.getValues<APInt>())
    result.push_back(value.getSExtValue());
  return result;
}

std::optional<float> TosaReader::getScalar(Value old) {
  std::optional<SmallVector<float>> values = getFloats(old);
  if (!values || values->empty() || !llvm::all_equal(*values))
    return std::nullopt;
  return values->front();
}

bool TosaReader::worksChannelsFirst(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  return type && type.getRank() == 4 &&
         llvm::any_of(op->getOperands(), [&](Value operand) {
           return layouts.hasOther(operand) &&
                  !operand.getDefiningOp<tosa::ConstOp>();
         });
}

RankedTensorType TosaReader::getType(Type type, bool channelsFirst) {
  auto tensor = cast<RankedTensorType>(type);
  return channelsFirst ? tensor.clone(layouts.other(tensor.getShape()))
                       : tensor;
}

int64_t TosaReader::getAxis(int64_t axis, bool channelsFirst) {
  return channelsFirst ? layouts.getToPlain()[axis] : axis;
}

LogicalResult TosaReader::finish(Operation *op, Operation *made,
                                 bool channelsFirst) {
  if (auto id = op->getAttrOfType<StringAttr>(idAttr))
    made->setAttr("qopt.value", id);
  if (channelsFirst)
    layouts.setOther(op->getResult(0), made->getResult(0));
  else
    layouts.set(op->getResult(0), made->getResult(0));
  return success();
}

LogicalResult TosaReader::checkTypes(Operation *op) {
  for (Type type : op->getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isF32())
      return refuse(op, "its result is not f32 of a static shape");
  }
  return success();
}

LogicalResult TosaReader::convertReshape(tosa::ReshapeOp op) {
  return finish(op,
                ReshapeOp::create(builder, op.getLoc(), op.getType(),
                                  get(op.getInput1())),
                false);
}

LogicalResult TosaReader::convertTranspose(tosa::TransposeOp op) {
  SmallVector<int64_t> permutation(op.getPerms());
  return finish(op,
                TransposeOp::create(builder, op.getLoc(), op.getType(),
                                    get(op.getInput1()), permutation),
                false);
}

LogicalResult TosaReader::convertConcat(tosa::ConcatOp op) {
  bool first = worksChannelsFirst(op);
  SmallVector<Value> inputs;
  for (Value input : op.getInput1())
    inputs.push_back(getOperand(input, first));
  return finish(op,
                ConcatOp::create(builder, op.getLoc(),
                                 getType(op.getType(), first), inputs,
                                 getAxis(op.getAxis(), first)),
                first);
}

LogicalResult TosaReader::convertPad(tosa::PadOp op) {
  std::optional<SmallVector<int64_t>> padding = getIntegers(op.getPadding());
  std::optional<float> value = getScalar(op.getPadConst());
  if (!padding || !value)
    return refuse(op, "its padding is not constant");
  // begin and end of one axis after another, to all begins and all ends
  SmallVector<int64_t> begins, ends, pads;
  for (size_t axis = 0; axis < padding->size() / 2; ++axis) {
    begins.push_back((*padding)[2 * axis]);
    ends.push_back((*padding)[2 * axis + 1]);
  }
  bool first = worksChannelsFirst(op);
  llvm::append_range(pads, first ? layouts.other(begins) : begins);
  llvm::append_range(pads, first ? layouts.other(ends) : ends);
  return finish(
      op,
      PadOp::create(builder, op.getLoc(), getType(op.getType(), first),
                    getOperand(op.getInput1(), first), pads, APFloat(*value)),
      first);
}

LogicalResult TosaReader::convertSlice(tosa::SliceOp op) {
  std::optional<SmallVector<int64_t>> starts = getIntegers(op.getStart());
  if (!starts)
    return refuse(op, "its start is not constant");
  bool first = worksChannelsFirst(op);
  SmallVector<int64_t> steps(starts->size(), 1);
  return finish(
      op,
      SliceOp::create(builder, op.getLoc(), getType(op.getType(), first),
                      getOperand(op.getInput1(), first),
                      first ? layouts.other(*starts) : *starts, steps),
      first);
}

LogicalResult TosaReader::convertMove(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tosa::ReshapeOp move) { return convertReshape(move); })
      .Case([&](tosa::TransposeOp move) { return convertTranspose(move); })
      .Case([&](tosa::ConcatOp move) { return convertConcat(move); })
      .Case([&](tosa::PadOp move) { return convertPad(move); })
      .Case([&](tosa::SliceOp move) { return convertSlice(move); })
      .Case([&](tosa::IdentityOp move) {
        layouts.set(move.getResult(), get(move.getInput1()));
        return success();
      })
      .Default(
          [&](Operation *) { return refuse(op, "there is no such operator"); });
}

/// The value that leaves the function keeps the id of the op that made it.
void TosaReader::nameBoundary(func::ReturnOp op) {
  for (unsigned index = 0; index < function.getNumArguments(); ++index)
    if (auto id = function.getArgAttrOfType<StringAttr>(index, idAttr)) {
      function.removeArgAttr(index, idAttr);
      function.setArgAttr(index, "qopt.name", id);
    }
  for (auto [index, value] : llvm::enumerate(op.getOperands())) {
    Operation *maker = value.getDefiningOp();
    auto id = maker ? maker->getAttrOfType<StringAttr>(idAttr) : StringAttr();
    if (id && !function.getResultAttr(index, "qopt.name"))
      function.setResultAttr(index, "qopt.name", id);
  }
}

/// Ops that were rebuilt go, and what was made on the way and has no reader.
void TosaReader::cleanUp() {
  for (Operation *op : llvm::reverse(old)) {
    op->dropAllUses();
    op->erase();
  }
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(function.front())))
    if (isa_and_nonnull<QoptDialect>(op.getDialect()) && isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult TosaReader::run() {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitError("expects a function of one block");
  bool failed = false;
  for (BlockArgument argument : function.getArguments()) {
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isF32())
      failed |= llvm::failed(LogicalResult(
          function.emitError(
              "expects arguments of f32 with static shapes, but got ")
          << argument.getType()));
  }
  if (failed)
    return failure();
  SmallVector<Operation *> ops;
  for (Operation &op : function.front())
    ops.push_back(&op);
  for (Operation *op : ops) {
    builder.setInsertionPoint(op);
    failed |= llvm::failed(convert(op));
  }
  if (failed)
    return failure();
  cleanUp();
  return success();
}

LogicalResult TosaReader::convert(Operation *op) {
  if (isa<tosa::ConstOp, tosa::ConstShapeOp>(op)) {
    old.push_back(op);
    return success();
  }
  // What a refused op would have made is missing, and was reported there.
  for (Value operand : op->getOperands()) {
    if (operand.getDefiningOp<tosa::ConstOp>() ||
        operand.getDefiningOp<tosa::ConstShapeOp>())
      continue;
    if (!layouts.has(operand))
      return failure();
  }
  if (auto exit = dyn_cast<func::ReturnOp>(op)) {
    nameBoundary(exit);
    for (OpOperand &operand : exit->getOpOperands())
      operand.set(get(operand.get()));
    return success();
  }
  if (isa_and_nonnull<QoptDialect>(op->getDialect())) {
    for (OpOperand &operand : op->getOpOperands())
      operand.set(get(operand.get()));
    for (Value result : op->getResults())
      layouts.set(result, result);
    return success();
  }
  if (!isa_and_nonnull<tosa::TosaDialect>(op->getDialect()))
    return refuse(op, "it is no op of TOSA");
  old.push_back(op);
  if (failed(checkTypes(op)))
    return failure();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tosa::Conv2DOp conv) { return convertConv(conv); })
      .Case(
          [&](tosa::DepthwiseConv2DOp conv) { return convertDepthwise(conv); })
      .Case([&](tosa::MatMulOp product) { return convertMatMul(product); })
      .Case([&](tosa::MaxPool2dOp pool) {
        return convertPool<tosa::MaxPool2dOp, MaxPoolOp>(pool);
      })
      .Case([&](tosa::AvgPool2dOp pool) {
        return convertPool<tosa::AvgPool2dOp, AvgPoolOp>(pool);
      })
      .Case([&](tosa::AddOp) { return convertBinary<AddOp>(op); })
      .Case([&](tosa::SubOp) { return convertBinary<SubOp>(op); })
      .Case([&](tosa::MaximumOp) { return convertBinary<MaxOp>(op); })
      .Case([&](tosa::MinimumOp) { return convertBinary<MinOp>(op); })
      .Case([&](tosa::MulOp product) { return convertMul(product); })
      .Case([&](tosa::ClampOp clamp) { return convertClamp(clamp); })
      .Case([&](tosa::ReduceSumOp) { return convertReduce<ReduceSumOp>(op); })
      .Case([&](tosa::ReduceMaxOp) { return convertReduce<ReduceMaxOp>(op); })
      .Case([&](tosa::ReduceMinOp) { return convertReduce<ReduceMinOp>(op); })
      .Default([&](Operation *) {
        if (auto functions = getFunctions(op))
          return convertFunction(op, *functions);
        return convertMove(op);
      });
}

namespace {

struct ConvertTosaToQopt final
    : mlir::qopt::impl::ConvertTosaToQoptBase<ConvertTosaToQopt> {
  void runOnOperation() override {
    if (!getOperation().isDeclaration() &&
        failed(TosaReader(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
