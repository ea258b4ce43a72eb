// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bias correction lowers the error of layers whose weights round badly, and
// leaves alone what is exact. The engine is the Reference evaluator.

#include "qopt/Transforms/CorrectBias.h"
#include "TestModule.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

class ReferenceEvaluator final : public FunctionEvaluator {
public:
  llvm::Expected<Batch> run(func::FuncOp function,
                            ArrayRef<const Batch *> arguments) override {
    ++runs;
    if (runs == failAt)
      return makeError(701, "out of order");
    Batch results;
    for (size_t sample = 0; sample < arguments[0]->size(); ++sample) {
      SmallVector<reference::Tensor> inputs;
      for (auto [type, batch] :
           llvm::zip_equal(function.getArgumentTypes(), arguments))
        inputs.push_back(reference::Tensor::from<float>(
            cast<RankedTensorType>(type).getShape(),
            ArrayRef<float>((*batch)[sample])));
      auto outputs = reference::evaluate(function, inputs);
      if (!outputs)
        return outputs.takeError();
      auto values = (*outputs)[0].values<float>();
      results.emplace_back(values.begin(), values.end());
    }
    return results;
  }

  unsigned runs = 0;
  unsigned failAt = 0;
};

class CorrectBiasTest : public test::TransformsTest {
protected:
  /// An observed net of a conv without bias, a sum and a mean.
  OwningOpRef<ModuleOp> makeNet(StringRef weight) {
    return parse(
        ("func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x3xf32> {\n"
         "%w = qopt.constant dense<" +
         weight + "> : tensor<3x2x1x1xf32>\n" + R"(
  %x0 = qopt.observe %x "x" {scale = 0.0078125 : f32, zero_point = 0 : i64} : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %c = qopt.conv %x0, %w {activation = #qopt.fn<relu>} : (tensor<1x2x4x4xf32>, tensor<3x2x1x1xf32>) -> tensor<1x3x4x4xf32>
  %c0 = qopt.observe %c "c" {scale = 0.0078125 : f32, zero_point = -128 : i64} : tensor<1x3x4x4xf32> -> tensor<1x3x4x4xf32>
  %s = qopt.add %c0, %c0 : (tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %s0 = qopt.observe %s "s" {scale = 0.015625 : f32, zero_point = -128 : i64} : tensor<1x3x4x4xf32> -> tensor<1x3x4x4xf32>
  %m = qopt.reduce_mean %s0 axes [2, 3] {keep_dims = false} : (tensor<1x3x4x4xf32>) -> tensor<1x3xf32>
  %m0 = qopt.observe %m "m" {bits = 16 : i64, symmetric = true, scale = 0.000244140625 : f32, zero_point = 0 : i64} : tensor<1x3xf32> -> tensor<1x3xf32>
  return %m0 : tensor<1x3xf32>
})")
            .str());
  }

  std::vector<observers::ReservoirSample> makeSamples() {
    std::vector<observers::ReservoirSample> samples;
    for (uint32_t id = 0; id < 8; ++id) {
      observers::ReservoirSample sample{id, {}};
      llvm::append_range(sample.values, makeValues(32, id, 0.9f));
      samples.push_back(sample);
    }
    return samples;
  }

  double getError(ModuleOp net, ModuleOp observed,
                  ArrayRef<observers::ReservoirSample> samples) {
    OwningOpRef<ModuleOp> quantized = observed.clone();
    EXPECT_TRUE(succeeded(run(*quantized, createQuantize())));
    double sum = 0;
    for (const observers::ReservoirSample &sample : samples) {
      auto input = reference::Tensor::from<float>(
          {1, 2, 4, 4}, ArrayRef<float>(sample.values));
      auto real = evaluate(getMain(net), {input});
      auto integer = evaluate(getMain(*quantized), {input});
      for (auto [a, b] :
           llvm::zip_equal(real[0].values<float>(), integer[0].values<float>()))
        sum += (a - b) * (a - b);
    }
    return sum;
  }

  ReferenceEvaluator evaluator;
};

// About half a step beside a weight that fills the range: the worst rounding.
const char *const roughWeights =
    "[[[[0.9]], [[0.0036]]], [[[0.0035]], [[0.9]]], [[[0.9]], [[-0.0036]]]]";

TEST_F(CorrectBiasTest, lowersTheError) {
  OwningOpRef<ModuleOp> net = makeNet(roughWeights);
  ASSERT_TRUE(net);
  OwningOpRef<ModuleOp> corrected = net->clone();
  auto samples = makeSamples();
  // A mean that is not zero is what rounding shifts.
  for (auto &sample : samples)
    for (float &value : sample.values)
      value = 0.5f + value / 2;
  double before = getError(*net, *net, samples);
  auto result =
      correctBias(getMain(*corrected), samples, evaluator, QuantizeOptions());
  ASSERT_TRUE(static_cast<bool>(result)) << llvm::toString(result.takeError());
  EXPECT_EQ(result->layers, 1u);
  EXPECT_EQ(result->corrected, 1u);
  EXPECT_LT(getError(*net, *corrected, samples), before / 4);
  // The conv had no bias.
  corrected->walk([&](ConvOp op) {
    auto bias = getConstantF32(op.getBias());
    ASSERT_TRUE(bias);
    EXPECT_NE((*bias)[0], 0.0f);
  });
}

TEST_F(CorrectBiasTest, leavesAnExactLayerAlone) {
  // Zeros are exact at every scale.
  OwningOpRef<ModuleOp> net = makeNet(roughWeights);
  OwningOpRef<ModuleOp> corrected = net->clone();
  auto samples = makeSamples();
  for (auto &sample : samples)
    std::fill(sample.values.begin(), sample.values.end(), 0.0f);
  auto result =
      correctBias(getMain(*corrected), samples, evaluator, QuantizeOptions());
  ASSERT_TRUE(static_cast<bool>(result)) << llvm::toString(result.takeError());
  EXPECT_EQ(result->layers, 1u);
  EXPECT_EQ(result->corrected, 0u);
  corrected->walk([&](ConvOp op) {
    EXPECT_EQ(*getConstantF32(op.getBias()), (SmallVector<float>{0, 0, 0}));
  });
}

TEST_F(CorrectBiasTest, refusesNoSamples) {
  OwningOpRef<ModuleOp> net = makeNet(roughWeights);
  auto result = correctBias(getMain(*net), {}, evaluator, QuantizeOptions());
  ASSERT_FALSE(static_cast<bool>(result));
  EXPECT_NE(llvm::toString(result.takeError()).find("needs samples"),
            std::string::npos);
}

TEST_F(CorrectBiasTest, refusesAnIdThatOccursTwice) {
  OwningOpRef<ModuleOp> net = makeNet(roughWeights);
  net->walk([](ObserveOp op) { op.setId("same"); });
  auto result =
      correctBias(getMain(*net), makeSamples(), evaluator, QuantizeOptions());
  ASSERT_FALSE(static_cast<bool>(result));
  EXPECT_NE(llvm::toString(result.takeError()).find("'same' occurs twice"),
            std::string::npos);
}

TEST_F(CorrectBiasTest, passesTheEnginesErrorsOn) {
  OwningOpRef<ModuleOp> net = makeNet(roughWeights);
  for (unsigned failAt : {1u, 2u, 3u, 4u}) {
    evaluator.runs = 0;
    evaluator.failAt = failAt;
    auto result =
        correctBias(getMain(*net), makeSamples(), evaluator, QuantizeOptions());
    ASSERT_FALSE(static_cast<bool>(result)) << failAt;
    EXPECT_NE(llvm::toString(result.takeError()).find("out of order"),
              std::string::npos);
  }
}

} // namespace
