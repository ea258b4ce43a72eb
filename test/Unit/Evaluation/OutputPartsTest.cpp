// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which elements of outputs belong together, found through transposes and
// joins of joins, and errors that count each part against its own size.

#include "../../../lib/Evaluation/OutputParts.h"
#include "mlir/Parser/Parser.h"
#include "qopt/IR/Qopt.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

class OutputPartsTest : public testing::Test {
protected:
  OutputPartsTest() { context.loadDialect<QoptDialect, func::FuncDialect>(); }

  func::FuncOp parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return *module->getOps<func::FuncOp>().begin();
  }

  static std::vector<unsigned> list(const OutputParts &parts, size_t places) {
    std::vector<unsigned> result;
    for (size_t place = 0; place < places; ++place)
      result.push_back(parts.at(place));
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(OutputPartsTest, plainOutputsAreOneEach) {
  func::FuncOp function = parse(R"(
func.func @net(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %y = qopt.add %x, %x : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %x, %y : tensor<1x2xf32>, tensor<1x2xf32>
})");
  EXPECT_EQ(list(OutputParts(function), 4),
            (std::vector<unsigned>{0, 0, 1, 1}));
}

/// [1, 3, 2] of boxes (2 rows) and scores (1 row, itself joined of two
/// columns), then transposed: each row has two elements of boxes and one score.
TEST_F(OutputPartsTest, followsTransposesAndJoinsOfJoins) {
  func::FuncOp function = parse(R"(
func.func @net(%boxes: tensor<1x2x2xf32>, %a: tensor<1x1x1xf32>,
               %b: tensor<1x1xf32>) -> tensor<1x2x3xf32> {
  %b3 = qopt.reshape %b : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
  %scores = qopt.concat %a, %b3 axis 2
    : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %all = qopt.concat %boxes, %scores axis 1
    : (tensor<1x2x2xf32>, tensor<1x1x2xf32>) -> tensor<1x3x2xf32>
  %seen = qopt.observe %all "all" : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %y = qopt.transpose %seen [0, 2, 1] : (tensor<1x3x2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
})");
  const OutputParts parts(function);
  EXPECT_EQ(parts.count(), 3u);
  EXPECT_EQ(list(parts, 6), (std::vector<unsigned>{0, 0, 1, 0, 0, 2}));
}

TEST_F(OutputPartsTest, partsCountAgainstTheirOwnSize) {
  func::FuncOp function = parse(R"(
func.func @net(%x: tensor<1xf32>, %y: tensor<1xf32>) -> tensor<2xf32> {
  %z = qopt.concat %x, %y axis 0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<2xf32>
  return %z : tensor<2xf32>
})");
  const OutputParts parts(function);
  const float real[] = {100, 0.1f};
  PartErrors errors(parts);
  errors.add(0, real, {100, 0.05f});
  EXPECT_NEAR(errors.getNoise(), 0.25 / 2, 1e-6);
  PartErrors lost(parts);
  lost.add(0, real, {90, 5});
  EXPECT_NEAR(lost.getNoise(), (0.01 + 1) / 2, 1e-6) << "a lost part counts 1";
  PartErrors both(parts);
  both.add(errors);
  both.add(0, real, real);
  EXPECT_NEAR(both.getNoise(), 0.25 / 4, 1e-6);
  EXPECT_EQ(PartErrors(parts).sqnrDb(), 300);
}

TEST_F(OutputPartsTest, oneOutputMayBeWorseThanLost) {
  func::FuncOp function = parse(R"(
func.func @net(%x: tensor<1xf32>) -> tensor<1xf32> {
  return %x : tensor<1xf32>
})");
  const OutputParts parts(function);
  PartErrors errors(parts);
  errors.add(0, 1.0, 11.0);
  EXPECT_NEAR(errors.sqnrDb(), -20, 1e-9);
  PartErrors silent(parts);
  silent.add(0, 0.0, 1.0);
  EXPECT_EQ(silent.sqnrDb(), -300);
}

} // namespace
