// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales from statistics in memory.

#include "qopt/Transforms/Statistics.h"
#include "TestModule.h"

using namespace mlir;
using namespace mlir::qopt;
using observers::CalibrationState;

namespace {

class StatisticsTest : public test::TransformsTest {
protected:
  /// One sample with the given values of each id.
  CalibrationState
  makeState(ArrayRef<std::pair<std::string, std::vector<float>>> tensors) {
    std::vector<CalibrationState::TensorSpec> specs;
    for (const auto &[id, values] : tensors)
      specs.push_back({id, 0});
    CalibrationState state = llvm::cantFail(CalibrationState::create(
        observers::hashModel("model"), {{"x", 1}}, specs));
    float sample = 0;
    llvm::cantFail(state.addSample(0, {ArrayRef(sample)}));
    for (const auto &[id, values] : tensors)
      if (!values.empty())
        llvm::cantFail(state.observe(state.indexOf(id), 0,
                                     {values.data(), values.size()}));
    return state;
  }

  /// The decided scale of the only observer of `text`, -1 on failure.
  float fold(StringRef attributes, const CalibrationState &state) {
    OwningOpRef<ModuleOp> module =
        parse(("func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
               "%a = qopt.observe %x \"a\" {" +
               attributes +
               "} : tensor<4xf32> -> tensor<4xf32>\n"
               "return %a : tensor<4xf32>\n}")
                  .str());
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
    if (failed(foldStatistics(getMain(*module), state)))
      return -1;
    float scale = -1;
    module->walk([&](ObserveOp op) {
      scale = op.getScale()->convertToFloat();
      zeroPoint = *op.getZeroPoint();
    });
    return scale;
  }

  std::string message;
  int64_t zeroPoint = 0;
};

/// Scales of logits, masked in part, that softmax reads behind a move, and of
/// the same values where they leave too.
TEST_F(StatisticsTest, maskedLogitsNeedNoRange) {
  CalibrationState state = makeState({{"a", {-1024, -3, 0, 3}}});
  for (StringRef output : {"y", "a"}) {
    OwningOpRef<ModuleOp> module = parse((R"(
func.func @f(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %a = qopt.observe %x "a" {method = "minmax"} : tensor<1x4xf32> -> tensor<1x4xf32>
  %r = qopt.reshape %a : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = qopt.softmax %r axis 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return %)" + output + " : tensor<1x4xf32>\n}")
                                             .str());
    ASSERT_TRUE(succeeded(foldStatistics(getMain(*module), state)));
    module->walk([&](ObserveOp op) {
      EXPECT_NEAR(op.getScale()->convertToFloat(),
                  (output == "y" ? 18.0 : 1027.0) / 255, 1e-3);
    });
  }
}

TEST_F(StatisticsTest, eightBitsCoverTheRange) {
  CalibrationState state = makeState({{"a", {-1.0f, 0.0f, 4.1f}}});
  EXPECT_FLOAT_EQ(fold("method = \"minmax\"", state), 5.1f / 255);
  EXPECT_EQ(zeroPoint, -78);
}

TEST_F(StatisticsTest, sixteenBitsHaveHeadroom) {
  CalibrationState state = makeState({{"a", {-1.0f, 0.0f, 4.0f}}});
  EXPECT_FLOAT_EQ(
      fold("method = \"minmax\", bits = 16 : i64, symmetric = true", state),
      2 * 4.0f / 32767);
  EXPECT_EQ(zeroPoint, 0);
}

TEST_F(StatisticsTest, theMethodIsTheObservers) {
  std::vector<float> values(100000, 1.0f);
  for (size_t index = 0; index < values.size(); index += 2)
    values[index] = -1.0f + static_cast<float>(index) / values.size();
  values[7] = 1000.0f;
  CalibrationState state = makeState({{"a", values}});
  float all = fold("method = \"minmax\"", state);
  float most = fold("method = \"percentile:99.9\"", state);
  EXPECT_GT(all, 3.9f);
  EXPECT_LT(most, 0.05f);
}

TEST_F(StatisticsTest, zerosHaveAScale) {
  CalibrationState state = makeState({{"a", {0.0f, 0.0f}}});
  EXPECT_EQ(fold("", state), 1.0f);
}

TEST_F(StatisticsTest, refusesAnIdWithoutValues) {
  CalibrationState state = makeState({{"a", {}}});
  EXPECT_EQ(fold("", state), -1);
  EXPECT_EQ(message, "expects values of 'a', but the calibration saw none");
}

TEST_F(StatisticsTest, refusesAnUnknownId) {
  CalibrationState state = makeState({{"b", {1.0f}}});
  EXPECT_EQ(fold("", state), -1);
  EXPECT_EQ(message, "expects statistics of 'a', but the calibration has none");
}

} // namespace
