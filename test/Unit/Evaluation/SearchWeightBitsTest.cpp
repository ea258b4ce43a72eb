// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for layers that keep few bits, on a net whose noise is planted.

#include "qopt/Evaluation/SearchWeightBits.h"
#include "mlir/Parser/Parser.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using observers::CalibrationState;

namespace {

/// `exact` has weights of 4 bits, `rough` none that are; of what it adds,
/// `fine` makes a thousandth.
const char *const threeLayers = R"(
func.func @net(%x: tensor<1x4xf32> {qopt.name = "x"}) -> tensor<1x4xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.01 : f32, zero_point = 0 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %we = qopt.constant dense<[[0.7, 0.1, 0.2, 0.0], [0.0, 0.7, 0.1, -0.4],
    [0.0, 0.3, 0.7, 0.1], [0.1, 0.5, 0.0, 0.7]]> : tensor<4x4xf32>
  %exact = qopt.gemm %x0, %we {qopt.value = "exact"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %wr = qopt.constant dense<[[0.7, 0.143, 0.256, 0.061], [0.031, 0.7, 0.157, -0.443],
    [0.069, 0.333, 0.7, 0.152], [0.145, 0.534, 0.046, 0.7]]> : tensor<4x4xf32>
  %rough = qopt.gemm %x0, %wr {qopt.value = "rough"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %wf = qopt.constant dense<[[0.0007, 0.000143, 0.000256, 0.000061], [0.000031, 0.0007, 0.000157, -0.000443],
    [0.000069, 0.000333, 0.0007, 0.000152], [0.000145, 0.000534, 0.000046, 0.0007]]> : tensor<4x4xf32>
  %fine = qopt.gemm %x0, %wf {qopt.value = "fine"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %a = qopt.add %exact, %rough : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = qopt.add %a, %fine : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
)";

class SearchWeightBitsTest : public testing::Test {
protected:
  SearchWeightBitsTest() {
    context.loadDialect<QoptDialect, func::FuncDialect, quant::QuantDialect>();
    module = parseSourceString<ModuleOp>(threeLayers, &context);
    function = *module->getOps<func::FuncOp>().begin();
    options.weights.bits = 4;
    options.roundWeights = options.correctBias = false;
  }

  /// Of `samples` inputs within 1.
  static CalibrationState makeState(size_t samples) {
    CalibrationState state =
        llvm::cantFail(CalibrationState::create({}, {{"x", 4}}, {}));
    for (size_t sample = 0; sample < samples; ++sample) {
      std::vector<float> input;
      for (int i = 0; i < 4; ++i)
        input.push_back(std::sin(static_cast<float>(7 * sample + 3 * i)));
      llvm::cantFail(state.addSample(sample, {ArrayRef<float>(input)}));
    }
    return state;
  }

  WeightBitSearch search(double targetDb, size_t samples = 16) {
    options.targetDb = targetDb;
    return llvm::cantFail(
        searchWeightBits(function, makeState(samples), options));
  }

  /// The layers that got 8 bits.
  std::vector<std::string> getWide() {
    std::vector<std::string> names;
    function.walk([&](GemmOp op) {
      if (op->hasAttr(weightBitsAttr))
        names.push_back(op->getAttrOfType<StringAttr>("qopt.value").str());
    });
    return names;
  }

  using Names = std::vector<std::string>;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  WeightBitSearchOptions options;
};

TEST_F(SearchWeightBitsTest, givesBackWhatHarmsMost) {
  WeightBitSearch found = search(40);
  EXPECT_EQ(found.candidates, 3);
  EXPECT_EQ(found.kept, 2);
  EXPECT_EQ(found.keptWeights, 32);
  EXPECT_EQ(getWide(), Names{"rough"});
  EXPECT_LT(found.beforeDb, 40);
  EXPECT_GT(found.afterDb, 43);
}

TEST_F(SearchWeightBitsTest, keepsAllThatIsEnough) {
  EXPECT_EQ(search(10).kept, 3);
  EXPECT_EQ(getWide(), Names());
}

TEST_F(SearchWeightBitsTest, keepsWhatIsExact) {
  EXPECT_EQ(search(200).kept, 1);
  EXPECT_EQ(getWide(), (Names{"rough", "fine"}));
}

TEST_F(SearchWeightBitsTest, leavesDecidedLayersAlone) {
  function.walk([&](GemmOp op) {
    op->setAttr(weightBitsAttr, Builder(&context).getI64IntegerAttr(4));
  });
  EXPECT_EQ(search(200).candidates, 0);
}

TEST_F(SearchWeightBitsTest, takesNoRiskWithoutSamples) {
  EXPECT_EQ(search(10, /*samples=*/0).kept, 0);
  EXPECT_EQ(getWide().size(), 3u);
}

/// Rounding by outputs leaves less noise than nearest rounding.
TEST_F(SearchWeightBitsTest, measuresRefinedWeights) {
  const double nearest = search(10).beforeDb;
  options.roundWeights = options.correctBias = true;
  EXPECT_GT(search(10).beforeDb, nearest + 3);
}

} // namespace
