// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports each backend test whose operators are all in qopt's list, runs it in
// float in the reference evaluator, and compares with the expected outputs. A
// test that fails must stand in expectations.txt with a reason, and a test that
// stands there must fail.

#include "BackendCase.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <set>

using namespace mlir;
using namespace qopt_test;
namespace reference = mlir::qopt::reference;
using reference::Tensor;

/// The operators whose tests are in scope.
static const std::set<std::string> supportedOperators = {"Abs",
                                                         "Add",
                                                         "AveragePool",
                                                         "BatchNormalization",
                                                         "Ceil",
                                                         "Celu",
                                                         "Clip",
                                                         "Concat",
                                                         "Constant",
                                                         "Conv",
                                                         "ConvTranspose",
                                                         "DepthToSpace",
                                                         "Div",
                                                         "Dropout",
                                                         "Elu",
                                                         "Erf",
                                                         "Exp",
                                                         "Expand",
                                                         "Flatten",
                                                         "Floor",
                                                         "Gather",
                                                         "Gelu",
                                                         "Gemm",
                                                         "GlobalAveragePool",
                                                         "GlobalMaxPool",
                                                         "HardSigmoid",
                                                         "HardSwish",
                                                         "Identity",
                                                         "LeakyRelu",
                                                         "Log",
                                                         "MatMul",
                                                         "Max",
                                                         "MaxPool",
                                                         "Min",
                                                         "Mish",
                                                         "Mul",
                                                         "Neg",
                                                         "PRelu",
                                                         "Pad",
                                                         "Pow",
                                                         "Reciprocal",
                                                         "ReduceMax",
                                                         "ReduceMean",
                                                         "ReduceMin",
                                                         "ReduceSum",
                                                         "Relu",
                                                         "Reshape",
                                                         "Resize",
                                                         "Round",
                                                         "Selu",
                                                         "Sigmoid",
                                                         "Sign",
                                                         "Slice",
                                                         "Softmax",
                                                         "Softplus",
                                                         "Softsign",
                                                         "SpaceToDepth",
                                                         "Split",
                                                         "Sqrt",
                                                         "Squeeze",
                                                         "Sub",
                                                         "Tanh",
                                                         "ThresholdedRelu",
                                                         "Tile",
                                                         "Transpose",
                                                         "Unsqueeze",
                                                         "Upsample",
                                                         "Where"};

/// Operators that exporters write around a Reshape or a Where: in scope beside
/// one of the above, not alone.
static const std::set<std::string> shapeOperators = {
    "And",   "Cast",        "ConstantOfShape",
    "Equal", "Greater",     "GreaterOrEqual",
    "Less",  "LessOrEqual", "Not",
    "Or",    "Shape"};

static bool inScope(const BackendCase &test) {
  bool any = false;
  for (const std::string &op : test.operators) {
    if (supportedOperators.count(op))
      any = true;
    else if (!shapeOperators.count(op))
      return false;
  }
  return any && !test.dataSets.empty();
}

namespace {

enum class Verdict { Passed, Refused, Wrong };

struct Outcome {
  Verdict verdict = Verdict::Refused;
  /// Why it did not pass.
  std::string text;
};

} // namespace

static std::string messageOf(llvm::Error error) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << error;
  llvm::consumeError(std::move(error));
  return text.substr(0, text.find('\n'));
}

/// Whether `actual` is `|actual - expected| <= 1e-6 + 1e-4 |expected|`
/// everywhere; NaN equals NaN.
static bool isClose(const Tensor &actual, const BackendTensor &expected) {
  if (!expected.isFloat ||
      actual.getShape() != ArrayRef<int64_t>(expected.shape))
    return false;
  ArrayRef<float> values = actual.values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    double a = values[i], e = expected.values[i];
    if (a == e || (std::isnan(a) && std::isnan(e)))
      continue;
    if (!(std::fabs(a - e) <= 1e-6 + 1e-4 * std::fabs(e)))
      return false;
  }
  return true;
}

/// Runs one data set with all inputs from `firstConstant` on bound at compile
/// time: weights and parameters that a test feeds at run time.
static Outcome runDataSet(const BackendCase &test, const BackendDataSet &data,
                          size_t firstConstant) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<qopt::QoptDialect, func::FuncDialect>();
  qopt::importer::ImportOptions options;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < data.inputs.size(); ++i) {
    if (i >= firstConstant && i < test.inputNames.size())
      options.constants.emplace_back(test.inputNames[i],
                                     data.inputs[i].serialized);
    else
      inputs.push_back(
          Tensor::from<float>(data.inputs[i].shape, data.inputs[i].values));
  }
  auto module = qopt::importer::importModelBytes(test.model, context, options);
  if (!module)
    return {Verdict::Refused, messageOf(module.takeError())};
  auto results = reference::evaluateModule(**module, inputs);
  if (!results)
    return {Verdict::Wrong, messageOf(results.takeError())};
  if (results->size() != data.outputs.size())
    return {Verdict::Wrong, "another number of outputs"};
  for (size_t i = 0; i < results->size(); ++i)
    if (!isClose((*results)[i], data.outputs[i]))
      return {Verdict::Wrong, "output " + std::to_string(i) + " differs"};
  return {Verdict::Passed, ""};
}

/// The first way that the importer takes: all inputs at run time, then all but
/// the last bound at compile time, and so on.
static Outcome runCase(const BackendCase &test) {
  Outcome outcome;
  for (const BackendDataSet &data : test.dataSets) {
    std::string firstText;
    for (size_t bound = 0; bound <= data.inputs.size(); ++bound) {
      outcome = runDataSet(test, data, data.inputs.size() - bound);
      if (bound == 0)
        firstText = outcome.text;
      if (outcome.verdict != Verdict::Refused)
        break;
    }
    if (outcome.verdict == Verdict::Refused)
      outcome.text = firstText;
    if (outcome.verdict != Verdict::Passed)
      return outcome;
  }
  return outcome;
}

/// `name reason` a line; `#` starts a comment.
static std::map<std::string, std::string> readExpectations() {
  std::map<std::string, std::string> expectations;
  std::ifstream stream(QOPT_ONNX_EXPECTATIONS);
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    size_t space = line.find(' ');
    std::string reason =
        space == std::string::npos ? "" : line.substr(space + 1);
    EXPECT_FALSE(reason.empty()) << "no reason for " << line;
    EXPECT_TRUE(expectations.emplace(line.substr(0, space), reason).second)
        << "listed twice: " << line;
  }
  return expectations;
}

TEST(OnnxBackend, ListedTestsFailAndAllOthersPass) {
  std::vector<BackendCase> cases;
  for (const char *folder :
       {"node", "simple", "pytorch-converted", "pytorch-operator"})
    for (BackendCase &test : readBackendCases(QOPT_ONNX_TESTDATA, folder))
      if (inScope(test))
        cases.push_back(std::move(test));
  if (cases.empty())
    GTEST_SKIP() << "skipped: apt-get install libonnx-testdata";

  std::map<std::string, std::string> expectations = readExpectations();
  std::map<Verdict, int> counts;
  int relabelled = 0;
  for (const BackendCase &test : cases) {
    Outcome outcome = runCase(test);
    ++counts[outcome.verdict];
    relabelled += test.relabelled && outcome.verdict == Verdict::Passed;
    bool listed = expectations.erase(test.name) != 0;
    if (outcome.verdict == Verdict::Passed)
      EXPECT_FALSE(listed) << test.name << " passes; take it off the list";
    else
      EXPECT_TRUE(listed) << test.name << " "
                          << (outcome.verdict == Verdict::Wrong ? "wrong: "
                                                                : "refused: ")
                          << outcome.text;
    EXPECT_TRUE(outcome.verdict != Verdict::Wrong)
        << test.name << " is wrong: " << outcome.text;
  }
  for (const auto &[name, reason] : expectations)
    ADD_FAILURE() << name << " is listed, but no test in scope";
  std::cout << "ONNX backend tests in scope " << cases.size() << ", passed "
            << counts[Verdict::Passed] << " (" << relabelled
            << " relabelled to opset 7), refused with a diagnostic "
            << counts[Verdict::Refused] << ", wrong " << counts[Verdict::Wrong]
            << "\n";
}
