// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding by the cost at a layer's outputs: against nearest, against the best
// of all, and where inputs are odd.

#include "qopt/Numerics/RoundWeights.h"
#include "TestSupport.h"
#include "qopt/Numerics/QuantParams.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

using namespace mlir::qopt::numerics;

namespace {

std::vector<float> randomValues(size_t size, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(size);
  for (float &value : values)
    value = static_cast<float>(2 * random.unit() - 1);
  return values;
}

/// Inputs whose columns have much in common.
std::vector<float> correlatedInputs(size_t rows, size_t size, uint64_t seed) {
  std::vector<float> inputs = randomValues(rows * size, seed);
  std::vector<float> common = randomValues(rows, seed + 1);
  for (size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = 0.3f * inputs[i] + common[i / size];
  return inputs;
}

std::vector<int8_t> nearest(const std::vector<float> &weights,
                            const std::vector<float> &scales) {
  std::vector<int8_t> values;
  const size_t size = weights.size() / scales.size();
  for (size_t i = 0; i < weights.size(); ++i)
    values.push_back(static_cast<int8_t>(
        quantize(weights[i], {scales[i / size], 0, -127, 127})));
  return values;
}

/// Squared errors of the outputs of row `row`, worked out as they stand.
double outputError(const std::vector<float> &inputs,
                   const std::vector<float> &weights, float scale,
                   const std::vector<int8_t> &values, size_t size,
                   size_t row = 0, bool centered = false) {
  std::vector<double> errors;
  double mean = 0;
  for (size_t p = 0; p < inputs.size() / size; ++p) {
    double error = 0;
    for (size_t k = 0; k < size; ++k)
      error += static_cast<double>(inputs[p * size + k]) *
               (weights[row * size + k] - scale * values[row * size + k]);
    errors.push_back(error);
    mean += error;
  }
  mean /= static_cast<double>(errors.size());
  double sum = 0;
  for (double error : errors)
    sum += (error - (centered ? mean : 0)) * (error - (centered ? mean : 0));
  return sum;
}

InputMetricOptions nearlyUndamped() {
  InputMetricOptions options;
  options.damping = 1e-5;
  return options;
}

} // namespace

TEST(RoundWeights, errorsOfCorrelatedInputsCancel) {
  for (size_t size : {7, 32, 33, 100}) {
    const std::vector<float> inputs = correlatedInputs(256, size, size);
    const std::vector<float> weights = randomValues(20 * size, 5);
    std::vector<float> scales;
    for (size_t row = 0; row < 20; ++row)
      scales.push_back(0.01f + 0.005f * static_cast<float>(row));
    const std::vector<int8_t> before = nearest(weights, scales);
    std::vector<int8_t> after = before;
    const InputMetric metric(inputs, size, {}, forEach);
    EXPECT_EQ(metric.size(), size);
    EXPECT_GE(metric.round(weights, scales, 127, after, forEach), 10u);
    double sumBefore = 0, sumAfter = 0;
    for (size_t row = 0; row < 20; ++row) {
      sumBefore += outputError(inputs, weights, scales[row], before, size, row);
      sumAfter += outputError(inputs, weights, scales[row], after, size, row);
    }
    EXPECT_LT(sumAfter, 0.3 * sumBefore) << size;
  }
}

TEST(RoundWeights, costIsTheOutputError) {
  const size_t size = 40;
  const std::vector<float> inputs = correlatedInputs(100, size, 1);
  const std::vector<float> weights = randomValues(2 * size, 2);
  const std::vector<int8_t> values = nearest(weights, {0.05f, 0.05f});
  for (bool centered : {false, true}) {
    InputMetricOptions options = nearlyUndamped();
    options.centered = centered;
    const InputMetric metric(inputs, size, options, forEach);
    double ratio[2];
    for (size_t row : {0, 1})
      ratio[row] =
          outputError(inputs, weights, 0.05f, values, size, row, centered) /
          metric.cost(llvm::ArrayRef(weights).slice(row * size, size), 0.05f,
                      llvm::ArrayRef(values).slice(row * size, size));
    EXPECT_NEAR(ratio[0] / ratio[1], 1, 0.01);
  }
}

TEST(RoundWeights, isNeverWorseThanWhatItGot) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const size_t size = 1 + seed % 9;
    const std::vector<float> inputs = correlatedInputs(1 + seed, size, seed);
    const std::vector<float> weights = randomValues(size, seed + 7);
    const std::vector<int8_t> before = nearest(weights, {0.2f});
    std::vector<int8_t> after = before;
    const InputMetric metric(inputs, size, {}, forEach);
    metric.round(weights, {0.2f}, 127, after, forEach);
    EXPECT_LE(metric.cost(weights, 0.2f, after),
              metric.cost(weights, 0.2f, before));
  }
}

TEST(RoundWeights, comesNearTheBestOfAllRoundings) {
  const size_t size = 8;
  double found = 0, best = 0, plain = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<float> inputs = correlatedInputs(64, size, seed);
    const std::vector<float> weights = randomValues(size, seed + 3);
    const std::vector<int8_t> before = nearest(weights, {0.25f});
    std::vector<int8_t> after = before;
    const InputMetric metric(inputs, size, nearlyUndamped(), forEach);
    metric.round(weights, {0.25f}, 127, after, forEach);
    double least = std::numeric_limits<double>::max();
    for (int choice = 0; choice < 1 << size; ++choice) {
      std::vector<int8_t> values;
      for (size_t k = 0; k < size; ++k)
        values.push_back(static_cast<int8_t>(std::floor(weights[k] / 0.25f) +
                                             (choice >> k & 1)));
      least =
          std::min(least, outputError(inputs, weights, 0.25f, values, size));
    }
    best += least;
    found += outputError(inputs, weights, 0.25f, after, size);
    plain += outputError(inputs, weights, 0.25f, before, size);
  }
  EXPECT_LT(found, 2 * best);
  EXPECT_GT(plain, 4 * best);
}

TEST(RoundWeights, inputsWithoutCorrelationsRoundToTheNearest) {
  const size_t size = 40;
  std::vector<float> inputs(size * size, 0.0f);
  for (size_t k = 0; k < size; ++k)
    inputs[k * size + k] = 1.0f + static_cast<float>(k % 7);
  const std::vector<float> weights = randomValues(3 * size, 11);
  const std::vector<float> scales = {0.01f, 0.02f, 0.5f};
  std::vector<int8_t> values(weights.size(), 1);
  const InputMetric metric(inputs, size, {}, forEach);
  EXPECT_EQ(metric.round(weights, scales, 127, values, forEach), 3u);
  EXPECT_EQ(values, nearest(weights, scales));
}

TEST(RoundWeights, oneWeightRoundsToTheNearest) {
  const float inputs[] = {1, 2, -3};
  std::vector<int8_t> values = {5};
  const InputMetric metric(inputs, 1, {}, forEach);
  EXPECT_EQ(metric.round({0.34f}, {0.1f}, 127, values, forEach), 1u);
  EXPECT_EQ(values, std::vector<int8_t>{3});
}

TEST(RoundWeights, deadInputsRoundToTheNearest) {
  const size_t size = 36;
  std::vector<float> inputs = correlatedInputs(50, size, 3);
  for (size_t i = 0; i < inputs.size(); i += 2)
    inputs[i] = 0;
  const std::vector<float> weights = randomValues(size, 4);
  const std::vector<int8_t> before = nearest(weights, {0.1f});
  std::vector<int8_t> after = before;
  const InputMetric metric(inputs, size, {}, forEach);
  EXPECT_EQ(metric.round(weights, {0.1f}, 127, after, forEach), 1u);
  for (size_t k = 0; k < size; k += 2)
    EXPECT_EQ(after[k], before[k]);
}

TEST(RoundWeights, takesInputsOfLowRank) {
  // Two positions leave 62 directions free, and a full turn of errors in them
  // costs damping alone.
  const size_t size = 64;
  const std::vector<float> inputs = correlatedInputs(2, size, 8);
  const std::vector<float> weights = randomValues(size, 9);
  const std::vector<int8_t> before = nearest(weights, {0.02f});
  std::vector<int8_t> after = before;
  const InputMetric metric(inputs, size, {}, forEach);
  metric.round(weights, {0.02f}, 127, after, forEach);
  EXPECT_LT(outputError(inputs, weights, 0.02f, after, size),
            0.1 * outputError(inputs, weights, 0.02f, before, size));
  for (size_t k = 0; k < size; ++k)
    EXPECT_LE(std::abs(after[k] - before[k]), 2);
}

TEST(RoundWeights, takesInputsThatAreNoneAndNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> weights = {0.34f, -0.26f};
  for (const std::vector<float> &inputs :
       {std::vector<float>{}, {0, 0, 0, 0}, {1, infinity}, {1, NAN, 2, 3}}) {
    std::vector<int8_t> values = nearest(weights, {0.1f});
    const InputMetric metric(inputs, 2, {}, forEach);
    metric.round(weights, {0.1f}, 127, values, forEach);
    EXPECT_EQ(values, nearest(weights, {0.1f}));
  }
}

TEST(RoundWeights, staysInsideTheRange) {
  const size_t size = 33;
  const std::vector<float> inputs = correlatedInputs(80, size, 6);
  const std::vector<float> weights = randomValues(size, 7);
  std::vector<int8_t> values(size, 0);
  const InputMetric metric(inputs, size, {}, forEach);
  metric.round(weights, {0.1f}, 3, values, forEach);
  for (int8_t value : values)
    EXPECT_LE(std::abs(value), 3);
}

TEST(RoundWeights, keepsMultiples) {
  const size_t size = 40;
  const std::vector<float> inputs = correlatedInputs(200, size, 31);
  const std::vector<float> weights = randomValues(2 * size, 32);
  std::vector<uint8_t> multiples;
  std::vector<int8_t> values;
  for (size_t i = 0; i < weights.size(); ++i) {
    multiples.push_back(static_cast<uint8_t>(1 + i / 8 % 5));
    const float step = 0.05f * static_cast<float>(multiples[i]);
    values.push_back(static_cast<int8_t>(
        multiples[i] * quantize(weights[i], {step, 0, -7, 7})));
  }
  const std::vector<int8_t> before = values;
  const InputMetric metric(inputs, size, nearlyUndamped(), forEach);
  const float scales[] = {0.05f, 0.05f};
  double costs[2];
  EXPECT_EQ(metric.round(weights, scales, 7, values, forEach, multiples, costs),
            2u);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i] % multiples[i], 0) << i;
    EXPECT_LE(std::abs(values[i] / multiples[i]), 7) << i;
  }
  for (size_t row : {0, 1}) {
    const auto own = llvm::ArrayRef(weights).slice(row * size, size);
    EXPECT_NEAR(
        costs[row],
        metric.cost(own, 0.05f, llvm::ArrayRef(values).slice(row * size, size)),
        1e-3 * costs[row]);
    EXPECT_LT(outputError(inputs, weights, 0.05f, values, size, row),
              0.5 * outputError(inputs, weights, 0.05f, before, size, row));
  }
}

TEST(RoundWeights, centeredInputsLeaveTheMeanAlone) {
  // All inputs are one number: without means no error costs anything.
  const std::vector<float> inputs(64 * 8, 2.0f);
  const std::vector<float> weights = randomValues(8, 2);
  InputMetricOptions options;
  options.centered = true;
  std::vector<int8_t> values = nearest(weights, {0.2f});
  const InputMetric centered(inputs, 8, options, forEach);
  EXPECT_EQ(centered.round(weights, {0.2f}, 127, values, forEach), 0u);
  const InputMetric metric(inputs, 8, {}, forEach);
  EXPECT_EQ(metric.round(weights, {0.2f}, 127, values, forEach), 1u);
}

TEST(RoundWeights, descentEndsWhereNoSingleMoveGains) {
  const size_t size = 37, count = 18;
  const std::vector<float> inputs = correlatedInputs(300, size, 21);
  const std::vector<float> weights = randomValues(count * size, 22);
  const std::vector<float> scales(count, 0.1f);
  std::vector<int8_t> values = nearest(weights, scales);
  const InputMetric metric(inputs, size, {}, forEach);
  const std::vector<int8_t> rounded = values;
  EXPECT_GT(metric.descend(weights, scales, 127, values, forEach, {}, 1000),
            0u);
  for (size_t row = 0; row < count; ++row) {
    const auto own = llvm::ArrayRef(weights).slice(row * size, size);
    const auto cost = [&](llvm::ArrayRef<int8_t> all) {
      return metric.cost(own, 0.1f, all.slice(row * size, size));
    };
    const double least = cost(values);
    EXPECT_LE(least, cost(rounded) * (1 + 1e-6));
    for (size_t k = 0; k < size; ++k)
      for (int move : {-1, 1}) {
        std::vector<int8_t> other = values;
        other[row * size + k] =
            static_cast<int8_t>(other[row * size + k] + move);
        EXPECT_GT(cost(other), least * (1 - 1e-3)) << row << " " << k;
      }
  }
}

TEST(RoundWeights, threadsDoNotShow) {
  auto onTwo = [](size_t count, llvm::function_ref<void(size_t)> body) {
    std::thread other([&] {
      for (size_t i = 1; i < count; i += 2)
        body(i);
    });
    for (size_t i = 0; i < count; i += 2)
      body(i);
    other.join();
  };
  const size_t size = 150;
  const std::vector<float> inputs = correlatedInputs(600, size, 12);
  const std::vector<float> weights = randomValues(40 * size, 13);
  const std::vector<float> scales(40, 0.02f);
  std::vector<int8_t> one = nearest(weights, scales), two = one;
  InputMetric(inputs, size, {}, forEach)
      .round(weights, scales, 127, one, forEach);
  InputMetric(inputs, size, {}, onTwo).round(weights, scales, 127, two, onTwo);
  EXPECT_EQ(one, two);
}
