// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions of f32 vectors in vector arithmetic: no libm, and the
// same bits on every machine with FMA, whatever the vector width.
#pragma once

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qopt::codegen {

/// `value` as a constant of `type`: f32, or a vector of f32.
Value floatConstant(ImplicitLocOpBuilder &builder, Type type, float value);

/// The larger (smaller) of two; the second where one is NaN. One instruction
/// on x86.
Value floatMax(ImplicitLocOpBuilder &builder, Value a, Value b);
Value floatMin(ImplicitLocOpBuilder &builder, Value a, Value b);

/// `e^x` within 1 ulp, subnormal results and infinity included. NaN gives an
/// unspecified value.
Value floatExp(ImplicitLocOpBuilder &builder, Value x);

/// `tanh x` within 2 ulp.
Value floatTanh(ImplicitLocOpBuilder &builder, Value x);

/// `1 / (1 + e^-x)` within 3 ulp.
Value floatSigmoid(ImplicitLocOpBuilder &builder, Value x);

} // namespace mlir::qopt::codegen
