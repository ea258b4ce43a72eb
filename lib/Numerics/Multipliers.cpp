// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Multiplier choice and overflow bounds (docs/arithmetic.md, "Multiplier
// choice" and "Overflow proofs").

#include "qopt/Numerics/Multipliers.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <optional>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

namespace {
constexpr int largestShift = 62;
/// The smallest multiplier of 20 significant bits.
constexpr double enoughBits = 0x1p19;
} // namespace

bool Multipliers::isFormQ() const {
  return shift.size() == 1 && shift[0] >= 32 && shift[0] <= 38 &&
         llvm::all_of(multiplier, [](int32_t m) { return m < (1 << 30); });
}

/// `rhe(factor 2^shift)`; exact scaling, so one rounding.
static double scaled(double factor, int shift) {
  return roundHalfEven(std::ldexp(factor, shift));
}

static llvm::Error checkFactors(llvm::ArrayRef<double> factors,
                                double largest = maxFactor) {
  for (auto [index, factor] : llvm::enumerate(factors))
    if (!(factor >= minFactor && factor <= largest))
      return makeError(
          701,
          llvm::formatv("rescale factor {0:e} of channel {1} is outside "
                        "[2^-40, 2^{2}]",
                        factor, index, std::ilogb(largest))
              .str(),
          {"the factor is input scale times weight scale over output scale"},
          "give the layer's output a wider or narrower range, or 16 bits");
  return llvm::Error::success();
}

/// The largest shift in `[lowest, highest]` with `rhe(factor 2^shift) < limit`.
static std::optional<int> shiftBelow(double factor, double limit, int lowest,
                                     int highest) {
  for (int shift = highest; shift >= lowest; --shift)
    if (scaled(factor, shift) < limit)
      return shift;
  return std::nullopt;
}

static Multipliers withCommonShift(llvm::ArrayRef<double> factors, int shift) {
  Multipliers result;
  result.shift = {static_cast<int8_t>(shift)};
  for (double factor : factors)
    result.multiplier.push_back(static_cast<int32_t>(scaled(factor, shift)));
  return result;
}

llvm::Expected<Multipliers>
numerics::chooseMultipliers(llvm::ArrayRef<double> factors,
                            int64_t accumulatorBound, double largest) {
  if (llvm::Error error = checkFactors(factors, largest))
    return std::move(error);
  if (factors.empty())
    return Multipliers{{}, {38}};
  const double greatest = *std::max_element(factors.begin(), factors.end());
  const double smallest = *std::min_element(factors.begin(), factors.end());
  // Doubles hold 2^62 / P well enough once rounded down; the multiplier's own
  // limit is that of a 32-bit accumulator.
  const double limit = std::min(
      0x1p31, static_cast<double>((INT64_C(1) << 62) /
                                  std::max(accumulatorBound, int32Bound)));
  auto keepsBits = [&](std::optional<int> shift) {
    return shift && scaled(smallest, *shift) >= enoughBits;
  };
  auto anyShift = [&](double factor) {
    return shiftBelow(factor, limit, 1, largestShift);
  };

  std::optional<int> shift =
      shiftBelow(greatest, std::min(0x1p30, limit), 32, 38);
  if (keepsBits(shift))
    return withCommonShift(factors, *shift);
  shift = anyShift(greatest);
  if (keepsBits(shift))
    return withCommonShift(factors, *shift);

  Multipliers result;
  for (double factor : factors) {
    shift = anyShift(factor);
    if (!shift)
      return makeError(
          701,
          llvm::formatv("an accumulator of up to {0} times the factor {1:e} "
                        "does not fit 64 bits",
                        accumulatorBound, factor)
              .str());
    const double multiplier = std::max(scaled(factor, *shift), 1.0);
    result.multiplier.push_back(static_cast<int32_t>(multiplier));
    result.shift.push_back(static_cast<int8_t>(*shift));
  }
  return result;
}

/// The multipliers for `shift`, if the sum of all extremes stays below
/// `2^bits`.
static bool trySumShift(llvm::ArrayRef<double> factors,
                        llvm::ArrayRef<int64_t> magnitudes, int bits,
                        int64_t zeroPointBound, int shift,
                        std::vector<int32_t> &multipliers) {
  const __int128 one = 1;
  __int128 total = (one << (shift - 1)) + zeroPointBound * (one << shift);
  multipliers.clear();
  for (auto [factor, magnitude] : llvm::zip(factors, magnitudes)) {
    const double multiplier = std::max(scaled(factor, shift), 1.0);
    if (multiplier >= 0x1p31)
      return false;
    multipliers.push_back(static_cast<int32_t>(multiplier));
    total += static_cast<__int128>(magnitude) * multipliers.back();
  }
  return total < (one << bits);
}

llvm::Expected<SumMultipliers>
numerics::chooseSumMultipliers(llvm::ArrayRef<double> factors,
                               llvm::ArrayRef<int64_t> magnitudes, int bits,
                               int64_t zeroPointBound) {
  if (llvm::Error error = checkFactors(factors, maxSumFactor))
    return std::move(error);
  SumMultipliers result;
  for (int shift = largestShift; shift >= 1; --shift)
    if (trySumShift(factors, magnitudes, bits, zeroPointBound, shift,
                    result.multiplier)) {
      result.shift = static_cast<int8_t>(shift);
      return result;
    }
  return makeError(701, llvm::formatv("a sum of {0} scaled terms does not fit "
                                      "{1} bits at any shift",
                                      factors.size(), bits)
                            .str());
}

llvm::Expected<SumMultipliers>
numerics::chooseAddMultipliers(double factorA, double factorB, int bitsA,
                               int bitsB, int bitsOut, bool exact) {
  const bool narrow = bitsOut <= 8 && (!exact || (bitsA <= 8 && bitsB <= 8));
  const double factors[] = {factorA, factorB};
  const int64_t magnitudes[] = {(INT64_C(1) << bitsA) - 1,
                                (INT64_C(1) << bitsB) - 1};
  return chooseSumMultipliers(factors, magnitudes, narrow ? 31 : 62,
                              INT64_C(1) << (bitsOut - 1));
}

llvm::Expected<Multipliers> numerics::chooseQuotientMultiplier(double factor) {
  if (!(factor >= minFactor && factor < 0x1p30))
    return makeError(701, llvm::formatv("the factor {0:e} of a quotient lies "
                                        "outside [2^-40, 2^30)",
                                        factor)
                              .str());
  int shift = 44;
  while (roundHalfEven(std::ldexp(factor, shift)) > INT32_MAX)
    --shift;
  double multiplier = roundHalfEven(std::ldexp(factor, shift));
  return Multipliers{{static_cast<int32_t>(multiplier)},
                     {static_cast<int8_t>(shift)}};
}

template <typename T>
static AccumulatorBound boundSums(llvm::ArrayRef<T> weights, int32_t zeroPointW,
                                  int32_t qminX, int32_t qmaxX,
                                  int32_t zeroPointX, int64_t bias) {
  const int64_t low = static_cast<int64_t>(qminX) - zeroPointX;
  const int64_t high = static_cast<int64_t>(qmaxX) - zeroPointX;
  AccumulatorBound bound{bias, bias};
  for (T weight : weights) {
    const int64_t w = static_cast<int64_t>(weight) - zeroPointW;
    bound.min += std::min(low * w, high * w);
    bound.max += std::max(low * w, high * w);
  }
  return bound;
}

AccumulatorBound numerics::accumulatorBound(llvm::ArrayRef<int16_t> weights,
                                            int32_t zeroPointW, int32_t qminX,
                                            int32_t qmaxX, int32_t zeroPointX,
                                            int64_t bias) {
  return boundSums(weights, zeroPointW, qminX, qmaxX, zeroPointX, bias);
}

AccumulatorBound numerics::accumulatorBound(llvm::ArrayRef<int32_t> weights,
                                            int32_t zeroPointW, int32_t qminX,
                                            int32_t qmaxX, int32_t zeroPointX,
                                            int64_t bias) {
  return boundSums(weights, zeroPointW, qminX, qmaxX, zeroPointX, bias);
}
