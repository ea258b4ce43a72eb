// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The quantized level in float arithmetic: results lie on their types' grids.

#include "RunText.h"

using namespace qopt_test;

TEST(Quantized, QuantizeRoundsHalfToEvenAndSaturates) {
  std::string q = "tensor<6x!quant.uniform<i8:f32, 0.5:-3>>";
  auto y =
      runText(functionText("%x: tensor<6xf32>", q,
                           "%y = qopt.quantize %x : tensor<6xf32> -> " + q),
              {tensorOf<float>({6}, {0.25, 0.75, 0.3, -0.8, 1e9, -1e9})});
  // Steps: 0.5 -> 0, 1.5 -> 2, 0.6 -> 1, -1.6 -> -2, then the ends 130, -125.
  EXPECT_EQ(valuesOf<float>(y[0]),
            (std::vector<float>{0, 1, 0.5, -1, 65, -62.5}));
}

TEST(Quantized, ConstantsAreDequantizedPerChannel) {
  auto y = runText(
      "!w = !quant.uniform<i8<-127:127>:f32:0, {0.5, 2.0}>\n"
      "func.func @main() -> tensor<2x2xf32> {\n"
      "  %c = qopt.constant dense<[[1, -2], [3, 4]]> : tensor<2x2xi8> as "
      "tensor<2x2x!w>\n"
      "  %y = qopt.dequantize %c : tensor<2x2x!w> -> tensor<2x2xf32>\n"
      "  return %y : tensor<2x2xf32>\n}\n",
      {});
  EXPECT_EQ(valuesOf<float>(y[0]), (std::vector<float>{0.5, -1, 6, 8}));
}

TEST(Quantized, TheAxisNeedNotBeTheFirst) {
  auto y = runText(
      "!w = !quant.uniform<i8:f32:1, {0.5:1, 2.0}>\n"
      "func.func @main() -> tensor<2x2xf32> {\n"
      "  %c = qopt.constant dense<[[1, -2], [3, 4]]> : tensor<2x2xi8> as "
      "tensor<2x2x!w>\n"
      "  %y = qopt.dequantize %c : tensor<2x2x!w> -> tensor<2x2xf32>\n"
      "  return %y : tensor<2x2xf32>\n}\n",
      {});
  EXPECT_EQ(valuesOf<float>(y[0]), (std::vector<float>{0, -4, 1, 8}));
}

TEST(Quantized, GemmResultMovesToItsGrid) {
  auto y = runText(
      "!x = !quant.uniform<i8:f32, 0.5>\n"
      "!w = !quant.uniform<i8<-127:127>:f32:0, {0.25}>\n"
      "!b = !quant.uniform<i32:f32:0, {0.125}>\n"
      "!y = !quant.uniform<i8:f32, 0.5:1>\n"
      "func.func @main(%x: tensor<1x2x!x>) -> tensor<1x1x!y> {\n"
      "  %w = qopt.constant dense<[[1, 2]]> : tensor<1x2xi8> as "
      "tensor<1x2x!w>\n"
      "  %b = qopt.constant dense<[3]> : tensor<1xi32> as tensor<1x!b>\n"
      "  %y = qopt.gemm %x, %w, %b : (tensor<1x2x!x>, tensor<1x2x!w>, "
      "tensor<1x!b>) -> tensor<1x1x!y>\n"
      "  return %y : tensor<1x1x!y>\n}\n",
      {tensorOf<float>({1, 2}, {1.0, 1.5})});
  // 0.25 + 0.75 + 0.375 = 1.375 is 2.75 steps: 1.5.
  EXPECT_EQ(valuesOf<float>(y[0]), (std::vector<float>{1.5}));
}

TEST(Quantized, IntegersOfAnArgumentAreDequantized) {
  std::string q = "tensor<2x!quant.uniform<i8:f32, 0.5:-3>>";
  std::string r = "tensor<2x!quant.uniform<i16:f32, 2.0>>";
  auto y = runText(functionText("%x: " + q, r,
                                "%y = qopt.requantize %x : " + q + " -> " + r),
                   {tensorOf<int8_t>({2}, {-2, 6})});
  // 0.5 is a quarter step, 4.5 two and a quarter.
  EXPECT_EQ(valuesOf<float>(y[0]), (std::vector<float>{0, 4}));
}

TEST(Quantized, QuantizeInvertsDequantize) {
  MLIRContext context{MLIRContext::Threading::DISABLED};
  context.loadDialect<mlir::qopt::QoptDialect>();
  for (double scale : {0.0123f, 1.0f / 3, 7e-5f}) {
    auto element = quant::UniformQuantizedType::get(
        quant::QuantizationFlags::Signed, IntegerType::get(&context, 16),
        Float32Type::get(&context), scale, -11, -32768, 32767);
    auto type = RankedTensorType::get({65536}, element);
    Tensor integers({65536}, mlir::qopt::reference::ElementKind::I16);
    for (int64_t i = 0; i < 65536; ++i)
      integers.setInteger(i, i - 32768);
    EXPECT_EQ(mlir::qopt::reference::quantize(
                  mlir::qopt::reference::dequantize(integers, type), type),
              integers);
  }
}
