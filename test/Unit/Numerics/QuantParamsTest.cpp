// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scale choice and the maps between real values and integers.

#include "qopt/Numerics/QuantParams.h"
#include "TestSupport.h"
#include "qopt/Numerics/Simulate.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace mlir::qopt::numerics;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Printed {
  double min, max, scale, tolerance;
  int32_t zeroPoint;
};

TEST(QuantParams, agreesWithPrintedSevenBitFigures) {
  // What PyTorch printed for observers with a reduced range, [0, 127].
  const Printed figures[] = {
      {-0.424213, 2.821487, 0.0256, 5e-5, 17},
      {-53.583977, 34.898129, 0.6967, 5e-5, 77},
      {-24.331276, 26.625422, 0.401234, 5e-7, 61},
      {-28.273701, 20.937761, 0.3875, 5e-5, 73},
  };
  for (const Printed &figure : figures) {
    const QuantParams params =
        chooseParams({figure.min, figure.max}, 0, 127, /*symmetric=*/false);
    EXPECT_NEAR(params.scale, figure.scale, figure.tolerance);
    EXPECT_EQ(params.zeroPoint, figure.zeroPoint);
  }
}

TEST(QuantParams, asymmetricEightBits) {
  const QuantParams params = chooseParams({0, 255}, 8, false);
  EXPECT_EQ(params, (QuantParams{1.0f, -128, -128, 127}));
  EXPECT_EQ(chooseParams({-255, 0}, 8, false),
            (QuantParams{1.0f, 127, -128, 127}));
  // -0.5 / 1 from -128: a tie goes to the even zero point.
  EXPECT_EQ(chooseParams({-2.5, 252.5}, 8, false).zeroPoint, -126);
  EXPECT_EQ(chooseParams({-3.5, 251.5}, 8, false).zeroPoint, -124);
}

TEST(QuantParams, rangeIsWidenedToContainZero) {
  EXPECT_EQ(chooseParams({10, 20}, 8, false), chooseParams({0, 20}, 8, false));
  EXPECT_EQ(chooseParams({-20, -10}, 8, false),
            chooseParams({-20, 0}, 8, false));
}

TEST(QuantParams, symmetric) {
  EXPECT_EQ(chooseParams({-127, 50}, 8, true),
            (QuantParams{1.0f, 0, -128, 127}));
  EXPECT_EQ(chooseParams({-127, 50}, 8, true, /*narrow=*/true),
            (QuantParams{1.0f, 0, -127, 127}));
  EXPECT_EQ(chooseParams({0, 127}, 8, true).scale, 1.0f);
  EXPECT_EQ(chooseParams({-1, 32767}, 16, true),
            (QuantParams{1.0f, 0, -32768, 32767}));
  // An unsigned range has its zero point in the middle.
  EXPECT_EQ(chooseParams({-126, 63}, 0, 127, true),
            (QuantParams{2.0f, 64, 0, 127}));
  EXPECT_EQ(chooseParams({-6, 3}, 2, 8, true), (QuantParams{2.0f, 5, 2, 8}));
  // One that contains 0 does not, however lopsided.
  EXPECT_EQ(chooseParams({-2, 1}, -5, 1, true), (QuantParams{2.0f, 0, -5, 1}));
  EXPECT_EQ(chooseParams({-1, 2}, -1, 5, true), (QuantParams{2.0f, 0, -1, 5}));
}

TEST(QuantParams, defaultsAreTheUnitScaleAndTheEmptyRange) {
  EXPECT_EQ(QuantParams(), (QuantParams{1.0f, 0, -128, 127}));
  EXPECT_EQ(Range().min, 0);
  EXPECT_EQ(Range().max, 0);
}

TEST(QuantParams, everyFieldIsCompared) {
  const QuantParams params{0.5f, 3, -8, 7};
  EXPECT_TRUE(params == params);
  EXPECT_FALSE(params != params);
  for (const QuantParams &other :
       {QuantParams{0.25f, 3, -8, 7}, QuantParams{0.5f, 2, -8, 7},
        QuantParams{0.5f, 3, -7, 7}, QuantParams{0.5f, 3, -8, 6}})
    EXPECT_TRUE(params != other);
}

TEST(QuantParams, constantTensorsHaveADefinedScale) {
  EXPECT_EQ(chooseParams({0, 0}, 8, false), (QuantParams{1.0f, 0, -128, 127}));
  EXPECT_EQ(chooseParams({0, 0}, 8, true), (QuantParams{1.0f, 0, -128, 127}));
  EXPECT_EQ(chooseParams({0, 0}, 5, 127, false).zeroPoint, 5);
  for (float c : {3.25f, -7.0f, 1e-20f, 1e30f}) {
    const QuantParams params = chooseParams({c, c}, 8, false);
    const float back = dequantize(quantize(c, params), params);
    EXPECT_NEAR(back, c, std::fabs(c) * 1e-6);
  }
}

TEST(QuantParams, extremeAndBrokenRangesStayDefined) {
  const double ends[] = {0,     1e-45,  -1e-45,   1e-38,     3e38, -3e38,
                         1e300, -1e300, infinity, -infinity, nan};
  for (double min : ends)
    for (double max : ends)
      for (bool symmetric : {false, true})
        for (int bits : {2, 8, 16}) {
          const QuantParams params = chooseParams({min, max}, bits, symmetric);
          EXPECT_TRUE(std::isnormal(params.scale)) << min << " " << max;
          EXPECT_GT(params.scale, 0);
          EXPECT_GE(params.zeroPoint, params.qmin);
          EXPECT_LE(params.zeroPoint, params.qmax);
        }
  EXPECT_EQ(chooseParams({nan, 255}, 8, false),
            chooseParams({0, 255}, 8, false));
  EXPECT_EQ(chooseParams({-255, nan}, 8, false),
            chooseParams({-255, 0}, 8, false));
}

TEST(QuantParams, zeroIsExactAndEndsAreWithinAStep) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const double spread =
        std::ldexp(1.0, static_cast<int>(random.between(-30, 30)));
    const double lo = -random.unit() * spread, hi = random.unit() * spread;
    for (bool symmetric : {false, true}) {
      const QuantParams params = chooseParams({lo, hi}, 8, symmetric);
      EXPECT_EQ(quantize(0.0f, params), params.zeroPoint);
      EXPECT_EQ(dequantize(params.zeroPoint, params), 0.0f);
      const float bottom = static_cast<float>(lo), top = static_cast<float>(hi);
      EXPECT_LE(
          std::fabs(dequantize(quantize(bottom, params), params) - bottom),
          params.scale * 1.01f);
      EXPECT_LE(std::fabs(dequantize(quantize(top, params), params) - top),
                params.scale * 1.01f);
    }
  }
}

TEST(QuantParams, powersOfTwo) {
  for (double x : {1.0, 0.5, 2.0, 0x1p-1074, 0x1p1023})
    EXPECT_TRUE(isPowerOfTwo(x)) << x;
  for (double x : {0.0, -1.0, 3.0, 0.75, infinity, nan})
    EXPECT_FALSE(isPowerOfTwo(x)) << x;
  EXPECT_EQ(powerOfTwoAbove(1), 1.0f);
  EXPECT_EQ(powerOfTwoAbove(1.0000001), 2.0f);
  EXPECT_EQ(powerOfTwoAbove(0.3), 0.5f);
  EXPECT_EQ(powerOfTwoAbove(0x1p-140), 0x1p-126f);
  EXPECT_EQ(powerOfTwoAbove(3e38), 0x1p127f);
}

TEST(QuantParams, powerOfTwoScalesCoverTheRange) {
  EXPECT_EQ(choosePowerOfTwoParams({0, 255}, 8, false),
            (QuantParams{1.0f, -128, -128, 127}));
  EXPECT_EQ(choosePowerOfTwoParams({0, 6}, 8, false),
            (QuantParams{0.03125f, -128, -128, 127}));
  // Twice the step leaves half of the integers: -128 + 40 / 2.
  EXPECT_EQ(choosePowerOfTwoParams({-40, 260}, 8, false),
            (QuantParams{2.0f, -108, -128, 127}));
  EXPECT_EQ(choosePowerOfTwoParams({-100, 128}, 8, true),
            (QuantParams{2.0f, 0, -128, 127}));
  EXPECT_EQ(choosePowerOfTwoParams({0, 0}, 8, false), QuantParams());
  for (double high : {1e-30, 0.37, 11.0, 4e9})
    for (double low : {0.0, -0.5 * high, -high}) {
      const QuantParams params = choosePowerOfTwoParams({low, high}, 8, false);
      EXPECT_TRUE(isPowerOfTwo(params.scale));
      EXPECT_LT(params.scale, 2 * chooseParams({low, high}, 8, false).scale);
      EXPECT_NEAR(dequantize(quantize(high, params), params), high,
                  params.scale);
      EXPECT_NEAR(dequantize(quantize(low, params), params), low, params.scale);
    }
}

TEST(Quantize, roundsHalfToEvenAndSaturates) {
  const QuantParams params{0.5f, 3, -128, 127};
  EXPECT_EQ(quantize(0.25f, params), 3); // 0.5 -> 0
  EXPECT_EQ(quantize(0.75f, params), 5); // 1.5 -> 2
  EXPECT_EQ(quantize(-0.25f, params), 3);
  EXPECT_EQ(quantize(-0.75f, params), 1);
  EXPECT_EQ(quantize(1.24f, params), 5);
  EXPECT_EQ(quantize(62.0f, params), 127);
  EXPECT_EQ(quantize(62.5f, params), 127);
  EXPECT_EQ(quantize(-65.5f, params), -128);
  EXPECT_EQ(quantize(-66.0f, params), -128);
  EXPECT_EQ(quantize(3e38f, params), 127);
  EXPECT_EQ(quantize(static_cast<float>(infinity), params), 127);
  EXPECT_EQ(quantize(static_cast<float>(-infinity), params), -128);
  EXPECT_EQ(quantize(static_cast<float>(nan), params), 3);
}

TEST(Quantize, agreesWithNearbyintOfTheFloatQuotient) {
  Random random(2);
  for (int i = 0; i < 200000; ++i) {
    const float scale = static_cast<float>(std::ldexp(
        0.5 + random.unit(), static_cast<int>(random.between(-20, 5))));
    const QuantParams params{
        scale, static_cast<int32_t>(random.between(-128, 127)), -128, 127};
    const float x = static_cast<float>((random.unit() - 0.5) * 600) * scale;
    const float expected =
        std::nearbyintf(x / scale) + static_cast<float>(params.zeroPoint);
    EXPECT_EQ(quantize(x, params),
              static_cast<int32_t>(std::fmin(std::fmax(expected, -128), 127)));
  }
}

TEST(RoundHalfEven, agreesWithNearbyint) {
  for (double x : {0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, 1e15 + 0.5,
                   4503599627370495.5, 4503599627370497.0, -4503599627370497.0,
                   1e17, -3.0, 0.0})
    EXPECT_EQ(roundHalfEven(x), std::nearbyint(x)) << x;
  EXPECT_TRUE(std::isnan(roundHalfEven(nan)));
}

TEST(Simulate, isDequantizeOfQuantize) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const bool wide = random.between(0, 1);
    const int32_t qmax = wide ? 32767 : 127, qmin = -qmax - 1;
    const QuantParams params{static_cast<float>(random.unit() + 1e-3),
                             static_cast<int32_t>(random.between(qmin, qmax)),
                             qmin, qmax};
    std::vector<float> values(random.between(0, 70));
    for (float &value : values) {
      value = static_cast<float>((random.unit() - 0.5) * 600) * params.scale;
      const int64_t special = random.between(0, 20);
      if (special < 4) // A tie between two steps.
        value =
            params.scale * (static_cast<float>(random.between(-9, 9)) + 0.5f);
      else if (special == 4)
        value = static_cast<float>(random.between(0, 1) ? infinity : -infinity);
      else if (special == 5)
        value = static_cast<float>(nan);
      else if (special == 6)
        value = -0.0f;
    }
    std::vector<float> expected;
    for (float value : values)
      expected.push_back(dequantize(quantize(value, params), params));
    simulate(values, params);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values[i], expected[i]) << "round " << round;
      EXPECT_EQ(std::signbit(values[i]), std::signbit(expected[i]));
    }
  }
}

} // namespace
