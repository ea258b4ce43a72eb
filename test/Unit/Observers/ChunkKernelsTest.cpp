// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hot loops against one value after the other.

#include "../../../lib/Observers/ChunkKernels.h"
#include "TestSupport.h"
#include "qopt/Observers/ExactSum.h"
#include <algorithm>
#include <limits>

using namespace mlir::qopt::observers;

namespace {

int32_t magnitudeOf(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits & 0x7fffffff;
}

/// Values of every size up to `size`, of all exponents up to `field`.
std::vector<float> anyUpTo(int field, size_t size, Random &random) {
  std::vector<float> values(size);
  for (float &value : values)
    do
      value = random.anyFinite();
    while (static_cast<int>(magnitudeOf(value) >> 23) > field);
  return values;
}

TEST(ChunkKernels, keysAreInTheOrderOfTheFloats) {
  const float ascending[] = {-std::numeric_limits<float>::infinity(),
                             -3e38f,
                             -1.5f,
                             -1,
                             -1e-45f,
                             -0.0f,
                             0,
                             1e-45f,
                             1,
                             3e38f,
                             std::numeric_limits<float>::infinity()};
  for (size_t i = 0; i < 11; ++i) {
    EXPECT_EQ(fromOrderedKey(orderedKey(ascending[i])), ascending[i]);
    EXPECT_EQ(std::signbit(fromOrderedKey(orderedKey(ascending[i]))),
              std::signbit(ascending[i]));
    if (i > 0)
      EXPECT_LT(orderedKey(ascending[i - 1]), orderedKey(ascending[i]));
  }
  EXPECT_EQ(orderedKey(0.0f), 0);
  EXPECT_EQ(orderedKey(-0.0f), -1);
}

TEST(ChunkKernels, extremesOfAnySize) {
  Random random(21);
  for (size_t size = 0; size < 70; ++size)
    for (int round = 0; round < 20; ++round) {
      const std::vector<float> values =
          anyUpTo(static_cast<int>(random.between(0, 254)), size, random);
      Extremes expected;
      int32_t smallest = 0, largest = 0;
      for (float value : values) {
        const int32_t magnitude = magnitudeOf(value);
        expected.minKey = std::min(expected.minKey, orderedKey(value));
        expected.maxKey = std::max(expected.maxKey, orderedKey(value));
        largest = std::max(largest, magnitude);
        if (magnitude != 0 && (smallest == 0 || magnitude < smallest))
          smallest = magnitude;
      }
      // A part each, merged.
      const size_t half = size / 2;
      Extremes merged = findExtremes(values.data(), half);
      merged.merge(findExtremes(values.data() + half, size - half));
      for (const Extremes &actual :
           {findExtremes(values.data(), size), merged}) {
        EXPECT_EQ(actual.minKey, expected.minKey);
        EXPECT_EQ(actual.maxKey, expected.maxKey);
        EXPECT_EQ(actual.smallestMagnitude(), smallest);
        if (size == 0)
          continue;
        EXPECT_TRUE(actual.finite());
        EXPECT_EQ(actual.largestField(),
                  std::max(static_cast<int>(largest >> 23), 1));
        EXPECT_EQ(actual.hasLeftOut(),
                  std::any_of(values.begin(), values.end(), [&](float value) {
                    return isLeftOut(value, actual.largestField());
                  }));
      }
    }
}

TEST(ChunkKernels, valuesMoreThan17OctavesBelowAreLeftOut) {
  for (int field : {18, 100, 254}) {
    const float edge = static_cast<float>(std::ldexp(1, field - 17 - 127));
    const float below = std::nextafter(edge, 0.0f);
    for (float sign : {1.0f, -1.0f}) {
      EXPECT_FALSE(isLeftOut(sign * edge, field));
      EXPECT_TRUE(isLeftOut(sign * below, field));
      EXPECT_FALSE(isLeftOut(sign * 0.0f, field));
      // One among zeros and others, in any place of a chunk.
      for (float small : {sign * below, sign * 1e-45f})
        for (size_t place : {0, 7, 15, 16, 37, 40}) {
          std::vector<float> values(41, sign * edge), found(41);
          values[3] = values[20] = values[38] = 0;
          values[place] = small;
          ASSERT_EQ(collectLeftOut(values.data(), 41, field, found.data()), 1u);
          EXPECT_EQ(found[0], small);
        }
    }
  }
  EXPECT_FALSE(isLeftOut(1e-45f, 17));
  EXPECT_TRUE(isLeftOut(1e-45f, 18));
}

TEST(ChunkKernels, sumsOfAChunkAreExact) {
  Random random(22);
  for (int field : {1, 2, 16, 17, 18, 19, 40, 127, 254})
    for (size_t size : {1, 15, 16, 17, 100, 2047, 2048}) {
      const std::vector<float> values = anyUpTo(field, size, random);
      std::vector<float> expected;
      FloatSum sum, actualSum;
      SquareSum squares, actualSquares;
      for (float value : values) {
        if (isLeftOut(value, field)) {
          expected.push_back(value);
          continue;
        }
        sum.add(value);
        squares.add(static_cast<double>(value) * value);
      }
      const ChunkSums sums = sumChunk(values.data(), size, field);
      actualSum.add(sums.sum);
      actualSquares.add(sums.squareHigh);
      actualSquares.add(sums.squareLow);
      EXPECT_EQ(actualSum.digits(), sum.digits());
      EXPECT_EQ(actualSquares.digits(), squares.digits());
      if (field <= exactOctaves) {
        EXPECT_TRUE(expected.empty());
        continue;
      }
      std::vector<float> leftOut(size);
      leftOut.resize(
          collectLeftOut(values.data(), size, field, leftOut.data()));
      EXPECT_EQ(leftOut, expected);
    }
}

/// The worst case of the proof: all of one sign, the largest mantissa, and the
/// smallest value that is taken.
TEST(ChunkKernels, aFullChunkOfTheLargestValuesIsExact) {
  for (int field : {60, 127, 254}) {
    const float top = static_cast<float>(std::ldexp(0x1.fffffep0, field - 127));
    const float bottom =
        static_cast<float>(std::ldexp(0x1.000002p0, field - 127 - 17));
    std::vector<float> values(chunkSize, top);
    for (size_t i = 0; i < 32; ++i)
      values[i * 3] = bottom;
    FloatSum sum, actualSum;
    SquareSum squares, actualSquares;
    for (float value : values) {
      sum.add(value);
      squares.add(static_cast<double>(value) * value);
    }
    const ChunkSums sums = sumChunk(values.data(), chunkSize, field);
    actualSum.add(sums.sum);
    actualSquares.add(sums.squareHigh);
    actualSquares.add(sums.squareLow);
    EXPECT_EQ(actualSum.digits(), sum.digits());
    EXPECT_EQ(actualSquares.digits(), squares.digits());
  }
}

TEST(ChunkKernels, theHighPartIsAMultipleOfItsGrid) {
  for (int field : {1, 60, 127, 254}) {
    const double splitter = squareSplitter(field);
    const double grid = powerOfTwo(2 * (field - 127) - 38);
    Random random(23);
    for (int i = 0; i < 1000; ++i) {
      const float x = static_cast<float>(
          std::ldexp(1 + random.unit(),
                     field - 127 - static_cast<int>(random.between(0, 17))));
      const double square = static_cast<double>(x) * x;
      const double high = (square + splitter) - splitter;
      EXPECT_EQ(std::fmod(high, grid), 0);
      EXPECT_LE(std::fabs(square - high), grid / 2);
    }
  }
  EXPECT_EQ(powerOfTwo(0), 1);
  EXPECT_EQ(powerOfTwo(-1022), 0x1p-1022);
  EXPECT_EQ(powerOfTwo(1023), 0x1p1023);
}

TEST(ChunkKernels, positionsTellWhatTheyLeaveOut) {
  const int field = 127; // Values up to 2.
  const float data[] = {1.5f, -0.0f, 0x1p-17f, -0x1.8p-10f};
  float min[4] = {}, max[4] = {};
  double sum[4] = {}, high[4] = {}, low[4] = {};
  const ChannelArrays arrays{min, max, sum, high, low};
  EXPECT_FALSE(addPosition(data, 4, field, arrays));
  EXPECT_FALSE(addPosition(data, 4, field, arrays));
  for (int c = 0; c < 4; ++c) {
    const double x = data[c];
    EXPECT_EQ(min[c], std::min(data[c], 0.0f));
    EXPECT_EQ(max[c], std::max(data[c], 0.0f));
    EXPECT_EQ(sum[c], 2 * x);
    EXPECT_EQ(high[c] + low[c], 2 * x * x);
  }
  const float small[] = {1, 0x1.fffffep-18f, 0, 0};
  EXPECT_TRUE(addPosition(small, 4, field, arrays));
  EXPECT_EQ(sum[0], 4);
  EXPECT_EQ(sum[1], 0);
  const float one[] = {1e-45f, 0, 0, 0};
  EXPECT_FALSE(addPosition(one, 4, 17, arrays));
  EXPECT_TRUE(addPosition(one, 4, 18, arrays));
}

} // namespace
