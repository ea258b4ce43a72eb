// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qint dialect: dialect class, attributes, ops.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "qopt/IR/QintDialect.h.inc"
#include "qopt/IR/QintEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "qopt/IR/QintAttrs.h.inc"

#define GET_OP_CLASSES
#include "qopt/IR/QintOps.h.inc"
