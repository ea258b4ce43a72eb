// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many bits readers take.

#include "qopt/Transforms/WideValues.h"
#include "TestModule.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// The most bits of a value that is the product of two arguments, read as
/// `readers` say. Its range is 1.
int mostBits(const std::string &readers, const std::string &more = "") {
  MLIRContext context;
  context.loadDialect<QoptDialect, func::FuncDialect, quant::QuantDialect>();
  auto module = parseSourceString<ModuleOp>(R"(
func.func @f(%x: tensor<1x4xf32>, %z: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %m = qopt.mul %x, %z : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %v = qopt.observe %m "v" {scale = 0.007874016 : f32, zero_point = 0 : i64)" +
                                                more + R"(}
    : tensor<1x4xf32> -> tensor<1x4xf32>
)" + readers + "\n  return %z : tensor<1x4xf32>\n}",
                                            &context);
  if (!module)
    return -1;
  int bits = -1;
  module->walk([&](ObserveOp op) {
    if (op.getId() == "v")
      bits = getMostBits(op, {});
  });
  return bits;
}

/// A layer whose output channel sums `terms` weights of `weight`.
std::string layer(const std::string &weight, const std::string &bias = "0.0") {
  return R"(
  %w = qopt.constant dense<)" +
         weight + R"(> : tensor<2x4xf32>
  %b = qopt.constant dense<)" +
         bias + R"(> : tensor<2xf32>
  %y = qopt.gemm %v, %w, %b
    : (tensor<1x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<1x2xf32>)";
}

std::string type = ": (tensor<1x4xf32>) -> tensor<1x4xf32>";
std::string pair = ": (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>";

TEST(MostBits, functionsSumsAndProductsTake16) {
  EXPECT_EQ(mostBits("%a = qopt.unary %v [#qopt.fn<sigmoid>] " + type), 16);
  EXPECT_EQ(mostBits("%a = qopt.add %v, %z " + pair), 16);
  EXPECT_EQ(mostBits("%a = qopt.mul %v, %v " + pair), 16);
  EXPECT_EQ(mostBits("%a = qopt.unary %v [#qopt.fn<floor>] " + type), 16);
  EXPECT_EQ(mostBits("%a = qopt.div %v, %z " + pair), 8);
  EXPECT_EQ(mostBits("%a = qopt.softmax %v axis 1 " + type), 16);
}

TEST(MostBits, theLeastReaderDecides) {
  EXPECT_EQ(mostBits("%a = qopt.unary %v [#qopt.fn<sigmoid>] " + type +
                     "\n%b = qopt.div %v, %z " + pair),
            8);
  EXPECT_EQ(mostBits(""), 8);
}

TEST(MostBits, readersBehindMoves) {
  EXPECT_EQ(
      mostBits("%r = qopt.reshape %v : (tensor<1x4xf32>) -> tensor<4x1xf32>\n"
               "%a = qopt.unary %r [#qopt.fn<tanh>] : (tensor<4x1xf32>) -> "
               "tensor<4x1xf32>"),
      16);
  // What is joined is asked of the group.
  EXPECT_EQ(mostBits("%c = qopt.concat %v, %z axis 0 : (tensor<1x4xf32>, "
                     "tensor<1x4xf32>) -> tensor<2x4xf32>"),
            16);
}

TEST(MostBits, layersTakeWhatTheirSumsHoldIn32Bits) {
  // 4 * 127 * 2^15 is below 2^24.
  EXPECT_EQ(mostBits(layer("1.0")), 16);
  // A bias of 2^16 is 2^23 steps of the weight, 1/127, by 2^7 of the input's
  // at 9 bits; a larger one makes the weight's steps coarser.
  EXPECT_EQ(mostBits(layer("1.0", "131072.0")), 9);
  EXPECT_EQ(mostBits(layer("1.0", "65536.0")), 9);
  EXPECT_EQ(mostBits(layer("1.0", "[0.0, 8192.0]")), 12);
}

/// The ids of each group, and the group's bits.
std::vector<std::string> findGroups(const std::string &body) {
  MLIRContext context;
  context.loadDialect<QoptDialect, func::FuncDialect, quant::QuantDialect>();
  auto module = parseSourceString<ModuleOp>(
      "func.func @f(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {\n" + body +
          "\n  return %x : tensor<1x4xf32>\n}",
      &context);
  std::vector<std::string> found;
  if (!module)
    return {"no module"};
  for (auto &group : getWideGroups(*module->getOps<func::FuncOp>().begin())) {
    std::string ids;
    for (ObserveOp op : group)
      ids += op.getId().str() + " ";
    found.push_back(ids + std::to_string(getMostBits(group, {})));
  }
  return found;
}

/// `%id` is `%id0` observed.
std::string observe(const std::string &id, const std::string &type,
                    const std::string &more = "") {
  return "\n%" + id + " = qopt.observe %" + id + "0 \"" + id +
         "\" {scale = 0.01 : f32, zero_point = 0 : i64" + more + "} : " + type +
         " -> " + type + "\n";
}

const std::string small = "tensor<1x4xf32>", large = "tensor<2x4xf32>";
const std::string inputs = "%a0 = qopt.mul %x, %x " + pair +
                           observe("a", small) + "%b0 = qopt.add %x, %x " +
                           pair;
const std::string joined = "%m = qopt.reshape %a : (" + small + ") -> " +
                           small + "\n%c0 = qopt.concat %m, %b axis 0 : (" +
                           small + ", " + small + ") -> " + large;
const std::string read = "%d0 = qopt.mul %c, %c : (" + large + ", " + large +
                         ") -> " + large + observe("d", large);

TEST(WideGroups, joinedValuesAreOne) {
  EXPECT_EQ(findGroups(inputs + observe("b", small) + joined +
                       observe("c", large) + read),
            (std::vector<std::string>{"a b c 16", "d 8"}));
}

TEST(WideGroups, theLeastReaderOfAnyDecides) {
  EXPECT_EQ(findGroups(inputs + observe("b", small) + joined +
                       observe("c", large) + read +
                       "%f = qopt.div %b, %b " + pair),
            (std::vector<std::string>{"a b c 8", "d 8"}));
}

TEST(WideGroups, scalesOfTheModelStay) {
  const std::string imported = ", method = \"imported\"";
  EXPECT_EQ(findGroups(inputs + observe("b", small, imported) + joined +
                       observe("c", large) + read),
            (std::vector<std::string>{"a c 16", "d 8"}));
  EXPECT_EQ(findGroups(inputs + observe("b", small) + joined +
                       observe("c", large, imported) + read),
            (std::vector<std::string>{"a 16", "b 16", "d 8"}));
}

} // namespace
