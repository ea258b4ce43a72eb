// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ops answer to passes.

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "qopt/IR/Qopt.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;

namespace {

class Interfaces : public ::testing::Test {
protected:
  Interfaces() { context.loadDialect<QoptDialect, func::FuncDialect>(); }

  /// The first op in a function with a float image, weights and a vector.
  Operation *parse(const std::string &body) {
    module = parseSourceString<ModuleOp>(
        "func.func @f(%x: tensor<1x4x4x4xf32>, %w: tensor<4x4x1x1xf32>, %g: "
        "tensor<4x4xf32>, %b: tensor<4xf32>) {\n" +
            body + "\nreturn\n}",
        &context);
    if (!module)
      return nullptr;
    return &module->lookupSymbol<func::FuncOp>("f").getBody().front().front();
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
};

const std::string image = "tensor<1x4x4x4xf32>";

} // namespace

TEST_F(Interfaces, LayersNameWeightAndBias) {
  auto conv = cast<QuantizableOpInterface>(
      parse("%y = qopt.conv %x, %w, %b : (" + image +
            ", tensor<4x4x1x1xf32>, tensor<4xf32>) -> " + image));
  EXPECT_EQ(conv.getScaleRule(), ScaleRule::Own);
  ASSERT_NE(conv.getWeightOperand(), nullptr);
  EXPECT_EQ(conv.getWeightOperand()->getOperandNumber(), 1u);
  EXPECT_EQ(conv.getWeightChannelAxis(), 0);
  ASSERT_NE(conv.getBiasOperand(), nullptr);
  EXPECT_EQ(conv.getBiasOperand()->getOperandNumber(), 2u);
  auto gemm = cast<QuantizableOpInterface>(parse(
      "%y = qopt.gemm %x, %g : (" + image + ", tensor<4x4xf32>) -> " + image));
  ASSERT_NE(gemm.getWeightOperand(), nullptr);
  EXPECT_EQ(gemm.getWeightOperand()->getOperandNumber(), 1u);
  EXPECT_EQ(gemm.getBiasOperand(), nullptr);
}

TEST_F(Interfaces, MovesShareScales) {
  for (const std::string &body :
       {"%y = qopt.max_pool %x {kernel = array<i64: 1, 1>} : (" + image +
            ") -> " + image,
        "%y = qopt.reshape %x : (" + image + ") -> tensor<64xf32>",
        "%y = qopt.transpose %x [0, 1, 3, 2] : (" + image + ") -> " + image,
        "%y = qopt.concat %x, %x axis 0 : (" + image + ", " + image +
            ") -> tensor<2x4x4x4xf32>",
        "%y = qopt.pad %x [1, 0, 0, 0, 0, 0, 0, 0] : (" + image +
            ") -> tensor<2x4x4x4xf32>"}) {
    Operation *op = parse(body);
    ASSERT_NE(op, nullptr) << body;
    auto quantizable = cast<QuantizableOpInterface>(op);
    EXPECT_EQ(quantizable.getScaleRule(), ScaleRule::Shared) << body;
    EXPECT_EQ(quantizable.getWeightOperand(), nullptr) << body;
  }
}

TEST_F(Interfaces, OtherOpsOwnTheirScale) {
  for (const std::string &body :
       {"%y = qopt.add %x, %b : (" + image + ", tensor<4xf32>) -> " + image,
        "%y = qopt.mul %x, %b : (" + image + ", tensor<4xf32>) -> " + image,
        "%y = qopt.unary %x [#qopt.fn<tanh>] : (" + image + ") -> " + image,
        "%y = qopt.avg_pool %x {kernel = array<i64: 1, 1>} : (" + image +
            ") -> " + image,
        "%y = qopt.reduce_mean %x axes [2, 3] : (" + image +
            ") -> tensor<1x4x1x1xf32>"}) {
    Operation *op = parse(body);
    ASSERT_NE(op, nullptr) << body;
    EXPECT_EQ(cast<QuantizableOpInterface>(op).getScaleRule(), ScaleRule::Own)
        << body;
  }
}

TEST_F(Interfaces, SoftmaxIsFixed) {
  auto softmax = cast<QuantizableOpInterface>(
      parse("%y = qopt.softmax %x axis 1 : (" + image + ") -> " + image));
  EXPECT_EQ(softmax.getScaleRule(), ScaleRule::Fixed);
  EXPECT_EQ(softmax.getFixedRange(8, false), (std::pair<double, double>(0, 1)));
}

TEST_F(Interfaces, PositionsHaveAScaleOfOne) {
  for (const char *name : {"arg_max", "arg_min"}) {
    auto op = cast<QuantizableOpInterface>(
        parse("%y = qopt." + std::string(name) + " %x axis 0 : (" + image +
              ") -> " + image));
    EXPECT_EQ(op.getScaleRule(), ScaleRule::Fixed);
    // Over as many steps as the bits have from 0 on.
    EXPECT_EQ(op.getFixedRange(8, false), (std::pair<double, double>(0, 256)));
    EXPECT_EQ(op.getFixedRange(8, true), (std::pair<double, double>(0, 128)));
    EXPECT_EQ(op.getFixedRange(16, true),
              (std::pair<double, double>(0, 32768)));
  }
}

TEST_F(Interfaces, ActivationsCanBeFused) {
  Operation *op = parse("%y = qopt.add %x, %b : (" + image +
                        ", tensor<4xf32>) -> " + image);
  auto fuses = cast<FusesActivationInterface>(op);
  EXPECT_FALSE(fuses.getFusedActivation());
  FnAttr relu = FnAttr::get(&context, Function::Relu, {});
  fuses.setFusedActivation(relu);
  EXPECT_EQ(fuses.getFusedActivation(), relu);
  EXPECT_FALSE(isa<FusesActivationInterface>(
      parse("%y = qopt.softmax %x axis 1 : (" + image + ") -> " + image)));
}

TEST_F(Interfaces, ChainsEvaluateFromFirstToLast) {
  auto unary = cast<UnaryOp>(
      parse("%y = qopt.unary %x [#qopt.fn<affine, 2.0, -1.0>, #qopt.fn<relu>] "
            ": (" +
            image + ") -> " + image));
  EXPECT_EQ(numerics::evaluate(unary.getChain(), -3), 0);
  EXPECT_EQ(numerics::evaluate(unary.getChain(), 3), 5);
}
