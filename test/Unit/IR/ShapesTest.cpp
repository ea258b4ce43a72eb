// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules, against counting by hand where that is possible.

#include "qopt/IR/Shapes.h"
#include <gtest/gtest.h>
#include <set>

using namespace mlir::qopt;
using Shape = llvm::SmallVector<int64_t>;

TEST(Shapes, CountElementsRefusesWhatNoTensorHas) {
  EXPECT_EQ(countElements({}), 1);
  EXPECT_EQ(countElements({2, 3, 4}), 24);
  EXPECT_EQ(countElements({maxElements}), maxElements);
  EXPECT_EQ(countElements({0, 1 << 30, 1 << 30}), std::nullopt);
  EXPECT_EQ(countElements({0, 5}), 0);
  EXPECT_EQ(countElements({65536, 32768}), std::nullopt);
  EXPECT_EQ(countElements({INT64_MAX, INT64_MAX}), std::nullopt);
  EXPECT_EQ(countElements({-1}), std::nullopt);
}

/// Counts positions and taps one by one.
TEST(Shapes, WindowAxisAgreesWithCounting) {
  for (int64_t input = 1; input <= 6; ++input)
    for (int64_t kernel = 1; kernel <= 3; ++kernel)
      for (int64_t stride = 1; stride <= 3; ++stride)
        for (int64_t dilation = 1; dilation <= 3; ++dilation)
          for (int64_t begin = 0; begin <= 3; ++begin)
            for (int64_t end = 0; end <= 3; ++end) {
              WindowAxis axis = {input, kernel, stride, dilation, begin, end};
              int64_t outputs = 0;
              for (int64_t start = -begin;
                   start + (kernel - 1) * dilation < input + end;
                   start += stride, ++outputs) {
                auto [first, last] = axis.insideTaps(outputs);
                for (int64_t tap = 0; tap < kernel; ++tap) {
                  int64_t at = start + tap * dilation;
                  EXPECT_EQ(axis.inputIndex(outputs, tap), at);
                  EXPECT_EQ(tap >= first && tap < last, at >= 0 && at < input);
                }
              }
              EXPECT_EQ(axis.outputSize().value_or(0), outputs);
            }
}

TEST(Shapes, WindowRefusesBadAttributes) {
  Shape two = {1, 1}, four = {0, 0, 0, 0}, input = {5, 5};
  EXPECT_TRUE(Window2D::get(input, {3, 3}, two, four, two));
  EXPECT_FALSE(Window2D::get(input, {3}, two, four, two));
  EXPECT_FALSE(Window2D::get(input, {0, 3}, two, four, two));
  EXPECT_FALSE(Window2D::get(input, {3, 3}, {1, 0}, four, two));
  EXPECT_FALSE(Window2D::get(input, {3, 3}, two, {0, 0, 0, -1}, two));
  EXPECT_FALSE(Window2D::get(input, {3, 3}, two, two, two));
  EXPECT_FALSE(Window2D::get(input, {3, 3}, two, four, {1, 0}));
  EXPECT_FALSE(Window2D::get(input, {3, 3}, two, four, {INT64_MAX, 1}));
}

TEST(Shapes, TapCounts) {
  auto counts = [](Shape kernel, Shape strides, Shape pads) {
    return Window2D::get({5, 4}, kernel, strides, pads, {1, 1})->tapCounts();
  };
  EXPECT_EQ(counts({2, 2}, {1, 1}, {0, 0, 0, 0}), (Shape{4}));
  EXPECT_EQ(counts({3, 3}, {1, 1}, {1, 1, 1, 1}), (Shape{4, 6, 9}));
  EXPECT_EQ(counts({3, 2}, {1, 1}, {1, 0, 1, 1}), (Shape{2, 3, 4, 6}));
  EXPECT_EQ(counts({2, 2}, {2, 2}, {1, 0, 0, 0}), (Shape{2, 4}));
}

TEST(Shapes, TapCountsAgreeWithCounting) {
  for (int64_t input = 1; input <= 9; ++input)
    for (int64_t kernel = 1; kernel <= 4; ++kernel)
      for (int64_t stride = 1; stride <= 3; ++stride)
        for (int64_t dilation = 1; dilation <= 2; ++dilation)
          for (int64_t pads = 0; pads < 9; ++pads) {
            WindowAxis axis = {input,    kernel,   stride,
                               dilation, pads % 3, pads / 3};
            std::set<int64_t> counts;
            for (int64_t o = 0; o < axis.outputSize().value_or(0); ++o)
              counts.insert(axis.insideTaps(o).second -
                            axis.insideTaps(o).first);
            Window2D window = {{axis, WindowAxis()}};
            EXPECT_EQ(window.tapCounts(), Shape(counts.begin(), counts.end()));
          }
}

TEST(Shapes, Broadcast) {
  EXPECT_EQ(broadcastShapes({2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcastShapes({}, {5}), (Shape{5}));
  EXPECT_EQ(broadcastShapes({1}, {0}), (Shape{0}));
  EXPECT_EQ(broadcastShapes({2, 3}, {2}), std::nullopt);
}

TEST(Shapes, Permutations) {
  EXPECT_TRUE(isPermutation({}));
  EXPECT_TRUE(isPermutation({2, 0, 1}));
  EXPECT_FALSE(isPermutation({0, 0}));
  EXPECT_FALSE(isPermutation({0, 2}));
  EXPECT_FALSE(isPermutation({-1, 0}));
  EXPECT_EQ(permuteShape({5, 6, 7}, {2, 0, 1}), (Shape{7, 5, 6}));
}

TEST(Shapes, Concat) {
  using Shapes = llvm::SmallVector<llvm::ArrayRef<int64_t>>;
  Shape a = {2, 3}, b = {2, 4}, c = {2};
  EXPECT_EQ(concatShapes(Shapes{a, b}, 1), (Shape{2, 7}));
  EXPECT_EQ(concatShapes(Shapes{a, b}, 0), std::nullopt);
  EXPECT_EQ(concatShapes(Shapes{a, c}, 0), std::nullopt);
  EXPECT_EQ(concatShapes(Shapes{a}, 2), std::nullopt);
  EXPECT_EQ(concatShapes(Shapes{}, 0), std::nullopt);
}

TEST(Shapes, PadReduceStrides) {
  EXPECT_EQ(padShape({2, 3}, {1, 0, 2, 4}), (Shape{5, 7}));
  EXPECT_EQ(padShape({2, 3}, {1, 0}), std::nullopt);
  EXPECT_EQ(padShape({2}, {-1, 0}), std::nullopt);
  EXPECT_EQ(reduceShape({2, 3, 4}, {0, 2}, false), (Shape{3}));
  EXPECT_EQ(reduceShape({2, 3, 4}, {0, 2}, true), (Shape{1, 3, 1}));
  EXPECT_EQ(reduceShape({2, 3}, {1, 0}, true), std::nullopt);
  EXPECT_EQ(reduceShape({2, 3}, {1, 1}, true), std::nullopt);
  EXPECT_EQ(reduceShape({2, 3}, {2}, true), std::nullopt);
  EXPECT_EQ(rowMajorStrides({2, 3, 4}), (Shape{12, 4, 1}));
}
