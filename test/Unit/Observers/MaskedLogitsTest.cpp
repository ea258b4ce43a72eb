// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masked logits, found by the gap above them.

#include "qopt/Observers/MaskedLogits.h"
#include "qopt/Observers/Ranges.h"
#include <gtest/gtest.h>

using namespace mlir::qopt::observers;

namespace {

TensorStats statsOf(const std::vector<float> &values) {
  TensorStats stats;
  stats.observe(values.data(), values.size());
  return stats;
}

/// The raised minimum, or 0 where nothing is masked.
float raisedMin(const std::vector<float> &values) {
  auto raised = raiseMasked(statsOf(values));
  return raised ? raised->min : 0;
}

TEST(MaskedLogits, countBelowTheOthers) {
  // A bin is 1/128 of its octave wide.
  EXPECT_NEAR(raisedMin({-1e9f, -4, 3, -1e9f}), -16, 0.04);
  EXPECT_NEAR(raisedMin({-1020, -1030, -1000, -30, 30}), -42, 0.13);
  EXPECT_NEAR(raisedMin({-3e38f, -100, -9, 0}), -21, 0.07);
  EXPECT_EQ(raisedMin({-100, 2, 3}), -12);
}

TEST(MaskedLogits, othersStay) {
  EXPECT_EQ(raisedMin({}), 0);
  EXPECT_EQ(raisedMin({1, 2, 3}), 0);
  EXPECT_EQ(raisedMin({-31, -4, 3}), 0);
  // No octave is empty.
  EXPECT_EQ(raisedMin({-60, -31, -16, 3}), 0);
}

TEST(MaskedLogits, everyMethodTakesTheRaised) {
  std::vector<float> values(64, -1024.0f);
  for (int i = 0; i < 192; ++i)
    values.push_back(0.05f * static_cast<float>(i) - 4);
  auto raised = raiseMasked(statsOf(values));
  ASSERT_TRUE(raised);
  EXPECT_EQ(raised->count, values.size());
  using Kind = RangeMethod::Kind;
  for (Kind kind :
       {Kind::MinMax, Kind::MeanMinMax, Kind::Percentile, Kind::Mse})
    EXPECT_NEAR(chooseRange(*raised, {kind, 99.999}, 8, false).min, -16, 0.3)
        << static_cast<int>(kind);
  uint64_t counted = 0;
  for (size_t bin = 0; bin < Histogram::numBins; ++bin)
    counted += raised->histogram[bin];
  EXPECT_EQ(counted, values.size());
}

} // namespace
