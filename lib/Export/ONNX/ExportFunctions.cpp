// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chains of scalar functions: each step is a node, the stack holds names.

#include "Emitter.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::exporter;

std::string mlir::qopt::exporter::emitClip(Graph &graph, std::string input,
                                           const Limits &limits,
                                           StringRef hint) {
  std::vector<std::string> inputs = {std::move(input)};
  inputs.push_back(std::isinf(limits.low)
                       ? ""
                       : graph.addScalar(static_cast<float>(limits.low)));
  if (!std::isinf(limits.high))
    inputs.push_back(graph.addScalar(static_cast<float>(limits.high)));
  return graph.addNode("Clip", std::move(inputs), (hint + "/Clip").str());
}

namespace {

/// Adds the nodes of one chain.
class Chain {
public:
  Chain(Graph &graph, std::string input, StringRef hint)
      : graph(graph), value(std::move(input)), hint(hint) {}

  void apply(FnAttr fn);
  std::string take() { return std::move(value); }

private:
  std::string node(StringRef op, std::vector<std::string> inputs,
                   std::vector<NodeAttribute> attributes = {}) {
    return graph.addNode(op, std::move(inputs), (hint + "/" + op).str(),
                         std::move(attributes));
  }
  std::string scalar(double number) {
    return graph.addScalar(static_cast<float>(number));
  }
  /// 1 or 0.
  void compare(StringRef op, double with) {
    value = node("Cast", {node(op, {value, scalar(with)})},
                 {{"to", int64_t(onnx::TensorProto::FLOAT)}});
  }
  void elu(double alpha, double divisor);
  /// One node without parameters; false where there is none.
  bool applyPlain(Function function);
  /// One node of the top of the stack and the value; false where there is none.
  bool applyBinary(Function function);

  Graph &graph;
  std::string value;
  StringRef hint;
  SmallVector<std::string> stack;
};

} // namespace

void Chain::elu(double alpha, double divisor) {
  if (divisor == 1) {
    value = node("Elu", {value}, {{"alpha", static_cast<float>(alpha)}});
    return;
  }
  // ONNX has one parameter for both: max(x, 0) + alpha (e^(min(x, 0) / d) - 1).
  std::string below = node("Min", {value, scalar(0)});
  std::string power = node("Exp", {node("Div", {below, scalar(divisor)})});
  std::string curve =
      node("Mul", {node("Sub", {power, scalar(1)}), scalar(alpha)});
  std::string above = node("Relu", {value});
  value = node("Add", {above, curve});
}

bool Chain::applyPlain(Function function) {
  switch (function) {
  case Function::Relu:
  case Function::Sigmoid:
  case Function::Tanh:
  case Function::HardSwish:
  case Function::Softplus:
  case Function::Erf:
  case Function::Exp:
  case Function::Log:
  case Function::Sqrt:
  case Function::Reciprocal:
  case Function::Abs:
  case Function::Sign:
  case Function::Floor:
  case Function::Ceil:
  case Function::Round:
  case Function::Sin:
  case Function::Cos:
  case Function::Atan:
    break;
  default:
    return false;
  }
  std::string op = stringifyFunction(function).str();
  op[0] = llvm::toUpper(op[0]);
  value = node(function == Function::HardSwish ? "HardSwish" : op, {value});
  return true;
}

bool Chain::applyBinary(Function function) {
  StringRef op;
  switch (function) {
  case Function::Add:
    op = "Add";
    break;
  case Function::Sub:
    op = "Sub";
    break;
  case Function::Mul:
    op = "Mul";
    break;
  case Function::Div:
    op = "Div";
    break;
  case Function::Min:
    op = "Min";
    break;
  case Function::Max:
    op = "Max";
    break;
  default:
    return false;
  }
  std::string top = stack.pop_back_val();
  value = node(op, {top, value});
  return true;
}

void Chain::apply(FnAttr fn) {
  if (applyPlain(fn.getFunction()) || applyBinary(fn.getFunction()))
    return;
  ArrayRef<double> params = fn.getParams();
  switch (fn.getFunction()) {
  case Function::Clip:
    value = emitClip(graph, value, {params[0], params[1]}, hint);
    return;
  case Function::LeakyRelu:
    value =
        node("LeakyRelu", {value}, {{"alpha", static_cast<float>(params[0])}});
    return;
  case Function::HardSigmoid:
    value = node("HardSigmoid", {value},
                 {{"alpha", static_cast<float>(params[0])},
                  {"beta", static_cast<float>(params[1])}});
    return;
  case Function::Affine:
    if (params[0] != 1 || params[1] == 0)
      value = node("Mul", {value, scalar(params[0])});
    if (params[1] != 0)
      value = node("Add", {value, scalar(params[1])});
    return;
  case Function::Elu:
    return elu(params[0], params[1]);
  case Function::Pow:
    value = node("Pow", {value, scalar(params[0])});
    return;
  case Function::Greater:
    return compare("Greater", params[0]);
  case Function::GreaterOrEqual:
    return compare("GreaterOrEqual", params[0]);
  case Function::Equal:
    return compare("Equal", params[0]);
  case Function::Push:
    stack.push_back(value);
    return;
  case Function::Swap:
    std::swap(stack.back(), value);
    return;
  default:
    return;
  }
}

std::string mlir::qopt::exporter::emitFunctions(Graph &graph,
                                                ArrayRef<FnAttr> functions,
                                                std::string input,
                                                StringRef hint) {
  Chain chain(graph, std::move(input), hint);
  for (FnAttr fn : functions)
    chain.apply(fn);
  return chain.take();
}
