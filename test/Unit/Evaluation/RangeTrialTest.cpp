// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Range methods tried on a layer, against the Reference evaluator of what each
// method makes of it.

#include "qopt/Evaluation/RangeTrial.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Evaluation/Metrics.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Statistics.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using observers::CalibrationState;
using reference::Tensor;

namespace {

constexpr size_t inputs = 64;

/// The last of 64 inputs counts `weight` times as much as the others.
std::string makeNet(float weight, StringRef outputMethod = "auto") {
  std::string weights;
  for (size_t i = 0; i + 1 < inputs; ++i)
    weights += i % 3 ? "1.0, " : "-1.0, ";
  weights += std::to_string(weight);
  return R"(
func.func @net(%x: tensor<1x64xf32> {qopt.name = "x"}) -> tensor<1x1xf32> {
  %w = qopt.constant dense<[[)" +
         weights + R"(]]> : tensor<1x64xf32>
  %x0 = qopt.observe %x "x" {method = "auto"}
    : tensor<1x64xf32> -> tensor<1x64xf32>
  %y0 = qopt.gemm %x0, %w : (tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<1x1xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true, method = ")" +
         outputMethod.str() + R"("}
    : tensor<1x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
)";
}

/// Inputs in [0, 1], the last one near `last`; the statistics also hold so many
/// more values in [0, 1] that the least error of the input cuts the last one.
CalibrationState makeState(size_t samples, float last, float weight,
                           size_t others = 0) {
  CalibrationState state = llvm::cantFail(
      CalibrationState::create({}, {{"x", inputs}}, {{"x"}, {"y"}}));
  uint32_t random = 1;
  auto unit = [&] {
    random = random * 1664525 + 1013904223;
    return static_cast<float>(random >> 8) / (1 << 24);
  };
  auto observe = [&](size_t tensor, size_t id, ArrayRef<float> values) {
    observers::StridedValues all;
    all.base = values.data();
    all.rowLength = values.size();
    llvm::cantFail(state.observe(tensor, id, all));
  };
  for (size_t id = 0; id < samples; ++id) {
    std::vector<float> x(inputs);
    for (float &value : x)
      value = unit();
    x.back() = last * (0.9f + 0.1f * unit());
    float y = weight * x.back();
    for (size_t i = 0; i + 1 < inputs; ++i)
      y += i % 3 ? x[i] : -x[i];
    llvm::cantFail(state.addSample(id, {ArrayRef<float>(x)}));
    observe(0, id, x);
    observe(1, id, y);
  }
  std::vector<float> more(others);
  for (float &value : more)
    value = unit();
  for (int repeat = 0; others && repeat < 128; ++repeat)
    observe(0, 0, more);
  return state;
}

/// The last input counts, and `mse` cuts it.
CalibrationState makeCutState() { return makeState(24, 12, 100, 65536); }

class RangeTrialTest : public ::testing::Test {
protected:
  RangeTrialTest() {
    context.loadDialect<QoptDialect, func::FuncDialect, quant::QuantDialect>();
    options.correctBias = false;
  }

  func::FuncOp parse(const std::string &text) {
    modules.push_back(parseSourceString<ModuleOp>(text, &context));
    return *modules.back()->getOps<func::FuncOp>().begin();
  }

  /// SQNR of `function` with `method` on the samples that `judges` picks.
  double measure(func::FuncOp function, StringRef method,
                 const CalibrationState &state) {
    OwningOpRef<ModuleOp> module(
        cast<ModuleOp>(function->getParentOp()).clone());
    func::FuncOp copy = *module->getOps<func::FuncOp>().begin();
    copy.walk([&](ObserveOp op) {
      if (op.getMethod() == autoMethod)
        op.setMethod(method);
    });
    EXPECT_TRUE(succeeded(foldStatistics(copy, state)));
    PassManager manager(&context);
    manager.addNestedPass<func::FuncOp>(createQuantize());
    EXPECT_TRUE(succeeded(manager.run(*module)));
    ErrorSum sum;
    for (const auto &sample : state.getReservoir()) {
      auto run = [&](func::FuncOp f) {
        auto result = llvm::cantFail(reference::evaluate(
            f, {Tensor::from<float>({1, inputs}, sample.values)}));
        return result[0].values<float>().vec();
      };
      sum.add(run(function), run(copy));
    }
    return sum.sqnrDb();
  }

  static std::vector<std::string> methodsOf(func::FuncOp function) {
    std::vector<std::string> methods;
    function.walk(
        [&](ObserveOp op) { methods.push_back(op.getMethod().str()); });
    return methods;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<OwningOpRef<ModuleOp>> modules;
  RangeTrialOptions options;
};

} // namespace

TEST_F(RangeTrialTest, FiguresAreThoseOfTheQuantizedModel) {
  CalibrationState state = makeState(24, 6, 4);
  func::FuncOp function = parse(makeNet(4));
  OwningOpRef<func::FuncOp> untouched(function.clone());
  func::FuncOp second = parse(makeNet(4));
  RangeTrial trial = llvm::cantFail(tryRanges(function, state, options));
  EXPECT_EQ(trial.samples, 24);
  ASSERT_EQ(trial.candidates.size(), 5u);
  EXPECT_EQ(trial.candidates[0].method, "mse");
  for (const RangeTrial::Candidate &candidate : trial.candidates)
    EXPECT_NEAR(candidate.db, measure(second, candidate.method, state), 0.05)
        << candidate.method;
}

TEST_F(RangeTrialTest, TakesTheExtremesWhereTheyCount) {
  CalibrationState state = makeCutState();
  func::FuncOp function = parse(makeNet(100));
  RangeTrial trial = llvm::cantFail(tryRanges(function, state, options));
  EXPECT_EQ(trial.chosen, "minmax");
  EXPECT_GT(trial.candidates[1].db, trial.candidates[0].db + 3);
  EXPECT_GT(trial.candidates[1].gainDb, 3);
  EXPECT_EQ(methodsOf(function),
            (std::vector<std::string>{"minmax", "minmax"}));
}

TEST_F(RangeTrialTest, KeepsTheDefaultWhereNothingIsGained) {
  CalibrationState state = makeState(24, 1, 1);
  func::FuncOp function = parse(makeNet(1));
  RangeTrial trial = llvm::cantFail(tryRanges(function, state, options));
  EXPECT_EQ(trial.chosen, "mse");
  EXPECT_EQ(methodsOf(function), (std::vector<std::string>{"mse", "mse"}));
}

TEST_F(RangeTrialTest, SevenSamplesDecideNothing) {
  func::FuncOp function = parse(makeNet(100));
  RangeTrial trial =
      llvm::cantFail(tryRanges(function, makeState(7, 12, 100), options));
  EXPECT_EQ(trial.chosen, "mse");
  EXPECT_EQ(trial.samples, 0);
  EXPECT_TRUE(trial.candidates.empty());
  EXPECT_EQ(methodsOf(function), (std::vector<std::string>{"mse", "mse"}));
}

TEST_F(RangeTrialTest, KeepsToItsLimits) {
  CalibrationState state = makeCutState();
  for (auto [macs, expected] :
       {std::pair<uint64_t, int64_t>{10 * 65 * 6, 10}, {7 * 65 * 6, 0}}) {
    options.maxMacs = macs;
    func::FuncOp function = parse(makeNet(100));
    EXPECT_EQ(llvm::cantFail(tryRanges(function, state, options)).samples,
              expected);
  }
}

TEST_F(RangeTrialTest, LeavesNamedMethodsAlone) {
  CalibrationState state = makeCutState();
  func::FuncOp function = parse(makeNet(100, "percentile:90"));
  RangeTrial trial = llvm::cantFail(tryRanges(function, state, options));
  EXPECT_EQ(trial.chosen, "minmax");
  EXPECT_EQ(methodsOf(function),
            (std::vector<std::string>{"minmax", "percentile:90"}));
}

TEST_F(RangeTrialTest, JudgesBehindBiasCorrectionOnTheOtherHalf) {
  CalibrationState state = makeCutState();
  func::FuncOp function = parse(makeNet(100));
  RangeTrial plain = llvm::cantFail(tryRanges(function, state, options));
  options.correctBias = true;
  function = parse(makeNet(100));
  RangeTrial trial = llvm::cantFail(tryRanges(function, state, options));
  EXPECT_EQ(trial.samples, 12);
  // What is always cut off by nearly the same is a bias.
  EXPECT_GT(trial.candidates[0].db, plain.candidates[0].db + 3);
}
