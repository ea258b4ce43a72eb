// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who owns a value's scale: questions that several passes ask of the
// interfaces.
#pragma once

#include "mlir/IR/Matchers.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt {

/// True for f32 tensors: the values that quantization is about.
inline bool isFloatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

inline bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

/// The quantized constant behind a `dequantize`: values that the model itself
/// holds as integers. Null for anything else.
Value getImportedConstant(Value value);

/// True for what is known at compile time, in either form.
inline bool isKnown(Value value) {
  return isConstant(value) || getImportedConstant(value);
}

/// The reals of what is known at compile time, in either form.
std::optional<SmallVector<float>> getKnownValues(Value value);

/// True for an op that shares one scale among its values but brings several of
/// them together, so that the scale is a choice: concat, a pad with a value
/// that is not zero.
bool mergesValues(QuantizableOpInterface op);

/// True where `op`'s result has a scale of its own to be chosen: everything
/// but ops that pass one operand's scale on.
bool needsObserver(QuantizableOpInterface op);

/// The observer that decides about `value`: its own or, through ops that pass
/// a scale on, the one in front of it. Null for constants and unobserved
/// values.
ObserveOp getDecidingObserver(Value value);

} // namespace mlir::qopt
