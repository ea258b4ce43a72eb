// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model that takes bytes computes what the model that takes their
// normalization does.

#include "TestModule.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// How one input is normalized.
struct Case {
  const char *what;
  const char *body;
  int64_t axis;
  SmallVector<double> scale, shift;
  /// Whether the map is gone.
  bool folds = true;
};

class BytesTest : public test::TransformsTest {
protected:
  static TakeBytesOptions optionsOf(const Case &c) {
    TakeBytesOptions options;
    options.input = "x";
    options.axis = c.axis;
    options.scale = c.scale;
    options.shift = c.shift;
    return options;
  }

  static double channelValue(ArrayRef<double> list, int64_t channel) {
    return list.size() == 1 ? list.front() : list[channel];
  }

  void check(const Case &c) {
    SCOPED_TRACE(c.what);
    OwningOpRef<ModuleOp> before = parse(c.body);
    ASSERT_TRUE(before);
    OwningOpRef<ModuleOp> after = before->clone();
    ASSERT_TRUE(succeeded(
        run(*after, createTakeBytes(optionsOf(c)), createSimplify())));
    auto type = cast<RankedTensorType>(getMain(*before).getArgumentTypes()[0]);
    int64_t inner = 1;
    for (int64_t size : type.getShape().drop_front(c.axis + 1))
      inner *= size;
    SmallVector<float> bytes, reals;
    for (auto [i, value] :
         llvm::enumerate(makeValues(type.getNumElements(), 7, 128))) {
      int64_t channel = i / inner % type.getDimSize(c.axis);
      bytes.push_back(std::floor(value) + 128);
      reals.push_back(channelValue(c.scale, channel) * bytes.back() +
                      channelValue(c.shift, channel));
    }
    auto asTensor = [&](ArrayRef<float> values) {
      return reference::Tensor::from<float>(type.getShape(), values);
    };
    auto expected = evaluate(getMain(*before), asTensor(reals));
    auto actual = evaluate(getMain(*after), asTensor(bytes));
    ASSERT_EQ(expected.size(), actual.size());
    for (auto [u, v] : llvm::zip_equal(expected[0].values<float>(),
                                       actual[0].values<float>()))
      EXPECT_NEAR(u, v, 1e-4);

    bool hasMap = false;
    getMain(*after).walk([&](Operation *op) {
      auto conv = dyn_cast<ConvOp>(op);
      hasMap |= isa<UnaryOp, BatchNormOp, MulOp>(op) ||
                (conv && conv.getGroups() == 3);
    });
    EXPECT_NE(hasMap, c.folds);
  }
};

const char *const paddedConv = R"(
func.func @main(%x: tensor<1x3x5x4xf32> {qopt.name = "x"}) -> tensor<1x2x5x5xf32> {
  %w = qopt.constant dense<[[[[0.1, -0.2, 0.3, 0.4]], [[0.5, 0.6, -0.7, 0.8]], [[0.9, 1.0, 1.1, -1.2]]], [[[0.1, 0.2, 0.3, 0.4]], [[0.5, -0.6, 0.7, 0.8]], [[0.9, 1.0, -1.1, 1.2]]]]> : tensor<2x3x1x4xf32>
  %y = qopt.conv %x, %w {pads = array<i64: 1, 2, 1, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x3x5x4xf32>, tensor<2x3x1x4xf32>) -> tensor<1x2x7x5xf32>
  %s = qopt.slice %y [0, 0, 0, 0] steps [1, 1, 1, 1] : (tensor<1x2x7x5xf32>) -> tensor<1x2x5x5xf32>
  return %s : tensor<1x2x5x5xf32>
}
)";

const char *const padThenConv = R"(
func.func @main(%x: tensor<1x3x2x2xf32> {qopt.name = "x"}) -> tensor<1x1x3x4xf32> {
  %w = qopt.constant dense<[[[[1.0]], [[2.0]], [[-3.0]]]]> : tensor<1x3x1x1xf32>
  %p = qopt.pad %x [0, 0, 1, 0, 0, 0, 0, 2] {value = 0.5 : f32} : (tensor<1x3x2x2xf32>) -> tensor<1x3x3x4xf32>
  %y = qopt.conv %p, %w : (tensor<1x3x3x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x1x3x4xf32>
  return %y : tensor<1x1x3x4xf32>
}
)";

const char *const channelsLast = R"(
func.func @main(%x: tensor<1x2x2x3xf32> {qopt.name = "x"}) -> tensor<1x1x4x4xf32> {
  %w = qopt.constant dense<[[[[1.0]], [[2.0]], [[-3.0]]]]> : tensor<1x3x1x1xf32>
  %t = qopt.transpose %x [0, 3, 1, 2] : (tensor<1x2x2x3xf32>) -> tensor<1x3x2x2xf32>
  %y = qopt.conv %t, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x3x2x2xf32>, tensor<1x3x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}
)";

const char *const rowsInColumns = R"(
func.func @main(%x: tensor<1x2x3xf32> {qopt.name = "x"}) -> tensor<1x2x3xf32> {
  %y = qopt.unary %x [#qopt.fn<tanh>] : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}
)";

const char *const flattened = R"(
func.func @main(%x: tensor<1x1x2x2xf32> {qopt.name = "x"}) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.0, 2.0, -3.0, 0.5], [0.1, 0.2, 0.3, 0.4]]> : tensor<2x4xf32>
  %f = qopt.reshape %x : (tensor<1x1x2x2xf32>) -> tensor<1x4xf32>
  %y = qopt.gemm %f, %w : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
)";

TEST_F(BytesTest, computesTheSame) {
  // Zero bytes at halves and at integers, per channel and for all.
  const SmallVector<double> scale = {0.01, 0.02, 0.04}, shift = {-1, -2, -5};
  for (const Case &c : {
           Case{"one value", paddedConv, 1, {0.0078125}, {-1}},
           Case{"a value a channel", paddedConv, 1, scale, shift},
           Case{"one scale", paddedConv, 1, {0.02}, shift},
           Case{"no shift", paddedConv, 1, scale, {0}},
           Case{"a pad", padThenConv, 1, scale, {-1, -2, -4}},
           Case{"a pad alike", padThenConv, 1, {0.01}, {-1}},
           Case{"channels last", channelsLast, 3, scale, shift},
           Case{"flattened", flattened, 1, {0.01}, {-1}},
           Case{"no byte is zero", paddedConv, 1, {0.01}, {1, -1, -1}, false},
           Case{"no layer", rowsInColumns, 2, scale, shift, false},
       })
    check(c);
}

} // namespace
