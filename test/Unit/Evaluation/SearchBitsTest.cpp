// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for values of more bits on nets whose noise is planted: scales
// that are coarse where they harm most, and least.

#include "qopt/Evaluation/SearchBits.h"
#include "../../../lib/Evaluation/BitCosts.h"
#include "../../../lib/Evaluation/Simulation.h"
#include "mlir/Parser/Parser.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using observers::CalibrationState;

namespace {

/// A coarse value `a` of large weight and a fine one `b` of small weight, both
/// behind the same kind of function; `c` leaves through a product that is not
/// widened.
const char *const twoBranches = R"(
func.func @net(%x: tensor<1x4xf32> {qopt.name = "x"}) -> tensor<1x4xf32> {
  %x0 = qopt.observe %x "x" {qopt.given_bits, scale = 0.007874016 : f32,
      zero_point = 0 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %w = qopt.constant dense<[[1.27, 0.1, 0.0, 0.0], [0.0, 1.27, 0.1, 0.0],
    [0.0, 0.0, 1.27, 0.1], [0.1, 0.0, 0.0, 1.27]]> : tensor<4x4xf32>
  %a0 = qopt.gemm %x0, %w : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %a = qopt.observe %a0 "a" {scale = 0.0625 : f32, zero_point = 3 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %b0 = qopt.gemm %x0, %w : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %b = qopt.observe %b0 "b" {scale = 0.0157 : f32, zero_point = 0 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %s0 = qopt.unary %a [#qopt.fn<tanh>] : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %s = qopt.observe %s0 "s" {bits = 16 : i64, symmetric = true,
      scale = 0.00003 : f32, zero_point = 0 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %t0 = qopt.unary %b [#qopt.fn<tanh>] : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %t = qopt.observe %t0 "t" {bits = 16 : i64, symmetric = true,
      scale = 0.00003 : f32, zero_point = 0 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %y0 = qopt.add %s, %t : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.0001 : f32, zero_point = 0 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
)";

class SearchBitsTest : public testing::Test {
protected:
  SearchBitsTest() {
    context.loadDialect<QoptDialect, func::FuncDialect, quant::QuantDialect>();
    parse(twoBranches);
    options.maxSlowdown = 100;
  }

  void parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    function = *module->getOps<func::FuncOp>().begin();
  }

  ObserveOp observer(StringRef id) {
    ObserveOp found;
    function.walk([&](ObserveOp op) {
      if (op.getId() == id)
        found = op;
    });
    return found;
  }

  /// Budget for one of the two that cost the same.
  void allowOneOfTwo() {
    options.maxSlowdown =
        1 + 1.5 * predictExtraCycles(observer("a")) / predictCycles(function);
  }

  /// Statistics of `a`, `b`, `m` and `x` within 1.4, `samples` inputs within 1.
  static CalibrationState makeState(size_t samples) {
    CalibrationState state = llvm::cantFail(CalibrationState::create(
        {}, {{"x", 4}}, {{"a", 0}, {"b", 0}, {"m", 0}, {"x", 0}}));
    for (size_t sample = 0; sample < samples; ++sample) {
      std::vector<float> input, values = {-1.4f, 1.4f, 0.5f, 0.1f};
      for (int i = 0; i < 4; ++i)
        input.push_back(std::sin(static_cast<float>(7 * sample + 3 * i)));
      llvm::cantFail(state.addSample(sample, {ArrayRef<float>(input)}));
      for (size_t tensor : {0, 1, 2, 3})
        llvm::cantFail(state.observe(
            tensor, sample, observers::StridedValues{values.data(), 4}));
    }
    return state;
  }

  void askForPercentiles(StringRef attributes);

  BitSearch search(size_t samples = 16) {
    return llvm::cantFail(searchBits(function, makeState(samples), options));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  BitSearchOptions options;
};

TEST_F(SearchBitsTest, widensWhatHarmsMostFirst) {
  allowOneOfTwo();
  BitSearch found = search();
  EXPECT_EQ(found.candidates, 2);
  EXPECT_EQ(found.widened, 1);
  EXPECT_EQ(observer("a").getBits(), 16);
  EXPECT_TRUE(observer("a").getSymmetric());
  EXPECT_EQ(*observer("a").getZeroPoint(), 0);
  // Twice the range of its statistics.
  EXPECT_NEAR(observer("a").getScale()->convertToFloat(), 2.8 / 32767, 1e-6);
  EXPECT_EQ(observer("b").getBits(), 8);
  EXPECT_GT(found.afterDb, found.beforeDb + 6);
  EXPECT_GT(found.slowdown, 1);
  EXPECT_LE(found.slowdown, options.maxSlowdown);
}

TEST_F(SearchBitsTest, widensBothWithinAWideBudget) {
  options.targetDb = 200;
  EXPECT_EQ(search().widened, 2);
  EXPECT_EQ(observer("b").getBits(), 16);
}

/// The input's noise is no candidate's: what candidates leave may be enough and
/// the outputs still miss the target.
TEST_F(SearchBitsTest, asksForMoreWhereTheTargetIsMissed) {
  allowOneOfTwo();
  const BitSearch one = search();
  ASSERT_EQ(one.widened, 1);
  parse(twoBranches);
  options.maxSlowdown = 100;
  options.targetDb = one.afterDb + 0.1;
  EXPECT_EQ(search().widened, 2);
}

TEST_F(SearchBitsTest, stopsAtTheTarget) {
  options.targetDb = 5;
  BitSearch found = search();
  EXPECT_EQ(found.widened, 0);
  EXPECT_EQ(found.slowdown, 1);
  EXPECT_EQ(found.beforeDb, found.afterDb);
  EXPECT_EQ(observer("a").getBits(), 8);
}

/// `s` is joined with values a thousand times its size: its noise still counts.
TEST_F(SearchBitsTest, countsSmallPartsOfAnOutput) {
  StringRef branches = StringRef(twoBranches).split("  %y0 =").first;
  std::string text = branches.str() + R"(
  %k = qopt.constant dense<1000.0> : tensor<1x4xf32>
  %p = qopt.mul %t, %k : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = qopt.concat %s, %p axis 1
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
})";
  text.replace(text.find("-> tensor<1x4xf32> {"), 20, "-> tensor<1x8xf32> {");
  module = parseSourceString<ModuleOp>(text, &context);
  function = *module->getOps<func::FuncOp>().begin();
  search();
  EXPECT_EQ(observer("a").getBits(), 16);
}

TEST_F(SearchBitsTest, leavesAllWithoutBudgetOrSamples) {
  options.maxSlowdown = 1;
  EXPECT_EQ(search().candidates, 0);
  options.maxSlowdown = 100;
  EXPECT_EQ(search(0).candidates, 0);
  options.maxBytes = 8;
  EXPECT_EQ(search().candidates, 0);
  EXPECT_EQ(observer("a").getBits(), 8);
}

TEST_F(SearchBitsTest, undoesWhatDoesNotHelp) {
  // Statistics far from the truth: the new scale saturates everything.
  CalibrationState state = llvm::cantFail(
      CalibrationState::create({}, {{"x", 4}}, {{"a", 0}, {"b", 0}}));
  std::vector<float> input = {0.9f, -0.8f, 0.7f, -0.6f};
  std::vector<float> tiny = {1e-6f, -1e-6f, 0, 0};
  llvm::cantFail(state.addSample(0, {ArrayRef<float>(input)}));
  for (size_t tensor : {0, 1})
    llvm::cantFail(
        state.observe(tensor, 0, observers::StridedValues{tiny.data(), 4}));
  BitSearch found = llvm::cantFail(searchBits(function, state, options));
  EXPECT_EQ(found.candidates, 2);
  EXPECT_EQ(found.widened, 0);
  EXPECT_EQ(found.slowdown, 1);
  EXPECT_EQ(observer("a").getBits(), 8);
  EXPECT_EQ(observer("a").getScale()->convertToFloat(), 0.0625f);
  EXPECT_EQ(*observer("a").getZeroPoint(), 3);
}

/// `a` alone may have more bits; its statistics reach 1.4, but hardly ever.
void SearchBitsTest::askForPercentiles(StringRef attributes) {
  std::string text = twoBranches;
  for (std::string id : {"a", "b"}) {
    std::string begin = "\"" + id + "\" {";
    text.insert(text.find(begin) + begin.size(),
                "method = \"percentile:60\", " +
                    (id == "a" ? attributes.str() : ""));
  }
  parse(text);
}

TEST_F(SearchBitsTest, givesMoreBitsAllOfTheRange) {
  askForPercentiles("");
  allowOneOfTwo();
  search();
  ASSERT_EQ(observer("a").getBits(), 16);
  EXPECT_EQ(observer("a").getMethod(), "minmax");
  EXPECT_NEAR(observer("a").getScale()->convertToFloat(), 2.8 / 32767, 1e-6);
  EXPECT_EQ(observer("b").getMethod(), "percentile:60");
}

TEST_F(SearchBitsTest, leavesMethodsThatWereAskedFor) {
  askForPercentiles("qopt.given_range, ");
  options.targetDb = 200;
  search();
  ASSERT_EQ(observer("a").getBits(), 16);
  EXPECT_EQ(observer("a").getMethod(), "percentile:60");
  EXPECT_EQ(observer("b").getMethod(), "minmax");

  askForPercentiles("");
  options.choosesRange = false;
  search();
  ASSERT_EQ(observer("a").getBits(), 16);
  EXPECT_EQ(observer("a").getMethod(), "percentile:60");
}

TEST_F(SearchBitsTest, leavesBitsThatWereAskedFor) {
  askForPercentiles("qopt.given_bits, ");
  EXPECT_EQ(search().candidates, 1);
  EXPECT_EQ(observer("a").getBits(), 8);
}

/// The input is read by layers that take 16 bits.
TEST_F(SearchBitsTest, inputsAreValuesToo) {
  std::string text = twoBranches;
  text.erase(text.find("qopt.given_bits, "), 17);
  parse(text);
  options.targetDb = 200;
  options.widensInputs = false;
  EXPECT_EQ(search().candidates, 2);
  EXPECT_EQ(observer("x").getBits(), 8);
  parse(text);
  options.widensInputs = true;
  EXPECT_EQ(search().candidates, 3);
  EXPECT_EQ(observer("x").getBits(), 16);
}

/// Values that are joined get their bits together.
TEST_F(SearchBitsTest, widensWhatIsJoinedAsOne) {
  std::string joined = twoBranches;
  auto replace = [&](StringRef what, StringRef by) {
    joined.replace(joined.find(what), what.size(), by.str());
  };
  const std::string s0 = "  %s0 = qopt.unary %a [#qopt.fn<tanh>] : "
                         "(tensor<1x4xf32>) -> tensor<1x4xf32>\n";
  replace(s0, R"(
  %m0 = qopt.max %a, %b : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %m = qopt.observe %m0 "m" {scale = 0.0625 : f32, zero_point = 3 : i64}
    : tensor<1x4xf32> -> tensor<1x4xf32>
  %s0 = qopt.unary %m [#qopt.fn<tanh>] : (tensor<1x4xf32>) -> tensor<1x4xf32>
)");
  parse(joined);
  BitSearch found = search();
  EXPECT_EQ(found.candidates, 3);
  EXPECT_EQ(found.widened, 3);
  for (StringRef id : {"a", "b", "m"}) {
    EXPECT_EQ(observer(id).getBits(), 16);
    EXPECT_EQ(observer(id).getScaleAttr(), observer("a").getScaleAttr());
  }
}

/// Nothing, one observer and all of them against a run by hand.
TEST_F(SearchBitsTest, simulationRoundsWhatItIsTold) {
  Simulation simulation = llvm::cantFail(Simulation::create(function, 2));
  std::vector<float> input = {0.5f, -0.25f, 0.125f, 1.0f};
  simulation.load(input);
  auto noise = [&](llvm::function_ref<bool(ObserveOp)> rounds, size_t worker) {
    return simulation.run(rounds, worker).getNoise();
  };
  EXPECT_EQ(noise([](ObserveOp) { return false; }, 0), 0);
  double all = noise([](ObserveOp) { return true; }, 0);
  EXPECT_EQ(noise([](ObserveOp) { return true; }, 1), all);
  const float w[4][4] = {{1.27f, 0.1f, 0, 0},
                         {0, 1.27f, 0.1f, 0},
                         {0, 0, 1.27f, 0.1f},
                         {0.1f, 0, 0, 1.27f}};
  double expected = 0, signal = 0;
  for (int o = 0; o < 4; ++o) {
    float a = 0;
    for (int i = 0; i < 4; ++i)
      a += w[o][i] * input[i];
    float rounded = 0.0625f * std::nearbyint(a / 0.0625f);
    expected += std::pow(std::tanh(rounded) - std::tanh(a), 2);
    signal += std::pow(2 * std::tanh(a), 2);
  }
  const double own = noise([](ObserveOp op) { return op.getId() == "a"; }, 1);
  EXPECT_NEAR(own, expected / signal, 1e-6);
  EXPECT_GT(all, own);
}

} // namespace
