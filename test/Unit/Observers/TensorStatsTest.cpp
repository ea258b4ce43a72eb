// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Observation against the obvious loop, for every shape of run and every kind
// of data; merging in any order.

#include "qopt/Observers/TensorStats.h"
#include "TestSupport.h"
#include <algorithm>
#include <limits>
#include <map>

using namespace mlir::qopt::observers;

namespace {

size_t binOf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits >> 16;
}

/// One value after the other.
void expectStats(const TensorStats &stats, llvm::ArrayRef<float> values,
                 uint64_t samples) {
  FloatSum sum;
  SquareSum squares;
  std::map<size_t, uint64_t> bins;
  float min = values.empty() ? 0 : values[0], max = min;
  for (float value : values) {
    sum.add(value);
    squares.add(static_cast<double>(value) * value);
    ++bins[binOf(value)];
    min = std::min(min, value);
    max = std::max(max, value);
  }
  EXPECT_EQ(stats.count, values.size());
  EXPECT_EQ(stats.samples, samples);
  EXPECT_EQ(stats.min, min);
  EXPECT_EQ(stats.max, max);
  EXPECT_FALSE(std::signbit(stats.min) && stats.min == 0);
  EXPECT_EQ(stats.sum.digits(), sum.digits());
  EXPECT_EQ(stats.sumOfSquares.digits(), squares.digits());
  for (size_t bin = 0; bin < Histogram::numBins; ++bin)
    ASSERT_EQ(stats.histogram[bin], bins.count(bin) ? bins[bin] : 0) << bin;
}

TEST(TensorStats, sizesAroundEveryThreshold) {
  for (size_t size : {1, 2, 15, 16, 17, 100, 2047, 2048, 2049, 4100, 32767,
                      32768, 32769, 70001, 140000}) {
    const std::vector<float> values = normals(size, size);
    TensorStats stats;
    EXPECT_EQ(stats.observe(values.data(), values.size()), -1);
    expectStats(stats, values, 1);
  }
}

TEST(TensorStats, everyFloatThatThereIs) {
  Random random(4);
  for (size_t size : {50, 5000, 40000}) {
    std::vector<float> values(size);
    for (float &value : values)
      value = random.anyFinite();
    TensorStats stats;
    EXPECT_EQ(stats.observe(values.data(), values.size()), -1);
    expectStats(stats, values, 1);
  }
}

TEST(TensorStats, spreadsAroundTheExactWindow) {
  // Values exactly, one less and one more than the window below the largest.
  for (int octaves = 14; octaves <= 20; ++octaves)
    for (float top : {1.0f, 0x1.fffffep0f, 0x1p127f, 0x1p-110f, 0x1p-126f}) {
      std::vector<float> values(2048, top);
      for (size_t i = 0; i < values.size(); i += 3)
        values[i] = std::ldexp(0x1.fffffep0f, -octaves) * (top / 2);
      for (size_t i = 1; i < values.size(); i += 5)
        values[i] = -std::ldexp(top, -octaves);
      TensorStats stats;
      EXPECT_EQ(stats.observe(values.data(), values.size()), -1);
      expectStats(stats, values, 1);
    }
}

TEST(TensorStats, allEqualAndHalfZero) {
  for (float value : {0.0f, -0.0f, 1.0f, -3.5f, 1e-45f})
    for (size_t size : {3000, 100000}) {
      std::vector<float> values(size, value);
      TensorStats stats;
      stats.observe(values.data(), values.size());
      expectStats(stats, values, 1);
      for (size_t i = 0; i < values.size(); i += 2)
        values[i] = 0;
      TensorStats half;
      half.observe(values.data(), values.size());
      expectStats(half, values, 1);
    }
}

TEST(TensorStats, longRunsOverflowNoCounter) {
  const std::vector<float> values(600000, 2.0f);
  TensorStats stats;
  stats.observe(values.data(), values.size());
  EXPECT_EQ(stats.histogram[binOf(2.0f)], 600000u);
  stats.observe(values.data(), values.size());
  EXPECT_EQ(stats.histogram[binOf(2.0f)], 1200000u);
  EXPECT_EQ(stats.sum.value(), 2400000);
}

TEST(TensorStats, rowsSkipTheHalo) {
  const size_t shapes[][5] = {// planes, rows, rowLength, row pad, plane pad
                              {1, 7, 5, 3, 0},
                              {3, 40, 64, 2, 100},
                              {2, 3, 5000, 8, 16},
                              {1, 100, 1, 1, 0}};
  for (const auto &shape : shapes) {
    const size_t rowStride = shape[2] + shape[3];
    const size_t planeStride = shape[1] * rowStride + shape[4];
    std::vector<float> buffer(shape[0] * planeStride, 1e30f);
    std::vector<float> expected;
    Random random(5);
    for (size_t p = 0; p < shape[0]; ++p)
      for (size_t r = 0; r < shape[1]; ++r)
        for (size_t i = 0; i < shape[2]; ++i) {
          const float value = static_cast<float>(random.normal());
          buffer[p * planeStride + r * rowStride + i] = value;
          expected.push_back(value);
        }
    TensorStats stats;
    EXPECT_EQ(stats.observe({buffer.data(), shape[2], shape[1], rowStride,
                             shape[0], planeStride}),
              -1);
    expectStats(stats, expected, 1);
    if (shape[0] == 1) {
      TensorStats rows;
      EXPECT_EQ(rows.observeRows(buffer.data(), shape[1], shape[2], rowStride),
                -1);
      EXPECT_EQ(bytesOf(rows), bytesOf(stats));
    }
  }
}

TEST(TensorStats, theFirstNonFiniteValueIsFound) {
  const float bad[] = {std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity(),
                       std::numeric_limits<float>::quiet_NaN(),
                       -std::numeric_limits<float>::quiet_NaN()};
  for (float value : bad)
    for (size_t position : {0, 1, 17, 2047, 2048, 39999}) {
      std::vector<float> values = normals(40000, 6);
      values[position] = value;
      values[39999] = value;
      TensorStats stats;
      EXPECT_EQ(stats.observe(values.data(), values.size()),
                static_cast<int64_t>(position));
      // A refused sample leaves nothing behind for the next tensor.
      const std::vector<float> fine = normals(40000, 7);
      TensorStats next;
      EXPECT_EQ(next.observe(fine.data(), fine.size()), -1);
      expectStats(next, fine, 1);
    }
}

TEST(TensorStats, perSampleExtremesAreSummed) {
  const float first[] = {-1, 4, 0}, second[] = {-3, 2}, third[] = {5, 6};
  TensorStats stats;
  stats.observe(first, 3);
  stats.observe(second, 2);
  stats.observe(third, 2);
  EXPECT_EQ(stats.samples, 3u);
  EXPECT_EQ(stats.sumOfMins.value(), -1 - 3 + 5);
  EXPECT_EQ(stats.sumOfMaxs.value(), 4 + 2 + 6);
  EXPECT_EQ(stats.min, -3);
  EXPECT_EQ(stats.max, 6);
  EXPECT_DOUBLE_EQ(stats.mean(), 13.0 / 7);
  EXPECT_DOUBLE_EQ(stats.secondMoment(), 91.0 / 7);
  EXPECT_EQ(stats.observe(first, 0), -1);
  EXPECT_EQ(stats.samples, 3u);
}

TEST(TensorStats, channelsAgreeWithOneTensorEach) {
  for (size_t channels : {1, 3, 64}) {
    for (size_t positions : {1, 5, 3000}) {
      Random random(8);
      std::vector<std::vector<float>> columns(channels);
      std::vector<float> values;
      for (size_t p = 0; p < positions; ++p)
        for (size_t c = 0; c < channels; ++c) {
          // Spreads that leave some channels below the exact window.
          values.push_back(static_cast<float>(
              random.normal() * std::ldexp(1.0, -static_cast<int>(c))));
          columns[c].push_back(values.back());
        }
      TensorStats stats(channels);
      for (int repeat = 0; repeat < 2; ++repeat)
        EXPECT_EQ(
            stats.observeRows(values.data(), positions, channels, channels),
            -1);
      for (size_t c = 0; c < channels; ++c) {
        TensorStats alone;
        for (int repeat = 0; repeat < 2; ++repeat)
          alone.observe(columns[c].data(), columns[c].size());
        EXPECT_EQ(stats.channelStats[c].min, alone.min);
        EXPECT_EQ(stats.channelStats[c].max, alone.max);
        EXPECT_EQ(stats.channelStats[c].sum.digits(), alone.sum.digits());
        EXPECT_EQ(stats.channelStats[c].sumOfSquares.digits(),
                  alone.sumOfSquares.digits());
      }
    }
  }
}

/// So many positions that one partial sum would round.
TEST(TensorStats, channelsOfManyPositionsAreExact) {
  std::vector<float> values(70000, 0x1.fffffep0f);
  FloatSum sum;
  SquareSum squares;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 3 == 0)
      values[i] = 0x1.000002p-17f;
    sum.add(values[i]);
    squares.add(static_cast<double>(values[i]) * values[i]);
  }
  TensorStats stats(1);
  EXPECT_EQ(stats.observeRows(values.data(), values.size(), 1, 1), -1);
  EXPECT_EQ(stats.channelStats[0].sum.digits(), sum.digits());
  EXPECT_EQ(stats.channelStats[0].sumOfSquares.digits(), squares.digits());
}

TEST(TensorStats, mergeCommutesAndAssociates) {
  Random random(9);
  std::vector<std::vector<float>> samples(12);
  for (auto &sample : samples) {
    sample.resize(3 * random.between(1, 300));
    for (float &value : sample)
      value = random.next() % 8 ? static_cast<float>(random.normal())
                                : random.anyFinite();
  }
  TensorStats whole(3);
  for (const auto &sample : samples)
    whole.observe(sample.data(), sample.size());
  const std::string expected = bytesOf(whole);
  for (int round = 0; round < 30; ++round) {
    for (size_t i = samples.size(); i > 1; --i)
      std::swap(samples[i - 1], samples[random.next() % i]);
    std::vector<TensorStats> parts;
    for (int i = 0; i < 4; ++i)
      parts.emplace_back(3);
    for (const auto &sample : samples)
      parts[random.next() % 4].observe(sample.data(), sample.size());
    // A random tree of merges.
    while (parts.size() > 1) {
      const size_t from = random.next() % parts.size();
      TensorStats taken = std::move(parts[from]);
      parts.erase(parts.begin() + from);
      parts[random.next() % parts.size()].merge(taken);
    }
    EXPECT_EQ(bytesOf(parts[0]), expected);
  }
}

TEST(TensorStats, defaultsAreOneRowOfNothing) {
  const StridedValues none;
  EXPECT_EQ(none.base, nullptr);
  EXPECT_EQ(none.rowLength, 0u);
  EXPECT_EQ(none.rows, 1u);
  EXPECT_EQ(none.rowStride, 0u);
  EXPECT_EQ(none.planes, 1u);
  EXPECT_EQ(none.planeStride, 0u);
  EXPECT_TRUE(TensorStats().channelStats.empty());
}

TEST(TensorStats, theEmptyStateIsZero) {
  const TensorStats stats(2);
  EXPECT_EQ(stats.count, 0u);
  EXPECT_EQ(stats.samples, 0u);
  EXPECT_EQ(stats.min, 0);
  EXPECT_EQ(stats.max, 0);
  EXPECT_EQ(stats.mean(), 0);
  EXPECT_EQ(stats.secondMoment(), 0);
  EXPECT_EQ(stats.sum.value(), 0);
  EXPECT_EQ(stats.sumOfMins.value(), 0);
  EXPECT_TRUE(stats.histogram.empty());
  EXPECT_EQ(stats.histogram[0], 0u);
  EXPECT_EQ(stats.channelStats[1].max, 0);
}

TEST(TensorStats, oneValue) {
  for (float value : {-3.0f, 3.0f}) {
    TensorStats stats(1);
    EXPECT_EQ(stats.observe(&value, 1), -1);
    EXPECT_EQ(stats.min, value);
    EXPECT_EQ(stats.max, value);
    EXPECT_EQ(stats.mean(), value);
    EXPECT_EQ(stats.secondMoment(), 9);
    EXPECT_EQ(stats.channelStats[0].min, value);
    EXPECT_EQ(stats.channelStats[0].max, value);
    EXPECT_FALSE(stats.histogram.empty());
  }
}

/// Zero, the extreme of a state without values, is no value: neither with
/// values above nor below it, neither in a state of none nor of one.
TEST(TensorStats, emptyStatesBringNoExtremes) {
  for (float sign : {1.0f, -1.0f}) {
    const float values[] = {2 * sign, 5 * sign};
    TensorStats filled(1);
    filled.observe(values, 2);
    for (bool intoEmpty : {true, false}) {
      TensorStats first(1), second(1);
      (intoEmpty ? second : first).merge(filled);
      first.merge(second);
      EXPECT_EQ(first.count, 2u);
      EXPECT_EQ(first.samples, 1u);
      EXPECT_EQ(first.min, filled.min);
      EXPECT_EQ(first.max, filled.max);
      EXPECT_EQ(first.channelStats[0].min, filled.min);
      EXPECT_EQ(first.channelStats[0].max, filled.max);
      EXPECT_EQ(first.channelStats[0].sum.value(), 7 * sign);
      EXPECT_EQ(first.channelStats[0].sumOfSquares.value(), 29);
    }
    EXPECT_EQ(filled.min, std::min(values[0], values[1]));
    EXPECT_EQ(filled.max, std::max(values[0], values[1]));
  }
}

TEST(TensorStats, mergingNothingAllocatesNothing) {
  TensorStats stats;
  stats.merge(TensorStats());
  EXPECT_TRUE(stats.histogram.empty());
}

TEST(TensorStats, statesOfOneValueKeepIt) {
  for (bool ascending : {true, false}) {
    const float low = -2, high = 5;
    TensorStats first(1), second(1);
    first.observe(ascending ? &low : &high, 1);
    second.observe(ascending ? &high : &low, 1);
    first.merge(second);
    EXPECT_EQ(first.min, low);
    EXPECT_EQ(first.max, high);
    EXPECT_EQ(first.channelStats[0].min, low);
    EXPECT_EQ(first.channelStats[0].max, high);
    TensorStats sequence(1);
    sequence.observe(&high, 1);
    sequence.observe(&low, 1);
    sequence.observe(&high, 1);
    EXPECT_EQ(sequence.min, low);
    EXPECT_EQ(sequence.max, high);
    EXPECT_EQ(sequence.channelStats[0].min, low);
    EXPECT_EQ(sequence.channelStats[0].max, high);
  }
}

} // namespace
