// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables: every entry against long double, exact ties by hand.

#include "../../../lib/Numerics/Elementary.h"
#include "TestSupport.h"
#include "qopt/Numerics/ScalarFunctions.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

using namespace mlir::qopt::numerics;

namespace {

using Reference = std::function<long double(long double)>;

/// Entries whose exact value is this close to a tie cannot be judged by long
/// double.
constexpr long double doubtful = 1e-13L;

void expectTable(llvm::ArrayRef<ScalarFunction> chain, const Reference &f,
                 const QuantParams &in, const QuantParams &out) {
  const std::vector<int16_t> table = buildTable(chain, in, out);
  ASSERT_EQ(table.size(), static_cast<size_t>(in.qmax - in.qmin + 1));
  for (int32_t q = in.qmin; q <= in.qmax; ++q) {
    const long double x =
        static_cast<long double>(in.scale) * (q - in.zeroPoint);
    const long double steps = f(x) / out.scale;
    const long double low = std::clamp<long double>(
        std::nearbyint(steps - doubtful) + out.zeroPoint, out.qmin, out.qmax);
    const long double high = std::clamp<long double>(
        std::nearbyint(steps + doubtful) + out.zeroPoint, out.qmin, out.qmax);
    const int16_t entry = table[q - in.qmin];
    EXPECT_GE(entry, low) << "q " << q;
    EXPECT_LE(entry, high) << "q " << q;
  }
}

struct Named {
  ScalarFunction function;
  Reference reference;
};

std::vector<Named> smoothAndPiecewise() {
  auto clampTo = [](long double x, long double lo, long double hi) {
    return std::min(std::max(x, lo), hi);
  };
  return {
      {ScalarFunction::relu(), [](long double x) { return std::max(x, 0.0L); }},
      {ScalarFunction::clip(-0.5, 6),
       [=](long double x) { return clampTo(x, -0.5L, 6); }},
      {ScalarFunction::leakyRelu(0.1f),
       [](long double x) { return x < 0 ? x * 0.1f : x; }},
      {ScalarFunction::sigmoid(),
       [](long double x) { return 1 / (1 + std::exp(-x)); }},
      {ScalarFunction::tanh(), [](long double x) { return std::tanh(x); }},
      {ScalarFunction::hardSigmoid(0.2f, 0.5),
       [=](long double x) { return clampTo(x * 0.2f + 0.5L, 0, 1); }},
      {ScalarFunction::hardSwish(),
       [=](long double x) { return x * clampTo(x + 3, 0, 6) / 6; }},
      {ScalarFunction::affine(-2.5, 0.75),
       [](long double x) { return -2.5L * x + 0.75L; }},
  };
}

TEST(Tables, everyEntryIsCorrectlyRounded) {
  Random random(9);
  for (const Named &named : smoothAndPiecewise())
    for (int i = 0; i < 40; ++i) {
      const QuantParams in{
          static_cast<float>(std::ldexp(
              1 + random.unit(), static_cast<int>(random.between(-9, -2)))),
          static_cast<int32_t>(random.between(-128, 127)), -128, 127};
      const bool wide = random.next() & 1;
      const QuantParams out{
          static_cast<float>(std::ldexp(
              1 + random.unit(), static_cast<int>(random.between(-9, -4)))) *
              (wide ? 0x1p-8f : 1.0f),
          wide ? 0 : static_cast<int32_t>(random.between(-128, 127)),
          wide ? -32768 : -128, wide ? 32767 : 127};
      expectTable(named.function, named.reference, in, out);
    }
}

TEST(Tables, tiesGoToEven) {
  // relu at half the step: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2.
  const QuantParams in{0.5f, 0, -128, 127}, out{1.0f, 1, -128, 127};
  const std::vector<int16_t> relu = buildTable(ScalarFunction::relu(), in, out);
  EXPECT_EQ(relu[128 + 1], 1);
  EXPECT_EQ(relu[128 + 3], 3);
  EXPECT_EQ(relu[128 + 5], 3);
  EXPECT_EQ(relu[128 - 3], 1);
  // hard swish at x = 3/2 is 9/8: with step 1/4 that is 4.5 -> 4, and at
  // x = -3/2, -3/8, -1.5 -> -2.
  const QuantParams fine{0.25f, 0, -128, 127};
  const std::vector<int16_t> swish =
      buildTable(ScalarFunction::hardSwish(), in, fine);
  EXPECT_EQ(swish[128 + 3], 4);
  EXPECT_EQ(swish[128 - 3], -2);
}

TEST(Tables, ordersOfMagnitudeBelowAFloat64BreakATie) {
  const QuantParams in{0.5f, 0, -128, 127}, out{1.0f, 0, -128, 127};
  const std::vector<int16_t> below =
      buildTable(ScalarFunction::affine(1, -0x1p-60), in, out);
  EXPECT_EQ(below[128 + 3], 1);
  EXPECT_EQ(below[128 + 5], 2);
  EXPECT_EQ(below[128 - 3], -2);
  EXPECT_EQ(below[128 - 5], -3);
  const std::vector<int16_t> above =
      buildTable(ScalarFunction::affine(1, 0x1p-60), in, out);
  EXPECT_EQ(above[128 + 3], 2);
  EXPECT_EQ(above[128 + 5], 3);
  EXPECT_EQ(above[128 - 3], -1);
  EXPECT_EQ(above[128 - 5], -2);
}

TEST(Tables, chainsRoundOnce) {
  // relu after an affine shift, then sigmoid.
  const ScalarFunction chain[] = {ScalarFunction::affine(2, -1),
                                  ScalarFunction::relu(),
                                  ScalarFunction::sigmoid()};
  expectTable(chain,
              [](long double x) {
                return 1 / (1 + std::exp(-std::max(2 * x - 1, 0.0L)));
              },
              {0.03f, 12, -128, 127}, {1.0f / 256, -128, -128, 127});
}

TEST(Tables, emptyChainIsARescale) {
  const QuantParams in{0.5f, 0, -128, 127}, out{1.0f, 0, -128, 127};
  const std::vector<int16_t> table = buildTable({}, in, out);
  EXPECT_EQ(table[128 + 100], 50);
  EXPECT_EQ(table[128 + 1], 0);
  EXPECT_EQ(table[128 + 3], 2);
}

TEST(Tables, infiniteClipEndsAndHugeValuesSaturate) {
  const double infinity = std::numeric_limits<double>::infinity();
  const QuantParams in{1e30f, 0, -128, 127}, out{1e-30f, 0, -128, 127};
  const std::vector<int16_t> table =
      buildTable(ScalarFunction::clip(-infinity, infinity), in, out);
  EXPECT_EQ(table[0], -128);
  EXPECT_EQ(table[128], 0);
  EXPECT_EQ(table[255], 127);
  const std::vector<int16_t> half = buildTable(
      ScalarFunction::clip(0, infinity), {1, 0, -128, 127}, {1, 0, -128, 127});
  EXPECT_EQ(half[0], 0);
  EXPECT_EQ(half[255], 127);
}

TEST(Tables, valuesBeyondFloat64Saturate) {
  // 10^38 in each of ten steps is beyond float64; times 0 it is NaN.
  std::vector<ScalarFunction> chain(10, ScalarFunction::affine(1e38, 0));
  const QuantParams in{1, 3, -128, 127}, out{1e-30f, 9, -128, 127};
  const std::vector<int16_t> infinite = buildTable(chain, in, out);
  EXPECT_EQ(infinite[0], -128);
  EXPECT_EQ(infinite[128 + 2], -128);
  EXPECT_EQ(infinite[128 + 3], 9);
  EXPECT_EQ(infinite[128 + 4], 127);
  EXPECT_EQ(infinite[255], 127);
  chain.push_back(ScalarFunction::relu());
  const std::vector<int16_t> rectified = buildTable(chain, in, out);
  EXPECT_EQ(rectified[128 + 2], 9);
  EXPECT_EQ(rectified[128 + 4], 127);
  chain.push_back(ScalarFunction::affine(0, 0));
  const std::vector<int16_t> undefined = buildTable(chain, in, out);
  EXPECT_EQ(undefined[128 + 4], 9);
  EXPECT_EQ(undefined[255], 9);
}

TEST(Tables, smallStepsOfASmallValueSaturate) {
  // Steps of 10^-36 far beyond the range of 16 bits, values far below 1.
  const QuantParams in{1e-20f, 0, -128, 127}, out{1e-36f, 0, -128, 127};
  const std::vector<int16_t> table = buildTable({}, in, out);
  EXPECT_EQ(table[128 - 1], -128);
  EXPECT_EQ(table[128], 0);
  EXPECT_EQ(table[128 + 1], 127);
}

TEST(ScalarFunctions, parametersDefaultToZero) {
  const ScalarFunction relu = ScalarFunction::relu();
  EXPECT_EQ(relu.a, 0);
  EXPECT_EQ(relu.b, 0);
  EXPECT_EQ(ScalarFunction().kind, ScalarFunction::Kind::Relu);
}

TEST(ScalarFunctions, clipTakesTheUpperEndWhereEndsCross) {
  EXPECT_EQ(evaluate(ScalarFunction::clip(5, 1), 3), 1);
  EXPECT_EQ(evaluate(ScalarFunction::clip(5, 1), 9), 1);
}

TEST(ScalarFunctions, extremesAndNaN) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Named &named : smoothAndPiecewise())
    EXPECT_TRUE(std::isnan(evaluate(named.function, std::nan(""))));
  for (double huge : {1e6, 1e200, 1e308, infinity}) {
    EXPECT_EQ(evaluate(ScalarFunction::sigmoid(), huge), 1);
    EXPECT_EQ(evaluate(ScalarFunction::sigmoid(), -huge), 0);
    EXPECT_EQ(evaluate(ScalarFunction::tanh(), huge), 1);
    EXPECT_EQ(evaluate(ScalarFunction::tanh(), -huge), -1);
    EXPECT_EQ(evaluate(ScalarFunction::relu(), -huge), 0);
    EXPECT_EQ(evaluate(ScalarFunction::relu(), huge), huge);
    EXPECT_EQ(evaluate(ScalarFunction::hardSwish(), -huge), 0);
    EXPECT_EQ(evaluate(ScalarFunction::hardSigmoid(0.2, 0.5), huge), 1);
  }
  EXPECT_EQ(evaluate(ScalarFunction::tanh(), 1e-30), 1e-30);
}

TEST(ScalarFunctions, hugeValuesOfLinearFunctions) {
  for (double huge : {0x1p500, -0x1p500}) {
    EXPECT_EQ(evaluate(ScalarFunction::leakyRelu(0.25), huge),
              huge < 0 ? huge / 4 : huge);
    EXPECT_EQ(evaluate(ScalarFunction::affine(-2, 1), huge), -2 * huge);
    EXPECT_EQ(evaluate(ScalarFunction::clip(-1, 2), huge), huge < 0 ? -1 : 2);
    EXPECT_EQ(evaluate(ScalarFunction::hardSwish(), huge), huge < 0 ? 0 : huge);
    EXPECT_EQ(evaluate(ScalarFunction::hardSigmoid(1, 0), huge),
              huge < 0 ? 0 : 1);
  }
}

/// `tanh x = x - x^3 / 3 + ...`, which rounds to `x` below 2^-27.
TEST(ScalarFunctions, tanhKeepsSmallValues) {
  Random random(14);
  for (int i = 0; i < 2000; ++i) {
    const double x = std::ldexp(1 + random.unit(),
                                static_cast<int>(random.between(-90, -29)));
    EXPECT_EQ(evaluate(ScalarFunction::tanh(), x), x);
    EXPECT_EQ(evaluate(ScalarFunction::tanh(), -x), -x);
  }
}

/// `sigmoid x = e^x` down to the smallest double.
TEST(ScalarFunctions, sigmoidKeepsSmallValues) {
  for (double x : {-50.0, -699.5, -700.5, -707.0})
    EXPECT_NEAR(evaluate(ScalarFunction::sigmoid(), x) / expDouble(x), 1,
                0x1p-50);
  EXPECT_EQ(evaluate(ScalarFunction::sigmoid(), -746), 0);
  EXPECT_EQ(evaluate(ScalarFunction::sigmoid(), 0), 0.5);
}

TEST(ScalarFunctions, areAccurateToDouble) {
  Random random(10);
  for (int i = 0; i < 5000; ++i) {
    const double x = (random.unit() - 0.5) *
                     std::ldexp(1.0, static_cast<int>(random.between(-20, 6)));
    for (const Named &named : smoothAndPiecewise()) {
      const long double expected = named.reference(x);
      EXPECT_NEAR(evaluate(named.function, x), static_cast<double>(expected),
                  0x1p-51 * std::fabs(static_cast<double>(expected)) + 0x1p-60);
    }
  }
}

TEST(Exp, holdsAHundredBits) {
  // e = 2.71828182845904523536028747135266249775724709...
  const DoubleDouble e = expDoubleDouble(1.0);
  EXPECT_EQ(e.hi, 0x1.5bf0a8b145769p+1);
  EXPECT_NEAR(e.lo, 1.4456468917292501578e-16, 0x1p-95);
  Random random(13);
  for (int i = 0; i < 2000; ++i) {
    const double x = (random.unit() - 0.5) * 40;
    const DoubleDouble one = expDoubleDouble(x) * expDoubleDouble(-x);
    EXPECT_NEAR(one.hi, 1.0, 0x1p-90);
    EXPECT_NEAR((one - DoubleDouble(1.0)).hi, 0.0, 0x1p-90);
  }
}

TEST(Exp, isWithinHalfAnUlpOfLongDouble) {
  Random random(11);
  for (int i = 0; i < 20000; ++i) {
    const double x = (random.unit() - 0.5) * 1400;
    const long double expected = std::exp(static_cast<long double>(x));
    EXPECT_LE(std::fabs(static_cast<long double>(expDouble(x)) / expected - 1),
              0x1.01p-53L)
        << x;
  }
  EXPECT_EQ(expDouble(0), 1);
  EXPECT_EQ(expDouble(1), 0x1.5bf0a8b145769p+1);
  EXPECT_EQ(expDouble(710), std::numeric_limits<double>::infinity());
  EXPECT_EQ(expDouble(-800), 0);
  EXPECT_GT(expDouble(-744), 0);
  EXPECT_TRUE(std::isnan(expDouble(std::nan(""))));
  const double infinity = std::numeric_limits<double>::infinity();
  for (double huge : {710.0, 1e20, 1e300, infinity}) {
    EXPECT_EQ(expDouble(huge), infinity);
    EXPECT_EQ(expDouble(-huge - 36), 0);
  }
}

/// `e^x - 1 = x + x^2 / 2 + x^3 / 6 + ...` to a hundred bits of its own.
TEST(Exp, lessOneKeepsSmallValues) {
  for (double x : {0x1.8p-45, -0x1.8p-45, 0x1.fp-60, -0x1.fp-80}) {
    const DoubleDouble one = x, square = one * one;
    const DoubleDouble expected =
        one + square / DoubleDouble(2.0) + square * one / DoubleDouble(6.0);
    EXPECT_NEAR((expMinusOne(x) / expected - DoubleDouble(1.0)).hi, 0, 0x1p-90);
  }
}

TEST(Exp, endsOfTheExponentRange) {
  for (double x : {700.5, 705.25, 709.78, -700.5, -707.9}) {
    const long double expected = std::exp(static_cast<long double>(x));
    EXPECT_EQ(expDouble(x), static_cast<double>(expected)) << x;
  }
  // Subnormal results: within their one bit or few.
  for (double x : {-710.0, -730.5, -744.0, -745.0}) {
    const long double expected = std::exp(static_cast<long double>(x));
    EXPECT_LE(std::fabs(expDouble(x) - expected), 0x1p-1074L) << x;
  }
}

} // namespace
