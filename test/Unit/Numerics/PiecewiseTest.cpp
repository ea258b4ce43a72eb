// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Piecewise tables: every one of 65536 inputs against the exact function.

#include "TestSupport.h"
#include "qopt/Numerics/PiecewiseTables.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt::numerics;

namespace {

using Kind = ScalarFunction::Kind;

ScalarFunction step(Kind kind) {
  ScalarFunction function;
  function.kind = kind;
  return function;
}

const std::vector<ScalarFunction> silu = {step(Kind::Push), step(Kind::Sigmoid),
                                          step(Kind::Mul)};

int32_t valueAt(const PiecewiseTable &table, int32_t q) {
  int32_t segment = (q + 32768) >> (16 - table.segmentBits);
  return evaluatePiece(table.base[segment], table.slope[segment],
                       table.curve[segment], table.segmentBits, q);
}

/// The largest distance from the exact function in steps, saturation left out.
double largestError(llvm::ArrayRef<ScalarFunction> chain,
                    const PiecewiseTable &table, const QuantParams &in,
                    const QuantParams &out) {
  double largest = 0;
  for (int32_t q = -32768; q <= 32767; ++q) {
    double exact =
        evaluate(chain, double(in.scale) * (q - in.zeroPoint)) / out.scale +
        out.zeroPoint;
    if (exact < out.qmin || exact > out.qmax)
      continue;
    int32_t y =
        std::clamp(valueAt(table, q) >> table.fractionBits, out.qmin, out.qmax);
    largest = std::max(largest, std::fabs(y - exact));
  }
  return largest;
}

TEST(PiecewiseTable, smoothFunctionsToBytes) {
  Random random(21);
  const std::vector<std::vector<ScalarFunction>> chains = {
      silu,
      {ScalarFunction::sigmoid()},
      {ScalarFunction::tanh()},
      {ScalarFunction::hardSwish()},
      {step(Kind::Softplus)},
      {ScalarFunction::affine(0.5, -1), ScalarFunction::tanh()}};
  for (const auto &chain : chains)
    for (int i = 0; i < 4; ++i) {
      double reach = 3 + 17 * random.unit();
      const QuantParams in{static_cast<float>(reach / 32768),
                           static_cast<int32_t>(random.between(-300, 300)),
                           -32768, 32767};
      double top = evaluate(chain, reach * 0.6), low = evaluate(chain, -reach);
      const QuantParams out =
          chooseParams({std::min(low, -0.28), top}, 8, false);
      auto table = buildPiecewiseTable(chain, in, out);
      ASSERT_TRUE(table);
      EXPECT_EQ(table->base.size(), size_t(1) << table->segmentBits);
      EXPECT_LE(largestError(chain, *table, in, out), 0.75)
          << "reach " << reach;
    }
}

TEST(PiecewiseTable, manySegmentsAreWithinASixteenth) {
  for (double reach : {2.0, 6.0, 12.0}) {
    const QuantParams in{static_cast<float>(reach / 32768), 0, -32768, 32767};
    const QuantParams out = chooseParams({-0.28, reach}, 8, false);
    auto table = buildPiecewiseTable(silu, in, out);
    ASSERT_TRUE(table);
    EXPECT_LE(largestError(silu, *table, in, out), 0.5 + 0.0626);
  }
}

TEST(PiecewiseTable, sixteenBitsKeepThreeQuartersOfAStep) {
  for (double reach : {4.0, 8.0}) {
    const QuantParams in{static_cast<float>(reach / 32768), 0, -32768, 32767};
    const QuantParams out{static_cast<float>(reach / 32767), 0, -32768, 32767};
    auto table = buildPiecewiseTable(silu, in, out);
    ASSERT_TRUE(table);
    EXPECT_LE(largestError(silu, *table, in, out), 0.75 + 1e-3);
  }
}

TEST(PiecewiseTable, kinksOfSixteenBitsCostAPartOfAStepOfEight) {
  const QuantParams in{12.0f / 32768, 0, -32768, 32767};
  for (double steps : {32768.0, 2048.0}) {
    const QuantParams out{static_cast<float>(12 / steps), 0,
                          -static_cast<int32_t>(steps),
                          static_cast<int32_t>(steps) - 1};
    auto table = buildPiecewiseTable(ScalarFunction::hardSwish(), in, out);
    ASSERT_TRUE(table);
    EXPECT_LE(largestError(ScalarFunction::hardSwish(), *table, in, out),
              0.5 + std::max(0.25, steps / 128 / 32) + 1e-3);
  }
}

TEST(PiecewiseTable, sixteenBitsMaySaturate) {
  const QuantParams in{8.0f / 32768, 0, -32768, 32767};
  const QuantParams out{3.0f / 32768, 0, -32768, 32767};
  auto table = buildPiecewiseTable(silu, in, out);
  ASSERT_TRUE(table);
  EXPECT_LE(largestError(silu, *table, in, out), 256.5);
  EXPECT_GE(valueAt(*table, 32767) >> table->fractionBits, 32767);
}

TEST(PiecewiseTable, aPartOfTheTypeIsEnough) {
  const QuantParams in{4.0f / 32768, 0, -32768, 32767};
  const QuantParams out{1.0f / 2048, 0, -2048, 2047};
  auto table = buildPiecewiseTable(ScalarFunction::tanh(), in, out);
  ASSERT_TRUE(table);
  EXPECT_LE(largestError(ScalarFunction::tanh(), *table, in, out), 0.75);
}

TEST(PiecewiseTable, flatFunctionsTakeFewSegments) {
  const QuantParams in{0.25f / 32768, 0, -32768, 32767};
  const QuantParams out{1.0f / 256, -128, -128, 127};
  auto flat = buildPiecewiseTable(ScalarFunction::sigmoid(), in, out);
  ASSERT_TRUE(flat);
  EXPECT_EQ(flat->segmentBits, 5);
  const QuantParams wide{40.0f / 32768, 0, -32768, 32767};
  auto steep = buildPiecewiseTable(ScalarFunction::sigmoid(), wide, out);
  ASSERT_TRUE(steep);
  EXPECT_GT(steep->segmentBits, 5);
}

TEST(PiecewiseTable, jumpsAndPolesHaveNone) {
  const QuantParams in{8.0f / 32768, 5, -32768, 32767};
  const QuantParams out{1.0f / 64, 0, -128, 127};
  EXPECT_FALSE(buildPiecewiseTable(step(Kind::Sign), in, out));
  EXPECT_FALSE(buildPiecewiseTable(step(Kind::Reciprocal), in, out));
}

TEST(PiecewiseTable, piecesBoundTheirProducts) {
  const QuantParams in{1.0f, 0, -32768, 32767};
  const QuantParams out{300.0f, 0, -128, 127};
  auto table = buildPiecewiseTable(ScalarFunction::affine(1, 0), in, out);
  ASSERT_TRUE(table);
  for (size_t i = 0; i < table->base.size(); ++i)
    EXPECT_LE(std::abs(table->slope[i]) + std::abs(table->curve[i]),
              largestPiece);
}

} // namespace
