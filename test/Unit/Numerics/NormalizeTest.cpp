// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants and single rows of normalizations against long double.

#include "qopt/Numerics/Normalize.h"
#include "TestSupport.h"
#include "qopt/Numerics/Requantize.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir::qopt::numerics;

namespace {

TEST(Normalize, squareRootIsExact) {
  for (uint64_t root = 0; root < 300; ++root)
    for (uint64_t value = root * root; value < (root + 1) * (root + 1); ++value)
      ASSERT_EQ(squareRootFloor(value), root);
  for (uint64_t root :
       {UINT64_C(46341), UINT64_C(1) << 30, UINT64_C(2147483647)}) {
    EXPECT_EQ(squareRootFloor(root * root), root);
    EXPECT_EQ(squareRootFloor(root * root - 1), root - 1);
  }
  EXPECT_EQ(squareRootFloor((UINT64_C(1) << 62) - 1), 2147483647u);
}

TEST(Normalize, headroomCoversTheLargestElement) {
  EXPECT_EQ(normHeadroom({1, true, 2}), 0);
  EXPECT_EQ(normHeadroom({4, true, 2}), 1);
  EXPECT_EQ(normHeadroom({5, true, 2}), 2);
  EXPECT_EQ(normHeadroom({4, false, 1}), 2);
  EXPECT_EQ(normHeadroom({5, false, 1}), 3);
}

/// How far, in steps, the results of one row are from the real ones.
long double worstError(const NormRule &rule, const QuantParams &input,
                       const QuantParams &output, double epsilon, float gamma,
                       float beta, llvm::ArrayRef<int32_t> row) {
  llvm::Expected<NormConstants> constants =
      chooseNormConstants(rule, epsilon, input, output.scale, gamma, beta);
  if (!succeeded(constants)) {
    ADD_FAILURE();
    return 0;
  }
  int64_t sum = 0, squares = 0, magnitudes = 0;
  for (int32_t q : row) {
    const int64_t x = q - input.zeroPoint;
    sum += rule.isCentered ? x : 0;
    squares += x * x;
    magnitudes += std::abs(x);
  }
  const RowInverse inverse =
      rule.power == 1
          ? inverseOfMagnitude(magnitudes, rule)
          : inverseOfVariance(rule.length * squares - sum * sum, rule,
                              constants->varianceShift, constants->epsilon);
  const long double n = rule.length, scale = input.scale;
  const long double mean = sum / n;
  const long double divisor =
      rule.power == 1
          ? magnitudes / n * scale
          : std::sqrt((squares / n - mean * mean) * scale * scale + epsilon);
  long double worst = 0;
  for (int32_t q : row) {
    const int64_t x = q - input.zeroPoint;
    const int64_t acc =
        normalizeElement(rule.length * x - sum, inverse, constants->gamma[0],
                         constants->beta[0]);
    const int32_t result = requantize(
        acc, 1, constants->shift, output.zeroPoint, output.qmin, output.qmax);
    const long double normal = divisor == 0 ? 0 : (x - mean) * scale / divisor;
    const long double exact =
        (normal * gamma + beta) / output.scale + output.zeroPoint;
    const long double bounded = std::min<long double>(
        std::max<long double>(exact, output.qmin), output.qmax);
    worst = std::max(worst, std::fabs(result - bounded));
    // What the document promises.
    EXPECT_LE(std::fabs(result - bounded),
              0.5L + std::ldexp(1.0L, 3 - constants->shift));
  }
  return worst;
}

TEST(Normalize, rowsAreRoundedOnce) {
  Random random(31);
  for (int i = 0; i < 2000; ++i) {
    const bool wideIn = random.between(0, 3) == 0;
    const bool wideOut = random.between(0, 3) == 0;
    NormRule rule;
    rule.length = random.between(1, random.between(0, 9) ? 100 : 3000);
    rule.power = random.between(0, 4) ? 2 : 1;
    rule.isCentered = rule.power == 2 && random.between(0, 2);
    QuantParams input, output;
    if (wideIn) {
      input.qmin = -32768;
      input.qmax = 32767;
    } else {
      input.zeroPoint = static_cast<int32_t>(random.between(-128, 127));
    }
    if (wideOut) {
      output.qmin = -32768;
      output.qmax = 32767;
    }
    input.scale = static_cast<float>(std::ldexp(
        1 + random.unit(), static_cast<int>(random.between(-12, 2))));
    output.scale =
        static_cast<float>((1 + random.unit()) * (wideOut ? 0x1p-13 : 0x1p-5));
    // Narrow rows are those whose variance is small beside epsilon.
    const int64_t reach = random.between(0, 3) ? input.qmax : 2;
    std::vector<int32_t> row(rule.length);
    for (int32_t &q : row)
      q = static_cast<int32_t>(random.between(-reach - 1, reach));
    const double epsilon =
        rule.power == 1 || random.between(0, 4) == 0 ? 0 : 1e-5;
    worstError(rule, input, output, epsilon,
               static_cast<float>(2 * random.unit() - 1),
               static_cast<float>(random.unit() - 0.5), row);
  }
}

TEST(Normalize, epsilonKeepsItsFraction) {
  // One element differs by one: the variance is of the size of epsilon.
  QuantParams input, output;
  input.scale = 0.01f;
  output.scale = 1.0f / 64;
  std::vector<int32_t> row(64, 5);
  row[7] = 6;
  EXPECT_LE(worstError({64, true, 2}, input, output, 1e-5, 1, 0, row), 0.5001L);
}

TEST(Normalize, equalElementsGiveBeta) {
  QuantParams input, output;
  input.scale = output.scale = 0.5f;
  const std::vector<int32_t> row(10, 77);
  for (double epsilon : {0.0, 1e-12, 1e-5})
    EXPECT_EQ(worstError({10, true, 2}, input, output, epsilon, 3, 1.5, row),
              0);
}

TEST(Normalize, extremesOfLongRowsFit) {
  QuantParams input, output;
  input.qmin = -32768;
  input.qmax = 32767;
  output.scale = 1.0f / 16;
  std::vector<int32_t> row(1 << 15, -32768);
  worstError({1 << 15, true, 2}, input, output, 0, 1, 0, row);
  row[3] = 32767;
  worstError({1 << 15, true, 2}, input, output, 0, 1, 0, row);
  for (size_t i = 0; i < row.size(); i += 2)
    row[i] = 32767;
  worstError({1 << 15, true, 2}, input, output, 0, 1, 0, row);
  worstError({1 << 15, false, 2}, input, output, 0, 1, 0, row);
  worstError({1 << 15, false, 1}, input, output, 0, 1, 0, row);
}

TEST(Normalize, refusals) {
  QuantParams input;
  const auto refuse = [&](int64_t length, float inputScale, float outputScale,
                          float beta) {
    input.scale = inputScale;
    return refusal(chooseNormConstants({length, true, 2}, 1e-5, input,
                                       outputScale, 1.0f, beta));
  };
  EXPECT_NE(refuse((1 << 22) + 1, 1, 1, 0).find("4194305 elements"),
            std::string::npos);
  EXPECT_EQ(refuse(1 << 22, 1, 1, 0), "");
  EXPECT_NE(refuse(1000, 1e-15f, 1, 0).find("small beside epsilon"),
            std::string::npos);
  EXPECT_NE(refuse(64, 1, 1e-9f, 0).find("small beside the factors"),
            std::string::npos);
  EXPECT_NE(refuse(64, 1, 1e-3f, 1e7f).find("small beside the factors"),
            std::string::npos);
  input = {1, 0, -32768, 32767};
  EXPECT_NE(refuse((1 << 15) + 1, 1, 1, 0).find("32769 elements"),
            std::string::npos);
}

} // namespace
