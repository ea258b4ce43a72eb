// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounded weights are what qopt-quantize makes of them.

#include "qopt/Transforms/Weights.h"
#include "TestModule.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace mlir::qopt::test {

/// A layer of another dialect whose weight has its output channels last.
class SidewaysOp
    : public Op<SidewaysOp, OpTrait::ZeroRegions, OpTrait::OneResult,
                OpTrait::NOperands<2>::Impl, QuantizableOpInterface::Trait> {
public:
  using Op::Op;
  static StringRef getOperationName() { return "test.sideways"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
  OpOperand *getWeightOperand() { return &getOperation()->getOpOperand(1); }
  int64_t getWeightChannelAxis() { return 1; }
};

class TestDialect : public Dialect {
public:
  explicit TestDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<TestDialect>()) {
    addOperations<SidewaysOp>();
  }
  static StringRef getDialectNamespace() { return "test"; }
};

} // namespace mlir::qopt::test

namespace {

class WeightsTest : public test::TransformsTest {
protected:
  /// The second bias is so large that its weights get a wider scale.
  OwningOpRef<ModuleOp> makeNet(StringRef decision) {
    return parse(("func.func @main(%x: tensor<1x3xf32>) -> tensor<1x2xf32> {\n"
                  "%x0 = qopt.observe %x \"x\" {" +
                  decision + R"(} : tensor<1x3xf32> -> tensor<1x3xf32>
  %w = qopt.constant dense<[[0.3, -0.7, 0.011], [0.004, 0.002, -0.001]]> : tensor<2x3xf32>
  %b = qopt.constant dense<[0.5, 1.0e+06]> : tensor<2xf32>
  %y = qopt.gemm %x0, %w, %b : (tensor<1x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y0 = qopt.observe %y "y" {scale = 0.5 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y0 : tensor<1x2xf32>
})")
                     .str());
  }

  static GemmOp getGemm(ModuleOp module) {
    GemmOp gemm;
    module.walk([&](GemmOp op) { gemm = op; });
    return gemm;
  }
};

TEST_F(WeightsTest, areWhatQuantizeMakes) {
  for (bool perChannel : {true, false})
    for (bool clip : {true, false}) {
      OwningOpRef<ModuleOp> net =
          makeNet("scale = 0.5 : f32, zero_point = 3 : i64");
      auto quantized = getQuantizedWeights(getGemm(*net), {perChannel, clip});
      ASSERT_TRUE(quantized);
      SmallVector<float> rounded = dequantizeWeights(*quantized);
      QuantizeOptions options;
      options.perChannel = perChannel;
      options.clipWeights = clip;
      ASSERT_TRUE(succeeded(run(*net, createQuantize(options))));
      Value weight = getGemm(*net).getWeight();
      SmallVector<int32_t> integers = *getQuantizedConstant(weight);
      ASSERT_EQ(rounded.size(), integers.size());
      for (auto [index, integer] : llvm::enumerate(integers))
        EXPECT_EQ(rounded[index],
                  static_cast<float>(quantScale(weight.getType(), index / 3)) *
                      integer)
            << index;
    }
}

TEST_F(WeightsTest, takesIntegersThatAreDecided) {
  for (bool perChannel : {true, false}) {
    OwningOpRef<ModuleOp> net =
        makeNet("scale = 0.5 : f32, zero_point = 3 : i64");
    auto quantized = getQuantizedWeights(getGemm(*net), {perChannel, true});
    ASSERT_TRUE(quantized);
    for (int8_t &value : quantized->values)
      value += value < 100 ? 1 : -1;
    setQuantizedWeights(getGemm(*net), *quantized);
    EXPECT_TRUE(getGemm(*net).getWeight().getDefiningOp<DequantizeOp>());
    // Options for weights that are still open say nothing here.
    ASSERT_TRUE(succeeded(run(*net, createQuantize())));
    Value weight = getGemm(*net).getWeight();
    EXPECT_EQ(isPerAxis(weight.getType()), perChannel);
    SmallVector<int32_t> integers = *getQuantizedConstant(weight);
    ASSERT_EQ(quantized->values.size(), integers.size());
    for (auto [index, integer] : llvm::enumerate(integers))
      EXPECT_EQ(quantized->values[index], integer) << index;
    for (auto [channel, scale] : llvm::enumerate(quantized->scales))
      EXPECT_EQ(quantScale(weight.getType(), channel), scale);
  }
}

TEST_F(WeightsTest, needADecidedInput) {
  OwningOpRef<ModuleOp> net = makeNet("");
  EXPECT_FALSE(getQuantizedWeights(getGemm(*net), {}));
}

TEST_F(WeightsTest, haveTheirOutputChannelsFirst) {
  context.loadDialect<test::TestDialect>();
  OwningOpRef<ModuleOp> net = parse(R"(
func.func @main(%x: tensor<1x3xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 0 : i64} : tensor<1x3xf32> -> tensor<1x3xf32>
  %w = qopt.constant dense<1.0> : tensor<3x2xf32>
  %y = "test.sideways"(%x0, %w) : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %y0 = qopt.observe %y "y" {scale = 0.5 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y0 : tensor<1x2xf32>
})");
  ASSERT_TRUE(net);
  net->walk([](test::SidewaysOp op) {
    EXPECT_FALSE(
        getQuantizedWeights(cast<QuantizableOpInterface>(op.getOperation()), {}));
  });
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(run(*net, createQuantize())));
  EXPECT_EQ(message, "'test.sideways' op expects its weight's output channels "
                     "first");
}

} // namespace
