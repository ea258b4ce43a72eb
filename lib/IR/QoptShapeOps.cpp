// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants, and ops that move values: assembly, verifiers, folders.

#include "QoptVerify.h"
#include "VerifyShapes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/OpImplementation.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/IR/Shapes.h"

using namespace mlir;
using namespace mlir::qopt;

//===----------------------------------------------------------------------===//
// constant
//===----------------------------------------------------------------------===//

ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &result) {
  ElementsAttr value;
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseAttribute(value, "value", result.attributes))
    return failure();
  Type type = value.getShapedType();
  if (succeeded(parser.parseOptionalKeyword("as")) && parser.parseType(type))
    return failure();
  result.addTypes(type);
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
  printer << " " << getValue();
  if (getType() != getValue().getShapedType())
    printer << " as " << getType();
}

LogicalResult ConstantOp::verify() {
  if (failed(verifyConversionTensors(*this)))
    return failure();
  // (C1) to (C3)
  return verifyConstant(*this, getValue(), storageTensorType(getType()));
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

Operation *QoptDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!elements || !tensor ||
      elements.getShapedType() != storageTensorType(tensor))
    return nullptr;
  return ConstantOp::create(builder, loc, tensor, elements);
}

/// The same elements under `type`'s shape; null for other kinds of attribute.
static Attribute reshapeElements(Attribute value, RankedTensorType type) {
  RankedTensorType stored = storageTensorType(type);
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(stored, resource.getRawHandle());
  auto dense = dyn_cast_or_null<DenseElementsAttr>(value);
  if (!dense || dense.getNumElements() != stored.getNumElements())
    return {};
  return dense.isSplat() ? Attribute(dense.resizeSplat(stored))
                         : Attribute(dense.reshape(stored));
}

//===----------------------------------------------------------------------===//
// reshape
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  // (C1), (C2)
  return failure(failed(verifyTensors(*this)) ||
                 failed(verifyReshape(*this, getInput().getType(),
                                      getResult().getType())) ||
                 failed(verifyOneElementType(*this)));
}

ScaleRule ReshapeOp::getScaleRule() { return ScaleRule::Shared; }

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (Attribute value = reshapeElements(adaptor.getInput(), getType()))
    return value;
  if (auto producer = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::verify() {
  // (C1) to (C3)
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifyTranspose(*this, getInput().getType(), getResult().getType(),
                             getPermutation())) ||
      failed(verifyOneElementType(*this)));
}

ScaleRule TransposeOp::getScaleRule() { return ScaleRule::Shared; }

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  bool identity = true;
  for (auto [i, axis] : llvm::enumerate(getPermutation()))
    identity &= static_cast<int64_t>(i) == axis;
  if (identity)
    return getInput();
  if (auto producer = getInput().getDefiningOp<TransposeOp>()) {
    setPermutation(permuteShape(producer.getPermutation(), getPermutation()));
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

//===----------------------------------------------------------------------===//
// concat
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::verify() {
  // (C1) to (C4)
  return failure(failed(verifyTensors(*this)) ||
                 failed(verifyConcat(*this, getInputs().getTypes(),
                                     getResult().getType(), getAxis())) ||
                 failed(verifyOneElementType(*this)));
}

ScaleRule ConcatOp::getScaleRule() { return ScaleRule::Shared; }

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1)
    return getInputs().front();
  return {};
}

//===----------------------------------------------------------------------===//
// pad
//===----------------------------------------------------------------------===//

LogicalResult PadOp::verify() {
  // (C1), (C2)
  if (failed(verifyTensors(*this)) ||
      failed(verifyPad(*this, getInput().getType(), getResult().getType(),
                       getPads())))
    return failure();
  // (C3)
  if (!getValue().isFinite())
    return emitOpError("expects a finite value, but got ")
           << getValueAttr().getValueAsDouble();
  return verifyOneElementType(*this);
}

ScaleRule PadOp::getScaleRule() { return ScaleRule::Shared; }

OpFoldResult PadOp::fold(FoldAdaptor) {
  if (llvm::all_of(getPads(), [](int64_t pad) { return pad == 0; }))
    return getInput();
  return {};
}

//===----------------------------------------------------------------------===//
// slice, gather
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::verify() {
  // (C1) to (C3)
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifySlice(*this, getInput().getType(), getResult().getType(),
                         getStarts(), getSteps())) ||
      failed(verifyOneElementType(*this)));
}

ScaleRule SliceOp::getScaleRule() { return ScaleRule::Shared; }

OpFoldResult SliceOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return {};
}

LogicalResult GatherOp::verify() {
  // (C1) to (C4)
  return failure(
      failed(verifyTensors(*this)) ||
      failed(verifyGather(*this, getInput().getType(), getResult().getType(),
                          getAxis(), getIndices())) ||
      failed(verifyOneElementType(*this)));
}

ScaleRule GatherOp::getScaleRule() { return ScaleRule::Shared; }

OpFoldResult GatherOp::fold(FoldAdaptor) {
  if (getInput().getType() != getType())
    return {};
  for (auto [i, index] : llvm::enumerate(getIndices()))
    if (static_cast<int64_t>(i) != index)
      return {};
  return getInput();
}
