// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and making the constants of the qopt dialect, whatever attribute
// holds them.
#pragma once

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/IR/Qopt.h"
#include <optional>

namespace mlir::qopt {

/// The values of a float constant (`dense` or `dense_resource`) in row-major
/// order; nothing where `value` is no constant, not f32, or its resource is
/// missing or has another size than its type.
std::optional<SmallVector<float>> getConstantF32(Value value);

/// True where `getConstantF32` would give something; reads no values.
bool isConstantF32(Value value);

/// A float constant of `type` (f32, static). Values beyond 64 bytes live in a
/// resource blob.
ConstantOp createConstantF32(OpBuilder &builder, Location loc,
                             RankedTensorType type, ArrayRef<float> values);

/// The integers `values`, each within `type`'s i8, i16 or i32.
ElementsAttr createIntegerElements(RankedTensorType type,
                                   ArrayRef<int32_t> values);

/// A quantized constant: `values` are the integers of `type`'s storage (i8,
/// i16 or i32 by its width), each within it.
ConstantOp createQuantizedConstant(OpBuilder &builder, Location loc,
                                   RankedTensorType type,
                                   ArrayRef<int32_t> values);

/// The integers of a quantized constant, sign extended; nothing where `value`
/// is none.
std::optional<SmallVector<int32_t>> getQuantizedConstant(Value value);

/// Frees the values of resources that nothing in `inUse` refers to, all that is
/// left of the context's IR: the context itself keeps them as long as it lives.
void releaseUnusedConstants(MLIRContext &context, ArrayRef<ModuleOp> inUse);

} // namespace mlir::qopt
