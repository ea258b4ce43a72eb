// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer weights: near the real ones, sums kept.

#include "qopt/Numerics/Taps.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace mlir::qopt::numerics;

TEST(Taps, GroupsKeepTheirSums) {
  std::mt19937_64 engine(7);
  auto unit = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  for (int round = 0; round < 500; ++round) {
    int64_t taps = 1 + engine() % 5;
    std::vector<double> weights;
    for (int group = 0; group < 3; ++group) {
      double sum = 0;
      for (int64_t tap = 0; tap + 1 < taps; ++tap) {
        weights.push_back((unit() - 0.4) / taps);
        sum += weights.back();
      }
      weights.push_back(1 - sum);
    }
    auto result = quantizeTaps(weights, taps);
    ASSERT_TRUE(result);
    double largest = 0;
    for (double weight : weights)
      largest = std::max(largest, std::fabs(weight));
    EXPECT_EQ(result->bits, largest <= 1 ? 15 : 14);
    int64_t largestSum = 0;
    for (size_t i = 0; i < weights.size(); i += taps) {
      int64_t sum = 0, magnitudes = 0;
      for (int64_t tap = 0; tap < taps; ++tap) {
        int32_t integer = result->weights[i + tap];
        sum += integer;
        magnitudes += std::abs(integer);
        EXPECT_LE(
            std::fabs(std::ldexp(weights[i + tap], result->bits) - integer),
            1.0);
        EXPECT_LE(std::abs(integer), 1 << 15);
      }
      EXPECT_EQ(sum, 1 << result->bits);
      largestSum = std::max(largestSum, magnitudes);
    }
    EXPECT_EQ(result->largestSum, largestSum);
  }
}

TEST(Taps, WhatIsLackingGoesToTheFarthestMoved) {
  // Each of three thirds is 10922.67, rounded up: one too many in all, and the
  // first of equals gives it back.
  auto thirds = quantizeTaps({1.0 / 3, 1.0 / 3, 1.0 / 3}, 3);
  EXPECT_EQ(thirds->weights, (std::vector<int32_t>{10922, 10923, 10923}));
  // 0.49, 0.49 and 0.02 of a step are lost: the first of the largest gains.
  double step = 0x1p-15;
  auto lost = quantizeTaps({10.02 * step, 20.49 * step, 30.49 * step}, 3);
  EXPECT_EQ(lost->weights, (std::vector<int32_t>{10, 21, 30}));
}

TEST(Taps, FewerBitsForLargeWeightsAndNoneForWild) {
  EXPECT_EQ(quantizeTaps({1.0}, 1)->bits, 15);
  EXPECT_EQ(quantizeTaps({-1.0}, 1)->weights[0], -32768);
  EXPECT_EQ(quantizeTaps({1.01}, 1)->bits, 14);
  EXPECT_EQ(quantizeTaps({32768.0}, 1)->bits, 0);
  EXPECT_FALSE(quantizeTaps({32769.0}, 1));
  EXPECT_FALSE(quantizeTaps({std::numeric_limits<double>::infinity()}, 1));
  EXPECT_FALSE(quantizeTaps({std::nan("")}, 1));
}
