// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `LayerInputs` gathers, times the weights, is what the Reference
// evaluator says of the layer.

#include "../../../lib/Evaluation/RoundLayer.h"
#include "mlir/Parser/Parser.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Transforms/Constants.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using reference::Tensor;

namespace {

std::vector<float> makeValues(size_t size) {
  uint32_t random = 7;
  std::vector<float> values(size);
  for (float &value : values) {
    random = random * 1664525u + 1013904223u;
    value = static_cast<float>(random >> 8) * 0x1p-23f - 1;
  }
  return values;
}

/// `net` computes one layer whose weight and input are its arguments, output
/// channels at `axis` of its result.
void expectSameSums(const char *net, size_t axis) {
  MLIRContext context{MLIRContext::Threading::DISABLED};
  context.loadDialect<QoptDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(net, &context);
  ASSERT_TRUE(module);
  func::FuncOp function = *module->getOps<func::FuncOp>().begin();
  Operation &op = function.getBody().front().front();
  auto inputs = LayerInputs::get(op);
  ASSERT_TRUE(inputs);

  std::vector<Tensor> tensors;
  std::vector<std::vector<float>> values;
  for (Value argument : function.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    values.push_back(makeValues(type.getNumElements()));
    tensors.push_back(Tensor::from<float>(type.getShape(), values.back()));
  }
  auto results = llvm::cantFail(reference::evaluate(function, tensors));
  ArrayRef<float> expected = results[0].values<float>();

  auto shape = cast<RankedTensorType>(op.getResult(0).getType()).getShape();
  size_t inner = 1;
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
  ASSERT_EQ(inputs->positions * inputs->channels, expected.size());
  const size_t groupRows = inputs->channels / inputs->groups;
  for (size_t group = 0; group < inputs->groups; ++group) {
    std::vector<float> rows(inputs->positions * inputs->rowSize, 99);
    inputs->gather(values[0], group, inputs->positions, /*turn=*/0xffffffff,
                   rows);
    for (size_t position = 0; position < inputs->positions; ++position)
      for (size_t c = group * groupRows; c < (group + 1) * groupRows; ++c) {
        double sum = 0;
        for (size_t k = 0; k < inputs->rowSize; ++k)
          sum += static_cast<double>(rows[position * inputs->rowSize + k]) *
                 values[1][c * inputs->rowSize + k];
        const size_t index = position / inner * inputs->channels * inner +
                             c * inner + position % inner;
        ASSERT_NEAR(sum, expected[index], 1e-5) << position << " " << c;
      }
  }
}

} // namespace

TEST(RoundLayer, gathersWhatAConvolutionSums) {
  expectSameSums(R"(
func.func @net(%x: tensor<2x4x7x6xf32>, %w: tensor<6x2x3x2xf32>) -> tensor<2x6x4x4xf32> {
  %y = qopt.conv %x, %w {groups = 2 : i64, strides = array<i64: 2, 1>,
      pads = array<i64: 2, 0, 1, 1>, dilations = array<i64: 1, 3>}
    : (tensor<2x4x7x6xf32>, tensor<6x2x3x2xf32>) -> tensor<2x6x4x4xf32>
  return %y : tensor<2x6x4x4xf32>
})",
                 1);
}

TEST(RoundLayer, gathersWhatADepthwiseConvolutionSums) {
  expectSameSums(R"(
func.func @net(%x: tensor<1x3x5x5xf32>, %w: tensor<3x1x3x3xf32>) -> tensor<1x3x5x5xf32> {
  %y = qopt.conv %x, %w {groups = 3 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x3x5x5xf32>, tensor<3x1x3x3xf32>) -> tensor<1x3x5x5xf32>
  return %y : tensor<1x3x5x5xf32>
})",
                 1);
}

TEST(RoundLayer, gathersWhatALinearLayerSums) {
  expectSameSums(R"(
func.func @net(%x: tensor<2x3x5xf32>, %w: tensor<4x5xf32>) -> tensor<2x3x4xf32> {
  %y = qopt.gemm %x, %w : (tensor<2x3x5xf32>, tensor<4x5xf32>) -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
})",
                 2);
}

TEST(RoundLayer, spreadsPositions) {
  LayerInputs inputs;
  inputs.positions = 100;
  std::vector<float> sample(100), rows(10);
  for (size_t i = 0; i < 100; ++i)
    sample[i] = static_cast<float>(i);
  inputs.gather(sample, 0, 10, /*turn=*/0, rows);
  for (size_t i = 0; i < 10; ++i)
    EXPECT_EQ(rows[i], static_cast<float>(10 * i));
  inputs.gather(sample, 0, 10, /*turn=*/0x80000000, rows);
  for (size_t i = 0; i < 10; ++i)
    EXPECT_EQ(rows[i], static_cast<float>(10 * i + 5));
  EXPECT_EQ(countRows(inputs, 8, 64), 64u);
  EXPECT_EQ(countRows(inputs, 8, 6400), 800u);
}
