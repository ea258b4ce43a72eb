// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales that are found at run time, against real arithmetic in long double.

#include "qopt/Numerics/Dynamic.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace mlir::qopt::numerics;

namespace {

class Random {
public:
  int64_t in(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
  }
  /// Magnitudes of all sizes.
  int32_t value() {
    auto size = static_cast<int32_t>(in(0, 30));
    return static_cast<int32_t>(in(-INT32_MAX, INT32_MAX)) >> size;
  }
  float real() {
    return llvm::bit_cast<float>(static_cast<uint32_t>(in(0, UINT32_MAX)));
  }

private:
  std::mt19937_64 engine{11};
};

long double scaled(long double value, int exponent) {
  return std::ldexp(value, exponent);
}

DynamicScale randomScale(Random &random) {
  return gridScale(static_cast<uint32_t>(random.in(1, INT32_MAX)),
                   static_cast<int32_t>(random.in(-60, 20)), 127);
}

} // namespace

TEST(Dynamic, ConstantsShareAnExponent) {
  Mantissas mantissas = shareExponent({1.0, -0.75, 0x1p-40});
  EXPECT_EQ(mantissas.exponent, -29);
  EXPECT_EQ(mantissas.values, (std::vector<int32_t>{1 << 29, -(3 << 27), 0}));
  // What rounds up to 2^30 stays it.
  EXPECT_EQ(shareExponent(std::nextafter(2.0, 0)).values.front(), maxMantissa);
  EXPECT_EQ(shareExponent({0.0, 0.0}).values, (std::vector<int32_t>{0, 0}));
}

TEST(Dynamic, FloatsLieOnTheirGrid) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const float x = random.real(), largest = random.real();
    if (!std::isfinite(x) || !std::isnormal(largest) ||
        std::fabs(x) > std::fabs(largest))
      continue;
    Grid grid = realGrid(magnitudeBits(llvm::bit_cast<uint32_t>(largest)));
    const int32_t v = realToGrid(llvm::bit_cast<uint32_t>(x), grid);
    const long double error = scaled(v, grid.exponent) - x;
    EXPECT_LT(std::fabs(error),
              std::max(scaled(1, grid.exponent), (long double)0x1p-126));
    EXPECT_LE(error * x, 0);
  }
  const Grid one = realGrid(magnitudeBits(0x3f800000));
  EXPECT_EQ(realToGrid(0xbf800000, one), -(INT32_C(1) << 30));
  EXPECT_EQ(one.exponent, -30);
  // NaN, infinity, and what is too small for a normal number.
  EXPECT_EQ(magnitudeBits(0x7fc00000), 0u);
  EXPECT_EQ(magnitudeBits(0xff800000), 0x7f7fffffu);
  EXPECT_EQ(realToGrid(0x007fffff, realGrid(0x007fffff)), 0);
  EXPECT_EQ(realGrid(0).exponent, zeroExponent);
}

TEST(Dynamic, GridsBecomeTheNearestFloats) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const int32_t v = random.value();
    const auto exponent = static_cast<int32_t>(random.in(-190, 120));
    // Exact in double, so that the cast rounds once.
    const double exact = std::ldexp(static_cast<double>(v), exponent);
    auto expected = static_cast<float>(exact);
    if (std::fabs(exact) < 0x1p-126)
      expected = std::copysign(0.0f, expected);
    if (std::fabs(exact) >= 0x1p-126 || std::fabs(exact) < 0x1p-127)
      EXPECT_EQ(gridToReal(v, exponent), llvm::bit_cast<uint32_t>(expected))
          << v << " 2^" << exponent;
  }
  EXPECT_EQ(gridToReal(0, 5), 0u);
  // The carry out of 24 bits, into infinity too.
  EXPECT_EQ(gridToReal(0x7fffffff, 0), 0x4f000000u);
  EXPECT_EQ(gridToReal(-0x7fffffff, 97), 0xff800000u);
  // A tie goes to the even mantissa.
  EXPECT_EQ(gridToReal(0x1000001, 0), 0x4b800000u);
  EXPECT_EQ(gridToReal(0x1000003, 0), 0x4b800002u);
}

TEST(Dynamic, BytesAreTheNearestSteps) {
  Random random;
  for (int32_t steps : {127, 255})
    for (int i = 0; i < 20000; ++i) {
      const auto largest =
          static_cast<uint32_t>(random.in(1, INT32_MAX >> random.in(0, 30)));
      const auto exponent = static_cast<int32_t>(random.in(-60, 20));
      const int32_t zeroPoint = steps == 255 ? -128 : 0;
      DynamicScale scale = gridScale(largest, exponent, steps);
      EXPECT_GE(scale.mantissa, 1 << 28);
      EXPECT_LT(scale.mantissa, 1 << 30);
      auto check = [&](int32_t v) {
        const int32_t q = gridQuantize(v, scale, zeroPoint);
        const long double step = scaled(scale.mantissa, scale.exponent);
        const long double real = scaled(v, exponent);
        EXPECT_LE(std::fabs(step * (q - zeroPoint) - real),
                  step / 2 + std::fabs(real) * 0x1p-26L);
        return q;
      };
      const auto top = static_cast<int32_t>(largest);
      check(static_cast<int32_t>(random.in(steps == 255 ? 0 : -top, top)));
      EXPECT_EQ(check(top), 127);
      if (steps == 127)
        EXPECT_EQ(check(-top), -127);
      EXPECT_EQ(gridQuantize(0, scale, zeroPoint), zeroPoint);
    }
  EXPECT_EQ(gridScale(0, 3, 127).multiplier, 0);
  EXPECT_EQ(gridQuantize(0, gridScale(0, 3, 255), -128), -128);
}

TEST(Dynamic, LayersAreTheirRealSums) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const DynamicScale scale = randomScale(random);
    const auto bits = static_cast<int32_t>(random.in(1, 31));
    const int64_t most = (INT64_C(1) << bits) - 1;
    const int64_t acc = random.in(-most, most);
    const auto multiplier = static_cast<int32_t>(random.in(1 << 10, 1 << 30));
    const auto bias = static_cast<int32_t>(random.in(-(1 << 30), 1 << 30));
    const auto multiplierExponent = static_cast<int32_t>(random.in(-60, 0));
    std::optional<int32_t> biasExponent;
    if (random.in(0, 3))
      biasExponent = static_cast<int32_t>(random.in(-120, 40));
    Grid grid = layerGrid(scale, multiplierExponent, biasExponent, bits, {});
    const int32_t v =
        layerToGrid(acc, multiplier, biasExponent ? bias : 0, grid);
    const long double factor = scaled(scale.mantissa, scale.exponent) *
                               scaled(multiplier, multiplierExponent);
    const long double real =
        factor * acc + (biasExponent ? scaled(bias, *biasExponent) : 0);
    // A factor is off by half a unit of its own, both terms by half a grid's.
    const long double unit =
        scaled(acc, scale.exponent + multiplierExponent + 30);
    EXPECT_LE(std::fabs(scaled(v, grid.exponent) - real),
              scaled(1, grid.exponent) * (1 + 0x1p-40L) +
                  std::fabs(unit) * 0.5L);
  }
}

TEST(Dynamic, ClampsAreRealEnds) {
  const DynamicScale scale = gridScale(1 << 30, -30, 127);
  // Accumulators below 2^7 of 1/127 each and a bias of 1.
  ClampEnds clamp = {MantissaPair{0, 0}, MantissaPair{3 << 29, -29}};
  Grid grid = layerGrid(scale, -29, -29, 7, clamp);
  EXPECT_EQ(grid.lower, 0);
  EXPECT_EQ(scaled(grid.upper, grid.exponent), 3);
  EXPECT_EQ(scaled(layerToGrid(127, 1 << 29, 1 << 29, grid), grid.exponent), 2);
  EXPECT_EQ(layerToGrid(-127, 1 << 30, 1 << 29, grid), 0);
  // Ends that the grid does not reach do nothing; tiny ones are zero.
  clamp = {MantissaPair{-(1 << 30), 4096}, MantissaPair{1 << 29, -4096}};
  grid = layerGrid(scale, -29, -29, 7, clamp);
  EXPECT_EQ(grid.lower, -INT32_MAX);
  EXPECT_EQ(grid.upper, 0);
}

TEST(Dynamic, SumsAreRealSums) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const DynamicScale a = randomScale(random), b = randomScale(random);
    const auto left = static_cast<int32_t>(random.in(-255, 255));
    const auto right = static_cast<int32_t>(random.in(-255, 255));
    Grid grid = sumGrid(a, b, {});
    const long double real = scaled(a.mantissa, a.exponent) * left +
                             scaled(b.mantissa, b.exponent) * right;
    const int32_t v = sumToGrid(left, right, grid);
    EXPECT_LE(std::fabs(scaled(v, grid.exponent) - real),
              scaled(1, grid.exponent));
  }
}

TEST(Dynamic, ProductsAreRealProducts) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const DynamicScale a = randomScale(random), b = randomScale(random);
    const auto bits = static_cast<int32_t>(random.in(16, 24));
    const auto left = static_cast<int32_t>(random.in(-255, 255));
    const auto right =
        static_cast<int32_t>(random.in(-(1 << (bits - 8)), 1 << (bits - 8)));
    Grid grid = productGrid(a, b, bits, {});
    const long double step =
        scaled(a.mantissa, a.exponent) * scaled(b.mantissa, b.exponent);
    // The step is off by half of 2^30, of 2^56 and more, the result by half a
    // grid's.
    EXPECT_LE(
        std::fabs(scaled(productToGrid(left, right, grid), grid.exponent) -
                  step * left * right),
        scaled(1, grid.exponent) * 0.5L * (1 + 0x1p-20L) +
            std::fabs(step * left * right) * 0x1p-27L);
  }
  // The clamp is one of real numbers.
  const DynamicScale half = gridScale(1 << 29, -30, 127);
  Grid grid = productGrid(half, half, 16, {MantissaPair{0, 0}, std::nullopt});
  EXPECT_EQ(productToGrid(-127, 127, grid), 0);
  EXPECT_NEAR(
      static_cast<double>(scaled(productToGrid(127, 127, grid), grid.exponent)),
      0.25, 1e-7);
}

TEST(Dynamic, FixedStepsAreTheNearest) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const int32_t v = random.value();
    const auto from = static_cast<int32_t>(random.in(-80, 30));
    const auto to = static_cast<int32_t>(random.in(-30, 10));
    const long double exact = std::floor(scaled(v, from - to) + 0.5L);
    const auto expected =
        static_cast<int32_t>(std::min(std::max(exact, -32768.0L), 32767.0L));
    EXPECT_EQ(gridToFixed(v, from, to), expected)
        << v << ' ' << from << ' ' << to;
  }
  EXPECT_EQ(gridToFixed(INT32_MAX, 4000, -4000), 32767);
  EXPECT_EQ(gridToFixed(-1, 4000, -4000), -32768);
  EXPECT_EQ(gridToFixed(INT32_MAX, zeroExponent, 0), 0);
}

TEST(Dynamic, ZerosTakeTheBiasAsItIs) {
  const DynamicScale none = gridScale(0, 0, 127);
  Grid grid = layerGrid(none, -30, -33, 20, {});
  EXPECT_EQ(grid.exponent, -33);
  EXPECT_EQ(layerToGrid(0, 1 << 29, 12345, grid), 12345);
  Grid sum = sumGrid(none, gridScale(1 << 30, -30, 127), {});
  EXPECT_NEAR(static_cast<double>(scaled(sumToGrid(0, 127, sum), sum.exponent)),
              1.0, 1e-7);
}
