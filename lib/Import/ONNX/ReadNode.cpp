// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies nodes and their attributes out of protobuf.
#include "ReadNode.h"

#include "qopt/Support/Error.h"

namespace mlir::qopt::importer {

using onnx::AttributeProto;

std::string nodeName(const onnx::NodeProto &proto, int64_t index) {
  if (!proto.name().empty())
    return proto.name();
  return proto.op_type() + "_" + std::to_string(index);
}

void forEachSubgraph(
    const onnx::NodeProto &proto,
    llvm::function_ref<void(const std::string &, const onnx::GraphProto &)>
        visit) {
  for (const auto &attribute : proto.attribute()) {
    if (attribute.has_g())
      visit(attribute.name(), attribute.g());
    for (const auto &graph : attribute.graphs())
      visit(attribute.name(), graph);
  }
}

static void collectCaptures(const onnx::GraphProto &graph,
                            std::vector<std::string> &names) {
  llvm::StringSet<> defined;
  for (const auto &input : graph.input())
    defined.insert(input.name());
  for (const auto &tensor : graph.initializer())
    defined.insert(tensor.name());
  for (const auto &node : graph.node())
    for (const std::string &output : node.output())
      defined.insert(output);
  std::vector<std::string> inner;
  for (const auto &node : graph.node()) {
    inner.insert(inner.end(), node.input().begin(), node.input().end());
    // Nesting is bounded by the parser's recursion limit.
    forEachSubgraph(node, [&](const std::string &, const auto &subgraph) {
      collectCaptures(subgraph, inner);
    });
  }
  for (const auto &output : graph.output())
    inner.push_back(output.name());
  for (std::string &name : inner)
    if (!name.empty() && !defined.contains(name))
      names.push_back(std::move(name));
}

std::vector<std::string> capturedNames(const onnx::NodeProto &proto) {
  std::vector<std::string> names;
  forEachSubgraph(proto, [&](const std::string &, const auto &graph) {
    collectCaptures(graph, names);
  });
  return names;
}

/// Old files leave the type open: it is then what is there.
static AttributeProto::AttributeType inferType(const AttributeProto &proto) {
  if (proto.has_type() && proto.type() != AttributeProto::UNDEFINED)
    return proto.type();
  if (proto.has_i())
    return AttributeProto::INT;
  if (proto.has_f())
    return AttributeProto::FLOAT;
  if (proto.has_s())
    return AttributeProto::STRING;
  if (proto.has_t())
    return AttributeProto::TENSOR;
  if (proto.ints_size())
    return AttributeProto::INTS;
  if (proto.floats_size())
    return AttributeProto::FLOATS;
  return AttributeProto::UNDEFINED;
}

static Expected<NodeAttribute> readAttribute(const AttributeProto &proto,
                                             const std::string &tensorName,
                                             TensorSource &source) {
  using Kind = NodeAttribute::Kind;
  NodeAttribute result;
  switch (inferType(proto)) {
  case AttributeProto::INT:
    result.kind = Kind::Int;
    result.i = proto.i();
    break;
  case AttributeProto::FLOAT:
    result.kind = Kind::Float;
    result.f = proto.f();
    break;
  case AttributeProto::STRING:
    result.kind = Kind::String;
    result.s = proto.s();
    break;
  case AttributeProto::INTS:
    result.kind = Kind::Ints;
    result.ints.assign(proto.ints().begin(), proto.ints().end());
    break;
  case AttributeProto::FLOATS:
    result.kind = Kind::Floats;
    result.floats.assign(proto.floats().begin(), proto.floats().end());
    break;
  case AttributeProto::TENSOR: {
    // A tensor of strings is an unsupported form, not a malformed model.
    if (proto.t().data_type() == onnx::TensorProto::STRING)
      break;
    auto tensor = readTensor(proto.t(), tensorName, source);
    if (!tensor)
      return tensor.takeError();
    result.kind = Kind::Tensor;
    result.tensor = std::move(*tensor);
    break;
  }
  default:
    break;
  }
  return result;
}

Expected<Node> readNode(const onnx::NodeProto &proto, int64_t index,
                        TensorSource &source) {
  Node node;
  node.name = nodeName(proto, index);
  node.opType = proto.op_type();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  node.captures = capturedNames(proto);
  for (const AttributeProto &attribute : proto.attribute()) {
    auto refuse = [&](const std::string &why) {
      return makeError(206, "attribute " + quoted(attribute.name()) +
                                " of node " + quoted(node.name) + " " + why);
    };
    if (!attribute.ref_attr_name().empty())
      return refuse("refers to a function's parameter outside a function");
    if (node.attributes.count(attribute.name()))
      return refuse("is given twice");
    std::string tensorName = node.outputs.size() == 1
                                 ? node.outputs.front()
                                 : node.name + "." + attribute.name();
    auto value = readAttribute(attribute, tensorName, source);
    if (!value)
      return value.takeError();
    node.attributes.emplace(attribute.name(), std::move(*value));
  }
  return node;
}

} // namespace mlir::qopt::importer
