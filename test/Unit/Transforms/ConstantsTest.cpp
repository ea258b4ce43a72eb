// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants are read whatever attribute holds them, and only if it is whole.

#include "qopt/Transforms/Constants.h"
#include "TestModule.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

class ConstantsTest : public test::TransformsTest {
protected:
  Value parseConstant(StringRef constant) {
    module = parse(("func.func @f() {\n%c = qopt.constant " + constant +
                    "\nreturn\n}\n{-# dialect_resources: { builtin: {"
                    "three: \"0x040000000000803F0000004000004040\","
                    "bytes: \"0x0100000081007F\""
                    "} } #-}")
                       .str());
    if (!module)
      return Value();
    return getMain(*module).front().front().getResult(0);
  }

  OwningOpRef<ModuleOp> module;
};

TEST_F(ConstantsTest, readsDense) {
  auto values =
      getConstantF32(parseConstant("dense<[1.0, -2.5]> : tensor<2xf32>"));
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (SmallVector<float>{1.0f, -2.5f}));
}

TEST_F(ConstantsTest, readsSplat) {
  auto values = getConstantF32(parseConstant("dense<3.0> : tensor<2x2xf32>"));
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (SmallVector<float>{3, 3, 3, 3}));
}

TEST_F(ConstantsTest, readsResource) {
  auto values =
      getConstantF32(parseConstant("dense_resource<three> : tensor<3xf32>"));
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (SmallVector<float>{1, 2, 3}));
}

TEST_F(ConstantsTest, refusesAbsentResource) {
  Value value = parseConstant("dense_resource<absent> : tensor<3xf32>");
  ASSERT_TRUE(value);
  EXPECT_FALSE(isConstantF32(value));
  EXPECT_FALSE(getConstantF32(value));
}

TEST_F(ConstantsTest, refusesAbsentResourceOfIntegers) {
  Value value = parseConstant("dense_resource<absent> : tensor<3xi8> as "
                              "tensor<3x!quant.uniform<i8:f32, 0.5>>");
  ASSERT_TRUE(value);
  EXPECT_FALSE(getQuantizedConstant(value));
}

TEST_F(ConstantsTest, refusesAbsentResourceOfNoElements) {
  Value value = parseConstant("dense_resource<absent> : tensor<0xf32>");
  ASSERT_TRUE(value);
  EXPECT_FALSE(isConstantF32(value));
}

TEST_F(ConstantsTest, refusesSparse) {
  Value value = parseConstant("sparse<[[1]], [5]> : tensor<3xi8> as "
                              "tensor<3x!quant.uniform<i8:f32, 0.5>>");
  ASSERT_TRUE(value);
  EXPECT_FALSE(getQuantizedConstant(value));
}

/// What no verifier has seen yet.
TEST_F(ConstantsTest, refusesResourceOfAnotherSize) {
  module = parse("func.func @f() { return }");
  OpBuilder builder = OpBuilder::atBlockBegin(&getMain(*module).front());
  auto type = RankedTensorType::get({3}, builder.getF32Type());
  SmallVector<float> two{1, 2};
  ConstantOp constant = ConstantOp::create(
      builder, builder.getUnknownLoc(), type,
      DenseResourceElementsAttr::get(
          type, "short",
          HeapAsmResourceBlob::allocateAndCopyInferAlign<float>(two)));
  EXPECT_FALSE(isConstantF32(constant));
  EXPECT_FALSE(getConstantF32(constant));
  constant.erase();
}

TEST_F(ConstantsTest, refusesIntegersAsFloats) {
  EXPECT_FALSE(getConstantF32(parseConstant("dense<1> : tensor<2xi8>")));
}

TEST_F(ConstantsTest, readsQuantizedIntegers) {
  auto values = getQuantizedConstant(
      parseConstant("dense_resource<bytes> : tensor<3xi8> as "
                    "tensor<3x!quant.uniform<i8:f32, 0.5>>"));
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (SmallVector<int32_t>{-127, 0, 127}));
}

TEST_F(ConstantsTest, refusesPlainIntegersAsQuantized) {
  EXPECT_FALSE(getQuantizedConstant(parseConstant("dense<1> : tensor<2xi8>")));
}

TEST_F(ConstantsTest, writesWhatItReads) {
  module = parse("func.func @f() { return }");
  OpBuilder builder = OpBuilder::atBlockBegin(&getMain(*module).front());
  Location loc = builder.getUnknownLoc();
  // Few values stand in place, many in a resource.
  for (int64_t count : {3, 16, 17, 1000}) {
    auto type = RankedTensorType::get({count}, builder.getF32Type());
    SmallVector<float> values = makeValues(count, count);
    ConstantOp constant = createConstantF32(builder, loc, type, values);
    EXPECT_EQ(isa<DenseResourceElementsAttr>(constant.getValue()), count > 16);
    EXPECT_EQ(*getConstantF32(constant), values);
  }
  for (int64_t count : {64, 65}) {
    auto element = quant::UniformQuantizedType::get(
        quant::QuantizationFlags::Signed, builder.getI8Type(),
        builder.getF32Type(), 0.5, 0, -128, 127);
    ConstantOp constant = createQuantizedConstant(
        builder, loc, RankedTensorType::get({count}, element),
        SmallVector<int32_t>(count, 1));
    EXPECT_EQ(isa<DenseResourceElementsAttr>(constant.getValue()), count > 64);
  }
  for (unsigned bits : {8, 16, 32}) {
    auto element = quant::UniformQuantizedType::get(
        quant::QuantizationFlags::Signed, builder.getIntegerType(bits),
        builder.getF32Type(), 0.5, 0, -(INT64_C(1) << (bits - 1)),
        (INT64_C(1) << (bits - 1)) - 1);
    SmallVector<int32_t> values;
    for (int32_t index = 0; index < 100; ++index)
      values.push_back((index - 50) * (1 << (bits - 8)));
    ConstantOp constant = createQuantizedConstant(
        builder, loc, RankedTensorType::get({100}, element), values);
    EXPECT_EQ(*getQuantizedConstant(constant), values) << bits << " bits";
  }
}

TEST_F(ConstantsTest, FreesOnlyWhatNoModuleHas) {
  Value kept = parseConstant("dense_resource<three> : tensor<3xf32>");
  auto other = parse("func.func @g() { return }");
  OpBuilder builder = OpBuilder::atBlockBegin(&getMain(*other).front());
  ConstantOp dropped = createConstantF32(
      builder, builder.getUnknownLoc(),
      RankedTensorType::get({100}, builder.getF32Type()), makeValues(100, 1));
  releaseUnusedConstants(context, {*module, *other});
  EXPECT_TRUE(isConstantF32(dropped));
  releaseUnusedConstants(context, {*module});
  EXPECT_FALSE(isConstantF32(dropped));
  EXPECT_EQ(*getConstantF32(kept), (SmallVector<float>{1, 2, 3}));
}

} // namespace
