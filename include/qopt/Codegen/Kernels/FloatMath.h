// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions of f32 vectors in vector arithmetic: no
// libm, and the same bits on every machine with FMA, whatever the vector width.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// The larger (smaller) of two; the second where one is NaN. One instruction
/// on x86.
Value floatMax(KernelBuilder &k, Value a, Value b);
Value floatMin(KernelBuilder &k, Value a, Value b);

/// `min(max(x, low), high)`; infinite bounds cost nothing.
Value floatClamp(KernelBuilder &k, Value x, double low, double high);

/// `x y + z`, rounded once.
Value fma(KernelBuilder &k, Value x, Value y, Value z);

/// `e^x` within 1 ulp, subnormal results and infinity included. NaN gives an
/// unspecified value.
Value floatExp(KernelBuilder &k, Value x);

/// `e^x - 1` within 3 ulp.
Value floatExpMinusOne(KernelBuilder &k, Value x);

/// `ln x` within 3 ulp; -infinity at 0, NaN below.
Value floatLog(KernelBuilder &k, Value x);

/// `ln(1 + e^x)` within 4 ulp.
Value floatSoftplus(KernelBuilder &k, Value x);

/// `erf x` within 3 ulp.
Value floatErf(KernelBuilder &k, Value x);

/// `sin(x + quarters pi / 2)` within 2^-23; arguments from 2^22 on count as 0.
Value floatSin(KernelBuilder &k, Value x, int quarters);

/// `atan x` within 3 ulp.
Value floatAtan(KernelBuilder &k, Value x);

/// Correctly rounded; NaN below 0.
Value floatSqrt(KernelBuilder &k, Value x);

/// `value`, or NaN where `x < 0`.
Value floatNaNBelowZero(KernelBuilder &k, Value x, Value value);

/// The nearest integer, ties to even.
Value floatRound(KernelBuilder &k, Value x);

/// The greatest integer that is not above `x`.
Value floatFloor(KernelBuilder &k, Value x);

Value floatAbs(KernelBuilder &k, Value x);

/// `magnitude`, which is not negative, with the sign of `x`.
Value floatWithSign(KernelBuilder &k, Value magnitude, Value x);

/// `tanh x` within 2 ulp.
Value floatTanh(KernelBuilder &k, Value x);

/// `1 / (1 + e^-x)` within 3 ulp.
Value floatSigmoid(KernelBuilder &k, Value x);

} // namespace mlir::qopt::codegen
