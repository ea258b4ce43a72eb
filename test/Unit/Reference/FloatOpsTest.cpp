// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float ops that compute, on cases worked out by hand.

#include "RunText.h"
#include <cmath>

using namespace qopt_test;

/// Runs `body` on `inputs` and returns the only result's values.
static std::vector<float> run(const std::string &args, const std::string &type,
                              const std::string &body,
                              ArrayRef<Tensor> inputs) {
  auto results = runText(functionText(args, type, body), inputs);
  return results.empty() ? std::vector<float>() : valuesOf<float>(results[0]);
}

static const Tensor image =
    tensorOf<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});

TEST(FloatConv, PadsCountAsZero) {
  // The 2x2 kernel [1 2; 3 4] over a 3x3 image padded on top and left.
  auto y = run("%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>",
               "tensor<1x1x3x3xf32>",
               "%y = qopt.conv %x, %w {pads = array<i64: 1, 1, 0, 0>} : "
               "(tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>) -> "
               "tensor<1x1x3x3xf32>",
               {image, tensorOf<float>({1, 1, 2, 2}, {1, 2, 3, 4})});
  EXPECT_EQ(y, (std::vector<float>{4, 11, 18, 18, 37, 47, 36, 67, 77}));
}

TEST(FloatConv, StridesDilationsBiasAndClamp) {
  // Corners of the image: taps two apart. 1 + 2*3 + 3*7 + 4*9 + 10 = 74 -> 60.
  auto y = run("%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>, %b: "
               "tensor<1xf32>",
               "tensor<1x1x1x1xf32>",
               "%y = qopt.conv %x, %w, %b {dilations = array<i64: 2, 2>, "
               "strides = array<i64: 2, 3>, activation = #qopt.fn<clip, 0.0, "
               "60.0>} : (tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>, "
               "tensor<1xf32>) -> tensor<1x1x1x1xf32>",
               {image, tensorOf<float>({1, 1, 2, 2}, {1, 2, 3, 4}),
                tensorOf<float>({1}, {10})});
  EXPECT_EQ(y, (std::vector<float>{60}));
}

TEST(FloatConv, StridesDifferByAxis) {
  auto y = run("%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x1x1xf32>",
               "tensor<1x1x3x2xf32>",
               "%y = qopt.conv %x, %w {strides = array<i64: 1, 2>} : "
               "(tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> "
               "tensor<1x1x3x2xf32>",
               {image, tensorOf<float>({1, 1, 1, 1}, {-1})});
  EXPECT_EQ(y, (std::vector<float>{-1, -3, -4, -6, -7, -9}));
}

TEST(FloatConv, GroupsSeeTheirOwnChannels) {
  // Two batches, four channels in two groups, two outputs a group.
  auto y = run("%x: tensor<2x4x1x1xf32>, %w: tensor<4x2x1x1xf32>",
               "tensor<2x4x1x1xf32>",
               "%y = qopt.conv %x, %w {groups = 2 : i64} : "
               "(tensor<2x4x1x1xf32>, tensor<4x2x1x1xf32>) -> "
               "tensor<2x4x1x1xf32>",
               {tensorOf<float>({2, 4, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}),
                tensorOf<float>({4, 2, 1, 1}, {1, 0, 0, 1, 1, 1, 1, -1})});
  EXPECT_EQ(y, (std::vector<float>{1, 2, 7, -1, 5, 6, 15, -1}));
}

TEST(FloatGemm, LeadingDimensionsBiasAndRelu) {
  auto y = run("%x: tensor<2x1x2xf32>, %w: tensor<3x2xf32>, %b: tensor<3xf32>",
               "tensor<2x1x3xf32>",
               "%y = qopt.gemm %x, %w, %b {activation = #qopt.fn<relu>} : "
               "(tensor<2x1x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> "
               "tensor<2x1x3xf32>",
               {tensorOf<float>({2, 1, 2}, {1, 2, 3, 4}),
                tensorOf<float>({3, 2}, {1, 1, 1, -1, 0, 2}),
                tensorOf<float>({3}, {0.5, 0, -5})});
  EXPECT_EQ(y, (std::vector<float>{3.5, 0, 0, 7.5, 0, 3}));
}

TEST(FloatGemm, RoundsOnce) {
  // In float32 the small terms would vanish one by one.
  auto y = run("%x: tensor<3xf32>, %w: tensor<1x3xf32>", "tensor<1xf32>",
               "%y = qopt.gemm %x, %w : (tensor<3xf32>, tensor<1x3xf32>) -> "
               "tensor<1xf32>",
               {tensorOf<float>({3}, {16777216, 1, 1}),
                tensorOf<float>({1, 3}, {1, 1, 1})});
  EXPECT_EQ(y, (std::vector<float>{16777218}));
}

TEST(FloatBinary, BroadcastsBothSides) {
  Tensor a = tensorOf<float>({2, 1}, {10, 20});
  Tensor b = tensorOf<float>({3}, {1, 2, 3});
  auto binary = [&](const std::string &op) {
    return run("%a: tensor<2x1xf32>, %b: tensor<3xf32>", "tensor<2x3xf32>",
               "%y = qopt." + op +
                   " : (tensor<2x1xf32>, tensor<3xf32>) -> tensor<2x3xf32>",
               {a, b});
  };
  EXPECT_EQ(binary("add %a, %b"), (std::vector<float>{11, 12, 13, 21, 22, 23}));
  EXPECT_EQ(binary("sub %a, %b"), (std::vector<float>{9, 8, 7, 19, 18, 17}));
  EXPECT_EQ(binary("mul %a, %b {activation = #qopt.fn<clip, 20.0, 45.0>}"),
            (std::vector<float>{20, 20, 30, 20, 40, 45}));
}

TEST(FloatUnary, EachFunction) {
  auto unary = [&](const std::string &functions, float x) {
    auto y = run("%x: tensor<1xf32>", "tensor<1xf32>",
                 "%y = qopt.unary %x [" + functions +
                     "] : (tensor<1xf32>) -> tensor<1xf32>",
                 {tensorOf<float>({1}, {x})});
    return y.empty() ? NAN : y[0];
  };
  EXPECT_EQ(unary("#qopt.fn<relu>", -2), 0);
  EXPECT_EQ(unary("#qopt.fn<relu>", 2), 2);
  EXPECT_EQ(unary("#qopt.fn<clip, -1.0, 1.5>", 2), 1.5);
  EXPECT_EQ(unary("#qopt.fn<clip, -1.0, 1.5>", -2), -1);
  EXPECT_EQ(unary("#qopt.fn<leaky_relu, 0.25>", -2), -0.5);
  EXPECT_EQ(unary("#qopt.fn<leaky_relu, 0.25>", 2), 2);
  EXPECT_FLOAT_EQ(unary("#qopt.fn<sigmoid>", 1.5), 1 / (1 + std::exp(-1.5)));
  EXPECT_FLOAT_EQ(unary("#qopt.fn<tanh>", -0.75), std::tanh(-0.75));
  EXPECT_FLOAT_EQ(unary("#qopt.fn<hard_sigmoid, 0.25, 0.5>", 1), 0.75);
  EXPECT_EQ(unary("#qopt.fn<hard_sigmoid, 0.25, 0.5>", 9), 1);
  EXPECT_FLOAT_EQ(unary("#qopt.fn<hard_swish>", 1), 2.0f / 3);
  EXPECT_EQ(unary("#qopt.fn<hard_swish>", -4), 0);
  EXPECT_EQ(unary("#qopt.fn<affine, 2.0, 1.0>", 3), 7);
  // From first to last: relu(2x - 1), not 2 relu(x) - 1.
  EXPECT_EQ(unary("#qopt.fn<affine, 2.0, -1.0>, #qopt.fn<relu>", -3), 0);
  EXPECT_EQ(unary("#qopt.fn<relu>, #qopt.fn<affine, 2.0, -1.0>", -3), -1);
}

TEST(FloatBatchNorm, OneScaleAndShiftAChannel) {
  auto y = run("%x: tensor<1x2x2xf32>, %s: tensor<2xf32>, %t: tensor<2xf32>",
               "tensor<1x2x2xf32>",
               "%y = qopt.batch_norm %x, %s, %t : (tensor<1x2x2xf32>, "
               "tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>",
               {tensorOf<float>({1, 2, 2}, {1, 2, 3, 4}),
                tensorOf<float>({2}, {2, -1}), tensorOf<float>({2}, {10, 20})});
  EXPECT_EQ(y, (std::vector<float>{12, 14, 17, 16}));
}

TEST(FloatSoftmax, AlongAnInnerAxis) {
  auto y = run("%x: tensor<2x2xf32>", "tensor<2x2xf32>",
               "%y = qopt.softmax %x axis 0 : (tensor<2x2xf32>) -> "
               "tensor<2x2xf32>",
               {tensorOf<float>({2, 2}, {1000, 0, 1000, std::log(3.0f)})});
  EXPECT_FLOAT_EQ(y[0], 0.5);
  EXPECT_FLOAT_EQ(y[1], 0.25);
  EXPECT_FLOAT_EQ(y[2], 0.5);
  EXPECT_FLOAT_EQ(y[3], 0.75);
}

TEST(FloatPools, PaddingIsAbsent) {
  auto pool = [&](const std::string &op) {
    return run(
        "%x: tensor<1x1x3x3xf32>", "tensor<1x1x2x2xf32>",
        "%y = qopt." + op +
            " %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, "
            "2>, pads = array<i64: 1, 1, 0, 0>} : "
            "(tensor<1x1x3x3xf32>) -> tensor<1x1x2x2xf32>",
        {tensorOf<float>({1, 1, 3, 3}, {-1, -2, -3, -4, -5, -6, -7, -8, -9})});
  };
  EXPECT_EQ(pool("max_pool"), (std::vector<float>{-1, -2, -4, -5}));
  EXPECT_EQ(pool("avg_pool"), (std::vector<float>{-1, -2.5, -5.5, -7}));
}

TEST(FloatPools, Dilation) {
  auto y = run("%x: tensor<1x1x3x3xf32>", "tensor<1x1x1x1xf32>",
               "%y = qopt.avg_pool %x {kernel = array<i64: 2, 2>, dilations = "
               "array<i64: 2, 2>} : (tensor<1x1x3x3xf32>) -> "
               "tensor<1x1x1x1xf32>",
               {image});
  EXPECT_EQ(y, (std::vector<float>{5}));
}

TEST(FloatReduceMean, OverOuterAndInnerAxes) {
  Tensor x = tensorOf<float>({2, 1, 2}, {1, 2, 3, 6});
  EXPECT_EQ(run("%x: tensor<2x1x2xf32>", "tensor<1x2xf32>",
                "%y = qopt.reduce_mean %x axes [0] {keep_dims = false} : "
                "(tensor<2x1x2xf32>) -> tensor<1x2xf32>",
                {x}),
            (std::vector<float>{2, 4}));
  EXPECT_EQ(run("%x: tensor<2x1x2xf32>", "tensor<2x1x1xf32>",
                "%y = qopt.reduce_mean %x axes [1, 2] : (tensor<2x1x2xf32>) "
                "-> tensor<2x1x1xf32>",
                {x}),
            (std::vector<float>{1.5, 4.5}));
}
