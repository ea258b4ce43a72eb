// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar functions, requantization attributes and quantized types from C++.

#include "mlir/IR/Diagnostics.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/QuantTypes.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;

namespace {

class Attributes : public ::testing::Test {
protected:
  Attributes() {
    context.loadDialect<QoptDialect, qint::QintDialect, quant::QuantDialect>();
  }
  FnAttr fn(Function function, ArrayRef<double> params = {}) {
    return FnAttr::get(&context, function, params);
  }
  /// The verifier's message, or "" where it accepts `type`.
  std::string refusal(Type type) {
    std::string text;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      text = diagnostic.str();
      return success();
    });
    Location loc = UnknownLoc::get(&context);
    bool accepted =
        succeeded(verifyQuantType([&] { return emitError(loc); }, type));
    EXPECT_EQ(accepted, text.empty());
    return text;
  }
  Type perTensor(double scale, int64_t zeroPoint, unsigned bits = 8) {
    int64_t half = INT64_C(1) << (bits - 1);
    return quant::UniformQuantizedType::get(
        quant::QuantizationFlags::Signed, IntegerType::get(&context, bits),
        Float32Type::get(&context), scale, zeroPoint, -half, half - 1);
  }
  Type perAxis(ArrayRef<double> scales, int32_t axis) {
    SmallVector<int64_t> zeroPoints(scales.size(), 0);
    return quant::UniformQuantizedPerAxisType::get(
        quant::QuantizationFlags::Signed, IntegerType::get(&context, 8),
        Float32Type::get(&context), scales, zeroPoints, axis, -127, 127);
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
};

} // namespace

TEST_F(Attributes, FunctionsEvaluate) {
  EXPECT_EQ(fn(Function::Relu).evaluate(-2), 0);
  EXPECT_EQ(fn(Function::Clip, {-1, 6}).evaluate(9), 6);
  EXPECT_EQ(fn(Function::LeakyRelu, {0.25}).evaluate(-2), -0.5);
  EXPECT_EQ(fn(Function::HardSigmoid, {0.5, 0.25}).evaluate(1), 0.75);
  EXPECT_EQ(fn(Function::Affine, {2, 1}).evaluate(3), 7);
  EXPECT_DOUBLE_EQ(fn(Function::Sigmoid).evaluate(1), 1 / (1 + std::exp(-1.0)));
  EXPECT_DOUBLE_EQ(fn(Function::Tanh).evaluate(1), std::tanh(1.0));
  EXPECT_DOUBLE_EQ(fn(Function::HardSwish).evaluate(1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(fn(Function::Elu, {2, 0.5}).evaluate(-1),
                   2 * std::expm1(-2.0));
  EXPECT_EQ(fn(Function::Pow, {3}).evaluate(-2), -8);
  EXPECT_EQ(fn(Function::Equal, {3}).evaluate(3), 1);
  EXPECT_EQ(fn(Function::Max).evaluate(3), 3);
}

TEST_F(Attributes, FunctionsAreThoseOfNumerics) {
  using Kind = numerics::ScalarFunction::Kind;
  const std::pair<Function, Kind> pairs[] = {
      {Function::Affine, Kind::Affine},
      {Function::Softplus, Kind::Softplus},
      {Function::Erf, Kind::Erf},
      {Function::Exp, Kind::Exp},
      {Function::Log, Kind::Log},
      {Function::Sqrt, Kind::Sqrt},
      {Function::Reciprocal, Kind::Reciprocal},
      {Function::Abs, Kind::Abs},
      {Function::Sign, Kind::Sign},
      {Function::Floor, Kind::Floor},
      {Function::Ceil, Kind::Ceil},
      {Function::Round, Kind::Round},
      {Function::Push, Kind::Push},
      {Function::Swap, Kind::Swap},
      {Function::Add, Kind::Add},
      {Function::Sub, Kind::Sub},
      {Function::Mul, Kind::Mul},
      {Function::Div, Kind::Div},
      {Function::Min, Kind::Min},
      {Function::Max, Kind::Max},
      {Function::Sin, Kind::Sin},
      {Function::Cos, Kind::Cos},
      {Function::Atan, Kind::Atan}};
  for (auto [function, kind] : pairs)
    EXPECT_EQ(fn(function, SmallVector<double>(FnAttr::getNumParams(function)))
                  .getScalarFunction()
                  .kind,
              kind)
        << stringifyFunction(function).str();
}

TEST_F(Attributes, OnlyReluAndClipAreClamps) {
  EXPECT_TRUE(fn(Function::Relu).isClamp());
  EXPECT_EQ(fn(Function::Relu).getClampMin(), 0);
  EXPECT_EQ(fn(Function::Relu).getClampMax(), INFINITY);
  EXPECT_TRUE(fn(Function::Clip, {-1, 6}).isClamp());
  EXPECT_EQ(fn(Function::Clip, {-1, 6}).getClampMin(), -1);
  EXPECT_EQ(fn(Function::Clip, {-1, 6}).getClampMax(), 6);
  EXPECT_FALSE(fn(Function::HardSigmoid, {0.5, 0.25}).isClamp());
}

TEST_F(Attributes, FunctionsAreUniquedByBitPattern) {
  EXPECT_EQ(fn(Function::Affine, {2, 0.0}), fn(Function::Affine, {2, 0.0}));
  EXPECT_NE(fn(Function::Affine, {2, 0.0}), fn(Function::Affine, {2, -0.0}));
  EXPECT_NE(fn(Function::Relu), fn(Function::Tanh));
}

TEST_F(Attributes, RequantChoosesByChannel) {
  auto common = qint::RequantAttr::get(&context, {5, 6}, {7}, 0, -1, 1,
                                       qint::Rounding::HalfUp);
  EXPECT_EQ(common.getMultiplierFor(1), 6);
  EXPECT_EQ(common.getShiftFor(1), 7);
  auto own = qint::RequantAttr::get(&context, {5}, {7}, 0, -1, 1,
                                    qint::Rounding::HalfUp);
  EXPECT_EQ(own.getMultiplierFor(3), 5);
  auto each = qint::RequantAttr::get(&context, {5, 6}, {7, 8}, 0, -1, 1,
                                     qint::Rounding::HalfUp);
  EXPECT_EQ(each.getShiftFor(1), 8);
}

TEST_F(Attributes, QuantTypesAreVerified) {
  auto tensor = [](Type element) {
    return RankedTensorType::get({2}, element);
  };
  EXPECT_EQ(refusal(tensor(perTensor(0.5, -128))), "");
  EXPECT_EQ(refusal(tensor(perTensor(0.5, 70000, 32))), "");
  EXPECT_NE(refusal(tensor(perTensor(0.5, 128))), "");
  EXPECT_NE(refusal(tensor(perTensor(0.0, 0))), "");
  EXPECT_NE(refusal(tensor(perTensor(-1.0, 0))), "");
  EXPECT_NE(refusal(tensor(perTensor(NAN, 0))), "");
  EXPECT_NE(refusal(tensor(perTensor(INFINITY, 0))), "");
  EXPECT_NE(refusal(tensor(perTensor(0.5, 0, 4))), "");
  EXPECT_EQ(refusal(tensor(perAxis({0.5, 0.25}, 0))), "");
  EXPECT_NE(refusal(tensor(perAxis({0.5}, 0))), "");
  EXPECT_NE(refusal(tensor(perAxis({0.5, 0.25}, 1))), "");
  EXPECT_NE(refusal(tensor(perAxis({0.5, 0.25}, -1))), "");
  EXPECT_EQ(refusal(tensor(Float32Type::get(&context))), "");
}

TEST_F(Attributes, QuantTypesGiveParameters) {
  auto type = RankedTensorType::get({2}, perAxis({0.5, 0.1}, 0));
  EXPECT_TRUE(isQuantized(type));
  EXPECT_TRUE(isPerAxis(type));
  EXPECT_EQ(quantAxis(type), 0);
  EXPECT_EQ(quantParams(type, 1).scale, 0.1f);
  EXPECT_EQ(quantScale(type, 1), 0.1);
  EXPECT_EQ(quantParams(type, 1).qmin, -127);
  EXPECT_EQ(storageTensorType(type),
            RankedTensorType::get({2}, IntegerType::get(&context, 8)));
  auto single = RankedTensorType::get({2}, perTensor(0.5, -3));
  EXPECT_FALSE(isPerAxis(single));
  EXPECT_EQ(quantAxis(single), -1);
  EXPECT_EQ(quantParams(single).zeroPoint, -3);
}
