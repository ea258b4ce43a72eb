// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The other integer ops against exact real arithmetic, written without
// Numerics.

#include "Exact.h"

using namespace qopt_test;

TEST(IntegerAdd, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    float sa = random.scale(1e-3, 1), sb = random.scale(1e-3, 1);
    float sy = (sa + sb) * random.scale(0.3, 1.5);
    int za = random.integer(-128, 127), zb = random.integer(-128, 127);
    int zy = random.integer(-128, 127), sign = seed % 2 ? -1 : 1;
    bool wide = seed % 3 == 0;
    int low = wide ? -32768 : -128, high = -low - 1;
    if (wide)
      sy /= 200;
    // One shift for both terms that keeps the multipliers inside int32.
    int shift = wide ? 20 : 24;
    int64_t ma = std::llround(std::ldexp((long double)sa / sy, shift));
    int64_t mb = sign * std::llround(std::ldexp((long double)sb / sy, shift));
    Tensor a = random.i8({3, 4}), b = random.i8({4});
    auto results = runText(
        functionText(
            "%a: tensor<3x4xi8>, %b: tensor<4xi8>",
            typeText({3, 4}, wide ? "i16" : "i8"),
            "%y = qint.add %a, %b {lhs_zero_point = " + std::to_string(za) +
                " : i32, rhs_zero_point = " + std::to_string(zb) +
                " : i32, requant = #qint.requant<[" + std::to_string(ma) +
                ", " + std::to_string(mb) + "], [" + std::to_string(shift) +
                "], zp " + std::to_string(zy) + ", clamp " +
                std::to_string(low) + " to " + std::to_string(high) +
                ">} : (tensor<3x4xi8>, tensor<4xi8>) -> " +
                typeText({3, 4}, wide ? "i16" : "i8")),
        {a, b});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t i = 0; i < 12; ++i) {
      long double real = (long double)sa * (a.getInteger(i) - za) +
                         sign * (long double)sb * (b.getInteger(i % 4) - zb);
      EXPECT_LE(distance(results[0].getInteger(i), real / sy + zy, low, high),
                wide ? 0.5003 : 0.5001)
          << "seed " << seed;
    }
  }
}

TEST(IntegerMul, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    float sa = random.scale(1e-3, 1), sb = random.scale(1e-3, 1);
    float sy = sa * sb * random.scale(20, 300);
    int za = random.integer(-128, 127), zb = random.integer(-128, 127);
    int zy = random.integer(-128, 127);
    Tensor a = random.i8({2, 1, 3}), b = random.i16({2, 1}, -500, 500);
    auto results = runText(
        functionText(
            "%a: tensor<2x1x3xi8>, %b: tensor<2x1xi16>", "tensor<2x2x3xi8>",
            "%y = qint.mul %a, %b {lhs_zero_point = " + std::to_string(za) +
                " : i32, rhs_zero_point = " + std::to_string(zb) +
                " : i32, requant = " +
                requantText({Factor((long double)sa * sb / sy)}, zy, -128,
                            127) +
                "} : (tensor<2x1x3xi8>, tensor<2x1xi16>) -> "
                "tensor<2x2x3xi8>"),
        {a, b});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t i = 0; i < 2; ++i)
      for (int64_t j = 0; j < 2; ++j)
        for (int64_t k = 0; k < 3; ++k) {
          long double real = (long double)sa * (a.getInteger(i * 3 + k) - za) *
                             ((long double)sb * (b.getInteger(j) - zb));
          EXPECT_LE(distance(results[0].getInteger((i * 2 + j) * 3 + k),
                             real / sy + zy, -128, 127),
                    halfStep8)
              << "seed " << seed;
        }
  }
}

TEST(IntegerRequantize, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    bool wideIn = seed % 2, wideOut = seed % 3 == 0;
    double ratio = random.scale(wideOut ? 0.5 : 2e-3, wideIn ? 1 : 2);
    int zx = random.integer(-128, 127), zy = random.integer(-128, 127);
    int low = wideOut ? -32768 : -128, high = -low - 1;
    Tensor x = wideIn ? random.i16({50}) : random.i8({50});
    std::string in = typeText({50}, wideIn ? "i16" : "i8");
    std::string out = typeText({50}, wideOut ? "i16" : "i8");
    auto results =
        runText(functionText("%x: " + in, out,
                             "%y = qint.requantize %x {input_zero_point = " +
                                 std::to_string(zx) + " : i32, requant = " +
                                 requantText({Factor(ratio)}, zy, low, high) +
                                 "} : (" + in + ") -> " + out),
                {x});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t i = 0; i < 50; ++i)
      EXPECT_LE(distance(results[0].getInteger(i),
                         (long double)ratio * (x.getInteger(i) - zx) + zy, low,
                         high),
                wideOut ? halfStep16 : halfStep8)
          << "seed " << seed;
  }
}

TEST(IntegerTable, HasAnEntryForEachOf16Bits) {
  std::string entries;
  for (int q = -32768; q < 32768; ++q)
    entries += (q > -32768 ? ", " : "") + std::to_string(q / 300);
  auto y =
      runText(functionText("%x: tensor<4xi16>", "tensor<4xi8>",
                           "%y = qint.table %x {table = array<i16: " + entries +
                               ">} : (tensor<4xi16>) -> tensor<4xi8>"),
              {tensorOf<int16_t>({4}, {-32768, -300, 299, 32767})});
  EXPECT_EQ(valuesOf<int8_t>(y[0]), (std::vector<int8_t>{-109, -1, 0, 109}));
}

TEST(IntegerTable, IndexesBySignedValue) {
  std::string entries;
  for (int i = 0; i < 256; ++i)
    entries += (i ? ", " : "") + std::to_string(3 * (i - 128) + 1);
  auto y =
      runText(functionText("%x: tensor<4xi8>", "tensor<4xi16>",
                           "%y = qint.table %x {table = array<i16: " + entries +
                               ">} : (tensor<4xi8>) -> tensor<4xi16>"),
              {tensorOf<int8_t>({4}, {-128, -1, 0, 127})});
  EXPECT_EQ(valuesOf<int16_t>(y[0]), (std::vector<int16_t>{-383, -2, 1, 382}));
}

/// The formula by hand: segments of 2048 values, 2^-7 steps.
TEST(IntegerPiecewise, AddsAQuadraticOfThePlaceInTheSegment) {
  std::string base, slope, curve;
  for (int i = 0; i < 32; ++i) {
    base += (i ? ", " : "") + std::to_string(128 * (i - 16) + 64);
    slope += (i ? ", " : "") + std::to_string(i == 16 ? 640 : 0);
    curve += (i ? ", " : "") + std::to_string(i == 17 ? -1280 : 0);
  }
  auto y = runText(
      functionText("%x: tensor<7xi16>", "tensor<7xi8>",
                   "%y = qint.piecewise %x {base = array<i32: " + base +
                       ">, slope = array<i16: " + slope +
                       ">, curve = array<i16: " + curve +
                       ">, fraction_bits = 7 : i32, clamp_min = -15 : i32, "
                       "clamp_max = 4 : i32} : (tensor<7xi16>) -> "
                       "tensor<7xi8>"),
      {tensorOf<int16_t>({7}, {-32768, -1, 0, 1024, 2047, 2048, 3072})});
  // The line from -5 to 5, and 1 - 10 d^2 at d = -1 and 0.
  EXPECT_EQ(valuesOf<int8_t>(y[0]),
            (std::vector<int8_t>{-15, -1, -5, 0, 4, -9, 1}));
}

/// The exact softmax of dequantized logits, in steps of `1 / levels`.
static void checkSoftmax(uint64_t seed, int64_t length, bool wide) {
  Random random(seed);
  float scale = random.scale(0.01, 0.3);
  std::string table;
  for (int d = 0; d < 256; ++d)
    table += (d ? ", " : "") + std::to_string(std::llrint(std::ldexp(
                                   std::exp(-(long double)scale * d), 23)));
  int levels = wide ? 32768 : 256, zero = wide ? 0 : -128;
  int low = wide ? -32768 : -128, high = -low - 1;
  Tensor x = random.i8({2, length, 2});
  std::string in = typeText({2, length, 2}, "i8");
  std::string out = typeText({2, length, 2}, wide ? "i16" : "i8");
  auto results = runText(
      functionText("%x: " + in, out,
                   "%y = qint.softmax %x axis 1 {exp_table = array<i32: " +
                       table + ">, levels = " + std::to_string(levels) +
                       " : i32, zero_point = " + std::to_string(zero) +
                       " : i32} : (" + in + ") -> " + out),
      {x});
  ASSERT_EQ(results.size(), 1u) << "seed " << seed;
  for (int64_t o = 0; o < 2; ++o)
    for (int64_t i = 0; i < 2; ++i) {
      auto at = [&](int64_t k) { return (o * length + k) * 2 + i; };
      long double sum = 0;
      for (int64_t k = 0; k < length; ++k)
        sum += std::exp((long double)scale * x.getInteger(at(k)));
      for (int64_t k = 0; k < length; ++k) {
        long double real =
            std::exp((long double)scale * x.getInteger(at(k))) / sum;
        // The table's 23 bits are visible in 15-bit results only.
        EXPECT_LE(distance(results[0].getInteger(at(k)), real * levels + zero,
                           low, high),
                  wide ? 0.51 : 0.5001)
            << "seed " << seed;
      }
    }
}

TEST(IntegerSoftmax, WithinHalfAStepOfExactAtAnyLength) {
  for (int64_t length : {1, 2, 10, 100, 513, 2000}) {
    checkSoftmax(length, length, false);
    checkSoftmax(length + 1, length, true);
  }
}

TEST(IntegerMaxPool, IsExact) {
  auto y = runText(
      functionText("%x: tensor<1x1x3x3xi8>", "tensor<1x1x2x2xi8>",
                   "%y = qint.max_pool %x {kernel = array<i64: 2, 2>, strides "
                   "= array<i64: 2, 2>, pads = array<i64: 1, 1, 0, 0>} : "
                   "(tensor<1x1x3x3xi8>) -> tensor<1x1x2x2xi8>"),
      {tensorOf<int8_t>({1, 1, 3, 3}, {-128, 5, 4, -7, -8, 9, 1, 2, 3})});
  EXPECT_EQ(valuesOf<int8_t>(y[0]), (std::vector<int8_t>{-128, 5, 1, 9}));
}

TEST(IntegerAvgPool, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    float sx = random.scale(1e-2, 1), sy = sx * random.scale(0.5, 1.5);
    int zx = random.integer(-128, 127), zy = random.integer(-128, 127);
    // 3x2 windows with padding above, below and on the right: 5x4 inputs give
    // 2 or 3 rows by 1 or 2 columns of taps.
    Tensor x = random.i8({1, 2, 5, 4});
    std::vector<Factor> factors;
    for (int count : {2, 3, 4, 6})
      factors.emplace_back((long double)sx / sy / count);
    auto results = runText(
        functionText("%x: tensor<1x2x5x4xi8>", "tensor<1x2x5x4xi8>",
                     "%y = qint.avg_pool %x {kernel = array<i64: 3, 2>, pads = "
                     "array<i64: 1, 0, 1, 1>, tap_counts = array<i64: 2, 3, 4, "
                     "6>, input_zero_point = " +
                         std::to_string(zx) + " : i32, requant = " +
                         requantText(factors, zy, -128, 127) +
                         "} : (tensor<1x2x5x4xi8>) -> tensor<1x2x5x4xi8>"),
        {x});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t i = 0; i < 40; ++i) {
      int64_t c = i / 20, r = i / 4 % 5, s = i % 4;
      long double sum = 0;
      int count = 0;
      for (int64_t h = r - 1; h <= r + 1; ++h)
        for (int64_t l = s; l <= s + 1; ++l)
          if (h >= 0 && h < 5 && l < 4) {
            sum += (long double)sx * (x.getInteger((c * 5 + h) * 4 + l) - zx);
            ++count;
          }
      EXPECT_LE(
          distance(results[0].getInteger(i), sum / count / sy + zy, -128, 127),
          halfStep8)
          << "seed " << seed;
    }
  }
}

/// Windows of six, whose multiplier is not exact; equal scales.
template <typename T> void checkAverageTies(const std::string &element) {
  constexpr int64_t windows = 256;
  for (int zero : {0, -7, 12}) {
    std::vector<T> values;
    for (int64_t i = 0; i < windows; ++i)
      for (int64_t tap = 0; tap < 6; ++tap)
        values.push_back(
            std::clamp<int64_t>(i / 6 + (tap < i % 6) - 22 + zero, -128, 127));
    const std::string in = "tensor<1x1x256x6x" + element + ">";
    const std::string out = "tensor<1x1x256x1x" + element + ">";
    auto results = runText(
        functionText("%x: " + in, out,
                     "%y = qint.avg_pool %x {kernel = array<i64: 1, 6>, "
                     "tap_counts = array<i64: 6>, input_zero_point = " +
                         std::to_string(zero) +
                         " : i32, requant = #qint.requant<[715827883], [32], "
                         "zp " +
                         std::to_string(zero) +
                         ", clamp -128 to 127, half_even>} : (" + in + ") -> " +
                         out),
        {Tensor::from<T>({1, 1, windows, 6}, values)});
    ASSERT_EQ(results.size(), 1u);
    // Of an i16 the result less its zero point is even.
    const int64_t offset = sizeof(T) == 1 ? 0 : zero;
    for (int64_t i = 0; i < windows; ++i) {
      int64_t sum = 0;
      for (int64_t tap = 0; tap < 6; ++tap)
        sum += values[i * 6 + tap];
      // The sum holds the zero point six times: sum / 6 is the result.
      int64_t below = (sum - (sum % 6 + 6) % 6) / 6, rest = sum - 6 * below;
      bool isUp = rest > 3 || (rest == 3 && (below - offset) % 2 != 0);
      EXPECT_EQ(results[0].getInteger(i), below + isUp) << element << sum;
    }
  }
}

TEST(IntegerAvgPool, TiesOfAnyCountGoToEven) {
  checkAverageTies<int8_t>("i8");
  checkAverageTies<int16_t>("i16");
}

TEST(IntegerReduceMean, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    bool wide = seed % 2;
    float sx = random.scale(1e-2, 1), sy = sx * random.scale(0.2, 1.5);
    int zx = random.integer(-128, 127), zy = random.integer(-128, 127);
    Tensor x = wide ? random.i16({2, 3, 7}, -200, 200) : random.i8({2, 3, 7});
    std::string in = typeText({2, 3, 7}, wide ? "i16" : "i8");
    auto results = runText(
        functionText("%x: " + in, "tensor<3xi8>",
                     "%y = qint.reduce_mean %x axes [0, 2] {keep_dims = false, "
                     "input_zero_point = " +
                         std::to_string(zx) + " : i32, requant = " +
                         requantText({Factor((long double)sx / sy / 14)}, zy,
                                     -128, 127) +
                         "} : (" + in + ") -> tensor<3xi8>"),
        {x});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t c = 0; c < 3; ++c) {
      long double sum = 0;
      for (int64_t n = 0; n < 2; ++n)
        for (int64_t i = 0; i < 7; ++i)
          sum += (long double)sx * (x.getInteger((n * 3 + c) * 7 + i) - zx);
      EXPECT_LE(
          distance(results[0].getInteger(c), sum / 14 / sy + zy, -128, 127),
          halfStep8)
          << "seed " << seed;
    }
  }
}

TEST(IntegerDiv, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    float sa = random.scale(1e-3, 1), sb = random.scale(1e-3, 1);
    float sy = sa / sb * random.scale(0.01, 0.5);
    int za = random.integer(-128, 127), zb = random.integer(-128, 127);
    int zy = random.integer(-128, 127);
    // The multiplier keeps 24 bits or more at some shift.
    long double factor = (long double)sa / ((long double)sb * sy);
    int shift = 0;
    while (std::ldexp(factor, shift + 1) < 0x1p30L)
      ++shift;
    int64_t multiplier = std::llround(std::ldexp(factor, shift));
    Tensor a = random.i8({2, 3}), b = random.i8({3});
    auto results = runText(
        functionText(
            "%a: tensor<2x3xi8>, %b: tensor<3xi8>", "tensor<2x3xi8>",
            "%y = qint.div %a, %b {lhs_zero_point = " + std::to_string(za) +
                " : i32, rhs_zero_point = " + std::to_string(zb) +
                " : i32, requant = #qint.requant<[" +
                std::to_string(multiplier) + "], [" + std::to_string(shift) +
                "], zp " + std::to_string(zy) +
                ", clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> "
                "tensor<2x3xi8>"),
        {a, b});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t i = 0; i < 6; ++i) {
      int64_t divisor = b.getInteger(i % 3) - zb;
      if (divisor == 0)
        continue;
      long double real = (long double)sa * (a.getInteger(i) - za) /
                         ((long double)sb * divisor);
      EXPECT_LE(distance(results[0].getInteger(i), real / sy + zy, -128, 127),
                0.5001)
          << "seed " << seed;
    }
  }
}

TEST(IntegerMatMul, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    float sa = random.scale(1e-3, 1), sb = random.scale(1e-3, 1);
    float sy = sa * sb * random.scale(100, 1000);
    int za = random.integer(-128, 127), zb = random.integer(-128, 127);
    int zy = random.integer(-128, 127);
    int64_t multiplier =
        std::llround(std::ldexp((long double)sa * sb / sy, 36));
    // Two batches of one side meet one of the other.
    Tensor a = random.i8({2, 2, 5}), b = random.i8({1, 5, 3});
    auto results = runText(
        functionText(
            "%a: tensor<2x2x5xi8>, %b: tensor<1x5x3xi8>", "tensor<2x2x3xi8>",
            "%y = qint.matmul %a, %b {lhs_zero_point = " + std::to_string(za) +
                " : i32, rhs_zero_point = " + std::to_string(zb) +
                " : i32, requant = #qint.requant<[" +
                std::to_string(multiplier) + "], [36], zp " +
                std::to_string(zy) +
                ", clamp -128 to 127>} : (tensor<2x2x5xi8>, tensor<1x5x3xi8>) "
                "-> tensor<2x2x3xi8>"),
        {a, b});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t batch = 0; batch < 2; ++batch)
      for (int64_t m = 0; m < 2; ++m)
        for (int64_t n = 0; n < 3; ++n) {
          long double real = 0;
          for (int64_t k = 0; k < 5; ++k)
            real += (long double)sa * sb *
                    (a.getInteger((batch * 2 + m) * 5 + k) - za) *
                    (b.getInteger(k * 3 + n) - zb);
          EXPECT_LE(distance(results[0].getInteger((batch * 2 + m) * 3 + n),
                             real / sy + zy, -128, 127),
                    0.5001)
              << "seed " << seed;
        }
  }
}

/// Averages with the weights of the table, and with those of the softmax that
/// the table rounds.
TEST(IntegerAttend, WithinHalfAStepOfItsWeights) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    int64_t keys = random.integer(1, 40);
    float sx = random.scale(0.003, 0.5), sv = random.scale(1e-3, 1);
    float sy = sv * random.scale(0.05, 1.2);
    int zv = random.integer(-128, 127), zy = random.integer(-128, 127);
    std::vector<long double> table;
    std::string entries;
    for (int d = 0; d < 256; ++d) {
      table.push_back(std::rint(255 * std::exp(-(long double)sx * d)));
      entries += (d ? ", " : "") + std::to_string(int(table.back()));
    }
    int shift = 36 - std::ilogb(sv / sy);
    int64_t multiplier =
        std::llround(std::ldexp((long double)sv / sy, shift - 6));
    Tensor x = random.i8({3, keys}), v = random.i8({keys, 2});
    std::string types = "(" + typeText({3, keys}, "i8") + ", " +
                        typeText({keys, 2}, "i8") + ") -> tensor<3x2xi8>";
    auto results = runText(
        functionText(
            "%x: " + typeText({3, keys}, "i8") +
                ", %v: " + typeText({keys, 2}, "i8"),
            "tensor<3x2xi8>",
            "%y = qint.attend %x, %v {exp_table = array<i32: " + entries +
                ">, values_zero_point = " + std::to_string(zv) +
                " : i32, requant = #qint.requant<[" +
                std::to_string(multiplier) + "], [" + std::to_string(shift) +
                "], zp " + std::to_string(zy) +
                ", clamp -128 to 127>} : " + types),
        {x, v});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t row = 0; row < 3; ++row)
      for (int64_t n = 0; n < 2; ++n) {
        int largest = -128;
        for (int64_t k = 0; k < keys; ++k)
          largest = std::max(largest, x.getInteger(row * keys + k));
        long double sums[2] = {}, totals[2] = {}, spread = 0;
        for (int64_t k = 0; k < keys; ++k) {
          int d = largest - x.getInteger(row * keys + k);
          long double weights[] = {table[d],
                                   255 * std::exp(-(long double)sx * d)};
          long double value = (long double)sv * (v.getInteger(k * 2 + n) - zv);
          for (int i = 0; i < 2; ++i) {
            sums[i] += weights[i] * value;
            totals[i] += weights[i];
          }
          spread += std::fabs(value);
        }
        int result = results[0].getInteger(row * 2 + n);
        EXPECT_LE(distance(result, sums[0] / totals[0] / sy + zy, -128, 127),
                  0.501)
            << "seed " << seed;
        // Each weight is off by at most 1/2 of at least 255 in all.
        EXPECT_LE(distance(result, sums[1] / totals[1] / sy + zy, -128, 127),
                  0.501 + spread / totals[1] / sy)
            << "seed " << seed;
      }
  }
}
