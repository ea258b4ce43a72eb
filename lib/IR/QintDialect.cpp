// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the qint dialect and its generated definitions.

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "qopt/IR/QintDynamic.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qint;

#include "qopt/IR/QintDialect.cpp.inc"
#include "qopt/IR/QintEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "qopt/IR/QintAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "qopt/IR/QintOps.cpp.inc"

#define GET_OP_CLASSES
#include "qopt/IR/QintDynamicOps.cpp.inc"

void QintDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qopt/IR/QintAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/IR/QintOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/IR/QintDynamicOps.cpp.inc"
      >();
}
