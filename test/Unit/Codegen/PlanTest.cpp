// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views, offsets in the arena and how products are cut.

#include "qopt/Codegen/Plan/Plan.h"
#include "../../../lib/Codegen/Kernels/TilePlan.h"
#include "KernelHarness.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Plan/Partition.h"
#include "qopt/Codegen/Plan/Strips.h"
#include <gtest/gtest.h>
#include <set>

using namespace mlir;
using namespace mlir::qopt::codegen;
using mlir::qopt::codegen::testing::Random;

namespace {

View viewOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  View view;
  view.shape.assign(shape.begin(), shape.end());
  view.strides.assign(strides.begin(), strides.end());
  return view;
}

/// The memory offsets of `view`'s elements in row-major order.
std::vector<int64_t> offsetsOf(const View &view) {
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < view.numElements(); ++i) {
    int64_t left = i, offset = view.offset;
    for (int64_t axis = view.rank() - 1; axis >= 0; --axis) {
      offset += left % view.shape[axis] * view.strides[axis];
      left /= view.shape[axis];
    }
    offsets.push_back(offset);
  }
  return offsets;
}

TEST(View, SpanCoversTheHalo) {
  View view = viewOf({1, 2, 3, 4}, {0, 1, 12, 2});
  view.halo = {1, 1, 1, 1};
  view.offset = 14;
  EXPECT_EQ(view.begin(), 0);
  EXPECT_EQ(view.origin(), 14);
  EXPECT_EQ(view.spanElements(), 5 * 12);
  EXPECT_FALSE(view.isDense());
}

TEST(View, DenseInSomeOrder) {
  EXPECT_TRUE(viewOf({1, 3, 2, 2}, {12, 1, 6, 3}).isDense());
  EXPECT_TRUE(viewOf({1, 3, 2, 2}, {12, 1, 6, 3}).isChannelsLastDense());
  EXPECT_FALSE(viewOf({1, 3, 2, 2}, {12, 1, 6, 3}).isRowMajorDense());
  EXPECT_TRUE(viewOf({2, 3}, {3, 1}).isRowMajorDense());
  EXPECT_FALSE(viewOf({2, 3}, {4, 1}).isDense());
}

TEST(View, ReshapeKeepsTheOrderOfElements) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    // A shape, and another one with the same prime factors in order.
    SmallVector<int64_t> factors, shape, target;
    for (int64_t i = random.in(0, 5); i > 0; --i)
      factors.push_back(random.in(1, 4));
    auto group = [&](SmallVector<int64_t> &result) {
      result.push_back(1);
      for (int64_t factor : factors) {
        if (random.chance(50))
          result.push_back(1);
        result.back() *= factor;
      }
    };
    group(shape);
    group(target);
    View view = viewOf(shape, rowMajorStrides(shape));
    for (int64_t &stride : view.strides)
      if (random.chance(20))
        stride = random.in(1, 50);
    auto strides = reshapeStrides(view, target);
    if (failed(strides))
      continue;
    EXPECT_EQ(offsetsOf(view), offsetsOf(viewOf(target, *strides))) << seed;
  }
}

TEST(View, DenseReshapesAlwaysAlias) {
  View view = viewOf({2, 3, 4}, rowMajorStrides({2, 3, 4}));
  EXPECT_TRUE(succeeded(reshapeStrides(view, {24})));
  EXPECT_TRUE(succeeded(reshapeStrides(view, {4, 6})));
  EXPECT_TRUE(succeeded(reshapeStrides(view, {1, 24, 1})));
  // Channels last is no row-major sequence.
  EXPECT_TRUE(
      failed(reshapeStrides(viewOf({1, 3, 2, 2}, {12, 1, 6, 3}), {1, 12})));
}

TEST(Arena, BuffersAliveTogetherDoNotOverlap) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    std::vector<Buffer> buffers(random.in(1, 30));
    int64_t largest = 0, sum = 0;
    for (Buffer &buffer : buffers) {
      buffer.bytes = random.in(1, 1000);
      buffer.firstStep = random.in(0, 20);
      buffer.lastStep = buffer.firstStep + random.in(0, 8);
      largest = std::max(largest, buffer.bytes);
      sum += llvm::alignTo(buffer.bytes, arenaAlignment);
    }
    int64_t total = assignOffsets(buffers);
    EXPECT_GE(total, largest);
    EXPECT_LE(total, sum);
    EXPECT_LE(largestLiveBytes(buffers), total);
    for (size_t i = 0; i < buffers.size(); ++i) {
      const Buffer &a = buffers[i];
      EXPECT_EQ(a.offset % arenaAlignment, 0);
      EXPECT_LE(a.offset + a.bytes, total);
      for (size_t j = 0; j < i; ++j) {
        const Buffer &b = buffers[j];
        bool together = a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;
        bool overlap =
            a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        EXPECT_FALSE(together && overlap) << seed << ": " << i << ", " << j;
      }
    }
  }
}

TEST(Arena, DisjointLifetimesShareMemory) {
  std::vector<Buffer> buffers(4);
  for (int64_t i = 0; i < 4; ++i) {
    buffers[i].bytes = 100;
    buffers[i].firstStep = i;
    buffers[i].lastStep = i + 1;
  }
  EXPECT_EQ(assignOffsets(buffers), 128 + 100);
  EXPECT_EQ(largestLiveBytes(buffers), 200);
}

TEST(Tiles, CoverEveryRow) {
  for (int64_t rows = 1; rows < 200; ++rows)
    for (int64_t most : {1, 4, 6, 9, 14})
      for (bool isSmall : {false, true}) {
        std::set<int64_t> seen;
        for (const RowTiles &tiles : splitRows(rows, most, isSmall)) {
          EXPECT_LE(tiles.rows, most);
          for (int64_t i = 0; i < tiles.count; ++i) {
            int64_t first = std::min(tiles.first + i * tiles.rows, tiles.last);
            EXPECT_GE(first, 0);
            for (int64_t r = 0; r < tiles.rows; ++r)
              seen.insert(first + r);
          }
        }
        EXPECT_EQ(int64_t(seen.size()), rows) << most;
        EXPECT_EQ(*seen.rbegin(), rows - 1) << most;
      }
}

TEST(Tiles, LanesAreAPermutationOfChannels) {
  for (ElementKind out : {ElementKind::I8, ElementKind::I16, ElementKind::F32})
    for (const SmallVector<int64_t> &vectors :
         {SmallVector<int64_t>{16, 16, 16, 16},
          {16, 16, 16, 8},
          {16, 4},
          {8, 8, 8, 8},
          {8, 8},
          {4, 4, 4},
          {16, 16, 2}}) {
      SmallVector<int64_t> channels = laneChannels(vectors, out);
      std::set<int64_t> seen(channels.begin(), channels.end());
      EXPECT_EQ(seen.size(), channels.size());
      EXPECT_EQ(*seen.rbegin() + 1, int64_t(channels.size()));
    }
}

/// A convolution of 64 channels with `kernel` and its padding, and its weights.
std::string convText(int result, int from, int kernel, int size) {
  std::string pad = std::to_string(kernel / 2), name = std::to_string(result);
  std::string shape = "tensor<1x64x" + std::to_string(size) + "x" +
                      std::to_string(size) + "xi8>";
  std::string weight = "tensor<64x64x" + std::to_string(kernel) + "x" +
                       std::to_string(kernel) + "xi8>";
  return "%w" + name + " = qint.constant dense<1> : " + weight + "\n%v" + name +
         " = qint.conv %v" + std::to_string(from) + ", %w" + name +
         " {input_zero_point = 3 : i32, pads = array<i64: " + pad + ", " + pad +
         ", " + pad + ", " + pad +
         ">, requant = #qint.requant<[1073741824], [31], zp 0, "
         "clamp -128 to 127>} : (" +
         shape + ", " + weight + ") -> " + shape + "\n";
}

/// Parts and results, by the number of the value, of each gathering of steps.
std::vector<std::pair<size_t, size_t>>
partitionOf(const std::string &body, int last, int size, int64_t threads) {
  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string shape = "tensor<1x64x" + std::to_string(size) + "x" +
                      std::to_string(size) + "xi8>";
  auto module = parseSourceString<ModuleOp>(
      "func.func @f(%v0: " + shape + ") -> " + shape + " {\n" + body +
          "return %v" + std::to_string(last) + " : " + shape + "\n}",
      &context);
  if (!module)
    return {};
  auto plan = planFunction(*module->getOps<func::FuncOp>().begin(), {});
  std::vector<std::pair<size_t, size_t>> result;
  if (plan)
    for (const SharedSteps &steps : partitionPlan(*plan, threads)) {
      size_t convs = 0;
      for (const auto &part : steps.parts)
        for (const Step &step : part)
          convs += step.kind == Step::Kind::Op;
      if (convs > 0)
        result.push_back({steps.parts.size(), convs});
    }
  return result;
}

TEST(Partition, StepsOnOwnRowsDoNotWait) {
  using Parts = std::vector<std::pair<size_t, size_t>>;
  std::string body =
      convText(1, 0, 1, 64) + convText(2, 1, 1, 64) + convText(3, 2, 1, 64);
  EXPECT_EQ(partitionOf(body, 3, 64, 2), (Parts{{2, 6}}));
  // Windows reach into rows of the other part.
  body = convText(1, 0, 1, 64) + convText(2, 1, 3, 64);
  EXPECT_EQ(partitionOf(body, 2, 64, 2), (Parts{{2, 2}, {2, 2}}));
}

/// Each thread adds up the rows that it wrote; only then one waits for all.
TEST(Partition, MeansAreSummedByWhoWroteTheRows) {
  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  const std::string shape = "tensor<1x64x64x64xi8>",
                    mean = "tensor<1x64x1x1xi8>";
  auto module = parseSourceString<ModuleOp>(
      "func.func @f(%v0: " + shape + ") -> " + mean + " {\n" +
          convText(1, 0, 1, 64) +
          "%m = qint.reduce_mean %v1 axes [2, 3] {input_zero_point = 3 : i32, "
          "requant = #qint.requant<[1073741824], [42], zp 0, "
          "clamp -128 to 127>} : (" +
          shape + ") -> " + mean + "\nreturn %m : " + mean + "\n}",
      &context);
  ASSERT_TRUE(module);
  PlanOptions options;
  options.meanGroups = 2;
  auto plan = planFunction(*module->getOps<func::FuncOp>().begin(), options);
  ASSERT_TRUE(bool(plan));
  bool isSummedWithRows = false, isMeanAlone = false;
  for (const SharedSteps &steps : partitionPlan(*plan, 2)) {
    auto has = [](const std::vector<Step> &part, Step::Kind kind) {
      return llvm::any_of(part,
                          [&](const Step &step) { return step.kind == kind; });
    };
    isSummedWithRows |=
        steps.parts.size() == 2 &&
        llvm::all_of(steps.parts, [&](const std::vector<Step> &part) {
          return has(part, Step::Kind::Op) && has(part, Step::Kind::RowSums);
        });
    isMeanAlone |=
        steps.parts.size() == 1 && has(steps.parts[0], Step::Kind::MeanOfSums);
  }
  EXPECT_TRUE(isSummedWithRows);
  EXPECT_TRUE(isMeanAlone);
}

TEST(Partition, LittleWorkStaysOnOneThread) {
  for (auto [parts, convs] : partitionOf(convText(1, 0, 1, 4), 1, 4, 2))
    EXPECT_EQ(parts, 1u) << convs;
}

/// A 1x1 convolution to 96 channels and a 3x3 one behind it, depthwise or not.
std::string expansion(int size, bool isDepthwise) {
  std::string edge = std::to_string(size) + "x" + std::to_string(size) + "xi8>",
              wide = "tensor<1x96x" + edge, narrow = "tensor<1x16x" + edge,
              weight =
                  isDepthwise ? "tensor<96x1x3x3xi8>" : "tensor<96x96x3x3xi8>",
              groups = isDepthwise ? "96" : "1",
              rest = "input_zero_point = 3 : i32, requant = #qint.requant<"
                     "[1073741824], [31], zp 0, clamp -128 to 127>} : (";
  return "func.func @f(%x: " + narrow + ") -> " + wide +
         " {\n%w = qint.constant dense<1> : tensor<96x16x1x1xi8>\n"
         "%v = qint.conv %x, %w {" +
         rest + narrow + ", tensor<96x16x1x1xi8>) -> " + wide +
         "\n%w3 = qint.constant dense<1> : " + weight +
         "\n%y = qint.conv %v, %w3 {pads = array<i64: 1, 1, 1, 1>, groups = " +
         groups + " : i64, " + rest + wide + ", " + weight + ") -> " + wide +
         "\nreturn %y : " + wide + "\n}";
}

/// Of each step in the order of strips, the channels of its weights.
SmallVector<int64_t> stripOrder(int size, bool isDepthwise) {
  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module =
      parseSourceString<ModuleOp>(expansion(size, isDepthwise), &context);
  if (!module)
    return {};
  PlanOptions options;
  options.hasStrips = true;
  auto plan = planFunction(*module->getOps<func::FuncOp>().begin(), options);
  SmallVector<int64_t> kernels;
  if (plan)
    for (const Step &step : orderByStrips(*plan))
      if (auto conv = dyn_cast_or_null<qint::ConvOp>(step.op))
        kernels.push_back(conv.getWeight().getType().getShape()[2]);
  return kernels;
}

TEST(Strips, ALargeImageIsReadWhileTheCacheHasIt) {
  // 1.5 MiB of rows in four strips; a window needs a row of the next one.
  EXPECT_EQ(stripOrder(128, /*isDepthwise=*/true),
            (SmallVector<int64_t>{1, 1, 3, 1, 3, 1, 3, 3}));
}

TEST(Strips, WhatFitsOrComputesLongIsNotCut) {
  EXPECT_EQ(stripOrder(64, /*isDepthwise=*/true), (SmallVector<int64_t>{1, 3}));
  EXPECT_EQ(stripOrder(128, /*isDepthwise=*/false),
            (SmallVector<int64_t>{1, 3}));
}

} // namespace
