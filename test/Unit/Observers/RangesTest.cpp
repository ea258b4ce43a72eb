// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Range methods against brute force on known distributions.

#include "qopt/Observers/Ranges.h"
#include "EvenlySpread.h"
#include "TestSupport.h"
#include <algorithm>
#include <functional>
#include <limits>
#include <map>

using namespace mlir::qopt::observers;
using namespace mlir::qopt::numerics;

namespace {

using Kind = RangeMethod::Kind;

TensorStats statsOf(llvm::ArrayRef<float> values) {
  TensorStats stats;
  stats.observe(values.data(), values.size());
  return stats;
}

/// What is outside of the range counts `clipWeight` times.
double measuredError(llvm::ArrayRef<float> values, const QuantParams &params,
                     double clipWeight = 1) {
  const Range range{dequantize(params.qmin, params),
                    dequantize(params.qmax, params)};
  double sum = 0;
  for (float value : values) {
    const double error =
        static_cast<double>(dequantize(quantize(value, params), params)) -
        value;
    const bool isCut = value < range.min || value > range.max;
    sum += error * error * (isCut ? clipWeight : 1);
  }
  return sum / static_cast<double>(values.size());
}

double sqnr(llvm::ArrayRef<float> values, Range range, int bits,
            bool symmetric) {
  double power = 0;
  for (float value : values)
    power += static_cast<double>(value) * value;
  return 10 * std::log10(
                  power / static_cast<double>(values.size()) /
                  measuredError(values, chooseParams(range, bits, symmetric)));
}

std::vector<float> generate(const std::function<double(Random &)> &draw,
                            size_t size = 100000) {
  Random random(11);
  std::vector<float> values(size);
  for (float &value : values)
    value = static_cast<float>(draw(random));
  return values;
}

struct Shape {
  const char *name;
  std::function<double(Random &)> draw;
};

std::vector<Shape> shapes() {
  return {
      {"relu", [](Random &r) { return std::max(r.normal(), 0.0); }},
      {"normal", [](Random &r) { return r.normal(); }},
      {"laplace",
       [](Random &r) {
         return (r.next() & 1 ? 1 : -1) * std::log(1 - r.unit());
       }},
      {"relu with rare outliers",
       [](Random &r) {
         const double x = std::max(r.normal(), 0.0);
         return r.next() % 20000 ? x : 30 * x;
       }},
      {"softmax-like", [](Random &r) { return std::exp(2 * r.normal() - 8); }},
      {"shifted", [](Random &r) { return 5 + 0.1 * r.normal(); }},
      {"negative", [](Random &r) { return -std::exp(r.normal()); }},
      {"uniform", [](Random &r) { return r.unit() * 3 - 1; }},
  };
}

/// Few values, so that no objective is smooth.
std::vector<std::vector<float>> raggedData() {
  std::vector<std::vector<float>> result;
  for (uint64_t seed = 40; seed < 46; ++seed) {
    std::vector<float> values = normals(120, seed);
    for (float &value : values)
      value *= std::fabs(value) * 3;
    result.push_back(values);
    for (float &value : values)
      value = std::max(value, 0.0f);
    result.push_back(values);
    for (float &value : values)
      value = value == 0 ? -0.0f : -value;
    result.push_back(values);
  }
  result.push_back({1, 1.5, 7});
  result.push_back({-1, 0.25, 0.125, 3});
  return result;
}

TEST(Ranges, expectedErrorIsThatOfEvenlySpreadBins) {
  for (const std::vector<float> &values : raggedData()) {
    const TensorStats stats = statsOf(values);
    const EvenlySpread model(values);
    for (double shrink : {1.5, 1.0, 0.7, 0.4, 0.1, 0.01})
      for (const QuantParams &params :
           {chooseParams({stats.min * shrink, stats.max * shrink}, 8, false),
            chooseParams({stats.min * shrink, stats.max * shrink}, 8, true),
            chooseParams({stats.min * shrink, stats.max * shrink}, 4, false),
            chooseParams({stats.min * shrink, stats.max * shrink}, 0, 255,
                         false)}) {
        for (double weight : {1.0, 10.0}) {
          const double expected = model.error(params, weight);
          EXPECT_NEAR(expectedSquaredError(stats, params, weight), expected,
                      1e-5 * expected);
        }
      }
  }
}

TEST(Ranges, mseSearchesItsGridFromCoarseToFine) {
  for (const std::vector<float> &values : raggedData())
    for (bool symmetric : {false, true}) {
      const TensorStats stats = statsOf(values);
      double min = std::min(stats.min, 0.0f), max = std::max(stats.max, 0.0f);
      if (symmetric)
        max = -(min = -std::max(-min, max));
      const bool twoFree = min < 0 && max > 0 && !symmetric;
      const int step = twoFree ? 8 : 4;
      auto rangeAt = [&](int i, int j) {
        return Range{min * std::exp2(-i / 128.0), max * std::exp2(-j / 128.0)};
      };
      const EvenlySpread model(values);
      int bestLow = 0, bestHigh = 0;
      double best = std::numeric_limits<double>::infinity();
      auto visit = [&](int i, int j) {
        if (std::min(i, j) < 0 || std::max(i, j) > 896)
          return;
        const double error = model.error(
            chooseParams(rangeAt(i, j), 8, symmetric), mseClipWeight);
        if (error >= best)
          return;
        best = error;
        bestLow = i;
        bestHigh = j;
      };
      auto search = [&](int low, int high, int from, int to, int by) {
        for (int i = from; i <= to; i += by)
          if (symmetric || min == 0)
            visit(symmetric ? high + i : 0, high + i);
          else
            for (int j = max == 0 ? to : from; j <= to; j += by)
              visit(low + i, max == 0 ? 0 : high + j);
      };
      search(0, 0, 0, 896, step);
      search(bestLow, bestHigh, 1 - step, step - 1, 1);
      const Range expected = rangeAt(bestLow, bestHigh);
      const Range actual = chooseRange(stats, {Kind::Mse, 0}, 8, symmetric);
      EXPECT_NEAR(actual.min, expected.min, 1e-9 * std::fabs(min));
      EXPECT_NEAR(actual.max, expected.max, 1e-9 * std::fabs(max));
    }
}

TEST(Ranges, mseEndsSevenOctavesBelowTheExtremes) {
  // So many small values that one large one is worth nothing.
  std::vector<float> values(100000);
  Random random(47);
  for (float &value : values)
    value = static_cast<float>(std::ldexp(1 + random.unit(), -9));
  for (float outlier : {1.0f, -1.0f}) {
    TensorStats stats = statsOf(values);
    for (int i = 0; i < 16; ++i)
      stats.merge(stats);
    stats.observe(&outlier, 1);
    const Range range = chooseRange(stats, {Kind::Mse, 0}, 8, true);
    EXPECT_NEAR(range.max, 0x1p-7, 0x1p-30);
    EXPECT_EQ(range.min, -range.max);
  }
}

/// Of 16 bits only what lies beyond the ends and a step's error inside count.
/// 39936 is the edge of a bin.
TEST(Ranges, expectedErrorOfFineCells) {
  const std::vector<float> values = {0, -0.0f, 2, 2, 2, 2, 39936, -39936};
  const QuantParams params{1.0f, 0, -32768, 32767};
  const double beyond =
      std::pow(39936 - 32767.0, 2) + std::pow(39936 - 32768.0, 2);
  EXPECT_NEAR(expectedSquaredError(statsOf(values), params),
              (beyond + 4 / 12.0) / 8, 1e-6);
}

TEST(Ranges, expectedErrorAgreesWithMeasuredError) {
  for (const Shape &shape : shapes()) {
    const std::vector<float> values = generate(shape.draw);
    const TensorStats stats = statsOf(values);
    for (double shrink : {1.0, 0.6, 0.2})
      for (bool symmetric : {false, true}) {
        const QuantParams params = chooseParams(
            {stats.min * shrink, stats.max * shrink}, 8, symmetric);
        const double measured = measuredError(values, params);
        EXPECT_NEAR(expectedSquaredError(stats, params), measured,
                    0.03 * measured)
            << shape.name << " " << shrink;
      }
  }
}

TEST(Ranges, expectedErrorOfSixteenBits) {
  for (const Shape &shape : shapes()) {
    const std::vector<float> values = generate(shape.draw);
    const TensorStats stats = statsOf(values);
    for (double shrink : {1.0, 0.5}) {
      const QuantParams params =
          chooseParams({stats.min * shrink, stats.max * shrink}, 16, true);
      const double measured = measuredError(values, params);
      EXPECT_NEAR(expectedSquaredError(stats, params), measured,
                  0.05 * measured)
          << shape.name;
    }
  }
}

TEST(Ranges, mseIsAtLeastAsGoodAsTheOthers) {
  for (const Shape &shape : shapes()) {
    const std::vector<float> values = generate(shape.draw);
    const TensorStats stats = statsOf(values);
    for (bool symmetric : {false, true})
      for (int bits : {8, 16}) {
        if (bits == 16 && !symmetric)
          continue;
        auto errorOf = [&](RangeMethod method) {
          const Range range = chooseRange(stats, method, bits, symmetric);
          return measuredError(values, chooseParams(range, bits, symmetric),
                               mseClipWeight);
        };
        for (RangeMethod other : {RangeMethod{Kind::MinMax, 0},
                                  RangeMethod{Kind::Percentile, 99.99},
                                  RangeMethod{Kind::Percentile, 99.9}})
          EXPECT_LE(errorOf({Kind::Mse, 0}), 1.01 * errorOf(other))
              << shape.name << " " << symmetric << " " << toString(other);
      }
  }
}

/// Eight bits, asymmetric: 39.4 dB by the extremes of normal values, 40.7 dB at
/// most.
TEST(Ranges, mseKeepsMostOfWhatAnUnweightedCutGains) {
  const std::vector<float> normal = generate(shapes()[1].draw, 400000);
  const TensorStats stats = statsOf(normal);
  const double minmax =
      sqnr(normal, chooseRange(stats, {Kind::MinMax, 0}, 8, false), 8, false);
  const Range range = chooseRange(stats, {Kind::Mse, 0}, 8, false);
  const double mse = sqnr(normal, range, 8, false);
  EXPECT_NEAR(minmax, 39.4, 1.0);
  EXPECT_GT(mse, 40.3);
  EXPECT_LT(mse, 40.7);
  // The cut of least error is at 3.9 deviations.
  EXPECT_GT(range.max, 4.0);
}

TEST(Ranges, mseFindsTheGlobalMinimumOfItsGrid) {
  for (const Shape &shape : shapes()) {
    const TensorStats stats = statsOf(generate(shape.draw, 20000));
    const double chosen = expectedSquaredError(
        stats,
        chooseParams(chooseRange(stats, {Kind::Mse, 0}, 8, false), 8, false),
        mseClipWeight);
    const double min = std::min<double>(stats.min, 0);
    const double max = std::max<double>(stats.max, 0);
    for (int i = 0; i <= 56; i += 8)
      for (int j = 0; j <= 56; j += 8) {
        const Range range{min * std::exp2(-i / 8.0), max * std::exp2(-j / 8.0)};
        EXPECT_LE(chosen,
                  expectedSquaredError(stats, chooseParams(range, 8, false),
                                       mseClipWeight) *
                      (1 + 1e-9))
            << shape.name << " " << i << " " << j;
      }
  }
}

TEST(Ranges, minMaxAndMeanMinMax) {
  TensorStats stats;
  const float first[] = {-1, 2}, second[] = {-3, 8};
  stats.observe(first, 2);
  stats.observe(second, 2);
  const Range minmax = chooseRange(stats, {Kind::MinMax, 0}, 8, false);
  EXPECT_EQ(minmax.min, -3);
  EXPECT_EQ(minmax.max, 8);
  const Range mean = chooseRange(stats, {Kind::MeanMinMax, 0}, 8, false);
  EXPECT_EQ(mean.min, -2);
  EXPECT_EQ(mean.max, 5);
}

TEST(Ranges, percentilesAgreeWithSorting) {
  for (const Shape &shape : shapes()) {
    std::vector<float> values = generate(shape.draw);
    const TensorStats stats = statsOf(values);
    std::sort(values.begin(), values.end());
    for (double p : {99.9, 95.0, 60.0}) {
      const Range range = chooseRange(stats, {Kind::Percentile, p}, 8, false);
      const double share = p / 100;
      const double high = values[static_cast<size_t>(share * 99999)];
      const double low = values[static_cast<size_t>((1 - share) * 99999)];
      EXPECT_NEAR(range.max, high, std::fabs(high) / 64 + 1e-6) << shape.name;
      EXPECT_NEAR(range.min, low, std::fabs(low) / 64 + 1e-6) << shape.name;
    }
    std::vector<float> magnitudes = values;
    for (float &value : magnitudes)
      value = std::fabs(value);
    std::sort(magnitudes.begin(), magnitudes.end());
    const Range symmetric =
        chooseRange(stats, {Kind::Percentile, 99.0}, 8, true);
    EXPECT_EQ(symmetric.min, -symmetric.max);
    EXPECT_NEAR(symmetric.max, magnitudes[98999], magnitudes[98999] / 64);
  }
  const TensorStats stats = statsOf(normals(1000, 1));
  const Range all = chooseRange(stats, {Kind::Percentile, 100}, 8, false);
  EXPECT_EQ(all.min, stats.min);
  EXPECT_EQ(all.max, stats.max);
}

TEST(Ranges, zerosOfBothSignsAreValuesOfAPercentile) {
  for (float zero : {0.0f, -0.0f})
    for (float other : {1.0f, -1.0f}) {
      std::vector<float> values(60, zero);
      values.resize(100, other);
      const Range range =
          chooseRange(statsOf(values), {Kind::Percentile, 70}, 8, false);
      EXPECT_NEAR(range.min, std::min(other, 0.0f), 1e-30);
      EXPECT_NEAR(range.max, std::max(other, 0.0f), 1e-30);
    }
}

/// The documented divergence written down anew for the threshold `bins` of 2048
/// equal bins of |x|: each of `levels` levels spreads what its bins hold evenly
/// over those that hold something.
double divergence(const std::vector<double> &counts, int bins, int levels) {
  std::vector<double> p(counts.begin(), counts.begin() + bins);
  std::vector<double> q(bins, 0.0);
  for (size_t i = bins; i < counts.size(); ++i)
    p[bins - 1] += counts[i];
  double total = 0, inside = 0;
  for (int i = 0; i < bins; ++i) {
    total += p[i];
    inside += counts[i];
  }
  for (int level = 0; level < levels; ++level) {
    const int first = bins * level / levels, end = bins * (level + 1) / levels;
    double sum = 0;
    int filled = 0;
    for (int i = first; i < end; ++i) {
      sum += counts[i];
      filled += p[i] > 0;
    }
    for (int i = first; i < end; ++i)
      if (p[i] > 0)
        q[i] = sum / filled;
  }
  if (inside < total / 2)
    return std::numeric_limits<double>::infinity();
  double result = 0;
  for (int i = 0; i < bins; ++i)
    if (p[i] > 0)
      result += p[i] / total * std::log((p[i] / total) / (q[i] / inside));
  return result;
}

/// Counts of |x| in 2048 bins, values spread evenly inside a log bin.
std::vector<double> magnitudeCounts(const std::vector<float> &values) {
  const float min = *std::min_element(values.begin(), values.end());
  const float max = *std::max_element(values.begin(), values.end());
  const double width = std::max(-min, max) / 2048.0;
  std::vector<double> counts(2048, 0.0);
  for (float value : values) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bits &= 0x7fff0000;
    float ends[2];
    memcpy(&ends[0], &bits, sizeof(bits));
    bits += 0x10000;
    memcpy(&ends[1], &bits, sizeof(bits));
    const double a = ends[0];
    const double b = std::min<double>(ends[1], value < 0 ? -min : max);
    for (int i = static_cast<int>(a / width); i < 2048 && i * width <= b; ++i) {
      const double from = std::max(a, i * width);
      const double to = i == 2047 ? b : std::min(b, (i + 1) * width);
      counts[i] += b > a ? std::max(to - from, 0.0) / (b - a) : i == 2047;
    }
  }
  counts[0] = counts[1];
  return counts;
}

TEST(Ranges, entropyDivergesLeast) {
  for (const Shape &shape : shapes())
    for (bool symmetric : {false, true}) {
      const std::vector<float> values = generate(shape.draw, 3000);
      const TensorStats stats = statsOf(values);
      const bool oneSided = !symmetric && (stats.min >= 0 || stats.max <= 0);
      const int levels = oneSided ? 256 : 128;
      const std::vector<double> counts = magnitudeCounts(values);
      double best = std::numeric_limits<double>::infinity();
      for (int bins = 2048; bins >= levels; --bins)
        if (double d = divergence(counts, bins, levels); std::isfinite(d))
          best = std::min(best, d);
      const double largest = std::max(-stats.min, stats.max);
      const Range range = chooseRange(stats, {Kind::Entropy, 0}, 8, symmetric);
      const double threshold = std::max(-range.min, range.max);
      const int chosen =
          static_cast<int>(std::lround(threshold / largest * 2048));
      EXPECT_GE(chosen, levels);
      EXPECT_NEAR(threshold, largest * chosen / 2048, 1e-6 * largest);
      EXPECT_NEAR(divergence(counts, chosen, levels), best, 1e-6)
          << shape.name << " " << symmetric << " " << chosen;
      EXPECT_EQ(range.min, symmetric ? -threshold
                                     : std::max<double>(stats.min, -threshold));
      EXPECT_EQ(range.max,
                symmetric ? threshold : std::min<double>(stats.max, threshold));
    }
}

/// What accuracy.md's sources report: KL with a flattened zero bin clips half
/// normal data by a little, not to a fraction.
TEST(Ranges, entropyDoesNotOverclipWhereZerosAreMany) {
  const std::vector<float> values = generate(shapes()[0].draw);
  const TensorStats stats = statsOf(values);
  const double entropy =
      sqnr(values, chooseRange(stats, {Kind::Entropy, 0}, 8, false), 8, false);
  const double minmax =
      sqnr(values, chooseRange(stats, {Kind::MinMax, 0}, 8, false), 8, false);
  EXPECT_GT(entropy, minmax - 0.5);
}

TEST(Ranges, entropyOfSixteenBitsIsTheExtremes) {
  const TensorStats stats = statsOf(normals(1000, 3));
  const Range range = chooseRange(stats, {Kind::Entropy, 0}, 16, true);
  EXPECT_EQ(range.max, std::max(-stats.min, stats.max));
  EXPECT_EQ(range.min, -range.max);
}

TEST(Ranges, mseOfPowersOfTwoFindsTheBestScale) {
  for (const Shape &shape : shapes())
    for (bool symmetric : {false, true}) {
      const TensorStats stats = statsOf(generate(shape.draw, 20000));
      const Range range =
          chooseRange(stats, {Kind::Mse, 0}, 8, symmetric, true);
      const QuantParams chosen = choosePowerOfTwoParams(range, 8, symmetric);
      const double error = expectedSquaredError(stats, chosen, mseClipWeight);
      for (int k = -1; k < 7; ++k) {
        QuantParams other = chosen;
        other.scale = powerOfTwoAbove(std::max(-stats.min, stats.max) / 255) *
                      std::ldexp(2.0f, -k);
        for (int z : {-128, -64, 0, 64, 127}) {
          other.zeroPoint = symmetric ? 0 : z;
          EXPECT_LE(error,
                    expectedSquaredError(stats, other, mseClipWeight) * 1.02)
              << shape.name << " " << k << " " << z;
        }
      }
    }
}

TEST(Ranges, degenerateTensors) {
  const Kind kinds[] = {Kind::MinMax, Kind::MeanMinMax, Kind::Percentile,
                        Kind::Mse, Kind::Entropy};
  for (Kind kind : kinds)
    for (bool symmetric : {false, true}) {
      const Range none =
          chooseRange(TensorStats(), {kind, 99.99}, 8, symmetric);
      EXPECT_EQ(none.min, 0);
      EXPECT_EQ(none.max, 0);
      for (float c : {0.0f, -0.0f, 2.5f, -2.5f, 1e-45f, 3e38f}) {
        const std::vector<float> values(100, c);
        const Range range =
            chooseRange(statsOf(values), {kind, 99.99}, 8, symmetric);
        const QuantParams params = chooseParams(range, 8, symmetric);
        EXPECT_NEAR(dequantize(quantize(c, params), params), c,
                    std::fabs(c) * 0.01 + 1e-38)
            << static_cast<int>(kind) << " " << c;
      }
    }
  EXPECT_EQ(expectedSquaredError(TensorStats(), QuantParams()), 0);
}

TEST(Ranges, methodNames) {
  for (const char *name :
       {"minmax", "mean-minmax", "percentile:99.99", "mse", "entropy"}) {
    auto method = parseRangeMethod(name);
    ASSERT_TRUE(static_cast<bool>(method));
    EXPECT_EQ(toString(*method), name);
  }
  for (const char *name :
       {"", "kl", "percentile", "percentile:", "percentile:50",
        "percentile:100.1", "percentile:nan", "MSE"})
    EXPECT_NE(refusal(parseRangeMethod(name)), "") << name;
}

TEST(Ranges, methodNamesBringTheirKind) {
  auto kindOf = [](llvm::StringRef name) {
    return llvm::cantFail(parseRangeMethod(name)).kind;
  };
  EXPECT_EQ(kindOf("minmax"), Kind::MinMax);
  EXPECT_EQ(kindOf("mean-minmax"), Kind::MeanMinMax);
  EXPECT_EQ(kindOf("mse"), Kind::Mse);
  EXPECT_EQ(kindOf("entropy"), Kind::Entropy);
  EXPECT_EQ(llvm::cantFail(parseRangeMethod("percentile:100")).percentile, 100);
  EXPECT_EQ(llvm::cantFail(parseRangeMethod("percentile:50.5")).percentile,
            50.5);
  EXPECT_NE(refusal(parseRangeMethod("percentile:101")), "");
  EXPECT_NE(refusal(parseRangeMethod("kl")).find("Q0103"), std::string::npos);
}

TEST(Ranges, oneValueIsItsRange) {
  for (float value : {-3.0f, 3.0f}) {
    const std::vector<float> values = {value};
    const TensorStats stats = statsOf(values);
    for (Kind kind : {Kind::MinMax, Kind::MeanMinMax, Kind::Mse}) {
      const Range range = chooseRange(stats, {kind, 0}, 8, false);
      EXPECT_EQ(range.min, value);
      EXPECT_EQ(range.max, value);
    }
  }
}

/// One value off a step by a known distance.
TEST(Ranges, expectedErrorIsAMeanOfSquares) {
  const QuantParams params{1.0f, 0, -128, 127};
  const std::vector<float> inside = {2.25f}, above = {130}, below = {-131};
  EXPECT_NEAR(expectedSquaredError(statsOf(inside), params), 0.0625, 0.01);
  EXPECT_DOUBLE_EQ(expectedSquaredError(statsOf(above), params), 9);
  EXPECT_DOUBLE_EQ(expectedSquaredError(statsOf(below), params), 9);
  const std::vector<float> several = {130, -131, 0, 0};
  EXPECT_NEAR(expectedSquaredError(statsOf(several), params), 4.5, 0.5);
}

} // namespace
