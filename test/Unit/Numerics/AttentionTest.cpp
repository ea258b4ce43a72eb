// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and multipliers of attention against long double.

#include "qopt/Numerics/Attention.h"
#include "TestSupport.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir::qopt::numerics;

namespace {

TEST(Attention, tableAgreesWithLongDouble) {
  for (float scale : {1e-6f, 0.01f, 0.0625f, 0.5f, 3.0f, 3e38f}) {
    const std::vector<int32_t> table = buildAttentionTable(scale);
    ASSERT_EQ(table.size(), 256u);
    EXPECT_EQ(table[0], 255);
    for (int d = 0; d < 256; ++d)
      EXPECT_LE(std::fabs(table[d] -
                          255 * std::exp(-static_cast<long double>(scale) * d)),
                0.5L)
          << scale << " " << d;
  }
}

TEST(Attention, multipliersKeepTheirBits) {
  for (double factor : {0x1p-16, 0.3, 1.0, 1.9, 7.0, 256.0, 1e6, 0x1p24}) {
    auto multiplier = chooseAttentionMultiplier(factor);
    ASSERT_TRUE(static_cast<bool>(multiplier));
    EXPECT_GE(multiplier->multiplier[0], 1 << 24) << factor;
    EXPECT_GE(multiplier->shift[0], 1) << factor;
    EXPECT_NEAR(std::ldexp(multiplier->multiplier[0],
                           attentionBits - multiplier->shift[0]) /
                    factor,
                1, 0x1p-24);
  }
  for (double factor : {0.0, -1.0, 0x1p-17, 0x1p25, HUGE_VAL, std::nan("")}) {
    auto multiplier = chooseAttentionMultiplier(factor);
    EXPECT_FALSE(static_cast<bool>(multiplier)) << factor;
    llvm::consumeError(multiplier.takeError());
  }
}

TEST(Attention, rowMultipliersAreRounded) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    auto multiplier = static_cast<int32_t>(random.between(1, INT32_MAX));
    const int64_t sum = random.between(255, 255 * 33025);
    const int32_t row = attentionRowMultiplier(multiplier, sum);
    EXPECT_LT(row, 1 << 30);
    EXPECT_LE(std::fabs(static_cast<long double>(multiplier) * 64 / sum - row),
              0.5L);
  }
  // A tie goes up: 64 * 5 / 640 = 1/2.
  EXPECT_EQ(attentionRowMultiplier(5, 640), 1);
}

} // namespace
