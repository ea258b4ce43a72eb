// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions in double-double arithmetic, without libm. Arguments lie
// inside +-2^400 unless said otherwise; relative errors are below 2^-95.
#pragma once

#include "DoubleDouble.h"

namespace mlir::qopt::numerics {

/// `e^x - 1` without loss near 0.
DoubleDouble expMinusOne(DoubleDouble x);

/// `ln x`; `x` is positive and finite, of any size.
DoubleDouble logDoubleDouble(DoubleDouble x);

/// `ln(1 + e^x)`.
DoubleDouble softplus(DoubleDouble x);

DoubleDouble sigmoid(DoubleDouble x);

DoubleDouble tanh(DoubleDouble x);

DoubleDouble erf(DoubleDouble x);

/// Arguments from 2^40 on count as 0.
DoubleDouble sine(DoubleDouble x);
DoubleDouble cosine(DoubleDouble x);

DoubleDouble arctangent(DoubleDouble x);

inline constexpr DoubleDouble halfPi(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54);

/// Exact where the root is a float64; `x >= 0`.
DoubleDouble squareRoot(DoubleDouble x);

/// The greatest integer that is not above `x`.
DoubleDouble floorOf(DoubleDouble x);

} // namespace mlir::qopt::numerics
