// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Requantization parameters (`#qint.requant`), the dialect's discardable
// attributes and its constants.

#include "VerifyShapes.h"
#include "mlir/IR/OpImplementation.h"
#include "qopt/IR/Qint.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qint;

//===----------------------------------------------------------------------===//
// RequantAttr
//===----------------------------------------------------------------------===//

LogicalResult
RequantAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                    ArrayRef<int32_t> multiplier, ArrayRef<int32_t> shift,
                    int32_t zeroPoint, int32_t clampMin, int32_t clampMax,
                    Rounding) {
  // (C1)
  if (multiplier.empty())
    return emitError() << "expects a multiplier, but got none";
  if (shift.size() != 1 && shift.size() != multiplier.size())
    return emitError() << "expects 1 or " << multiplier.size()
                       << " shifts, but got " << shift.size();
  // (C2)
  for (int32_t value : multiplier)
    if (value == 0 || value == INT32_MIN)
      return emitError() << "expects multipliers other than 0 and -2^31, but "
                            "got "
                         << value;
  // (C3)
  for (int32_t value : shift)
    if (value < 1 || value > 62)
      return emitError() << "expects shifts in [1, 62], but got " << value;
  // (C4)
  const bool clampsNothing = clampMin == INT32_MIN && clampMax == INT32_MAX;
  for (int32_t value :
       {zeroPoint, clampsNothing ? 0 : clampMin, clampsNothing ? 0 : clampMax})
    if (value < INT16_MIN || value > INT16_MAX)
      return emitError() << "expects zero point and clamp in 16 bits, but got "
                         << value;
  if (clampMin > clampMax)
    return emitError() << "expects an ordered clamp, but got " << clampMin
                       << " to " << clampMax;
  return success();
}

static ParseResult parseList(AsmParser &parser,
                             SmallVectorImpl<int32_t> &values) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parser.parseInteger(values.emplace_back());
  });
}

Attribute RequantAttr::parse(AsmParser &parser, Type) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  SmallVector<int32_t> multiplier, shift;
  int32_t zeroPoint = 0, clampMin = 0, clampMax = 0;
  if (parser.parseLess() || parseList(parser, multiplier) ||
      parser.parseComma() || parseList(parser, shift) || parser.parseComma() ||
      parser.parseKeyword("zp") || parser.parseInteger(zeroPoint) ||
      parser.parseComma() || parser.parseKeyword("clamp") ||
      parser.parseInteger(clampMin) || parser.parseKeyword("to") ||
      parser.parseInteger(clampMax))
    return {};
  Rounding rounding = Rounding::HalfUp;
  if (succeeded(parser.parseOptionalComma())) {
    StringRef name;
    llvm::SMLoc nameLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return {};
    std::optional<Rounding> parsed = symbolizeRounding(name);
    if (!parsed) {
      parser.emitError(nameLoc, "expects half_up or half_even, but got '")
          << name << "'";
      return {};
    }
    rounding = *parsed;
  }
  if (parser.parseGreater())
    return {};
  return RequantAttr::getChecked(
      [&] { return parser.emitError(loc); }, parser.getContext(),
      ArrayRef<int32_t>(multiplier), ArrayRef<int32_t>(shift), zeroPoint,
      clampMin, clampMax, rounding);
}

void RequantAttr::print(AsmPrinter &printer) const {
  printer << "<[" << getMultiplier() << "], [" << getShift() << "], zp "
          << getZeroPoint() << ", clamp " << getClampMin() << " to "
          << getClampMax();
  if (getRounding() != Rounding::HalfUp)
    printer << ", " << stringifyRounding(getRounding());
  printer << ">";
}

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

LogicalResult QintDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  return op->emitError("unknown attribute '")
         << attribute.getName().strref() << "'";
}

/// `qint.scale`, `qint.zero_point` and `qint.real` of an argument or result.
static LogicalResult verifyBoundary(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName().strref();
  if (name == "qint.scale") {
    auto scale = dyn_cast<FloatAttr>(attribute.getValue());
    double value = scale ? scale.getValueAsDouble() : 0.0;
    if (scale && scale.getType().isF64() && std::isfinite(value) && value > 0 &&
        static_cast<double>(static_cast<float>(value)) == value)
      return success();
    return op->emitError("expects an f64 above zero that is a float32 in "
                         "attribute 'qint.scale', but got ")
           << attribute.getValue();
  }
  if (name == "qint.zero_point") {
    auto zeroPoint = dyn_cast<IntegerAttr>(attribute.getValue());
    if (zeroPoint && zeroPoint.getType().isSignlessInteger(64))
      return success();
    return op->emitError("expects an i64 in attribute 'qint.zero_point', but "
                         "got ")
           << attribute.getValue();
  }
  if (name == "qint.real") {
    if (isa<UnitAttr>(attribute.getValue()))
      return success();
    return op->emitError("expects a unit in attribute 'qint.real', but got ")
           << attribute.getValue();
  }
  return op->emitError("unknown attribute '") << name << "'";
}

LogicalResult QintDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned,
                                                    NamedAttribute attribute) {
  return verifyBoundary(op, attribute);
}

LogicalResult
QintDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                         NamedAttribute attribute) {
  return verifyBoundary(op, attribute);
}

//===----------------------------------------------------------------------===//
// constant
//===----------------------------------------------------------------------===//

ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &result) {
  ElementsAttr value;
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseAttribute(value, "value", result.attributes))
    return failure();
  result.addTypes(value.getShapedType());
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
  printer << " " << getValue();
}

LogicalResult ConstantOp::verify() {
  // (C1), (C2)
  return failure(failed(qopt::verifySizes(*this)) ||
                 failed(qopt::verifyConstant(*this, getValue(), getType())));
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

Operation *QintDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getShapedType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}
