// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who owns a value's scale.

#include "Scales.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

Value mlir::qopt::getImportedConstant(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (dequantize && isConstant(dequantize.getInput()))
    return dequantize.getInput();
  return Value();
}

std::optional<SmallVector<float>> mlir::qopt::getKnownValues(Value value) {
  Value imported = getImportedConstant(value);
  if (!imported)
    return getConstantF32(value);
  std::optional<SmallVector<int32_t>> integers = getQuantizedConstant(imported);
  if (!integers)
    return std::nullopt;
  auto type = cast<RankedTensorType>(imported.getType());
  int64_t axis = quantAxis(type), inner = 1;
  for (int64_t size : type.getShape().drop_front(axis + 1))
    inner *= size;
  SmallVector<numerics::QuantParams> params;
  for (int64_t i = 0, e = axis < 0 ? 1 : type.getDimSize(axis); i < e; ++i)
    params.push_back(quantParams(type, i));
  SmallVector<float> reals;
  reals.reserve(integers->size());
  for (auto [index, integer] : llvm::enumerate(*integers))
    reals.push_back(numerics::dequantize(
        integer, params[axis < 0 ? 0 : index / inner % params.size()]));
  return reals;
}

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
