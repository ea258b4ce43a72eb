// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that move values, in both dialects.

#include "RunText.h"

using namespace qopt_test;

template <typename T>
static std::vector<T> run(const std::string &args, const std::string &type,
                          const std::string &body, ArrayRef<Tensor> inputs) {
  auto results = runText(functionText(args, type, body), inputs);
  return results.empty() ? std::vector<T>() : valuesOf<T>(results[0]);
}

TEST(Moves, Reshape) {
  EXPECT_EQ(run<float>("%x: tensor<2x2xf32>", "tensor<4xf32>",
                       "%y = qopt.reshape %x : (tensor<2x2xf32>) -> "
                       "tensor<4xf32>",
                       {tensorOf<float>({2, 2}, {1, 2, 3, 4})}),
            (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(run<int16_t>("%x: tensor<2x2xi16>", "tensor<4xi16>",
                         "%y = qint.reshape %x : (tensor<2x2xi16>) -> "
                         "tensor<4xi16>",
                         {tensorOf<int16_t>({2, 2}, {1, 2, 3, -4})}),
            (std::vector<int16_t>{1, 2, 3, -4}));
}

TEST(Moves, TransposeOfThreeAxes) {
  // y[i, j, k] = x[j, k, i]: a rotation is not its own inverse.
  EXPECT_EQ(run<float>("%x: tensor<1x2x3xf32>", "tensor<3x1x2xf32>",
                       "%y = qopt.transpose %x [2, 0, 1] : "
                       "(tensor<1x2x3xf32>) -> tensor<3x1x2xf32>",
                       {tensorOf<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6})}),
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(run<int8_t>("%x: tensor<2x3xi8>", "tensor<3x2xi8>",
                        "%y = qint.transpose %x [1, 0] : (tensor<2x3xi8>) -> "
                        "tensor<3x2xi8>",
                        {tensorOf<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6})}),
            (std::vector<int8_t>{1, 4, 2, 5, 3, 6}));
}

TEST(Moves, ConcatInTheMiddle) {
  Tensor a = tensorOf<float>({2, 1, 2}, {1, 2, 3, 4});
  Tensor b = tensorOf<float>({2, 2, 2}, {5, 6, 7, 8, 9, 10, 11, 12});
  EXPECT_EQ(run<float>("%a: tensor<2x1x2xf32>, %b: tensor<2x2x2xf32>",
                       "tensor<2x3x2xf32>",
                       "%y = qopt.concat %a, %b axis 1 : (tensor<2x1x2xf32>, "
                       "tensor<2x2x2xf32>) -> tensor<2x3x2xf32>",
                       {a, b}),
            (std::vector<float>{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}));
  EXPECT_EQ(
      run<int8_t>("%a: tensor<1xi8>, %b: tensor<2xi8>", "tensor<3xi8>",
                  "%y = qint.concat %b, %a axis 0 : (tensor<2xi8>, "
                  "tensor<1xi8>) -> tensor<3xi8>",
                  {tensorOf<int8_t>({1}, {1}), tensorOf<int8_t>({2}, {2, 3})}),
      (std::vector<int8_t>{2, 3, 1}));
}

TEST(Moves, PadIsUnequalOnBothSides) {
  EXPECT_EQ(run<float>("%x: tensor<1x2xf32>", "tensor<2x5xf32>",
                       "%y = qopt.pad %x [1, 2, 0, 1] {value = 9.0 : f32} : "
                       "(tensor<1x2xf32>) -> tensor<2x5xf32>",
                       {tensorOf<float>({1, 2}, {1, 2})}),
            (std::vector<float>{9, 9, 9, 9, 9, 9, 9, 1, 2, 9}));
  EXPECT_EQ(run<int8_t>("%x: tensor<2xi8>", "tensor<4xi8>",
                        "%y = qint.pad %x [0, 2] {value = -7 : i32} : "
                        "(tensor<2xi8>) -> tensor<4xi8>",
                        {tensorOf<int8_t>({2}, {1, 2})}),
            (std::vector<int8_t>{1, 2, -7, -7}));
}

TEST(Moves, SliceWithSteps) {
  EXPECT_EQ(run<float>("%x: tensor<3x5xf32>", "tensor<2x2xf32>",
                       "%y = qopt.slice %x [1, 1] steps [1, 3] : "
                       "(tensor<3x5xf32>) -> tensor<2x2xf32>",
                       {tensorOf<float>({3, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                                 10, 11, 12, 13, 14})}),
            (std::vector<float>{6, 9, 11, 14}));
  EXPECT_EQ(run<int16_t>("%x: tensor<4xi16>", "tensor<2xi16>",
                         "%y = qint.slice %x [1] steps [2] : (tensor<4xi16>) "
                         "-> tensor<2xi16>",
                         {tensorOf<int16_t>({4}, {1, 2, 3, -4})}),
            (std::vector<int16_t>{2, -4}));
}

TEST(Moves, GatherInTheMiddle) {
  Tensor x = tensorOf<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(run<float>("%x: tensor<2x2x2xf32>", "tensor<2x3x2xf32>",
                       "%y = qopt.gather %x axis 1 [1, 0, 1] : "
                       "(tensor<2x2x2xf32>) -> tensor<2x3x2xf32>",
                       {x}),
            (std::vector<float>{3, 4, 1, 2, 3, 4, 7, 8, 5, 6, 7, 8}));
  EXPECT_EQ(run<int8_t>("%x: tensor<3xi8>", "tensor<2xi8>",
                        "%y = qint.gather %x axis 0 [2, 0] : (tensor<3xi8>) -> "
                        "tensor<2xi8>",
                        {tensorOf<int8_t>({3}, {1, 2, 3})}),
            (std::vector<int8_t>{3, 1}));
}
