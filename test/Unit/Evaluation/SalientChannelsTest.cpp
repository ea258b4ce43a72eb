// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Channels scaled for the weights that meet large inputs, on a network whose
// largest channel is planted.

#include "qopt/Evaluation/SalientChannels.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Reference/Evaluate.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using observers::CalibrationState;
using reference::Tensor;

namespace {

/// Of x in [-1, 1), h0 is up to 4, h1 and h2 are up to 0.3.
const char *const net = R"(
func.func @net(%x: tensor<1x4xf32> {qopt.name = "x"}) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.0, -1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0]]> : tensor<3x4xf32>
  %b = qopt.constant dense<[0.0, -0.7, -0.7]> : tensor<3xf32>
  %h = qopt.gemm %x, %w, %b {activation = #qopt.fn<relu>}
    : (tensor<1x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %v = qopt.constant dense<[[0.33, 1.0, 0.2], [-0.21, 0.3, 1.0]]> : tensor<2x3xf32>
  %y = qopt.gemm %h, %v : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
)";

class SalientChannelsTest : public ::testing::Test {
protected:
  SalientChannelsTest() {
    context.loadDialect<QoptDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(net, &context);
    function = *module->getOps<func::FuncOp>().begin();
    options.weights.bits = 4;
  }

  CalibrationState makeState(int count) {
    auto state = llvm::cantFail(CalibrationState::create({}, {{"x", 4}}, {}));
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int id = 0; id < count; ++id) {
      std::vector<float> sample;
      for (int i = 0; i < 4; ++i)
        sample.push_back(uniform(random));
      llvm::cantFail(state.addSample(id, {ArrayRef<float>(sample)}));
    }
    return state;
  }

  SalientChannels scale(const CalibrationState &state) {
    return llvm::cantFail(scaleSalientChannels(function, state, options));
  }
  /// What the layer before the last was divided by.
  ArrayRef<float> getFactors() {
    ArrayRef<float> factors;
    function.walk([&](Operation *op) {
      if (auto attr = op->getAttrOfType<DenseF32ArrayAttr>(salientScaleAttr))
        factors = attr.asArrayRef();
    });
    return factors;
  }
  std::vector<float> evaluate(ArrayRef<float> sample) {
    return llvm::cantFail(reference::evaluate(
        function, {Tensor::from<float>({1, 4}, sample)}))[0]
        .values<float>()
        .vec();
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  SalientChannelOptions options;
};

TEST_F(SalientChannelsTest, scalesTheLargeChannelAndComputesTheSame) {
  const std::vector<float> sample = {0.9f, -0.4f, 0.8f, 0.3f};
  const std::vector<float> before = evaluate(sample);
  SalientChannels scaled = scale(makeState(64));
  EXPECT_EQ(scaled.groups, 1);
  EXPECT_EQ(scaled.layers, 1);
  ASSERT_EQ(getFactors().size(), 3u);
  EXPECT_GT(getFactors()[0], 1.2f * getFactors()[1]);
  EXPECT_GT(getFactors()[0], 1.2f * getFactors()[2]);
  const std::vector<float> after = evaluate(sample);
  for (auto [a, b] : llvm::zip_equal(before, after))
    EXPECT_NEAR(a, b, 1e-6);
}

TEST_F(SalientChannelsTest, leavesWeightsOf8BitsAlone) {
  options.weights.bits = 8;
  EXPECT_EQ(scale(makeState(64)).groups, 0);
  EXPECT_TRUE(getFactors().empty());
}

TEST_F(SalientChannelsTest, leavesAllAloneWithoutSamples) {
  EXPECT_EQ(scale(makeState(0)).groups, 0);
}

} // namespace
