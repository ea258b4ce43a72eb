// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weight scales, clipping, dead channels, biases.

#include "qopt/Numerics/Weights.h"
#include "TestSupport.h"
#include "qopt/Numerics/QuantParams.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qopt::numerics;

namespace {

std::vector<float> randomWeights(size_t size, uint64_t seed) {
  Random random(seed);
  std::vector<float> weights(size);
  for (float &weight : weights) {
    double sum = 0;
    for (int i = 0; i < 6; ++i)
      sum += random.unit() - 0.5;
    weight = static_cast<float>(sum * std::fabs(sum));
  }
  return weights;
}

WeightOptions maxAbsOptions() {
  WeightOptions options;
  options.scaling = WeightScaling::MaxAbs;
  return options;
}

TEST(QuantizeWeights, maxAbsPerChannel) {
  const float weights[] = {127, -63.5f, 0, 1.5f, 2.5f, -254, 1, 3};
  const QuantizedWeights result = quantizeWeights(weights, 2, maxAbsOptions());
  EXPECT_EQ(result.scales, (std::vector<float>{1, 2}));
  // Ties go to even: 63.5 -> 64, 1.5 -> 2, 0.5 -> 0.
  EXPECT_EQ(result.values,
            (std::vector<int8_t>{127, -64, 0, 2, 1, -127, 0, 2}));
}

TEST(QuantizeWeights, perTensorHasOneScale) {
  const float weights[] = {1, 2, 3, -254};
  WeightOptions options = maxAbsOptions();
  options.perChannel = false;
  const QuantizedWeights result = quantizeWeights(weights, 2, options);
  EXPECT_EQ(result.scales, std::vector<float>{2});
  EXPECT_EQ(result.values, (std::vector<int8_t>{0, 1, 2, -127}));
}

TEST(QuantizeWeights, fewerBits) {
  const float weights[] = {7, -7, 3, 1};
  WeightOptions options = maxAbsOptions();
  options.bits = 4;
  const QuantizedWeights result = quantizeWeights(weights, 1, options);
  EXPECT_EQ(result.scales, std::vector<float>{1});
  EXPECT_EQ(result.values, (std::vector<int8_t>{7, -7, 3, 1}));
}

TEST(QuantizeWeights, groupsAreMultiplesOfOneScale) {
  // Two input channels with two taps each: the first tap's weights are 1 and
  // -14, the second's 105 and 0.
  const float weights[] = {1, 105, -14, 0};
  WeightOptions options = maxAbsOptions();
  options.bits = 4;
  options.groups = {2, 2};
  const QuantizedWeights result = quantizeWeights(weights, 1, options);
  EXPECT_EQ(result.getLargest(), 105);
  EXPECT_EQ(result.scales, std::vector<float>{1});
  EXPECT_EQ(result.multiples, (std::vector<uint8_t>{2, 15, 2, 15}));
  // Half a step of 2 goes to the even 0.
  EXPECT_EQ(result.values, (std::vector<int8_t>{0, 105, -14, 0}));
}

TEST(QuantizeWeights, groupsFitTheirWeights) {
  for (int bits : {4, 2})
    for (size_t taps : {1, 3}) {
      const size_t inputs = 37, row = inputs * taps;
      std::vector<float> weights = randomWeights(3 * row, 40 + taps);
      for (size_t i = 0; i < weights.size(); ++i)
        weights[i] *= 1 + static_cast<float>(i % row / taps / 16);
      WeightOptions options;
      options.bits = bits;
      const QuantizedWeights plain = quantizeWeights(weights, 3, options);
      EXPECT_TRUE(plain.multiples.empty());
      options.groups = {16, taps};
      const QuantizedWeights grouped = quantizeWeights(weights, 3, options);
      double before = 0, after = 0;
      for (size_t i = 0; i < weights.size(); ++i) {
        const int32_t multiple = grouped.multiples[i];
        // All of a group, of this tap and 16 input channels.
        const size_t first =
            i / row * row + i % row / taps / 16 * 16 * taps + i % taps;
        ASSERT_EQ(multiple, grouped.multiples[first]) << i;
        ASSERT_EQ(grouped.values[i] % multiple, 0) << i;
        ASSERT_LE(std::abs(grouped.values[i] / multiple), signedMax(bits)) << i;
        before +=
            std::pow(weights[i] - plain.scales[i / row] * plain.values[i], 2);
        after += std::pow(
            weights[i] - grouped.scales[i / row] * grouped.values[i], 2);
      }
      EXPECT_LT(after, 0.8 * before) << bits << " " << taps;
    }
}

TEST(QuantizeWeights, groupsOfPowerOfTwoScalesHaveSuchMultiples) {
  const std::vector<float> weights = randomWeights(256, 50);
  WeightOptions options;
  options.bits = 4;
  options.groups = {16, 1};
  options.powerOfTwo = true;
  for (uint8_t multiple : quantizeWeights(weights, 2, options).multiples)
    EXPECT_EQ(multiple & (multiple - 1), 0);
}

TEST(QuantizeWeights, nothingToQuantize) {
  for (bool perChannel : {true, false}) {
    WeightOptions options;
    options.perChannel = perChannel;
    const QuantizedWeights result = quantizeWeights({}, 0, options);
    EXPECT_TRUE(result.values.empty());
    EXPECT_EQ(result.scales.size(), perChannel ? 0u : 1u);
  }
}

double error(llvm::ArrayRef<float> weights, llvm::ArrayRef<double> moments,
             float scale) {
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double q =
        std::clamp<double>(std::nearbyintf(weights[i] / scale), -127, 127);
    const double e = weights[i] - scale * q;
    sum += (moments.empty() ? 1 : moments[i]) * e * e;
  }
  return sum;
}

TEST(QuantizeWeights, mseClipTakesTheBestOfTheGrid) {
  for (uint64_t seed = 20; seed < 30; ++seed)
    for (bool weighted : {false, true}) {
      const std::vector<float> weights = randomWeights(500, seed);
      std::vector<double> moments;
      Random random(seed);
      for (size_t i = 0; weighted && i < weights.size(); ++i)
        moments.push_back(random.unit() * random.unit());
      WeightOptions options;
      options.inputSecondMoments = moments;
      const QuantizedWeights result = quantizeWeights(weights, 1, options);
      float largest = 0;
      for (float weight : weights)
        largest = std::max(largest, std::fabs(weight));
      double best = std::numeric_limits<double>::infinity();
      for (int i = 0; i < 50; ++i)
        best = std::min(best,
                        error(weights, moments,
                              static_cast<float>(static_cast<double>(largest) *
                                                 ((100 - i) / 100.0) / 127)));
      const double actual = error(weights, moments, result.scales[0]);
      EXPECT_NEAR(actual, best, best * 1e-9);
      EXPECT_LE(actual, error(weights, moments, largest / 127) * (1 + 1e-9));
    }
}

/// The contract's search, word by word.
float bestScale(llvm::ArrayRef<float> weights, llvm::ArrayRef<double> moments) {
  double largest = 0;
  for (float weight : weights)
    largest = std::max<double>(largest, std::fabs(weight));
  float best = 0;
  double bestError = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 50; ++i) {
    const float scale = static_cast<float>(largest * ((100 - i) / 100.0) / 127);
    double sum = 0;
    for (size_t j = 0; j < weights.size(); ++j) {
      const QuantParams params{scale, 0, -127, 127};
      const double e =
          static_cast<double>(weights[j]) -
          static_cast<double>(scale) * quantize(weights[j], params);
      const double squared = e * e;
      const double weighed = moments.empty() ? squared : moments[j] * squared;
      sum += weighed;
    }
    if (sum < bestError) {
      bestError = sum;
      best = scale;
    }
  }
  return best;
}

TEST(QuantizeWeights, mseClipSumsInIndexOrder) {
  for (uint64_t seed = 40; seed < 240; ++seed) {
    const std::vector<float> weights = randomWeights(1 + seed % 61, seed);
    std::vector<double> moments;
    Random random(seed);
    for (size_t i = 0; seed % 2 && i < weights.size(); ++i)
      moments.push_back(random.unit());
    WeightOptions options;
    options.inputSecondMoments = moments;
    EXPECT_EQ(quantizeWeights(weights, 1, options).scales[0],
              bestScale(weights, moments))
        << "seed " << seed;
  }
}

TEST(QuantizeWeights, anOutlierWithoutWeightIsClipped) {
  // The large weight meets an input that is always zero.
  std::vector<float> weights = randomWeights(400, 31);
  weights[7] = 2.0f * *std::max_element(weights.begin(), weights.end());
  std::vector<double> moments(400, 1.0);
  moments[7] = 0;
  WeightOptions options;
  options.inputSecondMoments = moments;
  EXPECT_LT(quantizeWeights(weights, 1, options).scales[0],
            quantizeWeights(weights, 1, maxAbsOptions()).scales[0] * 0.7f);
}

TEST(QuantizeWeights, onlyMseClips) {
  // The outlier meets an input that is almost always zero.
  std::vector<float> weights = randomWeights(500, 33);
  std::vector<double> moments(500, 1.0);
  moments[7] = 1e-9;
  for (float largest : {16.0f, 1.0f}) {
    for (float &weight : weights)
      weight /= 16;
    weights[7] = largest;
    for (WeightScaling scaling :
         {WeightScaling::MaxAbs, WeightScaling::MseClip}) {
      WeightOptions options;
      options.scaling = scaling;
      options.inputSecondMoments = moments;
      const float scale = quantizeWeights(weights, 1, options).scales[0];
      EXPECT_EQ(scale == largest / 127, scaling == WeightScaling::MaxAbs);
    }
  }
}

TEST(QuantizeWeights, everyWeightsErrorCounts) {
  // 0.3 is off the steps of 1 / 127, and alone has weight.
  for (size_t place : {0, 9}) {
    std::vector<float> weights(10);
    weights[5] = 1;
    weights[place] = 0.3f;
    std::vector<double> moments(10);
    moments[place] = 1;
    WeightOptions options;
    options.inputSecondMoments = moments;
    EXPECT_LT(quantizeWeights(weights, 1, options).scales[0], 1 / 127.0f);
  }
}

TEST(QuantizeWeights, floorsOfChannelsRaiseTheOneScale) {
  const float weights[] = {1, -1, 0.5f, 0.25f};
  const float floors[] = {0.125f, 0.5f};
  WeightOptions options = maxAbsOptions();
  options.scaleFloors = floors;
  EXPECT_EQ(quantizeWeights(weights, 2, options).scales,
            (std::vector<float>{0.125f, 0.5f}));
  options.perChannel = false;
  EXPECT_EQ(quantizeWeights(weights, 2, options).scales,
            std::vector<float>{0.5f});
}

TEST(QuantizeWeights, powersOfTwoAreTheScaleAboveOrHalfOfIt) {
  for (uint64_t seed = 60; seed < 80; ++seed) {
    const std::vector<float> weights = randomWeights(40, seed);
    float largest = 0;
    for (float w : weights)
      largest = std::max(largest, std::fabs(w));
    WeightOptions options = maxAbsOptions();
    options.powerOfTwo = true;
    const float above = powerOfTwoAbove(largest / 127);
    EXPECT_EQ(quantizeWeights(weights, 1, options).scales[0], above);
    options.scaling = WeightScaling::MseClip;
    // Clipping below half of the largest weight is not tried.
    const bool mayHalve = largest * 0.51 / 127 <= above / 2;
    const bool halves =
        mayHalve && error(weights, {}, above / 2) < error(weights, {}, above);
    EXPECT_EQ(quantizeWeights(weights, 1, options).scales[0],
              halves ? above / 2 : above);
  }
}

TEST(QuantizeWeights, floorsOfPowersOfTwoAreRaisedToOne) {
  const float weights[] = {1, -1};
  const float floors[] = {0.3f};
  WeightOptions options = maxAbsOptions();
  options.scaleFloors = floors;
  options.powerOfTwo = true;
  EXPECT_EQ(quantizeWeights(weights, 1, options).scales,
            std::vector<float>{0.5f});
}

TEST(QuantizeWeights, clippingEndsAt51Percent) {
  // Without weight on the outlier, half of its scale would be free of error.
  std::vector<float> weights = {1};
  for (int i = 1; i <= 127; ++i)
    weights.push_back(static_cast<float>(i * 0.5 / 127));
  std::vector<double> moments(weights.size(), 1.0);
  moments[0] = 0;
  WeightOptions options;
  options.inputSecondMoments = moments;
  EXPECT_GE(quantizeWeights(weights, 1, options).scales[0],
            static_cast<float>(0.51 / 127));
}

TEST(QuantizeWeights, theClipDoesNotDependOnTheUnit) {
  std::vector<float> weights = randomWeights(500, 34);
  const float scale = quantizeWeights(weights, 1, WeightOptions()).scales[0];
  for (float &weight : weights)
    weight *= 0x1p-60f;
  EXPECT_EQ(quantizeWeights(weights, 1, WeightOptions()).scales[0],
            scale * 0x1p-60f);
}

TEST(QuantizeWeights, theWidestScaleWinsATie) {
  // No weight meets an input: every clip is as good.
  const std::vector<float> weights = randomWeights(50, 32);
  const std::vector<double> moments(50, 0.0);
  WeightOptions options;
  options.inputSecondMoments = moments;
  EXPECT_EQ(quantizeWeights(weights, 1, options).scales,
            quantizeWeights(weights, 1, maxAbsOptions()).scales);
}

TEST(QuantizeWeights, deadChannelsTakeTheLayersLargestScale) {
  const float weights[] = {0, 0, 1.27f, -1, 0, -0.0f, 12.7f, 0};
  const QuantizedWeights result = quantizeWeights(weights, 4, maxAbsOptions());
  EXPECT_FLOAT_EQ(result.scales[0], 0.1f);
  EXPECT_FLOAT_EQ(result.scales[1], 0.01f);
  EXPECT_EQ(result.scales[2], result.scales[3]);
  EXPECT_EQ(result.values[0], 0);
  EXPECT_EQ(result.values[5], 0);
  const float zeros[4] = {};
  EXPECT_EQ(quantizeWeights(zeros, 2, maxAbsOptions()).scales,
            (std::vector<float>{1, 1}));
}

TEST(QuantizeWeights, weakChannelsAreKeptInRange) {
  const float weights[] = {1016, 1, 1e-20f, -1e-20f};
  const QuantizedWeights result = quantizeWeights(weights, 2, maxAbsOptions());
  EXPECT_EQ(result.scales, (std::vector<float>{8, 0x1p-17f}));
  EXPECT_EQ(result.values[2], 0);
}

TEST(QuantizeWeights, floorsKeepTheBiasInRange) {
  const float weights[] = {1e-6f, -1e-6f};
  const float bias = 100, inputScale = 0.01f;
  const float floors[] = {weightScaleFloor(bias, inputScale)};
  WeightOptions options = maxAbsOptions();
  EXPECT_NE(
      refusal(quantizeBias(bias, inputScale,
                           quantizeWeights(weights, 1, options).scales[0])),
      "");
  options.scaleFloors = floors;
  auto quantized = quantizeBias(bias, inputScale,
                                quantizeWeights(weights, 1, options).scales[0]);
  ASSERT_TRUE(succeeded(quantized));
  EXPECT_NEAR(*quantized, 0x1p30, 100);
  EXPECT_GT(weightScaleFloor(0, 1), 0);
  EXPECT_TRUE(std::isfinite(weightScaleFloor(3e38f, 1e-38f)));
}

TEST(WideWeights, haveAsManyBitsAsTheAccumulatorsHold) {
  for (size_t length : {1, 64, 700, 4096, 30000}) {
    const std::vector<float> weights = randomWeights(2 * length, length);
    const std::vector<float> biases = {3.0f, -40.0f};
    const float inputScale = 0.01f;
    const int64_t reach = 200;
    const auto wide =
        quantizeWideWeights(weights, 2, biases, inputScale, reach, 0);
    ASSERT_TRUE(wide);
    for (size_t c = 0; c < 2; ++c) {
      const double scale = wide->scales[c];
      const double highScale = std::ldexp(scale, wide->lowBits);
      int largest = 0;
      double high = std::fabs(biases[c] / (highScale * inputScale)) + 0.5;
      double low = 0;
      for (size_t i = c * length; i < (c + 1) * length; ++i) {
        // A float32 quotient of 23 bits has a rounding of its own.
        EXPECT_LE(std::fabs(weights[i] - scale * wide->values[i]), scale);
        const WeightParts parts = splitWeight(wide->values[i], wide->lowBits);
        EXPECT_EQ(std::ldexp(parts.high, wide->lowBits) + parts.low,
                  wide->values[i]);
        EXPECT_LE(std::abs(parts.low), 1 << (wide->lowBits - 1));
        largest = std::max<int>(largest, std::abs(parts.high));
        high += static_cast<double>(std::abs(parts.high)) * reach;
        low += static_cast<double>(std::abs(parts.low)) * reach;
      }
      EXPECT_LE(largest, wideWeightMax);
      EXPECT_LE(high, INT32_MAX);
      EXPECT_LE(low, INT32_MAX);
      EXPECT_EQ(wide->lowBits, 8);
      // One of the two bounds decides.
      EXPECT_TRUE(largest > wideWeightMax - 2 || high > 0.99 * INT32_MAX)
          << length << " " << largest << " " << high;
    }
  }
}

TEST(WideWeights, haveFewerLowBitsInLongRows) {
  const std::vector<float> weights(200000, 1.0f);
  const auto wide = quantizeWideWeights(weights, 1, {}, 1, 255, 0);
  ASSERT_TRUE(wide);
  // 2^6 * 255 * 200000 is more than an int32 holds.
  EXPECT_EQ(wide->lowBits, 6);
}

TEST(WideWeights, areRefusedBelow8Bits) {
  const std::vector<float> weights(3000, 1.0f);
  EXPECT_TRUE(quantizeWideWeights(weights, 1, {}, 1, 65535, 0));
  // Rows of so many terms that their rounding alone fills the accumulator.
  EXPECT_FALSE(quantizeWideWeights(std::vector<float>(100000, 1.0f), 1, {}, 1,
                                   32768, 0));
}

TEST(WideWeights, takeFloorsAndDeadChannels) {
  const std::vector<float> weights = {0.5f, 0.25f, 0, 0};
  const auto wide = quantizeWideWeights(weights, 2, {}, 1, 128, 1.0f / 8);
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->scales, (std::vector<float>{0.125f, 0.125f}));
  EXPECT_EQ(wide->values, (std::vector<int32_t>{4, 2, 0, 0}));
}

TEST(QuantizeBias, roundsHalfToEvenAndRefusesOverflow) {
  EXPECT_EQ(llvm::cantFail(quantizeBias(1.25f, 0.5f, 1.0f)), 2);
  EXPECT_EQ(llvm::cantFail(quantizeBias(1.75f, 0.5f, 1.0f)), 4);
  EXPECT_EQ(llvm::cantFail(quantizeBias(-1.25f, 1.0f, 0.5f)), -2);
  EXPECT_EQ(llvm::cantFail(quantizeBias(-2147483648.0f, 1, 1)), INT32_MIN);
  EXPECT_NE(refusal(quantizeBias(2147483648.0f, 1, 1)).find("Q0701"),
            std::string::npos);
}

} // namespace
