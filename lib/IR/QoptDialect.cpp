// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the qopt dialect and its generated definitions.

#include "qopt/IR/Qopt.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;

#include "qopt/IR/QoptDialect.cpp.inc"
#include "qopt/IR/QoptEnums.cpp.inc"
#include "qopt/IR/QoptInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "qopt/IR/QoptAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "qopt/IR/QoptOps.cpp.inc"

void QoptDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qopt/IR/QoptAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/IR/QoptOps.cpp.inc"
      >();
}
