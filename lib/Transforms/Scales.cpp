// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who owns a value's scale.

#include "Scales.h"

using namespace mlir;
using namespace mlir::qopt;

bool mlir::qopt::mergesValues(QuantizableOpInterface op) {
  if (op.getScaleRule() != ScaleRule::Shared)
    return false;
  if (op->getNumOperands() > 1)
    return true;
  auto pad = dyn_cast<PadOp>(op.getOperation());
  return pad && !pad.getValue().isZero();
}

bool mlir::qopt::needsObserver(QuantizableOpInterface op) {
  return op.getScaleRule() != ScaleRule::Shared || mergesValues(op);
}

ObserveOp mlir::qopt::getDecidingObserver(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto observe = dyn_cast<ObserveOp>(op))
      return observe;
    auto quantizable = dyn_cast<QuantizableOpInterface>(op);
    if (!quantizable || needsObserver(quantizable))
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}
