// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding of whole arrays to a quantized type, for simulations.
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir::qopt::numerics {

/// Replaces each value by `dequantize(quantize(value))`.
void simulate(llvm::MutableArrayRef<float> values, const QuantParams &params);

} // namespace mlir::qopt::numerics
