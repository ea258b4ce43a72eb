// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer TOSA computes the bytes of the integer level, which the Reference
// evaluator says.

#include "TosaHarness.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::test;

namespace {

/// `type` with random elements: the text of a constant.
template <typename T>
std::string constant(StringRef type, int64_t count, Random &random, int32_t low,
                     int32_t high) {
  std::vector<T> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<T>(random.next(low, high)));
  StringRef bytes(reinterpret_cast<const char *>(values.data()),
                  values.size() * sizeof(T));
  return "qint.constant dense<\"0x" + llvm::toHex(bytes) +
         "\"> : " + type.str();
}

std::string list(int64_t count, Random &random, int32_t low, int32_t high) {
  std::string text;
  for (int64_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::to_string(random.next(low, high));
  return text;
}

class ToTosa : public TosaTest {
protected:
  /// A function around `body`, whose last value is `%y`.
  void addCase(StringRef arguments, StringRef body, StringRef result) {
    text += ("func.func @case" + Twine(cases++) + "(" + arguments + ") -> " +
             result + " attributes {llvm.emit_c_interface} {\n" + body +
             "\n  return %y : " + result + "\n}\n")
                .str();
  }

  /// Runs a case on random integers in both ways.
  void compare(func::FuncOp function, Random &random) {
    SCOPED_TRACE(function.getName().str());
    SmallVector<Tensor> inputs;
    for (Type type : function.getArgumentTypes()) {
      auto tensor = cast<RankedTensorType>(type);
      inputs.emplace_back(tensor.getShape(),
                          *reference::kindOfElements(tensor.getElementType()));
      unsigned width = tensor.getElementTypeBitWidth();
      for (int64_t i = 0; i < inputs.back().getNumElements(); ++i)
        inputs.back().setInteger(
            i, random.next(llvm::minIntN(width), llvm::maxIntN(width)));
    }
    auto expected = reference::evaluate(function, inputs);
    ASSERT_TRUE(static_cast<bool>(expected))
        << llvm::toString(expected.takeError());
    const Tensor &right = expected->front();
    Tensor result(right.getShape(), right.getKind());
    run(function.getName(), inputs, result);
    EXPECT_TRUE(result == right);
  }

  void compareAll() {
    auto module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
    OwningOpRef<ModuleOp> tosa(module->clone());
    PassManager manager(&context);
    manager.addNestedPass<func::FuncOp>(createConvertQintToTosa());
    ASSERT_TRUE(succeeded(manager.run(*tosa)));
    compile(*tosa);
    if (!engine)
      return;
    Random random{2026};
    for (func::FuncOp function : module->getOps<func::FuncOp>())
      for (int round = 0; round < 3; ++round)
        compare(function, random);
  }

  std::string text;
  unsigned cases = 0;
  Random random{7};
};

TEST_F(ToTosa, Layers) {
  // A window that ends before the input, two kinds of shift, a clamp.
  for (int seed = 0; seed < 3; ++seed) {
    addCase(
        "%x: tensor<2x3x9x8xi8>",
        "%w = " +
            constant<int8_t>("tensor<4x3x3x2xi8>", 72, random, -128, 127) +
            "\n%b = " +
            constant<int32_t>("tensor<4xi32>", 4, random, -40000, 40000) +
            "\n%y = qint.conv %x, %w, %b {input_zero_point = " +
            std::to_string(random.next(-128, 127)) +
            " : i32, strides = array<i64: 2, 3>, pads = array<i64: 1, 0, 1, 1>,"
            " requant = #qint.requant<[" +
            list(4, random, 1 << 28, 1 << 29) + "], [" +
            (seed ? "38" : "38, 37, 39, 36") + "], zp " +
            std::to_string(random.next(-20, 20)) +
            ", clamp -100 to 90>} : (tensor<2x3x9x8xi8>, tensor<4x3x3x2xi8>,"
            " tensor<4xi32>) -> tensor<2x4x5x3xi8>",
        "tensor<2x4x5x3xi8>");
    addCase(
        "%x: tensor<1x3x7x7xi8>",
        "%w = " +
            constant<int8_t>("tensor<6x1x3x3xi8>", 54, random, -127, 127) +
            "\n%y = qint.conv %x, %w {input_zero_point = -7 : i32, groups = 3 "
            ": i64,"
            " dilations = array<i64: 2, 1>, pads = array<i64: 2, 1, 2, 1>,"
            " requant = #qint.requant<[" +
            list(6, random, 1 << 28, 1 << 29) +
            "], [37], zp 5, clamp -128 to 127>}"
            " : (tensor<1x3x7x7xi8>, tensor<6x1x3x3xi8>) -> tensor<1x6x7x7xi8>",
        "tensor<1x6x7x7xi8>");
    addCase(
        "%x: tensor<3x2x16xi8>",
        "%w = " + constant<int8_t>("tensor<5x16xi8>", 80, random, -128, 127) +
            "\n%b = " +
            constant<int32_t>("tensor<5xi32>", 5, random, -9000, 9000) +
            "\n%y = qint.gemm %x, %w, %b {input_zero_point = 9 : i32,"
            " weight_zero_points = array<i32: -3>,"
            " requant = #qint.requant<[1200000000], [32], zp 0,"
            " clamp -32768 to 32767>} : (tensor<3x2x16xi8>, tensor<5x16xi8>,"
            " tensor<5xi32>) -> tensor<3x2x5xi16>",
        "tensor<3x2x5xi16>");
  }
  addCase(
      "%a: tensor<2x3x4x5xi8>, %b: tensor<2x3x5x6xi8>",
      "%y = qint.matmul %a, %b {lhs_zero_point = -128 : i32, rhs_zero_point = "
      "6 : i32,"
      " requant = #qint.requant<[1500000000], [41], zp -1, clamp -128 to 127>}"
      " : (tensor<2x3x4x5xi8>, tensor<2x3x5x6xi8>) -> tensor<2x3x4x6xi8>",
      "tensor<2x3x4x6xi8>");
  compareAll();
}

TEST_F(ToTosa, Groups) {
  addCase("%x: tensor<2x6x5x5xi8>",
          "%w = " + constant<int8_t>("tensor<8x3x3x3xi8>", 216, random, -128, 127) +
              "\n%b = " + constant<int32_t>("tensor<8xi32>", 8, random, -9000, 9000) +
              "\n%y = qint.conv %x, %w, %b {input_zero_point = 17 : i32, groups = 2 : i64,"
              " strides = array<i64: 2, 1>, pads = array<i64: 1, 1, 0, 1>,"
              " requant = #qint.requant<[" + list(8, random, 1 << 28, 1 << 29) +
              "], [38], zp 5, clamp -128 to 127>} : (tensor<2x6x5x5xi8>,"
              " tensor<8x3x3x3xi8>, tensor<8xi32>) -> tensor<2x8x2x5xi8>",
          "tensor<2x8x2x5xi8>");
  compareAll();
}

TEST_F(ToTosa, Elementwise) {
  for (int seed = 0; seed < 3; ++seed) {
    addCase("%a: tensor<2x3x4xi8>, %b: tensor<3x1xi8>",
            "%y = qint.add %a, %b {lhs_zero_point = 100 : i32, rhs_zero_point "
            "= -128 : i32,"
            " requant = #qint.requant<[" +
                list(2, random, -3000000, 3000000) +
                "], [21], zp 3, clamp -128 to 127>}"
                " : (tensor<2x3x4xi8>, tensor<3x1xi8>) -> tensor<2x3x4xi8>",
            "tensor<2x3x4xi8>");
    addCase("%a: tensor<2x3x4xi8>, %b: tensor<2x1x4xi8>",
            "%y = qint.mul %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = "
            "-7 : i32,"
            " requant = #qint.requant<[" +
                list(1, random, 1 << 29, 1 << 30) +
                "], [36], zp -9, clamp -128 to 127>}"
                " : (tensor<2x3x4xi8>, tensor<2x1x4xi8>) -> tensor<2x3x4xi8>",
            "tensor<2x3x4xi8>");
    // Halves, and a factor above one with a small shift.
    addCase(
        "%a: tensor<40xi8>",
        "%y = qint.requantize %a {input_zero_point = 11 : i32,"
        " requant = #qint.requant<[" +
            std::to_string(seed * 2 + 1) + "], [" + std::to_string(seed + 1) +
            "], zp 4, clamp -128 to 127>} : (tensor<40xi8>) -> tensor<40xi8>",
        "tensor<40xi8>");
  }
  addCase("%a: tensor<40xi16>",
          "%y = qint.requantize %a {input_zero_point = 500 : i32,"
          " requant = #qint.requant<[1234567], [28], zp 4, clamp -120 to 127>}"
          " : (tensor<40xi16>) -> tensor<40xi8>",
          "tensor<40xi8>");
  addCase("%a: tensor<2x40xi8>, %b: tensor<40xi8>",
          "%m = qint.max %a, %b : (tensor<2x40xi8>, tensor<40xi8>) -> "
          "tensor<2x40xi8>\n"
          "%n = qint.min %a, %m : (tensor<2x40xi8>, tensor<2x40xi8>) -> "
          "tensor<2x40xi8>\n"
          "%y = qint.table %n {table = array<i16: " +
              list(256, random, -128, 127) +
              ">} : (tensor<2x40xi8>) -> tensor<2x40xi8>",
          "tensor<2x40xi8>");
  compareAll();
}

TEST_F(ToTosa, PoolsAndReductions) {
  addCase("%x: tensor<2x3x8x7xi8>",
          "%y = qint.max_pool %x {kernel = array<i64: 3, 2>, strides = "
          "array<i64: 2, 2>,"
          " pads = array<i64: 1, 1, 1, 0>} : (tensor<2x3x8x7xi8>) -> "
          "tensor<2x3x4x4xi8>",
          "tensor<2x3x4x4xi8>");
  addCase(
      "%x: tensor<1x3x8x7xi8>",
      "%y = qint.avg_pool %x {kernel = array<i64: 3, 2>, strides = array<i64: "
      "2, 2>,"
      " tap_counts = array<i64: 6>, input_zero_point = 3 : i32,"
      " requant = #qint.requant<[715827883], [32], zp 3, clamp -128 to 127>}"
      " : (tensor<1x3x8x7xi8>) -> tensor<1x3x3x3xi8>",
      "tensor<1x3x3x3xi8>");
  addCase("%x: tensor<2x3x5x4xi8>",
          "%y = qint.avg_pool %x {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>,"
          " strides = array<i64: 2, 1>, tap_counts = array<i64: 4, 6, 9>,"
          " input_zero_point = -20 : i32, requant = #qint.requant<[536870912,"
          " 357913941, 238609294], [31], zp -20, clamp -120 to 127>}"
          " : (tensor<2x3x5x4xi8>) -> tensor<2x3x3x4xi8>",
          "tensor<2x3x3x4xi8>");
  for (const char *keep : {"true", "false"}) {
    std::string kept = keep == std::string("true") ? "2x3x1x1" : "2x3";
    std::string across = keep == std::string("true") ? "2x1x4x5" : "2x4x5";
    for (auto [op, tail] :
         {std::pair(
              "reduce_mean",
              ", input_zero_point = -5 : i32, requant = "
              "#qint.requant<[1288490189], [34], zp 1, clamp -128 to 127>"),
          std::pair("reduce_max", ""), std::pair("reduce_min", "")}) {
      // Behind a pool the channels are last, behind an argument they are not.
      addCase("%x: tensor<2x3x4x5xi8>",
              "%p = qint.max_pool %x {kernel = array<i64: 1, 1>} :"
              " (tensor<2x3x4x5xi8>) -> tensor<2x3x4x5xi8>\n%y = qint." +
                  std::string(op) + " %p axes [2, 3] {keep_dims = " + keep +
                  tail + "} : (tensor<2x3x4x5xi8>) -> tensor<" + kept + "xi8>",
              "tensor<" + kept + "xi8>");
      addCase("%x: tensor<2x3x4x5xi8>",
              "%p = qint.max_pool %x {kernel = array<i64: 1, 1>} :"
              " (tensor<2x3x4x5xi8>) -> tensor<2x3x4x5xi8>\n%y = qint." +
                  std::string(op) + " %p axes [1] {keep_dims = " + keep + tail +
                  "} : (tensor<2x3x4x5xi8>) -> tensor<" + across + "xi8>",
              "tensor<" + across + "xi8>");
      addCase("%x: tensor<2x3x4x5xi8>",
              "%y = qint." + std::string(op) +
                  " %x axes [1] {keep_dims = " + keep + tail +
                  "} : (tensor<2x3x4x5xi8>) -> tensor<" + across + "xi8>",
              "tensor<" + across + "xi8>");
    }
  }
  compareAll();
}

TEST_F(ToTosa, Moves) {
  for (std::string from : {"%x", "%p"})
    addCase("%x: tensor<2x3x4x5xi8>",
            "%p = qint.max_pool %x {kernel = array<i64: 1, 1>} :"
            " (tensor<2x3x4x5xi8>) -> tensor<2x3x4x5xi8>\n"
            "%g = qint.gather " + from + " axis 3 [0, 0, 1, 4, 4, 3] :"
            " (tensor<2x3x4x5xi8>) -> tensor<2x3x4x6xi8>\n"
            "%y = qint.slice %g [0, 0, 1, 1] steps [1, 2, 1, 2] :"
            " (tensor<2x3x4x6xi8>) -> tensor<2x2x3x3xi8>",
            "tensor<2x2x3x3xi8>");
  // In both layouts: `%p` has its channels last, `%x` has not.
  for (std::string from : {"%x", "%p"})
    addCase(
        "%x: tensor<2x3x4x5xi8>",
        "%p = qint.max_pool %x {kernel = array<i64: 1, 1>} :"
        " (tensor<2x3x4x5xi8>) -> tensor<2x3x4x5xi8>\n"
        "%q = qint.pad " +
            from +
            " [0, 1, 0, 2, 1, 0, 0, 1] {value = -3 : i32} :"
            " (tensor<2x3x4x5xi8>) -> tensor<3x4x4x8xi8>\n"
            "%s = qint.slice %q [1, 1, 0, 2] steps [1, 1, 1, 1] :"
            " (tensor<3x4x4x8xi8>) -> tensor<2x3x4x5xi8>\n"
            "%c = qint.concat %s, " +
            from +
            " axis 1 :"
            " (tensor<2x3x4x5xi8>, tensor<2x3x4x5xi8>) -> tensor<2x6x4x5xi8>\n"
            "%l = qint.transpose %c [0, 2, 3, 1] : (tensor<2x6x4x5xi8>) -> "
            "tensor<2x4x5x6xi8>\n"
            "%f = qint.transpose %l [0, 3, 1, 2] : (tensor<2x4x5x6xi8>) -> "
            "tensor<2x6x4x5xi8>\n"
            "%m = qint.max_pool %f {kernel = array<i64: 2, 1>} :"
            " (tensor<2x6x4x5xi8>) -> tensor<2x6x3x5xi8>\n"
            "%y = qint.reshape %m : (tensor<2x6x3x5xi8>) -> tensor<12x15xi8>",
        "tensor<12x15xi8>");
  compareAll();
}

} // namespace
