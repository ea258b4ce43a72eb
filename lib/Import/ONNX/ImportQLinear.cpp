// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators on integers with their scales as inputs: each stands for
// DequantizeLinear on its operands, the operator on floats, QuantizeLinear.
#include "Registry.h"

namespace mlir::qopt::importer {

namespace {

/// Takes one node apart.
class Expansion {
public:
  explicit Expansion(NodeContext &n) : n(n), node(n.getNode()) {}

  /// The name of input `i`; empty where it is absent.
  std::string input(size_t i) const {
    return i < node.inputs.size() ? node.inputs[i] : std::string();
  }

  /// The name of a value that the model has none for.
  std::string temporary(const std::string &what) const {
    return (node.outputs.empty() ? node.name : node.outputs.front()) + "@" +
           what;
  }

  /// Inputs `i`, `i + 1`, `i + 2` are integers, scale and zero point. The
  /// scales run along `axis` where there are several.
  std::string dequantize(size_t i, int64_t axis = 0) {
    return add("DequantizeLinear", {input(i), input(i + 1), input(i + 2)},
               temporary("input" + std::to_string(i)), "axis", axis)
        .outputs.front();
  }

  /// Input `i` is a bias at the product of the scales `a` and `b`, times
  /// `factor`.
  std::string dequantizeBias(size_t i, size_t a, size_t b, float factor = 1) {
    ConstantRef left = n.floatConstant(a, "the scale");
    ConstantRef right = n.floatConstant(b, "the weight's scale");
    if (!n.ok())
      return "";
    if (left->size() != 1) {
      n.invalid("expects one scale of its input");
      return "";
    }
    Constant scale = *right;
    for (float &value : scale.floats)
      value *= left->floats.front() * factor;
    std::string name = temporary("bias_scale");
    n.define(name, std::move(scale));
    return add("DequantizeLinear", {input(i), name}, temporary("bias"), "axis",
               -1)
        .outputs.front();
  }

  /// The operator itself, with the node's attributes but those in `without`.
  std::string compute(const std::string &opType,
                      std::vector<std::string> inputs,
                      ArrayRef<StringRef> without = {}) {
    Node &part = add(opType, std::move(inputs), temporary("real"));
    part.attributes = node.attributes;
    for (StringRef name : without)
      part.attributes.erase(name.str());
    return part.outputs.front();
  }

  /// Rounds `value` to the node's output by the scale in input `i` and the
  /// zero point behind it.
  void quantize(const std::string &value, size_t i) {
    add("QuantizeLinear", {value, input(i), input(i + 1)}, output());
    finish();
  }

  /// The last part gives the node's output.
  void finish() {
    nodes.back().outputs = {output()};
    if (n.ok())
      n.expandTo(std::move(nodes));
  }

private:
  std::string output() const {
    return node.outputs.empty() ? std::string() : node.outputs.front();
  }

  Node &add(const std::string &opType, std::vector<std::string> inputs,
            const std::string &result, const std::string &attribute = "",
            int64_t value = 0) {
    Node part;
    part.origin =
        node.domain.empty() ? node.opType : node.domain + "." + node.opType;
    part.name = node.name;
    part.opset = node.opset;
    part.opType = opType;
    part.inputs = std::move(inputs);
    part.outputs = {result};
    if (!attribute.empty()) {
      part.attributes[attribute].kind = NodeAttribute::Kind::Int;
      part.attributes[attribute].i = value;
    }
    nodes.push_back(std::move(part));
    return nodes.back();
  }

  NodeContext &n;
  const Node &node;
  std::vector<Node> nodes;
};

} // namespace

/// Refuses pools on `N x spatial x C`.
static void expectChannelsFirst(NodeContext &n) {
  if (n.intAttribute("channels_last", 0) != 0)
    n.unsupported("channels_last");
}

void importQLinearConv(NodeContext &n) {
  n.expectInputs(8, 9);
  if (!n.ok())
    return;
  Expansion parts(n);
  std::vector<std::string> operands = {parts.dequantize(0),
                                       parts.dequantize(3)};
  if (n.hasInput(8))
    operands.push_back(parts.dequantizeBias(8, 1, 4));
  std::string real = parts.compute("Conv", std::move(operands));
  parts.quantize(real, 6);
}

void importQLinearMatMul(NodeContext &n) {
  n.expectInputs(8, 8);
  if (!n.ok())
    return;
  Expansion parts(n);
  std::string a = parts.dequantize(0), b = parts.dequantize(3, -1);
  parts.quantize(parts.compute("MatMul", {a, b}), 6);
}

void importQGemm(NodeContext &n) {
  n.expectInputs(6, 9);
  if (!n.ok())
    return;
  Expansion parts(n);
  int64_t columns = n.intAttribute("transB", 0) != 0 ? 0 : 1;
  std::vector<std::string> operands = {parts.dequantize(0),
                                       parts.dequantize(3, columns)};
  if (n.hasInput(6))
    operands.push_back(
        parts.dequantizeBias(6, 1, 4, n.floatAttribute("alpha", 1)));
  std::string real = parts.compute("Gemm", std::move(operands));
  // Without a scale the result is float.
  if (n.hasInput(7))
    parts.quantize(real, 7);
  else
    parts.finish();
}

void importQLinearBinary(NodeContext &n) {
  n.expectInputs(8, 8);
  if (!n.ok())
    return;
  Expansion parts(n);
  std::string a = parts.dequantize(0), b = parts.dequantize(3);
  StringRef op = n.opType() == "QLinearAdd" ? "Add" : "Mul";
  parts.quantize(parts.compute(op.str(), {a, b}), 6);
}

void importQLinearUnary(NodeContext &n) {
  n.expectInputs(5, 5);
  expectChannelsFirst(n);
  // QLinearSoftmax names the opset whose Softmax it is.
  int64_t opset = n.intAttribute("opset", n.opset());
  if ((opset < 13) != (n.opset() < 13))
    n.unsupported("attribute 'opset' " + std::to_string(opset) +
                  " in a model of opset " + std::to_string(n.opset()));
  if (!n.ok())
    return;
  Expansion parts(n);
  std::string op = n.opType().substr(std::string("QLinear").size());
  std::string real =
      parts.compute(op, {parts.dequantize(0)}, {"channels_last", "opset"});
  parts.quantize(real, 3);
}

void importQLinearConcat(NodeContext &n) {
  n.expectInputs(5, n.numInputs());
  if (n.ok() && n.numInputs() % 3 != 2)
    n.invalid("expects a scale and a zero point, then three inputs a tensor");
  if (!n.ok())
    return;
  Expansion parts(n);
  std::vector<std::string> operands;
  for (size_t i = 2; i != n.numInputs(); i += 3)
    operands.push_back(parts.dequantize(i));
  parts.quantize(parts.compute("Concat", std::move(operands)), 0);
}

} // namespace mlir::qopt::importer
