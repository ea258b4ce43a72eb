// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes keep what a model computes: the Reference evaluator runs it before
// and after.

#include "TestModule.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Pipelines.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// Every op family and every fold of simplify, with strides, groups, padding
/// and broadcasting.
const char *const convNet = R"(
func.func @main(%x: tensor<2x4x9x7xf32>) -> (tensor<2x5xf32>, tensor<2x6x4x3xf32>) {
  %w = qopt.constant dense_resource<w> : tensor<6x2x3x3xf32>
  %b = qopt.constant dense<[0.1, -0.2, 0.3, 0.0, 0.5, -0.6]> : tensor<6xf32>
  %scale = qopt.constant dense<[0.5, 1.5, -1.0, 2.0, 0.25, 1.0]> : tensor<6xf32>
  %shift = qopt.constant dense<[0.1, 0.2, -0.3, 0.4, 0.5, -0.1]> : tensor<6xf32>
  %in = qopt.unary %x [#qopt.fn<affine, 0.5, 0.0>] : (tensor<2x4x9x7xf32>) -> tensor<2x4x9x7xf32>
  %p = qopt.pad %in [0, 0, 1, 0, 0, 0, 0, 1] : (tensor<2x4x9x7xf32>) -> tensor<2x4x10x8xf32>
  %c = qopt.conv %p, %w, %b {groups = 2 : i64, strides = array<i64: 2, 2>, pads = array<i64: 0, 1, 1, 0>, qopt.value = "c"}
    : (tensor<2x4x10x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<2x6x5x4xf32>
  %n = qopt.batch_norm %c, %scale, %shift {qopt.value = "n"} : (tensor<2x6x5x4xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x5x4xf32>
  %r = qopt.unary %n [#qopt.fn<clip, 0.0, 1.0>] {qopt.value = "r"} : (tensor<2x6x5x4xf32>) -> tensor<2x6x5x4xf32>
  %m = qopt.max_pool %r {kernel = array<i64: 2, 2>} : (tensor<2x6x5x4xf32>) -> tensor<2x6x4x3xf32>
  %k = qopt.constant dense<[[[1.0]], [[2.0]], [[0.5]], [[-1.0]], [[0.0]], [[0.3]]]> : tensor<6x1x1xf32>
  %d = qopt.sub %m, %k : (tensor<2x6x4x3xf32>, tensor<6x1x1xf32>) -> tensor<2x6x4x3xf32>
  %n2 = qopt.batch_norm %d, %scale, %shift : (tensor<2x6x4x3xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x4x3xf32>
  %a = qopt.add %n2, %m : (tensor<2x6x4x3xf32>, tensor<2x6x4x3xf32>) -> tensor<2x6x4x3xf32>
  %t = qopt.unary %a [#qopt.fn<tanh>] : (tensor<2x6x4x3xf32>) -> tensor<2x6x4x3xf32>
  %h = qopt.unary %t [#qopt.fn<hard_swish>] : (tensor<2x6x4x3xf32>) -> tensor<2x6x4x3xf32>
  %v = qopt.avg_pool %h {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>} : (tensor<2x6x4x3xf32>) -> tensor<2x6x4x3xf32>
  %e = qopt.mul %v, %t : (tensor<2x6x4x3xf32>, tensor<2x6x4x3xf32>) -> tensor<2x6x4x3xf32>
  %j = qopt.concat %e, %m axis 1 : (tensor<2x6x4x3xf32>, tensor<2x6x4x3xf32>) -> tensor<2x12x4x3xf32>
  %g = qopt.reduce_mean %j axes [2, 3] {keep_dims = false} : (tensor<2x12x4x3xf32>) -> tensor<2x12xf32>
  %f1 = qopt.transpose %g [1, 0] : (tensor<2x12xf32>) -> tensor<12x2xf32>
  %f2 = qopt.transpose %f1 [1, 0] : (tensor<12x2xf32>) -> tensor<2x12xf32>
  %gw = qopt.constant dense_resource<gw> : tensor<5x12xf32>
  %y = qopt.gemm %f2, %gw : (tensor<2x12xf32>, tensor<5x12xf32>) -> tensor<2x5xf32>
  %gs = qopt.constant dense<[0.5, 1.5, -1.0, 2.0, 0.25]> : tensor<5xf32>
  %gh = qopt.constant dense<[0.1, 0.2, -0.3, 0.4, 0.5]> : tensor<5xf32>
  %o = qopt.batch_norm %y, %gs, %gh {qopt.value = "o"} : (tensor<2x5xf32>, tensor<5xf32>, tensor<5xf32>) -> tensor<2x5xf32>
  %s = qopt.softmax %o axis 1 {qopt.value = "s"} : (tensor<2x5xf32>) -> tensor<2x5xf32>
  return %s, %e : tensor<2x5xf32>, tensor<2x6x4x3xf32>
}
)";

class SemanticsTest : public test::TransformsTest {
protected:
  /// The net with weights from a generator.
  OwningOpRef<ModuleOp> makeNet() {
    std::string text = convNet;
    auto resource = [&](StringRef name, int64_t count, uint32_t seed) {
      SmallVector<float> values = makeValues(count, seed, 0.5f);
      return (name + ": \"0x04000000" +
              llvm::toHex(llvm::StringRef(
                  reinterpret_cast<const char *>(values.data()), count * 4)) +
              "\"")
          .str();
    };
    text += "{-# dialect_resources: { builtin: {" + resource("w", 108, 1) +
            ", " + resource("gw", 60, 2) + "} } #-}";
    return parse(text);
  }

  static double largestDifference(ArrayRef<reference::Tensor> a,
                                  ArrayRef<reference::Tensor> b) {
    double largest = 0;
    for (auto [x, y] : llvm::zip_equal(a, b))
      for (auto [u, v] : llvm::zip_equal(x.values<float>(), y.values<float>()))
        largest = std::max(largest, std::fabs(static_cast<double>(u) - v));
    return largest;
  }

  /// Scales from the largest value each observer sees over three inputs.
  void decideScales(func::FuncOp function) {
    llvm::MapVector<Operation *, float> bounds;
    for (uint32_t seed : {1, 2, 3}) {
      auto results = reference::evaluate(
          function, makeInputs(function, seed),
          [&](Value value, const reference::Tensor &tensor) {
            auto op = value.getDefiningOp<ObserveOp>();
            if (!op)
              return;
            for (float element : tensor.values<float>())
              bounds[op] = std::max(bounds[op], std::fabs(element));
          });
      if (!results)
        ADD_FAILURE() << llvm::toString(results.takeError());
    }
    Builder builder(&context);
    for (auto [op, bound] : bounds) {
      auto observe = cast<ObserveOp>(op);
      float steps = observe.getBits() == 16 ? 32767.0f : 127.0f;
      float scale = bound / steps;
      if (observe.getInput().getDefiningOp<SoftmaxOp>())
        scale = observe.getBits() == 16 ? 1.0f / 32768 : 1.0f / 256;
      bool unsignedSoftmax = observe.getBits() == 8 &&
                             observe.getInput().getDefiningOp<SoftmaxOp>();
      observe.setScaleAttr(builder.getF32FloatAttr(scale));
      observe.setZeroPointAttr(
          builder.getI64IntegerAttr(unsignedSoftmax ? -128 : 0));
    }
  }
};

TEST_F(SemanticsTest, simplifyAndFuseKeepTheModel) {
  OwningOpRef<ModuleOp> before = makeNet();
  ASSERT_TRUE(before);
  OwningOpRef<ModuleOp> after = before->clone();
  ASSERT_TRUE(succeeded(run(*after, createSimplify(), createFuseActivation())));
  for (uint32_t seed : {10, 20, 30}) {
    auto inputs = makeInputs(getMain(*before), seed, 2.0f);
    EXPECT_LT(largestDifference(evaluate(getMain(*before), inputs),
                                evaluate(getMain(*after), inputs)),
              1e-5);
  }
  // And it did something: no batch norm, pad or transpose is left.
  getMain(*after).walk([](Operation *op) {
    EXPECT_FALSE((isa<BatchNormOp, PadOp, TransposeOp, SubOp>(op)))
        << op->getName().getStringRef().str();
  });
}

/// Powers of two: not a bit of the float model changes.
TEST_F(SemanticsTest, equalizedChannelsComputeTheSameBits) {
  OwningOpRef<ModuleOp> before = parse(R"(
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[[[8.0]], [[3.0]]], [[[0.125]], [[0.3]]], [[[1.0]], [[-0.7]]], [[[0.01]], [[0.02]]]]> : tensor<4x2x1x1xf32>
  %b = qopt.constant dense<[4.0, -0.5, 0.6, 0.03]> : tensor<4xf32>
  %v = qopt.constant dense<[[[[0.1]], [[5.0]]], [[[0.9]], [[1.1]]], [[[20.0]], [[30.0]]], [[[0.5]], [[0.25]]]]> : tensor<4x2x1x1xf32>
  %g = qopt.constant dense<[[0.1, 5.0, 0.4, 2.0], [7.0, -5.0, 0.4, 0.02]]> : tensor<2x4xf32>
  %a = qopt.conv %x, %w, %b {activation = #qopt.fn<relu>} : (tensor<1x2x4x4xf32>, tensor<4x2x1x1xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
  %c = qopt.conv %a, %v {groups = 2 : i64} : (tensor<1x4x4x4xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x4x4xf32>
  %r = qopt.conv %a, %v {groups = 2 : i64} : (tensor<1x4x4x4xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x4x4xf32>
  %s = qopt.add %c, %r {activation = #qopt.fn<relu>} : (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %p = qopt.avg_pool %s {kernel = array<i64: 4, 4>} : (tensor<1x4x4x4xf32>) -> tensor<1x4x1x1xf32>
  %f = qopt.reshape %p : (tensor<1x4x1x1xf32>) -> tensor<1x4xf32>
  %y = qopt.gemm %f, %g : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
)");
  ASSERT_TRUE(before);
  OwningOpRef<ModuleOp> after = before->clone();
  ASSERT_TRUE(succeeded(run(*after, createEqualizeChannels())));
  for (uint32_t seed : {10, 20, 30}) {
    auto inputs = makeInputs(getMain(*before), seed, 2.0f);
    EXPECT_EQ(largestDifference(evaluate(getMain(*before), inputs),
                                evaluate(getMain(*after), inputs)),
              0);
  }
  // And it did something: all layers have other weights.
  SmallVector<SmallVector<float>> weights[2];
  for (int index : {0, 1})
    getMain(index ? *after : *before).walk([&](QuantizableOpInterface op) {
      if (isa<ConvOp, GemmOp>(op.getOperation()))
        weights[index].push_back(*getConstantF32(op->getOperand(1)));
    });
  ASSERT_EQ(weights[0].size(), 4u);
  for (auto [old, now] : llvm::zip_equal(weights[0], weights[1]))
    EXPECT_NE(old, now);
}

/// Expressions of one value: gates, both sides of a subtraction and of a
/// division, clamps between, a part with another reader.
TEST_F(SemanticsTest, fuseFunctionsKeepsTheModel) {
  OwningOpRef<ModuleOp> before = parse(R"(
func.func @main(%x: tensor<3x5xf32>, %z: tensor<3x5xf32>) -> (tensor<3x5xf32>, tensor<3x5xf32>) {
  %two = qopt.constant dense<2.0> : tensor<3x5xf32>
  %s = qopt.add %x, %z : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %g = qopt.unary %s [#qopt.fn<sigmoid>] : (tensor<3x5xf32>) -> tensor<3x5xf32>
  %a = qopt.mul %s, %g {activation = #qopt.fn<clip, -0.2, 3.0>} : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %b = qopt.sub %g, %a : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %c = qopt.sub %a, %g : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %d = qopt.sub %two, %b : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %e = qopt.mul %d, %c : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %f = qopt.sub %e, %two : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  return %f, %g : tensor<3x5xf32>, tensor<3x5xf32>
}
)");
  ASSERT_TRUE(before);
  OwningOpRef<ModuleOp> after = before->clone();
  ASSERT_TRUE(
      succeeded(run(*after, createFuseFunctions(), createFuseActivation())));
  for (uint32_t seed : {10, 20, 30}) {
    auto inputs = makeInputs(getMain(*before), seed, 2.0f);
    EXPECT_LT(largestDifference(evaluate(getMain(*before), inputs),
                                evaluate(getMain(*after), inputs)),
              1e-5);
  }
  size_t tables = 0;
  getMain(*after).walk([&](UnaryOp) { ++tables; });
  EXPECT_EQ(tables, 2u);
}

TEST_F(SemanticsTest, observersAreTheIdentity) {
  OwningOpRef<ModuleOp> before = makeNet();
  OwningOpRef<ModuleOp> after = before->clone();
  ASSERT_TRUE(succeeded(run(*after, createInsertObservers())));
  auto inputs = makeInputs(getMain(*before), 5);
  EXPECT_EQ(largestDifference(evaluate(getMain(*before), inputs),
                              evaluate(getMain(*after), inputs)),
            0);
}

/// The integers of `fake`'s argument or result `index`.
reference::Tensor toIntegers(const reference::Tensor &real, Type type,
                             float scale, int32_t zeroPoint) {
  auto tensor = cast<RankedTensorType>(type);
  bool wide = tensor.getElementType().isInteger(16);
  reference::Tensor result(real.getShape(), wide ? reference::ElementKind::I16
                                                 : reference::ElementKind::I8);
  int32_t qmax = wide ? 32767 : 127;
  for (auto [index, value] : llvm::enumerate(real.values<float>())) {
    int32_t q = static_cast<int32_t>(std::nearbyint(value / scale)) + zeroPoint;
    result.setInteger(index, std::min(std::max(q, -qmax - 1), qmax));
  }
  return result;
}

/// Integers against the float model: the error of 8 bits, no more. The rewrite
/// to qint against fake quantization: a few steps.
TEST_F(SemanticsTest, integersFollowTheFloatModel) {
  OwningOpRef<ModuleOp> net = makeNet();
  OwningOpRef<ModuleOp> module = net->clone();
  QuantizePipelineOptions options;
  PassManager observe(&context);
  buildObservePipeline(observe, options);
  ASSERT_TRUE(succeeded(observe.run(*module)));
  decideScales(getMain(*module));
  ASSERT_TRUE(succeeded(run(*module, createQuantize())));
  OwningOpRef<ModuleOp> fake = module->clone();
  ASSERT_TRUE(succeeded(run(*module, createRewriteToQint())));

  func::FuncOp function = getMain(*module);
  auto scaleOf = [](DictionaryAttr attrs) {
    return static_cast<float>(
        cast<FloatAttr>(attrs.get("qint.scale")).getValueAsDouble());
  };
  for (uint32_t seed : {1, 2, 3}) {
    auto inputs = makeInputs(getMain(*net), seed);
    auto real = evaluate(getMain(*net), inputs);
    auto simulated = evaluate(getMain(*fake), inputs);
    auto integers = evaluate(
        function, {toIntegers(inputs[0], function.getArgumentTypes()[0],
                              scaleOf(function.getArgAttrDict(0)), 0)});
    for (unsigned index : {0u, 1u}) {
      float scale = scaleOf(function.getResultAttrDict(index));
      double worstFake = 0, worstReal = 0;
      for (int64_t element = 0; element < real[index].getNumElements();
           ++element) {
        double value = scale * integers[index].getInteger(element);
        worstFake = std::max(
            worstFake,
            std::fabs(value - simulated[index].values<float>()[element]));
        worstReal = std::max(
            worstReal, std::fabs(value - real[index].values<float>()[element]));
      }
      EXPECT_LT(worstReal, 0.05) << "result " << index;
      EXPECT_LT(worstFake, 0.02) << "result " << index;
    }
  }
}

} // namespace
