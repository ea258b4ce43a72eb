// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators have integers at their boundary: the reals they stand for
// go through the float model.

#include "RunCase.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using reference::Tensor;

namespace qopt_test {
namespace {

/// The first line of the first error.
std::string lineOf(llvm::Error error) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << error;
  llvm::consumeError(std::move(error));
  StringRef first = StringRef(text);
  first.consume_front("Multiple errors:\n");
  return first.take_until([](char c) { return c == '\n'; }).str();
}

Outcome refusal(llvm::Error error) {
  Outcome outcome;
  outcome.text = lineOf(std::move(error));
  const std::string before = "operator '";
  if (size_t at = outcome.text.find(before); at != std::string::npos) {
    at += before.size();
    outcome.refusedOperator =
        outcome.text.substr(at, outcome.text.find('\'', at) - at);
  }
  return outcome;
}

Outcome wrong(const std::string &text) {
  Outcome outcome;
  outcome.verdict = Verdict::Wrong;
  outcome.text = text;
  return outcome;
}

/// How integers at the boundary stand for reals: `x = scale (q - zeroPoint)`.
struct Meaning {
  double scale = 1, zeroPoint = 0;
};

/// That of a quantized type whose integers the model calls `name`.
Meaning meaningOf(Type type, StringRef name) {
  numerics::QuantParams params = quantParams(type);
  double shift = name == "uint8" ? 128 : name == "uint16" ? 32768 : 0;
  return {double(params.scale), double(params.zeroPoint) + shift};
}

/// Of argument `i`, if that holds integers.
std::optional<Meaning> argumentMeaning(func::FuncOp function, unsigned i) {
  auto name = function.getArgAttrOfType<StringAttr>(i, "qopt.type");
  if (!name)
    return std::nullopt;
  for (Operation *user : function.getArgument(i).getUsers())
    if (auto op = dyn_cast<QuantizeOp>(user))
      return meaningOf(op.getType(), name.getValue());
  return std::nullopt;
}

std::optional<Meaning> resultMeaning(func::FuncOp function, unsigned i) {
  auto name = function.getResultAttrOfType<StringAttr>(i, "qopt.type");
  Operation *terminator = function.getBody().front().getTerminator();
  auto op = terminator->getOperand(i).getDefiningOp<DequantizeOp>();
  if (!name || !op)
    return std::nullopt;
  return meaningOf(op.getInput().getType(), name.getValue());
}

Tensor realsOf(const BackendTensor &input, std::optional<Meaning> meaning) {
  Tensor tensor = Tensor::from<float>(input.shape, input.values);
  if (meaning)
    for (float &value : tensor.values<float>())
      value = meaning->scale * (value - meaning->zeroPoint);
  return tensor;
}

/// Whether `actual` is `|actual - expected| <= 1e-6 + 1e-4 |expected|`
/// everywhere; NaN equals NaN. Ten times that for 16-bit floats, which qopt
/// computes as float32.
bool isClose(const Tensor &actual, const BackendTensor &expected,
             std::optional<Meaning> meaning) {
  if (expected.type == 0 ||
      actual.getShape() != ArrayRef<int64_t>(expected.shape))
    return false;
  double tolerance = expected.type == typeFloat16 ? 1e-3 : 1e-4;
  for (auto [i, value] : llvm::enumerate(actual.values<float>())) {
    double a = value, e = expected.values[i];
    if (meaning)
      a = std::rint(a / meaning->scale) + meaning->zeroPoint;
    if (a == e || (std::isnan(a) && std::isnan(e)))
      continue;
    if (!(std::fabs(a - e) <= 1e-6 + tolerance * std::fabs(e)))
      return false;
  }
  return true;
}

/// Runs one data set with all inputs from `firstConstant` on bound at compile
/// time.
Outcome runDataSet(const BackendCase &test, const BackendDataSet &data,
                   size_t firstConstant, MLIRContext &context) {
  importer::ImportOptions options;
  SmallVector<const BackendTensor *> free;
  for (size_t i = 0; i < data.inputs.size(); ++i) {
    if (i >= firstConstant && i < test.inputNames.size())
      options.constants.emplace_back(test.inputNames[i],
                                     data.inputs[i].serialized);
    else
      free.push_back(&data.inputs[i]);
  }
  auto module = importer::importModelBytes(test.model, context, options);
  if (!module)
    return refusal(module.takeError());
  func::FuncOp function = *module->get().getOps<func::FuncOp>().begin();
  if (function.getNumArguments() != free.size())
    return wrong("another number of inputs");
  std::vector<Tensor> inputs;
  for (auto [i, tensor] : llvm::enumerate(free))
    inputs.push_back(realsOf(*tensor, argumentMeaning(function, i)));
  auto results = reference::evaluate(function, inputs);
  if (!results)
    return wrong(lineOf(results.takeError()));
  if (results->size() != data.outputs.size())
    return wrong("another number of outputs");
  for (size_t i = 0; i < results->size(); ++i)
    if (!isClose((*results)[i], data.outputs[i], resultMeaning(function, i)))
      return wrong("output " + std::to_string(i) + " differs");
  Outcome outcome;
  outcome.verdict = Verdict::Passed;
  outcome.integers = runIntegerForm(**module, inputs);
  return outcome;
}

/// The first way to bind inputs that is not refused.
Outcome runBound(const BackendCase &test, const BackendDataSet &data,
                 MLIRContext &context) {
  Outcome first;
  for (size_t bound = 0; bound <= data.inputs.size(); ++bound) {
    Outcome outcome =
        runDataSet(test, data, data.inputs.size() - bound, context);
    if (outcome.verdict != Verdict::Refused)
      return outcome;
    if (bound == 0)
      first = outcome;
  }
  return first;
}

} // namespace

void loadDialects(MLIRContext &context) {
  context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect,
                      quant::QuantDialect>();
}

Outcome runCase(const BackendCase &test, MLIRContext &context) {
  Outcome worst;
  for (const BackendDataSet &data : test.dataSets) {
    Outcome outcome = runBound(test, data, context);
    if (outcome.verdict != Verdict::Passed)
      return outcome;
    bool isFirst = &data == &test.dataSets.front();
    if (isFirst || outcome.integers.verdict > worst.integers.verdict)
      worst = outcome;
  }
  return worst;
}

} // namespace qopt_test
