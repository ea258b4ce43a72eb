// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: the walk over a function and its boundary.

#include "FromTosa.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Interop/Passes.h"
#include "qopt/Transforms/Constants.h"

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
  if (!constant || layouts.has(old))
    return layouts.getPlain(builder, old);
  // Bools and indices are numbers.
  if (std::optional<SmallVector<int64_t>> values = getIntegers(old))
    layouts.set(old,
                createConstantF32(
                    builder, constant.getLoc(), getType(old.getType(), false),
                    SmallVector<float>(values->begin(), values->end())));
  else
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
  bool isBool = values.getElementType().isInteger(1);
  for (const APInt &value : values.getValues<APInt>())
    result.push_back(isBool ? value.getZExtValue() : value.getSExtValue());
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
  ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
  return RankedTensorType::get(channelsFirst ? layouts.other(shape)
                                             : SmallVector<int64_t>(shape),
                               builder.getF32Type());
}

int64_t TosaReader::getAxis(int64_t axis, bool channelsFirst) {
  return channelsFirst ? layouts.getToPlain()[axis] : axis;
}

void TosaReader::nameParts(Operation *made, StringAttr id) {
  SmallVector<Operation *> parts;
  for (Operation *op = made->getPrevNode();
       op && isa<QoptDialect>(op->getDialect()) && !op->hasAttr("qopt.value");
       op = op->getPrevNode())
    if (!isa<ConstantOp, TransposeOp, ReshapeOp>(op))
      parts.push_back(op);
  for (auto [index, op] : llvm::enumerate(llvm::reverse(parts)))
    op->setAttr("qopt.value",
                builder.getStringAttr(id.getValue() + "." + Twine(index + 1)));
}

LogicalResult TosaReader::finish(Operation *op, Operation *made,
                                 bool channelsFirst) {
  if (auto id = op->getAttrOfType<StringAttr>(idAttr)) {
    nameParts(made, id);
    made->setAttr("qopt.value", id);
  }
  if (channelsFirst)
    layouts.setOther(op->getResult(0), made->getResult(0));
  else
    layouts.set(op->getResult(0), made->getResult(0));
  return success();
}

LogicalResult TosaReader::checkTypes(Operation *op) {
  for (Type type : op->getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape() ||
        !(tensor.getElementType().isF32() ||
          tensor.getElementType().isInteger(1) || isa<tosa::ArgMaxOp>(op)))
      return refuse(op, "its result is not f32 of a static shape");
  }
  return success();
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

LogicalResult TosaReader::convertReturn(func::ReturnOp op) {
  nameBoundary(op);
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = operand.get().getType();
    if (!getElementTypeOrSelf(type).isF32())
      return op.emitError("expects results of f32, but got ") << type;
    operand.set(get(operand.get()));
  }
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
  if (auto exit = dyn_cast<func::ReturnOp>(op))
    return convertReturn(exit);
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
  const Rule *rule = llvm::find_if(getRules(), [&](const Rule &rule) {
    return rule.op.name == op->getName().getStringRef();
  });
  if (rule == getRules().end())
    return refuse(op, "there is no such operator");
  return rule->read(*this, op);
}

SmallVector<TosaOp> mlir::qopt::getReadTosaOps() {
  return llvm::map_to_vector(
      TosaReader::getRules(),
      [](const TosaReader::Rule &rule) { return rule.op; });
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
