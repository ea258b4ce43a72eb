// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An operator as a list of simpler ones.
#pragma once

#include "NodeContext.h"

namespace mlir::qopt::importer {

/// Takes one node apart.
class Parts {
public:
  explicit Parts(NodeContext &n) : n(n), node(n.getNode()) {}

  std::string input(size_t i) const {
    return i < node.inputs.size() ? node.inputs[i] : std::string();
  }

  /// One operator of `opset`, or of the model's; returns its result's name.
  /// Attributes are added to `last()`.
  std::string add(const std::string &opType, std::vector<std::string> inputs,
                  int64_t opset = 0) {
    Node part;
    part.origin = node.domain + "." + node.opType;
    part.name = node.name;
    part.opset = opset ? opset : node.opset;
    part.opType = opType;
    part.inputs = std::move(inputs);
    part.outputs = {output() + "@" + std::to_string(nodes.size())};
    nodes.push_back(std::move(part));
    return nodes.back().outputs.front();
  }
  Node &last() { return nodes.back(); }

  void setInt(const std::string &name, int64_t value) {
    last().attributes[name].kind = NodeAttribute::Kind::Int;
    last().attributes[name].i = value;
  }
  void setFloat(const std::string &name, float value) {
    last().attributes[name].kind = NodeAttribute::Kind::Float;
    last().attributes[name].f = value;
  }
  void setInts(const std::string &name, const Shape &values) {
    last().attributes[name].kind = NodeAttribute::Kind::Ints;
    last().attributes[name].ints.assign(values.begin(), values.end());
  }
  void setText(const std::string &name, const std::string &value) {
    last().attributes[name].kind = NodeAttribute::Kind::String;
    last().attributes[name].s = value;
  }

  /// A number that the parts read.
  std::string number(float value) {
    Constant constant;
    constant.floats = {value};
    std::string name = output() + "@number" + std::to_string(numbers++);
    n.define(name, std::move(constant));
    return name;
  }

  /// A list that the parts read.
  std::string list(const Shape &values) {
    std::string name = output() + "@list" + std::to_string(numbers++);
    n.define(name, intConstant({int64_t(values.size())},
                               {values.begin(), values.end()}));
    return name;
  }

  /// The last part gives the node's output.
  void finish() {
    nodes.back().outputs = {output()};
    if (n.ok())
      n.expandTo(std::move(nodes));
  }

private:
  std::string output() const {
    return node.outputs.empty() ? node.name : node.outputs.front();
  }

  NodeContext &n;
  const Node &node;
  std::vector<Node> nodes;
  unsigned numbers = 0;
};

} // namespace mlir::qopt::importer
