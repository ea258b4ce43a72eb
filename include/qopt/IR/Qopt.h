// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qopt dialect: dialect class, attributes, interfaces, ops.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Numerics/ScalarFunctions.h"

namespace mlir::qopt {

/// Who owns a result's scale; see QuantizableOpInterface.
enum class ScaleRule { Own, Shared, Fixed };

namespace detail {
struct FnAttrStorage;
} // namespace detail

} // namespace mlir::qopt

#include "qopt/IR/QoptDialect.h.inc"
#include "qopt/IR/QoptEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "qopt/IR/QoptAttrs.h.inc"

#include "qopt/IR/QoptInterfaces.h.inc"

#define GET_OP_CLASSES
#include "qopt/IR/QoptOps.h.inc"
