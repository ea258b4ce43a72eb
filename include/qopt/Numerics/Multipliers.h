// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From real rescale factors to integer multipliers and shifts, and the bounds
// that prove them free of overflow (docs/arithmetic.md, "Multiplier choice").
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// `multiplier[c] / 2^shift[c]` stands for a real factor of channel `c`.
/// `shift` has one entry (common to the layer) or one a channel.
/// `1 <= multiplier < 2^31`, `0 <= shift <= 62`.
struct Multipliers {
  std::vector<int32_t> multiplier;
  std::vector<int8_t> shift;

  int shiftOf(size_t channel) const {
    return shift.size() == 1 ? shift[0] : shift[channel];
  }
  /// The cheap form: one shift in [32, 38], every multiplier below 2^30.
  bool isFormQ() const;
};

/// Factors outside `[minFactor, maxFactor]` are refused.
inline constexpr double minFactor = 0x1p-40;
inline constexpr double maxFactor = 0x1p7;
/// The same for values and means of values, of which 8 bits may become 16.
inline constexpr double maxValueFactor = 0x1p9;
/// The same for terms of a sum, whose operands have few bits.
inline constexpr double maxSumFactor = 0x1p20;

/// Largest `|accumulator|` that int32 holds for certain.
inline constexpr int64_t int32Bound = INT64_C(0x7fffffff);

/// Multipliers nearest to `factors` (`s_x s_w / s_y`, one a channel): form Q
/// when every channel keeps at least 20 significant bits there, else one common
/// shift on the same condition, else one shift a channel. `accumulatorBound` is
/// the largest `|acc|` that will be multiplied; no product leaves `2^62`.
/// Fails with Q0701 on a factor that is not finite or above `largest`.
llvm::Expected<Multipliers>
chooseMultipliers(llvm::ArrayRef<double> factors,
                  int64_t accumulatorBound = int32Bound,
                  double largest = maxFactor);

/// Terms added before one rounding share one shift.
struct SumMultipliers {
  std::vector<int32_t> multiplier;
  int8_t shift = 0;
};

/// Multipliers of a sum `sum_i t_i M_i` with `|t_i| <= magnitudes[i]`, rounded
/// once by `shift` into an output whose zero point lies in
/// `[-zeroPointBound, zeroPointBound]`. The largest shift for which
/// `sum_i magnitudes[i] M_i + 2^(shift-1) + zeroPointBound 2^shift < 2^bits`
/// with `bits` = 31 or 62, so that an int32 (int64) computes it exactly with
/// every constant folded in. A multiplier that rounds to 0 becomes 1.
/// Fails with Q0701 on a factor out of range or a magnitude too large.
llvm::Expected<SumMultipliers>
chooseSumMultipliers(llvm::ArrayRef<double> factors,
                     llvm::ArrayRef<int64_t> magnitudes, int bits,
                     int64_t zeroPointBound);

/// The two-term form for Add and Sub: `factors` are `s_a / s_y` and
/// `s_b / s_y`. An 8-bit output uses 31 bits of sum (an int32 suffices), a
/// wider one 62; with `exact`, wider operands too, whose multipliers then keep
/// more than 14 bits.
llvm::Expected<SumMultipliers> chooseAddMultipliers(double factorA,
                                                    double factorB, int bitsA,
                                                    int bitsB, int bitsOut,
                                                    bool exact = false);

/// The multiplier of a quotient: `rhe(factor 2^shift)` at the largest shift up
/// to 44 that keeps it below 2^31. `factor` is `s_a / (s_b s_y)`.
/// Fails with Q0701 on a factor outside `[2^-40, 2^30)`.
llvm::Expected<Multipliers> chooseQuotientMultiplier(double factor);

/// Exact extremes of an accumulator over all possible inputs.
struct AccumulatorBound {
  int64_t min = 0;
  int64_t max = 0;

  bool fitsInt32() const { return min >= INT32_MIN && max <= INT32_MAX; }
  /// Largest `|acc|`.
  int64_t magnitude() const { return max > -min ? max : -min; }
};

/// The extremes of `sum (x - zeroPointX)(w - zeroPointW) + bias` over every
/// `x` in `[qminX, qmaxX]`, with padding taps absent or equal to zero point.
/// `|bias| < 2^61` and ranges of at most 16 bits: int64 cannot overflow.
AccumulatorBound accumulatorBound(llvm::ArrayRef<int16_t> weights,
                                  int32_t zeroPointW, int32_t qminX,
                                  int32_t qmaxX, int32_t zeroPointX,
                                  int64_t bias);
/// The same for up to 2^21 weights of 24 bits.
AccumulatorBound accumulatorBound(llvm::ArrayRef<int32_t> weights,
                                  int32_t zeroPointW, int32_t qminX,
                                  int32_t qmaxX, int32_t zeroPointX,
                                  int64_t bias);

} // namespace mlir::qopt::numerics
