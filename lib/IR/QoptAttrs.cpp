// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar functions (`#qopt.fn`) and the dialect's discardable attributes.

#include "mlir/IR/BuiltinOps.h"
#include "qopt/IR/Qopt.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::qopt;

//===----------------------------------------------------------------------===//
// FnAttr
//===----------------------------------------------------------------------===//

unsigned FnAttr::getNumParams(Function function) {
  switch (function) {
  case Function::LeakyRelu:
  case Function::Pow:
  case Function::Greater:
  case Function::GreaterOrEqual:
  case Function::Equal:
    return 1;
  case Function::Clip:
  case Function::HardSigmoid:
  case Function::Affine:
  case Function::Elu:
    return 2;
  default:
    return 0;
  }
}

LogicalResult FnAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                             Function function, ArrayRef<double> params) {
  // (C1)
  if (params.size() != getNumParams(function))
    return emitError() << "expects " << getNumParams(function)
                       << " parameters of '" << stringifyFunction(function)
                       << "', but got " << params.size();
  // (C2)
  for (double param : params)
    if (std::isnan(param) || (std::isinf(param) && function != Function::Clip))
      return emitError() << "expects finite parameters of '"
                         << stringifyFunction(function) << "', but got "
                         << param;
  // (C3)
  if (function == Function::Clip && params[0] > params[1])
    return emitError() << "expects ordered bounds, but got " << params[0]
                       << " and " << params[1];
  // (C4)
  if (function == Function::Elu && params[1] == 0)
    return emitError() << "expects a divisor other than 0";
  return success();
}

Attribute FnAttr::parse(AsmParser &parser, Type) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  SmallVector<double> params;
  if (parser.parseLess() || parser.parseKeyword(&name))
    return {};
  std::optional<Function> function = symbolizeFunction(name);
  if (!function) {
    parser.emitError(loc, "expects the name of a scalar function, but got '")
        << name << "'";
    return {};
  }
  while (succeeded(parser.parseOptionalComma()))
    if (parser.parseFloat(params.emplace_back()))
      return {};
  if (parser.parseGreater())
    return {};
  return FnAttr::getChecked([&] { return parser.emitError(loc); },
                            parser.getContext(), *function,
                            ArrayRef<double>(params));
}

void FnAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifyFunction(getFunction());
  for (double param : getParams()) {
    printer << ", ";
    printer.printFloat(APFloat(param));
  }
  printer << ">";
}

bool FnAttr::isClamp() const {
  return getFunction() == Function::Relu || getFunction() == Function::Clip;
}

double FnAttr::getClampMin() const {
  if (getFunction() == Function::Relu)
    return 0.0;
  if (getFunction() == Function::Clip)
    return getParams()[0];
  return -std::numeric_limits<double>::infinity();
}

double FnAttr::getClampMax() const {
  if (getFunction() == Function::Clip)
    return getParams()[1];
  return std::numeric_limits<double>::infinity();
}

numerics::ScalarFunction FnAttr::getScalarFunction() const {
  using Kind = numerics::ScalarFunction::Kind;
  static_assert(
      static_cast<int>(Function::Relu) == static_cast<int>(Kind::Relu) &&
      static_cast<int>(Function::Elu) == static_cast<int>(Kind::Elu) &&
      static_cast<int>(Function::Max) == static_cast<int>(Kind::Max) &&
      static_cast<int>(Function::Atan) == static_cast<int>(Kind::Atan));
  ArrayRef<double> params = getParams();
  return {static_cast<Kind>(getFunction()), params.empty() ? 0 : params[0],
          params.size() < 2 ? 0 : params[1]};
}

double FnAttr::evaluate(double x) const {
  return numerics::evaluate(getScalarFunction(), x);
}

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

/// Checks that `attribute` is one of `known` and holds a string.
static LogicalResult verifyStringAttribute(Operation *op,
                                           NamedAttribute attribute,
                                           ArrayRef<StringRef> known) {
  if (!llvm::is_contained(known, attribute.getName().strref()))
    return op->emitError("unknown attribute '")
           << attribute.getName().strref() << "'";
  if (!isa<StringAttr>(attribute.getValue()))
    return op->emitError("expects a string in attribute '")
           << attribute.getName().strref() << "', but got "
           << attribute.getValue();
  return success();
}

/// Whether `attribute` decides about the weight of a layer: one scale an output
/// channel or one for all, the bits, the input channels of a group.
static bool isWeightDecision(NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (name == "qopt.per_channel")
    return isa<BoolAttr>(attribute.getValue());
  auto number = dyn_cast<IntegerAttr>(attribute.getValue());
  if (!number || !number.getType().isSignlessInteger(64))
    return false;
  int64_t value = number.getInt();
  return (name == "qopt.weight_bits" &&
          (value == 8 || value == 4 || value == 2)) ||
         (name == "qopt.weight_group" && value >= 0);
}

/// Whether `attribute` says that somebody asked for what an observer has.
static bool isGiven(NamedAttribute attribute) {
  StringRef name = attribute.getName();
  return (name == "qopt.given_bits" || name == "qopt.given_range") &&
         isa<UnitAttr>(attribute.getValue());
}

/// Whether `attribute` tells how the channels of a value were scaled.
static bool isChannelScale(NamedAttribute attribute) {
  if (attribute.getName() == "qopt.salient_scale")
    return isa<DenseF32ArrayAttr>(attribute.getValue());
  auto scale = dyn_cast<DictionaryAttr>(attribute.getValue());
  return attribute.getName() == "qopt.channel_scale" && scale &&
         scale.getAs<IntegerAttr>("axis") && scale.getAs<StringAttr>("by") &&
         scale.getAs<DenseI32ArrayAttr>("exponents");
}

LogicalResult QoptDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  if (isWeightDecision(attribute) || isGiven(attribute) ||
      isChannelScale(attribute))
    return success();
  return verifyStringAttribute(
      op, attribute,
      {"qopt.value", "qopt.id", "qopt.model_hash", "qopt.rounding",
       "qopt.statistics",
       // Of functions of loops: which CPUs they are for.
       "qopt.variant"});
}

LogicalResult QoptDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned,
                                                    NamedAttribute attribute) {
  return verifyStringAttribute(op, attribute,
                               {"qopt.name", "qopt.id", "qopt.type"});
}

LogicalResult
QoptDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                         NamedAttribute attribute) {
  return verifyStringAttribute(op, attribute,
                               {"qopt.name", "qopt.id", "qopt.type"});
}
