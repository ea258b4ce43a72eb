// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The evaluator's frame: inputs, hooks, constants, refusals.

#include "RunText.h"

using namespace qopt_test;

static std::string refusal(llvm::StringRef text, ArrayRef<Tensor> inputs) {
  TextModule module(text);
  if (!module)
    return "does not parse";
  auto results = reference::evaluateModule(module.get(), inputs);
  if (results)
    return "no error";
  return messageOf(results.takeError());
}

static const std::string relu =
    functionText("%x: tensor<2xf32>", "tensor<2xf32>",
                 "%y = qopt.unary %x [#qopt.fn<relu>] : (tensor<2xf32>) -> "
                 "tensor<2xf32>");

TEST(Evaluate, HookSeesArgumentsAndResultsInOrder) {
  TextModule module("func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {\n"
                    "  %c = qopt.constant dense<2.0> : tensor<1xf32>\n"
                    "  %a = qopt.add %x, %c : (tensor<1xf32>, tensor<1xf32>) "
                    "-> tensor<1xf32>\n"
                    "  %y = qopt.mul %a, %a : (tensor<1xf32>, tensor<1xf32>) "
                    "-> tensor<1xf32>\n"
                    "  return %y : tensor<1xf32>\n}\n");
  std::vector<float> seen;
  auto results =
      reference::evaluateModule(module.get(), {tensorOf<float>({1}, {1})},
                                [&](Value, const Tensor &tensor) {
                                  seen.push_back(tensor.values<float>()[0]);
                                });
  ASSERT_TRUE(static_cast<bool>(results));
  EXPECT_EQ(seen, (std::vector<float>{1, 3, 9}));
  EXPECT_EQ(valuesOf<float>((*results)[0]), (std::vector<float>{9}));
}

TEST(Evaluate, OneEvaluatorRunsManyInputs) {
  TextModule module(relu);
  auto main = module.get().lookupSymbol<func::FuncOp>("main");
  auto evaluator = reference::Evaluator::create(main);
  ASSERT_TRUE(static_cast<bool>(evaluator));
  for (float x : {-1.0f, 2.0f}) {
    auto y = evaluator->run({tensorOf<float>({2}, {x, 0})});
    ASSERT_TRUE(static_cast<bool>(y));
    EXPECT_EQ((*y)[0].values<float>()[0], std::max(x, 0.0f));
  }
}

TEST(Evaluate, ResourceAndSplatConstants) {
  auto y =
      runText("func.func @main() -> tensor<2xi32> {\n"
              "  %a = qint.constant dense_resource<blob> : tensor<2xi32>\n"
              "  return %a : tensor<2xi32>\n}\n"
              "{-#\n  dialect_resources: {\n    builtin: {\n"
              "      blob: \"0x0400000001000000FEFFFFFF\"\n    }\n  }\n#-}",
              {});
  EXPECT_EQ(valuesOf<int32_t>(y[0]), (std::vector<int32_t>{1, -2}));
  y = runText("func.func @main() -> tensor<3xi16> {\n"
              "  %a = qint.constant dense<-300> : tensor<3xi16>\n"
              "  return %a : tensor<3xi16>\n}\n",
              {});
  EXPECT_EQ(valuesOf<int16_t>(y[0]), (std::vector<int16_t>{-300, -300, -300}));
}

TEST(Evaluate, RefusesInputsThatDoNotFit) {
  EXPECT_NE(refusal(relu, {}).find("expects 1 inputs, but got 0"),
            std::string::npos);
  EXPECT_NE(
      refusal(relu, {tensorOf<float>({3}, {1, 2, 3})}).find("another shape"),
      std::string::npos);
  EXPECT_NE(refusal(relu, {tensorOf<int8_t>({2}, {1, 2})})
                .find("input 0 holds i8, but its argument f32"),
            std::string::npos);
}

TEST(Evaluate, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(
      refusal("func.func @other() { return }", {}).find("no function 'main'"),
      std::string::npos);
  EXPECT_NE(refusal("func.func private @main()", {}).find("one block"),
            std::string::npos);
  std::string text =
      refusal("func.func private @f()\n"
              "func.func @main() {\n  call @f() : () -> ()\n  return\n}\n",
              {});
  EXPECT_NE(text.find("has no 'func.call'"), std::string::npos);
}

TEST(Evaluate, RefusesAMissingResource) {
  EXPECT_NE(
      refusal("func.func @main() -> tensor<2xf32> {\n"
              "  %a = qopt.constant dense_resource<gone> : tensor<2xf32>\n"
              "  return %a : tensor<2xf32>\n}\n",
              {})
          .find("the data of constant 'gone' is missing"),
      std::string::npos);
}
