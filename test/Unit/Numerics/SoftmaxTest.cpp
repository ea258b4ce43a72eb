// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax rows against long double, and lengths that other implementations
// refuse.

#include "qopt/Numerics/Softmax.h"
#include "TestSupport.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt::numerics;

namespace {

TEST(Softmax, tableAgreesWithLongDouble) {
  for (float scale : {1e-6f, 0.01f, 0.0625f, 0.1f, 0.5f, 3.0f, 1e6f, 3e38f}) {
    const std::vector<uint32_t> table = buildSoftmaxTable(scale);
    ASSERT_EQ(table.size(), 256u);
    EXPECT_EQ(table[0], 1u << 23);
    for (int d = 0; d < 256; ++d) {
      const long double exact =
          std::exp(-static_cast<long double>(scale) * d) * 0x1p23L;
      EXPECT_LE(std::fabs(table[d] - exact), 0.5L) << scale << " " << d;
    }
  }
}

TEST(Softmax, rowsAreRoundedOnce) {
  Random random(12);
  for (int i = 0; i < 300; ++i) {
    const float scale = static_cast<float>(std::ldexp(
        1 + random.unit(), static_cast<int>(random.between(-8, -1))));
    const std::vector<uint32_t> table = buildSoftmaxTable(scale);
    std::vector<int8_t> logits(random.between(1, 300));
    for (int8_t &logit : logits)
      logit = static_cast<int8_t>(random.between(-40, 40));
    const int32_t largest = *std::max_element(logits.begin(), logits.end());
    long double sum = 0;
    for (int8_t logit : logits)
      sum += std::exp(-static_cast<long double>(scale) * (largest - logit));
    for (bool wide : {false, true}) {
      std::vector<int16_t> out(logits.size());
      softmaxRow(logits, table, wide ? 32768 : 256, wide ? 0 : -128,
                 wide ? -32768 : -128, wide ? 32767 : 127, out);
      for (size_t j = 0; j < logits.size(); ++j) {
        const long double exact =
            std::exp(-static_cast<long double>(scale) * (largest - logits[j])) /
            sum * (wide ? 32768 : 256);
        const long double bounded =
            std::min<long double>(exact, wide ? 32767 : 255);
        EXPECT_LE(std::fabs(out[j] + (wide ? 0 : 128) - bounded),
                  wide ? 0.51L : 0.5001L);
      }
    }
  }
}

TEST(Softmax, elementRoundsHalfUp) {
  // 256 * 1 / 512 = 1/2 and 256 * 3 / 512 = 3/2.
  EXPECT_EQ(softmaxElement(1, 512, 256, -128, -128, 127), -127);
  EXPECT_EQ(softmaxElement(3, 512, 256, -128, -128, 127), -126);
  EXPECT_EQ(softmaxElement(1, 513, 256, -128, -128, 127), -128);
  EXPECT_EQ(softmaxElement(1, 1, 256, -128, -128, 127), 127);
  EXPECT_EQ(softmaxElement(0, 1, 256, -128, -128, 127), -128);
}

TEST(Softmax, aRowsTieGoesUp) {
  const std::vector<uint32_t> table = buildSoftmaxTable(0.1f);
  const int8_t logits[] = {5, 5};
  int16_t out[2] = {};
  softmaxRow(logits, table, 1, 0, -128, 127, out);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], 1);
}

TEST(Softmax, anyLength) {
  const std::vector<uint32_t> table = buildSoftmaxTable(0.1f);
  for (size_t length : {1, 2, 512, 513, 32768, 100000}) {
    const std::vector<int8_t> logits(length, -17);
    std::vector<int16_t> out(length);
    softmaxRow(logits, table, 32768, 0, -32768, 32767, out);
    const double exact =
        std::min(32768.0 / static_cast<double>(length), 32767.0);
    for (int16_t y : out)
      ASSERT_LE(std::fabs(y - exact), 0.5) << length;
    softmaxRow(logits, table, 256, -128, -128, 127, out);
    const double narrow = std::min(256.0 / static_cast<double>(length), 255.0);
    for (int16_t y : out)
      ASSERT_LE(std::fabs(y + 128 - narrow), 0.5) << length;
  }
}

} // namespace
