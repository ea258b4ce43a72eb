// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resizing by taps: values by hand in float, and integers against exact real
// arithmetic, written without Numerics.

#include "Exact.h"

using namespace qopt_test;

TEST(Interpolate, FloatTapsByHand) {
  auto y = runText(
      functionText("%x: tensor<1x1x2x3xf32>", "tensor<1x1x1x2xf32>",
                   "%y = qopt.interpolate %x rows [1, 0] [0.75, 0.25] columns "
                   "[0, 1, 2, 2] [0.5, 0.5, 2.0, -1.0] : "
                   "(tensor<1x1x2x3xf32>) -> tensor<1x1x1x2xf32>"),
      {tensorOf<float>({1, 1, 2, 3}, {1, 3, 5, 10, 20, 40})});
  // Rows first: 0.75 (10, 20, 40) + 0.25 (1, 3, 5) = (7.75, 15.75, 31.25).
  EXPECT_EQ(valuesOf<float>(y[0]), (std::vector<float>{11.75, 31.25}));
}

TEST(Interpolate, IntegerWithinTheStatedErrorOfTheRealFunction) {
  // Linear taps of random positions; the weights' integers are rounded here.
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    bool wide = seed % 4 == 0;
    float sx = random.scale(1e-3, 1), sy = sx * random.scale(1, 3);
    int low = wide ? -32768 : -128, high = -low - 1;
    int zx = random.integer(low, high), zy = random.integer(low, high);
    auto axis = [&](int64_t outputs, std::vector<double> &real,
                    std::vector<int64_t> &indices, std::string &text) {
      std::string indexText, weightText;
      for (int64_t i = 0; i < outputs; ++i) {
        double t = random.integer(0, 1 << 20) * 0x1p-20;
        int64_t first = random.integer(0, 3);
        int64_t integer = std::llround(t * 32768);
        indices.insert(indices.end(), {first, first + 1});
        real.insert(real.end(), {1 - t, t});
        std::string comma = i ? ", " : "";
        indexText +=
            comma + std::to_string(first) + ", " + std::to_string(first + 1);
        weightText += comma + std::to_string(32768 - integer) + ", " +
                      std::to_string(integer);
      }
      text = "[" + indexText + "] [" + weightText + "]";
    };
    std::vector<double> rows, columns;
    std::vector<int64_t> r, k;
    std::string rowText, columnText;
    axis(3, rows, r, rowText);
    axis(4, columns, k, columnText);
    Tensor x = wide ? random.i16({1, 1, 5, 5}) : random.i8({1, 1, 5, 5});
    const char *element = wide ? "i16" : "i8";
    // A product of 62 bits leaves the multiplier 15 at 16 bits.
    int shift = wide ? 44 : 52;
    int64_t multiplier =
        std::llround(std::ldexp((long double)sx / sy, shift - 30));
    std::string from = typeText({1, 1, 5, 5}, element);
    std::string to = typeText({1, 1, 3, 4}, element);
    auto results = runText(
        functionText("%x: " + from, to,
                     "%y = qint.interpolate %x rows " + rowText + " columns " +
                         columnText +
                         " {input_zero_point = " + std::to_string(zx) +
                         " : i32, requant = #qint.requant<[" +
                         std::to_string(multiplier) + "], [" +
                         std::to_string(shift) + "], zp " + std::to_string(zy) +
                         ", clamp " + std::to_string(low) + " to " +
                         std::to_string(high) + ">} : (" + from + ") -> " + to),
        {x});
    ASSERT_EQ(results.size(), 1u) << "seed " << seed;
    for (int64_t h = 0; h < 3; ++h)
      for (int64_t w = 0; w < 4; ++w) {
        long double sum = 0;
        for (int64_t i = 2 * h; i < 2 * h + 2; ++i)
          for (int64_t j = 2 * w; j < 2 * w + 2; ++j)
            sum += (long double)rows[i] * columns[j] *
                   (x.getInteger(r[i] * 5 + k[j]) - zx);
        EXPECT_LE(distance(results[0].getInteger(h * 4 + w), sum * sx / sy + zy,
                           low, high),
                  wide ? 4.5 : 0.51)
            << "seed " << seed;
      }
  }
}

TEST(Interpolate, AConstantImageStaysConstant) {
  auto y = runText(
      functionText("%x: tensor<1x1x1x2xi8>", "tensor<1x1x1x1xi8>",
                   "%y = qint.interpolate %x rows [0] [32768] columns [0, 1] "
                   "[10923, 21845] {input_zero_point = 5 : i32, requant = "
                   "#qint.requant<[4194304], [52], zp 5, clamp -128 to 127>} : "
                   "(tensor<1x1x1x2xi8>) -> tensor<1x1x1x1xi8>"),
      {tensorOf<int8_t>({1, 1, 1, 2}, {-99, -99})});
  EXPECT_EQ(valuesOf<int8_t>(y[0]), (std::vector<int8_t>{-99}));
}
