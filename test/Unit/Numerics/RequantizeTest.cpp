// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rounding, exactly: against wide integers written down anew, all int8
// pairs for sums and products.

#include "qopt/Numerics/Requantize.h"
#include "TestSupport.h"
#include "qopt/Numerics/Multipliers.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt::numerics;

namespace {

/// `floor(a / b)` for positive `b` by truncating division.
__int128 floorDivide(__int128 a, __int128 b) {
  const __int128 quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

int64_t expectedRounding(__int128 value, int shift, Rounding rounding) {
  const __int128 unit = static_cast<__int128>(1) << shift;
  const __int128 below = floorDivide(value, unit);
  const __int128 twice = 2 * (value - below * unit);
  bool up = twice >= unit;
  if (twice == unit && rounding == Rounding::HalfEven)
    up = below % 2 != 0;
  return static_cast<int64_t>(below + (up ? 1 : 0));
}

int32_t expectedRequantize(int64_t acc, int32_t multiplier, int shift,
                           int32_t zeroPoint, int32_t qmin, int32_t qmax,
                           Rounding rounding) {
  const __int128 product = static_cast<__int128>(acc) * multiplier;
  const int64_t rounded = expectedRounding(product, shift, rounding);
  return static_cast<int32_t>(
      std::min<int64_t>(std::max<int64_t>(rounded + zeroPoint, qmin), qmax));
}

constexpr Rounding roundings[] = {Rounding::HalfUp, Rounding::HalfEven};

TEST(Requantize, tiesGoUpOrToEven) {
  // acc / 2.
  auto half = [](int64_t acc, Rounding rounding) {
    return requantize(acc, 1, 1, 0, -128, 127, rounding);
  };
  const int64_t accs[] = {-5, -3, -1, 1, 3, 5};
  const int32_t up[] = {-2, -1, 0, 1, 2, 3};
  const int32_t even[] = {-2, -2, 0, 0, 2, 2};
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(half(accs[i], Rounding::HalfUp), up[i]);
    EXPECT_EQ(half(accs[i], Rounding::HalfEven), even[i]);
  }
}

TEST(Requantize, theZeroPointIsAddedAfterRounding) {
  // 2.5 to even is 2, then + 1.
  EXPECT_EQ(requantize(5, 1, 1, 1, -128, 127, Rounding::HalfEven), 3);
  EXPECT_EQ(requantize(5, 1, 1, 1, -128, 127, Rounding::HalfUp), 4);
}

TEST(Requantize, agreesWithWideIntegers) {
  Random random(3);
  for (int i = 0; i < 1000000; ++i) {
    const int64_t acc =
        static_cast<int32_t>(random.next()) >> random.between(0, 24);
    const int32_t multiplier = static_cast<int32_t>(
        random.between(1, INT32_MAX >> random.between(0, 20)));
    const int shift = static_cast<int>(random.between(1, 62));
    const int32_t zeroPoint = static_cast<int32_t>(random.between(-128, 127));
    const bool wide = random.next() & 1;
    const int32_t qmin = wide ? -32768 : -128, qmax = wide ? 32767 : 127;
    const Rounding rounding = roundings[random.next() & 1];
    ASSERT_EQ(
        requantize(acc, multiplier, shift, zeroPoint, qmin, qmax, rounding),
        expectedRequantize(acc, multiplier, shift, zeroPoint, qmin, qmax,
                           rounding))
        << acc << " " << multiplier << " " << shift;
  }
}

TEST(Requantize, edges) {
  const int64_t accs[] = {INT32_MIN,
                          INT32_MIN + 1,
                          -1,
                          0,
                          1,
                          INT32_MAX - 1,
                          INT32_MAX,
                          -(INT64_C(1) << 40),
                          INT64_C(1) << 40,
                          INT64_MAX,
                          INT64_MIN};
  const int32_t multipliers[] = {1,       2,        3, 1 << 19, (1 << 30) - 1,
                                 1 << 30, INT32_MAX};
  for (int64_t acc : accs)
    for (int32_t multiplier : multipliers)
      for (int shift = 0; shift <= 62; ++shift)
        for (Rounding rounding : roundings) {
          const __int128 product = static_cast<__int128>(acc) * multiplier;
          const __int128 limit = static_cast<__int128>(1) << 62;
          const __int128 unit = static_cast<__int128>(1) << shift;
          int32_t expected;
          if (product / unit >= limit)
            expected = 127;
          else if (product / unit <= -limit)
            expected = -128;
          else
            expected = expectedRequantize(acc, multiplier, shift, 5, -128, 127,
                                          rounding);
          EXPECT_EQ(requantize(acc, multiplier, shift, 5, -128, 127, rounding),
                    expected)
              << acc << " " << multiplier << " " << shift;
        }
}

TEST(Requantize, formQIsTheSameNumber) {
  Random random(4);
  for (int i = 0; i < 200000; ++i) {
    const int64_t acc = static_cast<int32_t>(random.next());
    const int64_t multiplier = random.between(1, (1 << 30) - 1);
    const int f = static_cast<int>(random.between(1, 7));
    const int64_t y = (acc * multiplier) >> 31;
    const int64_t cheap = (y + (INT64_C(1) << (f - 1))) >> f;
    EXPECT_EQ(requantize(acc, static_cast<int32_t>(multiplier), 31 + f, 0,
                         INT32_MIN, INT32_MAX),
              cheap);
  }
}

TEST(RequantizeSum, allInt8PairsAgreeWithWideIntegersAndInt32Suffices) {
  struct Case {
    double factorA, factorB;
    int32_t zeroA, zeroB, zero;
    bool subtract;
  };
  const Case cases[] = {{0.7, 0.31, -128, 5, -128, false},
                        {1.0, 1.0, 0, 0, 0, true},
                        {100, 0.001, 127, -128, 127, false},
                        {0x1p-30, 0.5, 3, -7, 11, true}};
  for (const Case &c : cases) {
    auto chosen = chooseAddMultipliers(c.factorA, c.factorB, 8, 8, 8);
    ASSERT_TRUE(succeeded(chosen));
    const int32_t multiplierA = chosen->multiplier[0];
    const int32_t multiplierB =
        c.subtract ? -chosen->multiplier[1] : chosen->multiplier[1];
    const int shift = chosen->shift;
    ASSERT_LE(shift, 30);
    // Everything folded into one constant, computed in wrapping 32 bits.
    const uint32_t constant =
        (1u << (shift - 1)) + (static_cast<uint32_t>(c.zero) << shift) -
        static_cast<uint32_t>(c.zeroA) * static_cast<uint32_t>(multiplierA) -
        static_cast<uint32_t>(c.zeroB) * static_cast<uint32_t>(multiplierB);
    for (int a = -128; a < 128; ++a)
      for (int b = -128; b < 128; ++b) {
        const __int128 sum = static_cast<__int128>(a - c.zeroA) * multiplierA +
                             static_cast<__int128>(b - c.zeroB) * multiplierB;
        const int64_t expected = std::clamp<int64_t>(
            expectedRounding(sum, shift, Rounding::HalfUp) + c.zero, -128, 127);
        const int32_t actual =
            requantizeSum(a - c.zeroA, multiplierA, b - c.zeroB, multiplierB,
                          shift, c.zero, -128, 127);
        ASSERT_EQ(actual, expected);
        const uint32_t folded =
            static_cast<uint32_t>(a) * static_cast<uint32_t>(multiplierA) +
            static_cast<uint32_t>(b) * static_cast<uint32_t>(multiplierB) +
            constant;
        ASSERT_EQ(std::clamp(static_cast<int32_t>(folded) >> shift, -128, 127),
                  actual);
        ASSERT_EQ(requantizeSum(a - c.zeroA, multiplierA, b - c.zeroB,
                                multiplierB, shift, c.zero, -128, 127,
                                Rounding::HalfEven),
                  std::clamp<int64_t>(
                      expectedRounding(sum, shift, Rounding::HalfEven) + c.zero,
                      -128, 127));
      }
  }
}

TEST(RequantizeSum, isWithinHalfAStepOfTheRealSum) {
  Random random(5);
  int64_t misrounded = 0, total = 0;
  for (int i = 0; i < 40; ++i) {
    const double factorA =
        std::ldexp(1 + random.unit(), static_cast<int>(random.between(-3, 1)));
    const double factorB =
        std::ldexp(1 + random.unit(), static_cast<int>(random.between(-3, 1)));
    auto chosen = chooseAddMultipliers(factorA, factorB, 8, 8, 8);
    ASSERT_TRUE(succeeded(chosen));
    for (int a = -128; a < 128; ++a)
      for (int b = -128; b < 128; ++b) {
        const double real = factorA * a + factorB * b;
        const int32_t actual =
            requantizeSum(a, chosen->multiplier[0], b, chosen->multiplier[1],
                          chosen->shift, 0, -100000, 100000);
        ASSERT_LE(std::fabs(actual - real), 0.5003);
        misrounded += std::fabs(actual - real) > 0.5;
        ++total;
      }
  }
  EXPECT_LT(static_cast<double>(misrounded), 2e-4 * static_cast<double>(total));
}

TEST(RequantizeProduct, allInt8PairsAreWithinHalfAStep) {
  const double factors[] = {0.00392, 0.0171, 0.25, 1.7};
  for (double factor : factors) {
    auto chosen = chooseMultipliers(factor, 65025);
    ASSERT_TRUE(succeeded(chosen));
    for (int a = -128; a < 128; ++a)
      for (int b = -128; b < 128; ++b) {
        const int64_t acc = (a - 7) * (b + 3);
        const int32_t actual = requantize(
            acc, chosen->multiplier[0], chosen->shiftOf(0), 0, -200000, 200000);
        const __int128 product =
            static_cast<__int128>(acc) * chosen->multiplier[0];
        ASSERT_EQ(actual, expectedRounding(product, chosen->shiftOf(0),
                                           Rounding::HalfUp));
        ASSERT_LE(std::fabs(actual - factor * static_cast<double>(acc)),
                  0.50001);
      }
  }
}

TEST(RequantizeQuotient, allInt8PairsEqualTheExactQuotient) {
  for (int shift : {0, 3, 17})
    for (int a = -255; a <= 255; a += 3)
      for (int b = -255; b <= 255; ++b) {
        const int32_t multiplier = 1000003;
        const int32_t actual =
            requantizeQuotient(a, b, multiplier, shift, 5, -128, 127);
        if (b == 0) {
          ASSERT_EQ(actual, a > 0 ? 127 : a < 0 ? -128 : 5);
          continue;
        }
        // The only integer v with v - 1/2 <= n / d < v + 1/2, times 2 |d|.
        const int64_t n =
            static_cast<int64_t>(a) * multiplier * (b < 0 ? -1 : 1);
        const int64_t d = static_cast<int64_t>(std::abs(b)) << shift;
        const int64_t v = actual - 5;
        if (actual > -128)
          ASSERT_LE(2 * v * d - d, 2 * n) << a << "/" << b;
        if (actual < 127)
          ASSERT_LT(2 * n, 2 * v * d + d) << a << "/" << b;
      }
}

TEST(RequantizeQuotient, tiesGoUp) {
  EXPECT_EQ(requantizeQuotient(3, 2, 1, 0, 0, -128, 127), 2);
  EXPECT_EQ(requantizeQuotient(-3, 2, 1, 0, 0, -128, 127), -1);
  EXPECT_EQ(requantizeQuotient(3, -2, 1, 0, 0, -128, 127), -1);
  EXPECT_EQ(requantizeQuotient(-3, -2, 1, 0, 0, -128, 127), 2);
  EXPECT_EQ(requantizeQuotient(6, 1, 1, 2, 10, -128, 11), 11);
  // The ends of what may come in.
  EXPECT_EQ(requantizeQuotient(131071, 1, INT32_MAX, 0, 0, -32768, 32767),
            32767);
  EXPECT_EQ(
      requantizeQuotient(-131071, -131071, INT32_MAX, 31, 0, -32768, 32767), 1);
  EXPECT_EQ(requantizeQuotient(-1, 131071, 1, 44, 0, -32768, 32767), 0);
  // A zero point outside the clamp.
  EXPECT_EQ(requantizeQuotient(0, 0, 1, 0, 50, -10, 20), 20);
}

} // namespace
