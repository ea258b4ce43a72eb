// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounded weights are what qopt-quantize makes of them.

#include "qopt/Transforms/Weights.h"
#include "TestModule.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

class WeightsTest : public test::TransformsTest {
protected:
  OwningOpRef<ModuleOp> makeNet(StringRef decision) {
    return parse(("func.func @main(%x: tensor<1x3xf32>) -> tensor<1x2xf32> {\n"
                  "%x0 = qopt.observe %x \"x\" {" +
                  decision + R"(} : tensor<1x3xf32> -> tensor<1x3xf32>
  %w = qopt.constant dense<[[0.3, -0.7, 0.011], [0.004, 0.002, -0.001]]> : tensor<2x3xf32>
  %b = qopt.constant dense<[0.5, 0.25]> : tensor<2xf32>
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
      auto rounded = getRoundedWeights(getGemm(*net), {perChannel, clip});
      ASSERT_TRUE(rounded);
      QuantizeOptions options;
      options.perChannel = perChannel;
      options.clipWeights = clip;
      ASSERT_TRUE(succeeded(run(*net, createQuantize(options))));
      Value weight = getGemm(*net).getWeight();
      SmallVector<int32_t> integers = *getQuantizedConstant(weight);
      ASSERT_EQ(rounded->size(), integers.size());
      for (auto [index, integer] : llvm::enumerate(integers))
        EXPECT_EQ((*rounded)[index],
                  static_cast<float>(quantScale(weight.getType(), index / 3)) *
                      integer)
            << index;
    }
}

TEST_F(WeightsTest, needADecidedInput) {
  OwningOpRef<ModuleOp> net = makeNet("");
  EXPECT_FALSE(getRoundedWeights(getGemm(*net), {}));
}

} // namespace
