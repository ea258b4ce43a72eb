// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bias correction and weight rounding on layers whose rounding errors are
// planted: by hand for one layer, by the Reference evaluator for several.

#include "qopt/Evaluation/RefineLayers.h"
#include "../Calibration/DataFiles.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Evaluation/Metrics.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using namespace qopt_test;
using observers::CalibrationState;
using reference::Tensor;

namespace {

/// A state whose reservoir has `samples` in their order, each the values of the
/// only input.
CalibrationState makeState(const std::vector<std::vector<float>> &samples) {
  auto create = [&] {
    return llvm::cantFail(
        CalibrationState::create({}, {{"x", samples[0].size()}}, {}));
  };
  // The reservoir orders ids by hash: see where each one goes.
  CalibrationState order = create();
  for (size_t id = 0; id < samples.size(); ++id)
    llvm::cantFail(order.addSample(id, {ArrayRef<float>(samples[0])}));
  CalibrationState state = create();
  for (auto [sample, kept] : llvm::zip_equal(samples, order.getReservoir()))
    llvm::cantFail(state.addSample(kept.id, {ArrayRef<float>(sample)}));
  return state;
}

/// y = 1.27 x0 + 0.1249 x1. A scale of 0.01 makes 0.12 of 0.1249; the input is
/// exact.
const char *const oneLayer = R"(
func.func @net(%x: tensor<1x2xf32> {qopt.name = "x"}) -> tensor<1x1xf32> {
  %w = qopt.constant dense<[[1.27, 0.1249]]> : tensor<1x2xf32>
  %x0 = qopt.observe %x "x" {scale = 1.0 : f32, zero_point = 0 : i64}
    : tensor<1x2xf32> -> tensor<1x2xf32>
  %y0 = qopt.gemm %x0, %w : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.0001 : f32, zero_point = 0 : i64}
    : tensor<1x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
)";
constexpr double planted = 0.1249 - 0.12;

/// The second row has a scale of 0.001 of its own, or 0.01 with the first one.
const char *const twoRows = R"(
func.func @net(%x: tensor<1x2xf32> {qopt.name = "x"}) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.27, 0.0], [0.127, 0.0124]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %x0 = qopt.observe %x "x" {scale = 1.0 : f32, zero_point = 0 : i64}
    : tensor<1x2xf32> -> tensor<1x2xf32>
  %y0 = qopt.gemm %x0, %w, %b
    : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.0001 : f32, zero_point = 0 : i64}
    : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
)";

/// A convolution with a clamp, a branch, a sum and a layer behind them; nearly
/// all weights lie 0.0049 above a multiple of 0.01.
const char *const deepNet = R"(
func.func @net(%x: tensor<1x2x2x2xf32> {qopt.name = "x"}) -> tensor<1x3xf32> {
  %w = qopt.constant dense<[[[[1.27]], [[0.1249]]], [[[0.2349]], [[-1.27]]],
    [[[0.3449]], [[1.27]]]]> : tensor<3x2x1x1xf32>
  %b = qopt.constant dense<[0.1, 0.6, -0.1]> : tensor<3xf32>
  %v = qopt.constant dense<[[1.27, 0.1049, 0.2249], [-0.3251, 1.27, 0.0349],
    [0.4449, 0.7749, -1.27]]> : tensor<3x3xf32>
  %x0 = qopt.observe %x "x" {scale = 0.01 : f32, zero_point = -128 : i64}
    : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %c0 = qopt.conv %x0, %w, %b {activation = #qopt.fn<relu>}
    : (tensor<1x2x2x2xf32>, tensor<3x2x1x1xf32>, tensor<3xf32>) -> tensor<1x3x2x2xf32>
  %c = qopt.observe %c0 "c" {scale = 0.02 : f32, zero_point = -128 : i64}
    : tensor<1x3x2x2xf32> -> tensor<1x3x2x2xf32>
  %m0 = qopt.max_pool %c {kernel = array<i64: 2, 2>}
    : (tensor<1x3x2x2xf32>) -> tensor<1x3x1x1xf32>
  %a0 = qopt.avg_pool %c {kernel = array<i64: 2, 2>}
    : (tensor<1x3x2x2xf32>) -> tensor<1x3x1x1xf32>
  %a = qopt.observe %a0 "a" {scale = 0.02 : f32, zero_point = -128 : i64}
    : tensor<1x3x1x1xf32> -> tensor<1x3x1x1xf32>
  %s0 = qopt.add %m0, %a
    : (tensor<1x3x1x1xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x1x1xf32>
  %s = qopt.observe %s0 "s" {scale = 0.04 : f32, zero_point = -128 : i64}
    : tensor<1x3x1x1xf32> -> tensor<1x3x1x1xf32>
  %r = qopt.reshape %s : (tensor<1x3x1x1xf32>) -> tensor<1x3xf32>
  %y0 = qopt.gemm %r, %v
    : (tensor<1x3xf32>, tensor<3x3xf32>) -> tensor<1x3xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.0005 : f32, zero_point = 0 : i64}
    : tensor<1x3xf32> -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
)";

/// y = 1.27 x0 + 0.1249 x1 + 0.1249 x2: at a scale of 0.01 both are rounded
/// down, though 0.13 and 0.12 are nearer where x1 = x2.
const char *const threeInputs = R"(
func.func @net(%x: tensor<1x3xf32> {qopt.name = "x"}) -> tensor<1x1xf32> {
  %w = qopt.constant dense<[[1.27, 0.1249, 0.1249]]> : tensor<1x3xf32>
  %x0 = qopt.observe %x "x" {scale = 1.0 : f32, zero_point = 0 : i64}
    : tensor<1x3xf32> -> tensor<1x3xf32>
  %y0 = qopt.gemm %x0, %w : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x1xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.0005 : f32, zero_point = 0 : i64}
    : tensor<1x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
)";

/// Two tables that differ in their function alone, then a layer.
const char *const twoTables = R"(
func.func @net(%x: tensor<1x2xf32> {qopt.name = "x"}) -> tensor<1x1xf32> {
  %w = qopt.constant dense<[[1.27, 0.1249]]> : tensor<1x2xf32>
  %x0 = qopt.observe %x "x" {scale = 0.01 : f32, zero_point = -128 : i64}
    : tensor<1x2xf32> -> tensor<1x2xf32>
  %t0 = qopt.unary %x0 [#qopt.fn<tanh>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %t = qopt.observe %t0 "t" {scale = 0.0078125 : f32, zero_point = 0 : i64}
    : tensor<1x2xf32> -> tensor<1x2xf32>
  %u0 = qopt.unary %t [#qopt.fn<sigmoid>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %u = qopt.observe %u0 "u" {scale = 0.00390625 : f32, zero_point = -128 : i64}
    : tensor<1x2xf32> -> tensor<1x2xf32>
  %y0 = qopt.gemm %u, %w : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.0001 : f32, zero_point = 0 : i64}
    : tensor<1x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
)";

/// 32 samples in [0, 2).
std::vector<std::vector<float>> makeSamples(size_t elements) {
  uint32_t random = 1;
  std::vector<std::vector<float>> samples(32, std::vector<float>(elements));
  for (std::vector<float> &sample : samples)
    for (float &value : sample) {
      random = random * 1664525u + 1013904223u;
      value = static_cast<float>(random >> 8) * 0x1p-23f;
    }
  return samples;
}

/// Bias correction alone.
llvm::Expected<Refinement> correctBias(func::FuncOp function,
                                       const CalibrationState &state,
                                       RefineOptions options = {}) {
  options.roundWeights = false;
  auto result = refineLayers(function, state, options);
  if (!result)
    return result.takeError();
  EXPECT_FALSE(result->rounding);
  return *result->bias;
}

/// Weight rounding alone.
llvm::Expected<Refinement> roundWeights(func::FuncOp function,
                                        const CalibrationState &state,
                                        RefineOptions options = {}) {
  options.correctBias = false;
  auto result = refineLayers(function, state, options);
  if (!result)
    return result.takeError();
  EXPECT_FALSE(result->bias);
  return *result->rounding;
}

class RefineLayersTest : public testing::Test {
protected:
  RefineLayersTest() {
    context.loadDialect<QoptDialect, func::FuncDialect, quant::QuantDialect>();
    unclipped.weights.clip = false;
  }

  func::FuncOp parse(const char *text) {
    modules.push_back(parseSourceString<ModuleOp>(text, &context));
    return *modules.back()->getOps<func::FuncOp>().begin();
  }

  static std::string print(func::FuncOp function) {
    std::string text;
    llvm::raw_string_ostream(text) << function;
    return text;
  }

  /// The bias of the last layer.
  static SmallVector<float> getBias(func::FuncOp function) {
    GemmOp last;
    function.walk([&](GemmOp op) { last = op; });
    return last.getBias() ? *getConstantF32(last.getBias())
                          : SmallVector<float>();
  }

  /// The weight's integers of the last layer; nothing where they are open.
  static std::vector<int32_t> getIntegers(func::FuncOp function) {
    GemmOp last;
    function.walk([&](GemmOp op) { last = op; });
    auto decided = last.getWeight().getDefiningOp<DequantizeOp>();
    if (!decided)
      return {};
    auto integers = *getQuantizedConstant(decided.getInput());
    return {integers.begin(), integers.end()};
  }

  /// The outputs of all samples: of the float function, or of its quantized
  /// form.
  std::vector<std::vector<float>>
  evaluate(func::FuncOp function, bool quantized,
           const std::vector<std::vector<float>> &samples) {
    OwningOpRef<ModuleOp> module(
        cast<ModuleOp>(function->getParentOp()).clone());
    PassManager manager(&context);
    if (quantized)
      manager.addNestedPass<func::FuncOp>(createQuantize());
    EXPECT_TRUE(succeeded(manager.run(*module)));
    func::FuncOp copy = *module->getOps<func::FuncOp>().begin();
    auto shape = cast<RankedTensorType>(copy.getArgument(0).getType());
    std::vector<std::vector<float>> outputs;
    for (const std::vector<float> &sample : samples) {
      auto result = llvm::cantFail(reference::evaluate(
          copy, {Tensor::from<float>(shape.getShape(), sample)}));
      outputs.push_back(result[0].values<float>().vec());
    }
    return outputs;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<OwningOpRef<ModuleOp>> modules;
  RefineOptions unclipped;
};

/// Largest mean error of a channel, and SQNR.
struct Quality {
  Quality(const std::vector<std::vector<float>> &real,
          const std::vector<std::vector<float>> &quantized) {
    std::vector<double> means(real[0].size());
    ErrorSum sum;
    for (size_t i = 0; i < real.size(); ++i) {
      sum.add(real[i], quantized[i]);
      for (size_t c = 0; c < means.size(); ++c)
        means[c] += (static_cast<double>(real[i][c]) - quantized[i][c]) /
                    static_cast<double>(real.size());
    }
    for (double mean : means)
      bias = std::max(bias, std::fabs(mean));
    sqnrDb = sum.sqnrDb();
  }
  double bias = 0;
  double sqnrDb = 0;
};

} // namespace

TEST_F(RefineLayersTest, FiguresEqualThoseWorkedOutByHand) {
  func::FuncOp function = parse(oneLayer);
  auto result = llvm::cantFail(correctBias(
      function, makeState({{1, 8}, {1, 12}, {2, 12}, {1, 8}}), unclipped));
  EXPECT_TRUE(result.kept);
  EXPECT_EQ(result.layers, 1);
  // The mean of x1 is 10 over all samples, and over those that estimate.
  ASSERT_EQ(getBias(function).size(), 1u);
  EXPECT_NEAR(getBias(function)[0], planted * 10, 1e-6);
  double signal =
      std::pow(1.27 + 0.1249 * 12, 2) + std::pow(1.27 + 0.1249 * 8, 2);
  EXPECT_NEAR(result.beforeDb,
              10 * std::log10(signal / (planted * planted * (144 + 64))), 0.1);
  EXPECT_NEAR(result.afterDb,
              10 * std::log10(signal / (planted * planted * (4 + 4))), 0.1);
}

TEST_F(RefineLayersTest, KeepsTheMeansOfAllSamples) {
  func::FuncOp function = parse(oneLayer);
  auto result = llvm::cantFail(correctBias(
      function, makeState({{1, 8}, {1, 12}, {2, 8}, {1, 16}}), unclipped));
  EXPECT_TRUE(result.kept);
  EXPECT_NEAR(getBias(function)[0], planted * 11, 1e-6);
}

TEST_F(RefineLayersTest, RefusesWhatDoesNotHelp) {
  func::FuncOp function = parse(oneLayer);
  std::string before = print(function);
  // What the even half gains, the odd half loses.
  auto result = llvm::cantFail(correctBias(
      function, makeState({{1, 10}, {1, -10}, {2, 10}, {1, -9}}), unclipped));
  EXPECT_FALSE(result.kept);
  EXPECT_EQ(result.layers, 0);
  EXPECT_LT(result.afterDb, result.beforeDb - 5);
  EXPECT_EQ(print(function), before);
}

TEST_F(RefineLayersTest, NeedsFourSamples) {
  func::FuncOp function = parse(oneLayer);
  std::string before = print(function);
  CalibrationState state = makeState({{1, 10}, {1, 10}, {2, 10}});
  EXPECT_FALSE(llvm::cantFail(correctBias(function, state, unclipped)).kept);
  unclipped.maxBytes = unclipped.mostBytes = 64;
  state = makeState({{1, 10}, {1, 10}, {2, 10}, {1, 10}});
  EXPECT_FALSE(llvm::cantFail(correctBias(function, state, unclipped)).kept);
  EXPECT_EQ(print(function), before);
}

TEST_F(RefineLayersTest, TakesMoreMemoryForTheFirstSamples) {
  func::FuncOp function = parse(oneLayer);
  CalibrationState state = makeState({{1, 10}, {1, 10}, {2, 10}, {1, 10}});
  unclipped.maxBytes = 64;
  EXPECT_TRUE(llvm::cantFail(correctBias(function, state, unclipped)).kept);
}

TEST_F(RefineLayersTest, UsesTheFirstSamplesOnly) {
  func::FuncOp function = parse(oneLayer);
  unclipped.maxSamples = 4;
  llvm::cantFail(correctBias(
      function, makeState({{1, 9}, {1, 9}, {2, 9}, {1, 9}, {1, 90}, {1, 90}}),
      unclipped));
  EXPECT_NEAR(getBias(function)[0], planted * 9, 1e-6);
}

TEST_F(RefineLayersTest, RoundsWeightsAsTheyWillBe) {
  CalibrationState state = makeState({{0, 10}, {0, 20}, {0, 20}, {0, 10}});
  func::FuncOp function = parse(twoRows);
  llvm::cantFail(correctBias(function, state, unclipped));
  EXPECT_NEAR(getBias(function)[0], 0.5, 1e-6);
  EXPECT_NEAR(getBias(function)[1], 0.25 + 15 * 0.0004, 1e-5);
  function = parse(twoRows);
  unclipped.weights.perChannel = false;
  llvm::cantFail(correctBias(function, state, unclipped));
  EXPECT_NEAR(getBias(function)[1], 0.25 + 15 * 0.0024, 1e-5);
}

TEST_F(RefineLayersTest, TakesTheMeanErrorsOfADeepNetAway) {
  std::vector<std::vector<float>> samples = makeSamples(8);
  func::FuncOp function = parse(deepNet);
  auto real = evaluate(function, false, samples);
  Quality before(real, evaluate(function, true, samples));
  auto result = llvm::cantFail(correctBias(function, makeState(samples)));
  EXPECT_TRUE(result.kept);
  EXPECT_EQ(result.layers, 2);
  EXPECT_GT(result.afterDb, result.beforeDb);
  Quality after(real, evaluate(function, true, samples));
  EXPECT_GT(before.bias, 0.01);
  EXPECT_LT(after.bias, 0.0005); // A step of the output.
  EXPECT_GT(after.sqnrDb, before.sqnrDb + 2);
}

TEST_F(RefineLayersTest, KeepsValuesThatAreReadBehindTheirObserver) {
  std::string net = oneLayer;
  auto replace = [&](StringRef from, StringRef to) {
    net.replace(net.find(from.str()), from.size(), to.str());
  };
  replace("-> tensor<1x1xf32> {", "-> (tensor<1x1xf32>, tensor<1x1xf32>) {");
  replace("return %y : tensor<1x1xf32>",
          "return %y, %y0 : tensor<1x1xf32>, tensor<1x1xf32>");
  func::FuncOp function = parse(net.c_str());
  auto result = llvm::cantFail(correctBias(
      function, makeState({{1, 8}, {1, 12}, {2, 12}, {1, 8}}), unclipped));
  EXPECT_TRUE(result.kept);
  EXPECT_NEAR(getBias(function)[0], planted * 10, 1e-6);
}

TEST_F(RefineLayersTest, TellsOpsApartByTheirAttributes) {
  std::vector<std::vector<float>> samples = makeSamples(2);
  func::FuncOp function = parse(twoTables);
  auto real = evaluate(function, false, samples);
  Quality before(real, evaluate(function, true, samples));
  EXPECT_TRUE(llvm::cantFail(correctBias(function, makeState(samples))).kept);
  Quality after(real, evaluate(function, true, samples));
  EXPECT_GT(before.bias, 0.002);
  EXPECT_LT(after.bias, 0.0001); // A step of the output.
}

TEST_F(RefineLayersTest, GivesTheSameBytesTwice) {
  CalibrationState state = makeState(makeSamples(8));
  func::FuncOp first = parse(deepNet), second = parse(deepNet);
  auto one = llvm::cantFail(correctBias(first, state));
  auto two = llvm::cantFail(correctBias(second, state));
  EXPECT_EQ(print(first), print(second));
  EXPECT_EQ(one.beforeDb, two.beforeDb);
  EXPECT_EQ(one.afterDb, two.afterDb);
}

TEST_F(RefineLayersTest, RefusesSamplesOfAnotherShape) {
  std::string message = text(
      correctBias(parse(oneLayer), makeState({{1}, {1}, {1}, {1}}), unclipped));
  EXPECT_TRUE(refuses(message, "Q0412", {"do not fit"})) << message;
}

TEST_F(RefineLayersTest, RoundsWeightsByTheirOutput) {
  func::FuncOp function = parse(threeInputs);
  auto result = llvm::cantFail(roundWeights(
      function, makeState({{1, 8, 8}, {1, 12, 12}, {2, 9, 9}, {1, -7, -7}}),
      unclipped));
  EXPECT_TRUE(result.kept);
  EXPECT_EQ(result.layers, 1);
  EXPECT_EQ(result.skipped, 0);
  // Errors of 0.0098 x1 become 0.0002 x1.
  EXPECT_NEAR(result.afterDb - result.beforeDb, 20 * std::log10(49), 2);
  std::vector<int32_t> integers = getIntegers(function);
  ASSERT_EQ(integers.size(), 3u);
  EXPECT_EQ(integers[0], 127);
  EXPECT_EQ(integers[1] + integers[2], 25);
  EXPECT_TRUE(getBias(function).empty());
}

TEST_F(RefineLayersTest, KeepsRoundingsThatDoNotHelp) {
  func::FuncOp function = parse(threeInputs);
  std::string before = print(function);
  // The inputs of those that judge have nothing in common.
  auto result = llvm::cantFail(roundWeights(
      function, makeState({{1, 8, 8}, {1, 12, -12}, {2, 9, 9}, {1, 7, -7}}),
      unclipped));
  EXPECT_FALSE(result.kept);
  EXPECT_EQ(result.layers, 0);
  EXPECT_LT(result.afterDb, result.beforeDb - 5);
  EXPECT_EQ(print(function), before);
}

TEST_F(RefineLayersTest, LeavesMeansToTheBias) {
  // With x1 + x2 all but constant and weights of 0.1249 and 0.1251, 0.12 and
  // 0.13 keep the mean; 0.12 twice, or 0.13, keeps the differences.
  CalibrationState state = makeState(
      {{1, 12, 4}, {1, 5, 11}, {2, 3, 13}, {1, 10, 6}, {2, 6, 10}, {1, 4, 12}});
  std::string net = threeInputs;
  net.replace(net.rfind("0.1249]]"), 6, "0.1251");
  func::FuncOp function = parse(net.c_str());
  auto result = llvm::cantFail(refineLayers(function, state, unclipped));
  EXPECT_TRUE(result.rounding->kept);
  EXPECT_TRUE(result.bias->kept);
  std::vector<int32_t> integers = getIntegers(function);
  ASSERT_EQ(integers.size(), 3u);
  EXPECT_EQ(integers[1], integers[2]);
  ASSERT_EQ(getBias(function).size(), 1u);
  EXPECT_NEAR(std::fabs(getBias(function)[0]), 0.005 * 16, 0.002);
}

TEST_F(RefineLayersTest, RoundsAndCorrectsADeepNet) {
  std::vector<std::vector<float>> samples = makeSamples(8);
  func::FuncOp function = parse(deepNet);
  auto real = evaluate(function, false, samples);
  Quality before(real, evaluate(function, true, samples));
  auto result = llvm::cantFail(refineLayers(function, makeState(samples)));
  ASSERT_TRUE(result.rounding->kept);
  EXPECT_EQ(result.rounding->layers, 2);
  EXPECT_EQ(result.bias->layers, 2);
  EXPECT_GT(result.rounding->afterDb, result.rounding->beforeDb);
  EXPECT_GE(result.rounding->beforeDb, result.bias->afterDb);
  EXPECT_EQ(getIntegers(function).size(), 9u);
  Quality after(real, evaluate(function, true, samples));
  EXPECT_LT(after.bias, 0.0005); // A step of the output.
  EXPECT_GT(after.sqnrDb, before.sqnrDb + 2);
}

TEST_F(RefineLayersTest, LeavesLargeLayersAlone) {
  CalibrationState state =
      makeState({{1, 8, 8}, {1, 12, 12}, {2, 9, 9}, {1, -7, -7}});
  for (bool byWork : {false, true}) {
    func::FuncOp function = parse(threeInputs);
    RefineOptions options = unclipped;
    (byWork ? options.maxWork : options.maxRowWeights) = 2;
    auto result = llvm::cantFail(roundWeights(function, state, options));
    EXPECT_EQ(result.layers, 0);
    EXPECT_EQ(result.skipped, 1);
    EXPECT_FALSE(result.kept);
    EXPECT_TRUE(getIntegers(function).empty());
  }
}

TEST_F(RefineLayersTest, RoundingGivesTheSameBytesTwice) {
  CalibrationState state = makeState(makeSamples(8));
  func::FuncOp first = parse(deepNet), second = parse(deepNet);
  llvm::cantFail(refineLayers(first, state));
  llvm::cantFail(refineLayers(second, state));
  EXPECT_EQ(print(first), print(second));
  EXPECT_NE(print(first), print(parse(deepNet)));
}
