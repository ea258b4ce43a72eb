// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What qopt asks of `!quant.uniform` element types beyond what upstream
// verifies, and the way from a type to the parameters that Numerics uses.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qopt {

/// Whether `type` is a tensor of quantized elements.
bool isQuantized(Type type);

/// Whether `type` is quantized with one scale an index of an axis.
bool isPerAxis(Type type);

/// Checks a quantized tensor's parameters: signed i8, i16 or i32 storage, f32
/// expressed, finite scales > 0, zero points inside the storage range, the
/// axis inside the rank and one scale an index of it. Succeeds for any other
/// type.
LogicalResult
verifyQuantType(llvm::function_ref<InFlightDiagnostic()> emitError, Type type);

/// The parameters of a quantized tensor, of index `channel` of its axis where
/// it is per axis. The scale is rounded to float32; for i32 storage (biases)
/// use `quantScale`, which is not.
numerics::QuantParams quantParams(Type type, int64_t channel = 0);

/// The scale of a quantized tensor in double.
double quantScale(Type type, int64_t channel = 0);

/// The axis of a per-axis type, else -1.
int64_t quantAxis(Type type);

/// The tensor type of the stored integers: `tensor<4x!quant.uniform<i8...>>`
/// to `tensor<4xi8>`. Other tensor types come back as they are.
RankedTensorType storageTensorType(RankedTensorType type);

} // namespace mlir::qopt
