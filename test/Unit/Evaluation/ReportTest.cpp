// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The JSON of an evaluation, to the letter.

#include "qopt/Evaluation/Evaluation.h"
#include <gtest/gtest.h>

using namespace mlir::qopt::evaluation;

static std::string toJson(const Evaluation &evaluation) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  writeJson(json, evaluation);
  return text;
}

TEST(Report, WritesWhatIsThere) {
  Evaluation evaluation;
  evaluation.samples = 4;
  evaluation.agreement = 0.75;
  evaluation.outputs.push_back({"y", 40.5, std::nullopt, std::nullopt});
  EXPECT_EQ(toJson(evaluation),
            R"({"samples":4,"agreement":0.75,"outputs":[{"name":"y",)"
            R"("sqnr_db":40.5}],"tensor_samples":0,"tensors":[]})");
}

TEST(Report, WritesAllFiguresButTimes) {
  Evaluation evaluation;
  evaluation.samples = 2;
  evaluation.floatAccuracy = 1;
  evaluation.integerAccuracy = 0.5;
  evaluation.floatLoss = 0.125;
  evaluation.integerLoss = 0.25;
  evaluation.agreement = 0.5;
  evaluation.outputs.push_back({"a", 30, 60, 29.5});
  evaluation.tensors.push_back({"x", 0.5f, -3, 45, 45});
  evaluation.tensors.push_back({"gone", 0.25f, 0, 44, std::nullopt});
  evaluation.tensorSamples = 1;
  std::string expected =
      R"({"samples":2,"float_accuracy":1,"integer_accuracy":0.5,)"
      R"("float_loss":0.125,"integer_loss":0.25,"agreement":0.5,)"
      R"("outputs":[{"name":"a","sqnr_db":30,"float_sqnr_db":60,)"
      R"("integer_sqnr_db":29.5}],"tensor_samples":1,"tensors":[)"
      R"({"id":"x","scale":0.5,"zero_point":-3,"own_sqnr_db":45,)"
      R"("accumulated_sqnr_db":45},)"
      R"({"id":"gone","scale":0.25,"zero_point":0,"own_sqnr_db":44}]})";
  EXPECT_EQ(toJson(evaluation), expected);
  evaluation.floatNs = 1000;
  evaluation.integerNs = 500;
  EXPECT_EQ(toJson(evaluation), expected);
}
