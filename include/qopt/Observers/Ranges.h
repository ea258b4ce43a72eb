// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Range methods: from a tensor's statistics alone to the range that its scale
// is chosen for.
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "qopt/Observers/TensorStats.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qopt::observers {

struct RangeMethod {
  enum class Kind {
    /// The extremes.
    MinMax,
    /// The means over samples of the samples' extremes.
    MeanMinMax,
    /// Cuts `100 - percentile` per cent off each tail (symmetric: off |x|).
    Percentile,
    /// The range of least expected squared quantization error, that of values
    /// outside of it `mseClipWeight` times, whose ends are `2^(-i/128)` of the
    /// extremes, `i` to 896: tried are every 8th `i` of
    /// each
    /// end (every 4th where one end is 0 or both move as one), then all within
    /// 7 (3) of the best. The first of equals wins.
    Mse,
    /// The threshold on |x| of least Kullback-Leibler divergence between the
    /// histogram and the same in the levels of the type, the bin of zero
    /// flattened (docs/arithmetic.md, "Range choice").
    Entropy,
  };
  Kind kind = Kind::Mse;
  double percentile = 99.99;

  bool operator==(const RangeMethod &other) const {
    return kind == other.kind &&
           (kind != Kind::Percentile || percentile == other.percentile);
  }
};

/// `minmax`, `mean-minmax`, `percentile:99.99` (above 50 to 100), `mse`,
/// `entropy`. Fails with Q0103, naming the methods.
llvm::Expected<RangeMethod> parseRangeMethod(llvm::StringRef text);
std::string toString(const RangeMethod &method);

/// The range of `stats` for an integer type of `bits` (8 or 16); [0, 0] without
/// values. Not widened to contain 0: `numerics::chooseParams` does that.
/// With `powerOfTwo` the scale will be one: `Mse` then minimizes the error of
/// that scale. At most 10 ms.
numerics::Range chooseRange(const TensorStats &stats, const RangeMethod &method,
                            int bits, bool symmetric, bool powerOfTwo = false);

/// How many times `Mse` counts the squared errors of values that it cuts.
/// Rounding errors have either sign and cancel in the sums behind; those of a
/// cut have one, come many at once in a sample that is out of the ordinary, and
/// are larger on data that calibration did not see. On trained and random
/// networks anything from 8 to 20 did as well.
inline constexpr double mseClipWeight = 10;

/// Expected squared error of a value quantized with `params`, values spread
/// evenly inside each histogram bin, those outside of the range weighted
/// `clipWeight` times: with `mseClipWeight` the objective that `Mse` minimizes.
double expectedSquaredError(const TensorStats &stats,
                            const numerics::QuantParams &params,
                            double clipWeight = 1);

} // namespace mlir::qopt::observers
