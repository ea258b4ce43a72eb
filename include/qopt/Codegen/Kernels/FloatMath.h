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

/// `tanh x` within 2 ulp.
Value floatTanh(KernelBuilder &k, Value x);

/// `1 / (1 + e^-x)` within 3 ulp.
Value floatSigmoid(KernelBuilder &k, Value x);

} // namespace mlir::qopt::codegen
