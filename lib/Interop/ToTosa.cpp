// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA out: the walk over a function, its boundary, and ops that move values.

#include "ToTosa.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Interop/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;

namespace mlir::qopt {
#define GEN_PASS_DEF_CONVERTQINTTOTOSA
#include "qopt/Interop/Passes.h.inc"
} // namespace mlir::qopt

/// Constants up to this many elements are printed in place; TOSA's own passes
/// read multipliers, shifts and zero points only there.
static constexpr size_t inlineElements = 1024;

static Value transpose(OpBuilder &builder, Value value,
                       ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int32_t> perms(permutation.begin(), permutation.end());
  return tosa::TransposeOp::create(
      builder, value.getLoc(),
      type.clone(permuteAxes(type.getShape(), permutation)), value, perms);
}

TosaWriter::TosaWriter(func::FuncOp function)
    : function(function), builder(function.getContext()),
      loc(function.getLoc()), layouts({0, 2, 3, 1}, transpose) {
  for (BlockArgument argument : function.getArguments())
    layouts.set(argument, argument);
}

LogicalResult TosaWriter::refuse(Operation *op, const Twine &reason) {
  return op->emitError() << "'" << op->getName()
                         << "' has no exact form in TOSA: " << reason;
}

bool TosaWriter::worksChannelsLast(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  return type.getRank() == 4 &&
         llvm::any_of(op->getOperands(),
                      [&](Value operand) {
                        return layouts.hasOther(operand) &&
                               !operand.getDefiningOp<qint::ConstantOp>();
                      }) &&
         llvm::all_of(op->getOperandTypes(), [](Type operand) {
           return cast<RankedTensorType>(operand).getRank() == 4;
         });
}

RankedTensorType TosaWriter::getType(Value old, bool channelsLast) {
  auto type = cast<RankedTensorType>(old.getType());
  return channelsLast ? type.clone(layouts.other(type.getShape())) : type;
}

int64_t TosaWriter::getAxis(int64_t axis, bool channelsLast) {
  return channelsLast ? layouts.getToPlain()[axis] : axis;
}

LogicalResult TosaWriter::finish(Operation *op, Value made, bool channelsLast) {
  if (!made)
    return failure();
  if (channelsLast)
    layouts.setOther(op->getResult(0), made);
  else
    layouts.set(op->getResult(0), made);
  return success();
}

template <typename T>
static Value makeElements(OpBuilder &builder, Location loc,
                          RankedTensorType type, ArrayRef<int64_t> values) {
  auto elements = llvm::to_vector(llvm::map_range(
      values, [](int64_t value) { return static_cast<T>(value); }));
  ElementsAttr attr;
  if (elements.size() <= inlineElements)
    attr = DenseElementsAttr::get(type, ArrayRef<T>(elements));
  else
    attr = DenseResourceElementsAttr::get(
        type, "qopt_tosa",
        HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<T>(elements)));
  return tosa::ConstOp::create(builder, loc, type, attr);
}

Value TosaWriter::makeConstant(RankedTensorType type,
                               ArrayRef<int64_t> values) {
  switch (type.getElementTypeBitWidth()) {
  case 8:
    return makeElements<int8_t>(builder, loc, type, values);
  case 16:
    return makeElements<int16_t>(builder, loc, type, values);
  default:
    return makeElements<int32_t>(builder, loc, type, values);
  }
}

Value TosaWriter::makeZero(Type elementType, int64_t value) {
  return makeConstant(RankedTensorType::get({1}, elementType), {value});
}

Value TosaWriter::makeShape(ArrayRef<int64_t> shape) {
  auto type = tosa::shapeType::get(builder.getContext(), shape.size());
  return tosa::ConstShapeOp::create(builder, loc, type,
                                    builder.getIndexTensorAttr(shape));
}

Value TosaWriter::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return tosa::ReshapeOp::create(builder, loc, type.clone(shape), value,
                                 makeShape(shape));
}

LogicalResult TosaWriter::convertReshape(qint::ReshapeOp op) {
  return finish(op, reshape(get(op.getInput()), op.getType().getShape()),
                false);
}

LogicalResult TosaWriter::convertTranspose(qint::TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  // Between the two layouts nothing moves.
  if (permutation == layouts.getToPlain()) {
    layouts.setOther(op.getResult(), get(op.getInput()));
    return success();
  }
  if (permutation == layouts.getToOther())
    return finish(op, getChannelsLast(op.getInput()), false);
  return finish(op, transpose(builder, get(op.getInput()), permutation), false);
}

LogicalResult TosaWriter::convertConcat(qint::ConcatOp op) {
  bool last = worksChannelsLast(op);
  SmallVector<Value> inputs;
  for (Value input : op.getInputs())
    inputs.push_back(getOperand(input, last));
  uint32_t axis = getAxis(op.getAxis(), last);
  return finish(op,
                tosa::ConcatOp::create(
                    builder, loc, getType(op.getResult(), last), inputs, axis),
                last);
}

LogicalResult TosaWriter::convertPad(qint::PadOp op) {
  bool last = worksChannelsLast(op);
  ArrayRef<int64_t> pads = op.getPads();
  size_t rank = pads.size() / 2;
  SmallVector<int64_t> padding(2 * rank);
  for (size_t axis = 0; axis < rank; ++axis) {
    padding[2 * getAxis(axis, last)] = pads[axis];
    padding[2 * getAxis(axis, last) + 1] = pads[rank + axis];
  }
  RankedTensorType type = getType(op.getResult(), last);
  return finish(
      op,
      tosa::PadOp::create(builder, loc, type, getOperand(op.getInput(), last),
                          makeShape(padding),
                          makeZero(type.getElementType(), op.getValue())),
      last);
}

LogicalResult TosaWriter::convertSlice(qint::SliceOp op) {
  ArrayRef<int64_t> steps = op.getSteps();
  bool dense = llvm::all_of(steps, [](int64_t step) { return step == 1; });
  bool last = dense && worksChannelsLast(op);
  Value value = getOperand(op.getInput(), last);
  SmallVector<int64_t> starts(op.getStarts());
  SmallVector<int64_t> shape(op.getType().getShape());
  // What is not a box along an axis is gathered there first.
  for (size_t axis = 0; axis < steps.size() && !dense; ++axis) {
    if (steps[axis] == 1)
      continue;
    SmallVector<int64_t> indices;
    for (int64_t i = 0; i < shape[axis]; ++i)
      indices.push_back(starts[axis] + i * steps[axis]);
    value = gather(value, axis, indices);
    starts[axis] = 0;
  }
  if (last) {
    starts = layouts.other(starts);
    shape = layouts.other(shape);
  }
  auto type = cast<RankedTensorType>(value.getType());
  return finish(op,
                tosa::SliceOp::create(builder, loc, type.clone(shape), value,
                                      makeShape(starts), makeShape(shape)),
                last);
}

Value TosaWriter::gather(Value value, int64_t axis, ArrayRef<int64_t> indices) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  int64_t before = 1, behind = 1, count = indices.size();
  for (int64_t i = 0; i < type.getRank(); ++i)
    (i < axis ? before : behind) *= i == axis ? 1 : shape[i];
  SmallVector<int64_t> all;
  for (int64_t i = 0; i < before; ++i)
    llvm::append_range(all, indices);
  Value list = makeConstant(
      RankedTensorType::get({before, count}, builder.getI32Type()), all);
  value = tosa::GatherOp::create(
      builder, loc, type.clone({before, count, behind}),
      reshape(value, {before, shape[axis], behind}), list);
  shape[axis] = count;
  return reshape(value, shape);
}

LogicalResult TosaWriter::convertGather(qint::GatherOp op) {
  bool last = worksChannelsLast(op);
  return finish(op,
                gather(getOperand(op.getInput(), last),
                       getAxis(op.getAxis(), last), op.getIndices()),
                last);
}

LogicalResult TosaWriter::convertMove(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](qint::ConstantOp constant) {
        return finish(op,
                      tosa::ConstOp::create(builder, loc, constant.getType(),
                                            constant.getValue()),
                      false);
      })
      .Case([&](qint::ReshapeOp move) { return convertReshape(move); })
      .Case([&](qint::TransposeOp move) { return convertTranspose(move); })
      .Case([&](qint::ConcatOp move) { return convertConcat(move); })
      .Case([&](qint::PadOp move) { return convertPad(move); })
      .Case([&](qint::SliceOp move) { return convertSlice(move); })
      .Case([&](qint::GatherOp move) { return convertGather(move); })
      .Default([&](Operation *) {
        return refuse(op, "TOSA has other arithmetic for it, or none");
      });
}

/// `qint.scale` and `qint.zero_point` become plain attributes, which LLVM's
/// tools carry through though they do not know them, and what else is qopt's
/// own goes.
void TosaWriter::writeBoundary() {
  auto write = [&](DictionaryAttr attrs) {
    NamedAttrList list;
    for (NamedAttribute attr : attrs)
      if (!isa_and_nonnull<QoptDialect, qint::QintDialect>(
              attr.getNameDialect()))
        list.append(attr);
    for (StringRef name : {"scale", "zero_point"})
      if (Attribute attr = attrs.get(("qint." + name).str()))
        list.append(("quant." + name).str(), attr);
    return list.getDictionary(builder.getContext());
  };
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (DictionaryAttr attrs = function.getArgAttrDict(i))
      function.setArgAttrs(i, write(attrs));
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (DictionaryAttr attrs = function.getResultAttrDict(i))
      function.setResultAttrs(i, write(attrs));
}

LogicalResult TosaWriter::run() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.front())
    ops.push_back(&op);
  bool failed = false;
  for (Operation *op : ops) {
    builder.setInsertionPoint(op);
    loc = op->getLoc();
    if (llvm::all_of(op->getOperands(),
                     [&](Value operand) { return layouts.has(operand); }))
      failed |= llvm::failed(convert(op));
  }
  if (failed)
    return failure();
  for (Operation *op : llvm::reverse(old)) {
    op->dropAllUses();
    op->erase();
  }
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(function.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  writeBoundary();
  return success();
}

LogicalResult TosaWriter::convert(Operation *op) {
  if (auto exit = dyn_cast<func::ReturnOp>(op)) {
    for (OpOperand &operand : exit->getOpOperands())
      operand.set(get(operand.get()));
    return success();
  }
  if (!isa_and_nonnull<qint::QintDialect>(op->getDialect()))
    return refuse(op, "it is no op of qint");
  old.push_back(op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](qint::ConvOp conv) { return convertConv(conv); })
      .Case([&](qint::GemmOp gemm) { return convertGemm(gemm); })
      .Case([&](qint::MatMulOp product) { return convertMatMul(product); })
      .Case([&](qint::AddOp sum) { return convertAdd(sum); })
      .Case([&](qint::MulOp product) { return convertMul(product); })
      .Case([&](qint::MaxOp) { return convertExtreme<tosa::MaximumOp>(op); })
      .Case([&](qint::MinOp) { return convertExtreme<tosa::MinimumOp>(op); })
      .Case([&](qint::TableOp table) { return convertTable(table); })
      .Case([&](qint::RequantizeOp requantize) {
        return convertRequantize(requantize);
      })
      .Case([&](qint::MaxPoolOp pool) { return convertMaxPool(pool); })
      .Case([&](qint::AvgPoolOp pool) { return convertAvgPool(pool); })
      .Case([&](qint::ReduceMeanOp mean) { return convertMean(mean); })
      .Case([&](qint::ReduceMaxOp reduce) {
        return convertReduce<tosa::ReduceMaxOp>(reduce);
      })
      .Case([&](qint::ReduceMinOp reduce) {
        return convertReduce<tosa::ReduceMinOp>(reduce);
      })
      .Default([&](Operation *) { return convertMove(op); });
}

namespace {

struct ConvertQintToTosa final
    : mlir::qopt::impl::ConvertQintToTosaBase<ConvertQintToTosa> {
  void runOnOperation() override {
    if (!getOperation().isDeclaration() &&
        failed(TosaWriter(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
