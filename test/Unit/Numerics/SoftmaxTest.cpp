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
    std::vector<int16_t> logits(random.between(1, 300));
    for (int16_t &logit : logits)
      logit = static_cast<int16_t>(random.between(-40, 40));
    const int32_t largest = *std::max_element(logits.begin(), logits.end());
    long double sum = 0;
    for (int16_t logit : logits)
      sum += std::exp(-static_cast<long double>(scale) * (largest - logit));
    for (bool wide : {false, true}) {
      std::vector<int16_t> out(logits.size());
      softmaxRow(logits, table, {wide ? 32768 : 256}, wide ? 0 : -128,
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

/// Two tables: what they and the product round away is 0.51 of 2^-23 at most.
TEST(Softmax, wideRowsAreWithinTheirBound) {
  Random random(13);
  for (int i = 0; i < 300; ++i) {
    const float scale = static_cast<float>(std::ldexp(
        1 + random.unit(), static_cast<int>(random.between(-16, -8))));
    const std::vector<uint32_t> tables = buildWideSoftmaxTables(scale);
    ASSERT_EQ(tables.size(), 512u);
    EXPECT_EQ(softmaxExponential(tables, 0), 1u << 23);
    std::vector<int16_t> logits(random.between(1, 300));
    const int reach = i % 2 ? 32767 : 2000;
    for (int16_t &logit : logits)
      logit = static_cast<int16_t>(random.between(-reach - 1, reach));
    const int32_t largest = *std::max_element(logits.begin(), logits.end());
    std::vector<long double> exact;
    long double sum = 0;
    for (int16_t logit : logits) {
      exact.push_back(
          std::exp(-static_cast<long double>(scale) * (largest - logit)));
      sum += exact.back();
      EXPECT_LE(std::fabs(softmaxExponential(tables, largest - logit) -
                          exact.back() * 0x1p23L),
                0.51L);
    }
    std::vector<int16_t> out(logits.size());
    softmaxRow(logits, tables, {32768}, 0, -32768, 32767, out);
    for (size_t j = 0; j < logits.size(); ++j) {
      const long double part = exact[j] / sum;
      const long double bound =
          0.5001L + 0.51L * 0x1p-8L * (1 + part * logits.size()) / sum;
      EXPECT_LE(std::fabs(out[j] - std::min(part * 32768, 32767.0L)), bound);
    }
  }
}

/// Scales whose inverse is no integer, small ones too: rounded once.
TEST(Softmax, anyScale) {
  Random random(14);
  for (int i = 0; i < 200; ++i) {
    const float scale = static_cast<float>(std::ldexp(
        1 + random.unit(), static_cast<int>(random.between(-24, -1))));
    const std::optional<SoftmaxLevels> levels = SoftmaxLevels::of(scale);
    ASSERT_TRUE(levels);
    EXPECT_NEAR(std::ldexp(levels->levels, -levels->shift) * scale, 1, 0x1p-16);
    const std::vector<uint32_t> table = buildSoftmaxTable(0.1f);
    std::vector<int16_t> logits(random.between(2, 100));
    for (int16_t &logit : logits)
      logit = static_cast<int16_t>(random.between(-30, 30));
    const int32_t largest = *std::max_element(logits.begin(), logits.end());
    long double sum = 0;
    for (int16_t logit : logits)
      sum += std::exp(-0.1L * (largest - logit));
    std::vector<int16_t> out(logits.size());
    softmaxRow(logits, table, *levels, -32768, -32768, 32767, out);
    for (size_t j = 0; j < logits.size(); ++j) {
      const long double exact =
          std::exp(-0.1L * (largest - logits[j])) / sum / scale;
      EXPECT_NEAR(out[j] + 32768, std::min<long double>(exact, 65535),
                  0.52L + 0x1p-22L / scale)
          << scale;
    }
  }
  EXPECT_EQ(SoftmaxLevels::of(1.0f / 255)->levels, 255);
  EXPECT_EQ(SoftmaxLevels::of(1.0f / 255)->shift, 0);
  EXPECT_FALSE(SoftmaxLevels::of(0x1p-30f));
  EXPECT_FALSE(SoftmaxLevels::of(0x1p16f));
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
  const int16_t logits[] = {5, 5};
  int16_t out[2] = {};
  softmaxRow(logits, table, {1}, 0, -128, 127, out);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], 1);
}

TEST(Softmax, anyLength) {
  const std::vector<uint32_t> table = buildSoftmaxTable(0.1f);
  for (size_t length : {1, 2, 512, 513, 32768, 100000}) {
    const std::vector<int16_t> logits(length, -17);
    std::vector<int16_t> out(length);
    softmaxRow(logits, table, {32768}, 0, -32768, 32767, out);
    const double exact =
        std::min(32768.0 / static_cast<double>(length), 32767.0);
    for (int16_t y : out)
      ASSERT_LE(std::fabs(y - exact), 0.5) << length;
    softmaxRow(logits, table, {256}, -128, -128, 127, out);
    const double narrow = std::min(256.0 / static_cast<double>(length), 255.0);
    for (int16_t y : out)
      ASSERT_LE(std::fabs(y + 128 - narrow), 0.5) << length;
  }
}

TEST(LogSoftmax, logIsWithinItsBound) {
  Random random(5);
  for (int i = 0; i < 5000; ++i) {
    const uint64_t sum =
        (UINT64_C(1) << 23) + (random.next() >> random.between(2, 41));
    const long double exact = std::log(sum / 0x1p23L) * 0x1p30L;
    EXPECT_LE(std::fabs(logOfSum(sum) - exact), 0x1p6L) << sum;
  }
  EXPECT_EQ(logOfSum(UINT64_C(1) << 23), 0);
  EXPECT_EQ(logOfSum(UINT64_C(1) << 24), 744261118);
  EXPECT_EQ(logOfSum(UINT64_C(3) << 22), getLogTable()[128]);
}

/// Of inputs of `bits`; `wide` are results of 16.
static void checkLogSoftmaxRows(uint64_t seed, int bits, int count) {
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    const int exponent = static_cast<int>(random.between(-8, 0));
    const float scale =
        static_cast<float>(std::ldexp(1 + random.unit(), exponent + 8 - bits));
    const int32_t reach = bits == 8 ? 127 : random.between(0, 1) ? 32767 : 2000;
    const int64_t length = random.between(1, random.between(0, 9) ? 100 : 5000);
    std::vector<int32_t> row(length);
    for (int32_t &x : row)
      x = static_cast<int32_t>(random.between(-reach - 1, reach));
    const int32_t largest = *std::max_element(row.begin(), row.end());
    const bool wide = random.between(0, 1);
    const long double range = 2 * reach * scale + std::log(length) + 1e-3;
    const float step = static_cast<float>(range / (wide ? 32768 : 255));
    const int32_t low = wide ? -32768 : -128, high = -low - 1;
    const int32_t zero = wide ? 0 : 127;

    llvm::Expected<LogSoftmaxConstants> c =
        chooseLogSoftmaxConstants(scale, step, length, bits);
    ASSERT_TRUE(succeeded(c));
    const std::vector<uint32_t> tables = buildSoftmaxTables(scale, bits);
    uint64_t sum = 0;
    long double exactSum = 0;
    for (int32_t x : row) {
      sum += softmaxExponential(tables, largest - x);
      exactSum += std::exp(-static_cast<long double>(scale) * (largest - x));
    }
    const int64_t log = scaleLog(logOfSum(sum), c->logFactor, c->logShift);
    const LogSoftmaxRange limits = LogSoftmaxRange::of(bits);
    const int64_t farthest = int64_t{limits.farthest} * c->factor + log +
                             (INT64_C(1) << (c->shift - 1));
    EXPECT_LT(static_cast<double>(farthest), limits.limit);
    const long double more = (length + 1) * 0x1p-23L / step;
    for (int32_t x : row) {
      const int32_t y = logSoftmaxElement(largest - x, log, c->factor, c->shift,
                                          zero, low, high);
      const long double exact =
          -(static_cast<long double>(scale) * (largest - x) +
            std::log(exactSum)) /
              step +
          zero;
      EXPECT_LE(std::fabs(y - std::max<long double>(exact, low)),
                (wide && bits == 8 ? 0.51L : 0.5001L) + more)
          << scale << " " << length;
    }
  }
}

TEST(LogSoftmax, rowsAreRoundedOnce) { checkLogSoftmaxRows(6, 8, 500); }

TEST(LogSoftmax, wideRowsAreRoundedOnce) { checkLogSoftmaxRows(7, 16, 300); }

TEST(LogSoftmax, refusesAScaleThatIsTooSmall) {
  EXPECT_NE(
      refusal(chooseLogSoftmaxConstants(1, 1e-9f, 10, 8)).find("too small"),
      std::string::npos);
}

} // namespace
