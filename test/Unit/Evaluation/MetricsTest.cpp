// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Metrics against figures worked out by hand.

#include "qopt/Evaluation/Metrics.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir::qopt::evaluation;

TEST(ErrorSum, IsTenTimesTheLogarithmOfSignalToNoise) {
  ErrorSum sum;
  sum.add({3, 4}, {3, 4.5f}); // Signal 25, noise 0.25.
  EXPECT_NEAR(sum.sqnrDb(), 20, 1e-12);
  sum.add({15}, {15}); // Signal 250.
  EXPECT_NEAR(sum.sqnrDb(), 30, 1e-12);
  sum.add({0}, {1.5f}); // Noise 2.5.
  EXPECT_NEAR(sum.sqnrDb(), 20, 1e-12);
}

TEST(ErrorSum, HasLimits) {
  ErrorSum sum;
  EXPECT_EQ(sum.sqnrDb(), 300);
  sum.add({0, 0}, {0, 0});
  EXPECT_EQ(sum.sqnrDb(), 300);
  sum.add({0}, {1});
  EXPECT_EQ(sum.sqnrDb(), -300);
  ErrorSum tiny;
  tiny.add({1e19f}, {1e19f});
  tiny.add({0}, {1e-19f});
  EXPECT_EQ(tiny.sqnrDb(), 300);
}

TEST(ClassLayout, FindsTheClassAxis) {
  auto plain = ClassLayout::find({1, 10}, 1);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->classes, 10);
  EXPECT_EQ(plain->index(0, 7), 7);

  // Per pixel: 3 classes of 2x2 pixels, classes on axis 1.
  auto pixels = ClassLayout::find({1, 3, 2, 2}, 4);
  ASSERT_TRUE(pixels);
  EXPECT_EQ(pixels->classes, 3);
  EXPECT_EQ(pixels->index(1, 2), 9);
  auto batch = ClassLayout::find({2, 3, 2, 2}, 8);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->index(5, 2), 12 + 9);

  // A sequence: 4 steps of 5 classes, classes on the last axis.
  auto steps = ClassLayout::find({1, 4, 5}, 4);
  ASSERT_TRUE(steps);
  EXPECT_EQ(steps->classes, 5);
  EXPECT_EQ(steps->index(2, 1), 11);

  auto rankOne = ClassLayout::find({6}, 1);
  ASSERT_TRUE(rankOne);
  EXPECT_EQ(rankOne->classes, 6);

  auto global = ClassLayout::find({1, 7, 1, 1}, 1);
  ASSERT_TRUE(global);
  EXPECT_EQ(global->index(0, 6), 6);

  EXPECT_FALSE(ClassLayout::find({1, 10}, 3));
  EXPECT_FALSE(ClassLayout::find({1, 10}, 0));
  EXPECT_FALSE(ClassLayout::find({0, 10}, 1));
}

TEST(LargestClass, TakesTheFirstOfEquals) {
  ClassLayout layout = *ClassLayout::find({1, 4}, 1);
  EXPECT_EQ(largestClass({1, 5, 5, 2}, layout, 0), 1);
  EXPECT_EQ(largestClass({-1, -1, -1, -1}, layout, 0), 0);
  EXPECT_EQ(largestClass({-4, -3, -2, -1}, layout, 0), 3);
  ClassLayout pixels = *ClassLayout::find({1, 2, 1, 3}, 3);
  const float values[] = {1, 9, 3, 2, 8, 3};
  EXPECT_EQ(largestClass(values, pixels, 0), 1);
  EXPECT_EQ(largestClass(values, pixels, 1), 0);
  EXPECT_EQ(largestClass(values, pixels, 2), 0);
}

TEST(AreProbabilities, WantsAllInRangeAndASumOfOne) {
  ClassLayout layout = *ClassLayout::find({1, 3}, 1);
  EXPECT_TRUE(areProbabilities({0.25f, 0.5f, 0.25f}, layout, 0));
  EXPECT_TRUE(areProbabilities({0.0f, 1.0f, 0.0005f}, layout, 0));
  EXPECT_FALSE(areProbabilities({0.25f, 0.5f, 0.5f}, layout, 0));
  EXPECT_FALSE(areProbabilities({1.5f, -0.5f, 0.0f}, layout, 0));
}

TEST(CrossEntropy, OfLogitsAndOfProbabilities) {
  ClassLayout layout = *ClassLayout::find({1, 2}, 1);
  const float even[] = {3, 3};
  EXPECT_NEAR(crossEntropy(even, layout, 0, 1, false), std::log(2.0), 1e-15);
  // log(1 + e^-2) and 2 more for the other class; no overflow at 1000.
  const float apart[] = {1000, 998};
  EXPECT_NEAR(crossEntropy(apart, layout, 0, 0, false), 0.1269280110429725,
              1e-12);
  EXPECT_NEAR(crossEntropy(apart, layout, 0, 1, false), 2.1269280110429725,
              1e-12);
  const float shares[] = {0.75f, 0.25f};
  EXPECT_NEAR(crossEntropy(shares, layout, 0, 1, true), std::log(4.0), 1e-15);
  const float none[] = {1, 0};
  EXPECT_NEAR(crossEntropy(none, layout, 0, 1, true), 24 * std::log(2.0),
              1e-12);
}
