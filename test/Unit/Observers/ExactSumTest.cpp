// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact sums: nothing is lost, no order matters.

#include "qopt/Observers/ExactSum.h"
#include "TestSupport.h"
#include <algorithm>
#include <limits>

using namespace mlir::qopt::observers;

namespace {

TEST(ExactSum, cancellationLosesNothing) {
  FloatSum sum;
  sum.add(1e30);
  sum.add(0x1p-149);
  sum.add(-1e30);
  EXPECT_EQ(sum.value(), 0x1p-149);
  sum.add(-0x1p-149);
  EXPECT_EQ(sum.value(), 0);
  EXPECT_EQ(sum.digits(), FloatSum().digits());
}

TEST(ExactSum, extremes) {
  const double largest = std::numeric_limits<float>::max();
  FloatSum sum;
  SquareSum squares;
  for (int i = 0; i < 1000; ++i) {
    sum.add(-largest);
    squares.add(largest * largest);
  }
  EXPECT_EQ(sum.value(), -1000 * largest);
  EXPECT_EQ(squares.value(), 1000 * (largest * largest));
  SquareSum tiny;
  tiny.add(0x1p-298);
  EXPECT_EQ(tiny.value(), 0x1p-298);
}

TEST(ExactSum, smallIntegersAgreeWithInt64) {
  Random random(1);
  FloatSum sum;
  int64_t expected = 0;
  for (int i = 0; i < 10000; ++i) {
    const int64_t x = random.between(-(INT64_C(1) << 40), INT64_C(1) << 40);
    sum.add(static_cast<double>(x));
    expected += x;
    ASSERT_EQ(sum.value(), static_cast<double>(expected));
  }
}

TEST(ExactSum, anyOrderAndAnySplitGiveTheSameDigits) {
  Random random(2);
  std::vector<float> values(500);
  for (float &value : values)
    value = random.anyFinite();
  FloatSum whole;
  for (float value : values)
    whole.add(value);
  for (int round = 0; round < 20; ++round) {
    for (size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[random.next() % i]);
    FloatSum parts[3];
    for (float value : values)
      parts[random.next() % 3].add(value);
    parts[0].merge(parts[1]);
    parts[2].merge(parts[0]);
    EXPECT_EQ(parts[2].digits(), whole.digits());
    EXPECT_EQ(parts[2].value(), whole.value());
  }
}

TEST(ExactSum, digitsRoundTrip) {
  for (double x : {0.0, 1.5, -1.5, -1e38, 1e-45, -1e-45}) {
    FloatSum sum;
    sum.add(static_cast<float>(x));
    const FloatSum back = FloatSum::fromDigits(sum.digits());
    EXPECT_EQ(back.value(), static_cast<float>(x));
    EXPECT_EQ(back.digits(), sum.digits());
  }
}

TEST(ExactSum, valueIsAccurate) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    FloatSum sum;
    long double expected = 0;
    for (int j = 0; j < 3; ++j) {
      const double x =
          std::ldexp(static_cast<double>(random.between(1, 1 << 24)),
                     static_cast<int>(random.between(-10, 10)));
      sum.add(x);
      expected += x;
    }
    EXPECT_LE(std::fabs(sum.value() / expected - 1), 0x1p-52L);
  }
}

TEST(ExactSum, noBitOfAFloat64IsLost) {
  for (int exponent : {-97, -96, -64, 0, 1, 31, 100})
    for (double sign : {1.0, -1.0}) {
      const double x = std::ldexp(sign * 0x1.fffffffffffffp0, exponent);
      FloatSum sum;
      sum.add(x);
      EXPECT_EQ(sum.value(), x);
      sum.add(std::ldexp(-sign, exponent + 1));
      EXPECT_EQ(sum.value(), std::ldexp(-sign, exponent - 52));
    }
}

TEST(ExactSum, zerosAddNothing) {
  FloatSum sum;
  sum.add(0.0);
  sum.add(-0.0);
  EXPECT_EQ(sum.digits(), FloatSum().digits());
  EXPECT_EQ(sum.value(), 0);
  EXPECT_FALSE(std::signbit(sum.value()));
}

TEST(ExactSum, everyPowerOfTwoOfBothSigns) {
  for (int exponent = -149; exponent < 200; ++exponent)
    for (double sign : {1.0, -1.0}) {
      const double x = std::ldexp(sign, exponent);
      FloatSum sum;
      sum.add(x);
      EXPECT_EQ(sum.value(), x);
      SquareSum squares;
      squares.add(std::ldexp(x, -149));
      squares.add(std::ldexp(x, 100));
      EXPECT_EQ(squares.value(), std::ldexp(x, -149) + std::ldexp(x, 100));
    }
}

/// Digits that no test could reach by adding.
TEST(ExactSum, theTopDigitCountsAndCarriesTheSign) {
  std::array<uint32_t, 11> digits{};
  digits[10] = 1;
  EXPECT_EQ(FloatSum::fromDigits(digits).value(), std::ldexp(1, 320 - 149));
  digits.fill(0xffffffff);
  EXPECT_EQ(FloatSum::fromDigits(digits).value(), -0x1p-149);
  FloatSum twice = FloatSum::fromDigits(digits);
  twice.merge(twice);
  EXPECT_EQ(twice.value(), -0x1p-148);
}

TEST(ExactSum, valueRoundsTheTop63Bits) {
  FloatSum sum;
  sum.add(0x1p63);
  sum.add(0x1p10);
  sum.add(1);
  // The 64th bit would break the tie.
  EXPECT_EQ(sum.value(), 0x1p63);
  sum.add(1);
  EXPECT_EQ(sum.value(), 0x1p63 + 0x1p11);
}

} // namespace
