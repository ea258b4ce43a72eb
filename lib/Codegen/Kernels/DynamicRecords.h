// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The records of samples whose scales are found when the model runs: columns
// as `numerics::Grid` and `numerics::DynamicScale` have their members.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

struct GridField {
  enum : int64_t {
    LeftMantissa,
    LeftShift,
    RightMantissa,
    RightShift,
    Exponent,
    Lower,
    Upper
  };
};

struct ScaleField {
  enum : int64_t { Mantissa, Exponent, Multiplier, Shift };
};

/// `floor(value / 2^shift + 1/2)` in i64.
Value shiftRounding(KernelBuilder &k, Value value, Value shift);

/// The magnitude of a float32's bits, NaN 0 and infinity the largest finite
/// one.
Value magnitudeBits(KernelBuilder &k, Value bits);

} // namespace mlir::qopt::codegen
