// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized constants: weights, biases, activations known at compile time.
#pragma once

#include "mlir/IR/Builders.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Transforms/Weights.h"

namespace mlir::qopt {

/// `!quant.uniform<iN:f32, scale:zeroPoint>` with `bits` (8 or 16) of storage.
Type getActivationType(MLIRContext *context, int64_t bits, double scale,
                       int64_t zeroPoint);

/// The float constant `value` in the per-tensor type `element`.
Value quantizeConstant(OpBuilder &builder, Value value, Type element);

/// The float constant weight of `op`, output channels first, as the
/// `qopt.dequantize` of its integers by the form `form`, which holds for it
/// (`getOwnForm`); no bias restricts its scales.
Value createDequantizedWeight(OpBuilder &builder, QuantizableOpInterface op,
                              WeightForm form);

/// Replaces the float weight and bias constants of `op`, whose first operand is
/// quantized and whose result will have scale `resultScale`, by quantized ones.
/// Emits an error where a bias does not fit.
LogicalResult quantizeWeightAndBias(OpBuilder &builder,
                                    QuantizableOpInterface op,
                                    double resultScale, WeightForm form);

} // namespace mlir::qopt
