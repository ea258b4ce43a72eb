// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Multiplier choice: forms, precision, ranges, refusals, overflow bounds.

#include "qopt/Numerics/Multipliers.h"
#include "TestSupport.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt::numerics;

namespace {

/// The relative error of channel `c`.
double relativeError(const Multipliers &chosen, llvm::ArrayRef<double> factors,
                     size_t c) {
  const double value = std::ldexp(chosen.multiplier[c], -chosen.shiftOf(c));
  return std::fabs(value / factors[c] - 1);
}

TEST(ChooseMultipliers, oneFactorTakesFormQ) {
  auto chosen = chooseMultipliers(0.001);
  ASSERT_TRUE(succeeded(chosen));
  EXPECT_TRUE(chosen->isFormQ());
  EXPECT_EQ(chosen->shift, std::vector<int8_t>{38});
  EXPECT_EQ(chosen->multiplier, std::vector<int32_t>{274877907});
}

TEST(ChooseMultipliers, formQNeedsFactorsBelowAQuarter) {
  auto below = chooseMultipliers(0.2499);
  ASSERT_TRUE(succeeded(below));
  EXPECT_TRUE(below->isFormQ());
  EXPECT_EQ(below->shift[0], 32);
  auto quarter = chooseMultipliers(0.25);
  ASSERT_TRUE(succeeded(quarter));
  EXPECT_FALSE(quarter->isFormQ());
  EXPECT_EQ(quarter->multiplier[0], 1 << 30);
  EXPECT_EQ(quarter->shift[0], 32);
}

TEST(ChooseMultipliers, roundsToTheNearestMultiplier) {
  // 0.125 + 2^-34 at shift 32 is 2^29 + 1/4, at 33 a power too many.
  auto chosen = chooseMultipliers(0.125 + 0x1.8p-33);
  ASSERT_TRUE(succeeded(chosen));
  EXPECT_EQ(chosen->shift[0], 32);
  EXPECT_EQ(chosen->multiplier[0], (1 << 29) + 1);
}

TEST(ChooseMultipliers, twentyBitsDecideBetweenTheForms) {
  // 2^-8 to 2^-18: at shift 37, 2^29 and 2^19.
  auto common = chooseMultipliers({0x1p-8, 0x1p-18});
  ASSERT_TRUE(succeeded(common));
  EXPECT_TRUE(common->isFormQ());
  EXPECT_EQ(common->shift, std::vector<int8_t>{37});
  EXPECT_EQ(common->multiplier, (std::vector<int32_t>{1 << 29, 1 << 19}));
  // One bit more still has a common shift with 31-bit multipliers.
  auto wider = chooseMultipliers({0x1p-8, 0x1p-19});
  ASSERT_TRUE(succeeded(wider));
  EXPECT_FALSE(wider->isFormQ());
  EXPECT_EQ(wider->shift, std::vector<int8_t>{38});
  // And one more has not.
  auto apart = chooseMultipliers({0x1p-8, 0x1p-20});
  ASSERT_TRUE(succeeded(apart));
  EXPECT_EQ(apart->shift, (std::vector<int8_t>{38, 50}));
  EXPECT_EQ(apart->multiplier, (std::vector<int32_t>{1 << 30, 1 << 30}));
}

TEST(ChooseMultipliers, keepsPromisedPrecisionForRandomLayers) {
  Random random(6);
  for (int layer = 0; layer < 3000; ++layer) {
    std::vector<double> factors;
    const int spread = static_cast<int>(random.between(0, 30));
    const int64_t channels = random.between(1, 20);
    for (int64_t c = 0; c < channels; ++c)
      factors.push_back(std::ldexp(
          1 + random.unit(), 5 - static_cast<int>(random.between(0, spread))));
    auto chosen = chooseMultipliers(factors);
    ASSERT_TRUE(succeeded(chosen));
    ASSERT_EQ(chosen->multiplier.size(), factors.size());
    ASSERT_TRUE(chosen->shift.size() == 1 ||
                chosen->shift.size() == factors.size());
    for (size_t c = 0; c < factors.size(); ++c) {
      EXPECT_GE(chosen->multiplier[c], 1);
      EXPECT_GE(chosen->shiftOf(c), 1);
      EXPECT_LE(chosen->shiftOf(c), 62);
      EXPECT_LE(relativeError(*chosen, factors, c), 0x1p-20);
    }
  }
}

TEST(ChooseMultipliers, productsStayWithin62Bits) {
  for (int64_t bound : {INT64_C(1), INT64_C(65025), int32Bound,
                        INT64_C(1) << 32, INT64_C(1) << 40}) {
    for (double factor : {0x1p-40, 1e-5, 0.3, 1.0, 127.9}) {
      auto chosen = chooseMultipliers(
          {factor, factor / 3 < minFactor ? factor : factor / 3}, bound);
      ASSERT_TRUE(succeeded(chosen));
      for (size_t c = 0; c < 2; ++c)
        EXPECT_LE(static_cast<__int128>(bound) * chosen->multiplier[c],
                  static_cast<__int128>(1) << 62);
    }
  }
}

TEST(ChooseMultipliers, refusesFactorsOutOfRange) {
  for (double factor :
       {0.0, -1.0, 0x1p-41, 129.0, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()})
    EXPECT_NE(refusal(chooseMultipliers({0.5, factor})).find("Q0701"),
              std::string::npos);
  EXPECT_EQ(refusal(chooseMultipliers({0x1p-40, 128.0})), "");
  EXPECT_EQ(refusal(chooseMultipliers(512.0, 255, maxValueFactor)), "");
}

TEST(ChooseMultipliers, theSmallestFactorTakesTheLargestShift) {
  auto chosen = chooseMultipliers(0x1p-40);
  ASSERT_TRUE(succeeded(chosen));
  EXPECT_EQ(chosen->shift, std::vector<int8_t>{62});
  EXPECT_EQ(chosen->multiplier, std::vector<int32_t>{1 << 22});
}

TEST(ChooseMultipliers, aLayerWithoutChannelsTakesFormQ) {
  auto chosen = chooseMultipliers({});
  ASSERT_TRUE(succeeded(chosen));
  EXPECT_TRUE(chosen->isFormQ());
  EXPECT_EQ(chosen->shift, std::vector<int8_t>{38});
  EXPECT_TRUE(chosen->multiplier.empty());
}

TEST(ChooseMultipliers, wideAccumulatorsLeaveFewBits) {
  // 2^62 / 2^54 = 256: 100 and 0.8 keep below it with shifts 1 and 8, and 128
  // with none.
  auto chosen = chooseMultipliers({100.0, 0.8}, INT64_C(1) << 54);
  ASSERT_TRUE(succeeded(chosen));
  EXPECT_EQ(chosen->shift, (std::vector<int8_t>{1, 8}));
  EXPECT_EQ(chosen->multiplier, (std::vector<int32_t>{200, 205}));
  const std::string text =
      refusal(chooseMultipliers({100.0, 128.0}, INT64_C(1) << 54));
  EXPECT_NE(text.find("Q0701"), std::string::npos);
  EXPECT_NE(text.find("does not fit 64 bits"), std::string::npos);
}

TEST(Multipliers, formQIsOneShiftFrom32To38AndMultipliersBelow30Bits) {
  for (int shift = 30; shift <= 40; ++shift) {
    const Multipliers multipliers{{1, (1 << 30) - 1},
                                  {static_cast<int8_t>(shift)}};
    EXPECT_EQ(multipliers.isFormQ(), shift >= 32 && shift <= 38) << shift;
  }
  EXPECT_FALSE((Multipliers{{1, 1 << 30}, {32}}).isFormQ());
  EXPECT_FALSE((Multipliers{{1, 1}, {32, 32}}).isFormQ());
}

TEST(ChooseSumMultipliers, takesTheLargestShiftThatFits) {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    const double factors[] = {
        std::ldexp(1 + random.unit(), static_cast<int>(random.between(-38, 5))),
        std::ldexp(1 + random.unit(),
                   static_cast<int>(random.between(-38, 5)))};
    const bool narrow = random.next() & 1;
    const int bits = narrow ? 8 : 16;
    auto chosen =
        chooseAddMultipliers(factors[0], factors[1], bits, bits, bits);
    ASSERT_TRUE(succeeded(chosen));
    // Written with long double: exact here.
    auto total = [&](int shift) {
      long double sum =
          std::ldexp(0.5L, shift) +
          std::ldexp(static_cast<long double>(narrow ? 128 : 32768), shift);
      for (double factor : factors)
        sum += (narrow ? 255 : 65535) *
               std::max(std::nearbyint(std::ldexp(factor, shift)), 1.0);
      return sum;
    };
    auto fits = [&](int shift) {
      for (double factor : factors)
        if (std::nearbyint(std::ldexp(factor, shift)) >= 0x1p31)
          return false;
      return total(shift) < (narrow ? 0x1p31L : 0x1p62L);
    };
    EXPECT_TRUE(fits(chosen->shift));
    EXPECT_FALSE(fits(chosen->shift + 1));
    for (int t = 0; t < 2; ++t)
      EXPECT_EQ(
          chosen->multiplier[t],
          std::max(std::nearbyint(std::ldexp(factors[t], chosen->shift)), 1.0));
  }
}

TEST(ChooseSumMultipliers, refusesWhatCannotFit) {
  EXPECT_NE(refusal(chooseAddMultipliers(0, 1, 8, 8, 8)), "");
  EXPECT_NE(refusal(chooseSumMultipliers({100.0}, {INT64_C(1) << 40}, 31, 0))
                .find("Q0701"),
            std::string::npos);
}

TEST(ChooseAddMultipliers, takesTheFactorsOfSignsAlone) {
  auto chosen = chooseAddMultipliers(0x1p20, 0x1p19, 8, 8, 8);
  ASSERT_TRUE(succeeded(chosen));
  // 255 (2^20 + 2^19) 2^S stays below 2^31 for S of 2, not of 3.
  EXPECT_EQ(chosen->shift, 2);
  EXPECT_EQ(chosen->multiplier, (std::vector<int32_t>{1 << 22, 1 << 21}));
  EXPECT_NE(refusal(chooseAddMultipliers(0x1.1p20, 1, 8, 8, 8)).find("2^20"),
            std::string::npos);
}

TEST(ChooseSumMultipliers, takesTheSmallestShiftIfItMust) {
  // 200 * 10^7 + 1 is below 2^31, 400 * 10^7 + 2 is not.
  auto chosen = chooseSumMultipliers({100.0}, {10000000}, 31, 0);
  ASSERT_TRUE(succeeded(chosen));
  EXPECT_EQ(chosen->shift, 1);
  EXPECT_EQ(chosen->multiplier, std::vector<int32_t>{200});
}

TEST(ChooseAddMultipliers, widerResultsAndExactOperandsTake62Bits) {
  auto shiftOf = [](int bitsA, int bitsB, int bitsOut, bool exact = true) {
    return llvm::cantFail(
               chooseAddMultipliers(0.5, 0.5, bitsA, bitsB, bitsOut, exact))
        .shift;
  };
  // (65535 / 2 + 255 / 2 + 1 / 2 + 128) 2^16 is above 2^31.
  EXPECT_EQ(shiftOf(16, 8, 8, false), 15);
  EXPECT_EQ(shiftOf(8, 8, 16, false), 31);
  // (255 + 1 / 2 + 128) 2^22 is below 2^31, twice that is not.
  EXPECT_EQ(shiftOf(8, 8, 8), 22);
  // In 62 bits only the multiplier, 2^30, is a limit.
  for (int bits : {9, 16}) {
    EXPECT_EQ(shiftOf(bits, 8, 8), 31);
    EXPECT_EQ(shiftOf(8, bits, 8), 31);
    EXPECT_EQ(shiftOf(8, 8, bits), 31);
  }
}

TEST(ChooseSumMultipliers, partsOfALongSum) {
  auto chosen = chooseSumMultipliers(
      {0.01, 0.02, 1e-6}, {int32Bound, int32Bound, int32Bound}, 62, 128);
  ASSERT_TRUE(succeeded(chosen));
  __int128 total = (static_cast<__int128>(1) << (chosen->shift - 1)) +
                   (static_cast<__int128>(128) << chosen->shift);
  for (int32_t multiplier : chosen->multiplier)
    total += static_cast<__int128>(int32Bound) * multiplier;
  EXPECT_LT(total, static_cast<__int128>(1) << 62);
}

TEST(Multipliers, defaultsAreZero) {
  EXPECT_EQ(SumMultipliers().shift, 0);
  EXPECT_EQ(AccumulatorBound().min, 0);
  EXPECT_EQ(AccumulatorBound().max, 0);
}

TEST(AccumulatorBound, isReachedAndNeverLeft) {
  Random random(8);
  for (int i = 0; i < 2000; ++i) {
    int16_t weights[6];
    for (int16_t &weight : weights)
      weight = static_cast<int16_t>(random.next());
    const int32_t zeroW = static_cast<int32_t>(random.between(-128, 127));
    const int32_t zeroX = static_cast<int32_t>(random.between(-128, 127));
    const int64_t bias = random.between(-1000000, 1000000);
    const AccumulatorBound bound = accumulatorBound(
        llvm::ArrayRef(weights), zeroW, -128, 127, zeroX, bias);
    const std::vector<int32_t> wide(std::begin(weights), std::end(weights));
    EXPECT_EQ(
        accumulatorBound(llvm::ArrayRef(wide), zeroW, -128, 127, zeroX, bias)
            .max,
        bound.max);
    // The extremes of a sum of independent terms sit at the ends of the range.
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (int corner = 0; corner < 64; ++corner) {
      int64_t acc = bias;
      for (int t = 0; t < 6; ++t)
        acc += ((corner >> t & 1 ? 127 : -128) - zeroX) * (weights[t] - zeroW);
      min = std::min(min, acc);
      max = std::max(max, acc);
    }
    EXPECT_EQ(bound.min, min);
    EXPECT_EQ(bound.max, max);
  }
}

TEST(AccumulatorBound, tellsWhatFitsInt32) {
  const std::vector<int16_t> weights(66052, 127);
  const auto fits =
      accumulatorBound(llvm::ArrayRef<int16_t>(weights).take_front(66000), 0,
                       -128, 127, -128, 0);
  EXPECT_TRUE(fits.fitsInt32());
  EXPECT_EQ(fits.magnitude(), INT64_C(66000) * 127 * 255);
  EXPECT_EQ(fits.min, 0);
  const llvm::ArrayRef<int16_t> none;
  EXPECT_TRUE(accumulatorBound(none, 0, -128, 127, 0, INT32_MAX).fitsInt32());
  EXPECT_FALSE(
      accumulatorBound(none, 0, -128, 127, 0, INT64_C(1) << 31).fitsInt32());
  EXPECT_TRUE(accumulatorBound(none, 0, -128, 127, 0, INT32_MIN).fitsInt32());
  EXPECT_FALSE(accumulatorBound(none, 0, -128, 127, 0, INT64_C(-2147483649))
                   .fitsInt32());
  // 127 * 255 * 66313 leaves int32.
  const std::vector<int16_t> many(66313, 127);
  EXPECT_FALSE(accumulatorBound(llvm::ArrayRef(many), 0, -128, 127, -128, 0)
                   .fitsInt32());
  EXPECT_EQ(
      accumulatorBound(llvm::ArrayRef(many), 0, -128, 127, 127, 0).magnitude(),
      INT64_C(66313) * 127 * 255);
}

TEST(QuotientMultiplier, hasTheLargestShift) {
  auto one = chooseQuotientMultiplier(1.0);
  ASSERT_TRUE(succeeded(one));
  EXPECT_EQ(one->multiplier, std::vector<int32_t>{1 << 30});
  EXPECT_EQ(one->shift, std::vector<int8_t>{30});
  // At the largest shift, and below what it can tell.
  auto small = chooseQuotientMultiplier(0x1p-20);
  ASSERT_TRUE(succeeded(small));
  EXPECT_EQ(small->multiplier, std::vector<int32_t>{1 << 24});
  EXPECT_EQ(small->shift, std::vector<int8_t>{44});
  // 2^31 - 1/2 rounds to 2^31, which is too much.
  auto edge = chooseQuotientMultiplier(0x1p30 - 0x1p-2);
  ASSERT_TRUE(succeeded(edge));
  EXPECT_EQ(edge->multiplier, std::vector<int32_t>{1 << 30});
  EXPECT_EQ(edge->shift, std::vector<int8_t>{0});
  auto smallest = chooseQuotientMultiplier(0x1p-40);
  ASSERT_TRUE(succeeded(smallest));
  EXPECT_EQ(smallest->multiplier, std::vector<int32_t>{16});
}

TEST(QuotientMultiplier, refusesWhatNoShiftReaches) {
  for (double factor : {0.0, -1.0, 0x1p30, 0x1p-41, HUGE_VAL,
                        std::numeric_limits<double>::quiet_NaN()})
    EXPECT_NE(refusal(chooseQuotientMultiplier(factor)).find("Q0701"),
              std::string::npos)
        << factor;
}

} // namespace
