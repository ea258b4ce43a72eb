// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inlines model-local functions in protobuf form, before anything is read, so
// that the reader knows nodes only. Fields that Debian's onnx.proto does not
// know (a node's and a function's overload, a function's attribute defaults)
// are taken from the unknown fields.
#include "Functions.h"

#include "ReadNode.h"
#include "qopt/Support/Error.h"
#include <google/protobuf/unknown_field_set.h>

namespace mlir::qopt::importer {

using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::GraphProto;
using onnx::NodeProto;
using NodeList = google::protobuf::RepeatedPtrField<NodeProto>;

namespace {

/// Field numbers of onnx.proto that are younger than this onnx.proto.
constexpr int kFunctionAttributeProto = 11, kFunctionOverload = 13,
              kNodeOverload = 8;

/// What inlining may add.
constexpr int64_t kMaxInlinedNodes = 200'000;
constexpr size_t kMaxInlinedBytes = size_t(256) << 20;

using Names = llvm::StringMap<std::string>;

class Inliner {
public:
  explicit Inliner(onnx::ModelProto &model) : model(model) {}
  Expected<NodeOpsets> run();

private:
  const FunctionProto *callee(const NodeProto &node) const;
  /// `opset` is 0 where the model's applies.
  llvm::Error expand(NodeList &nodes, int64_t opset);
  llvm::Error expandInside(NodeProto &node, int64_t opset);
  llvm::Error expandCall(const NodeProto &call, int64_t index,
                         const FunctionProto &function, int64_t opset,
                         NodeList &out);
  llvm::Error charge(const NodeProto &node);
  Expected<Names> bind(const NodeProto &call, const std::string &prefix,
                       const FunctionProto &function);
  std::string unique(const std::string &name);

  onnx::ModelProto &model;
  std::map<std::string, const FunctionProto *> functions;
  SmallVector<const FunctionProto *> stack;
  llvm::StringSet<> taken;
  NodeOpsets opsets;
  int64_t inlinedNodes = 0;
  size_t inlinedBytes = 0;
};

} // namespace

/// The last length-delimited field `number` that onnx.proto does not know.
template <typename Message>
static std::string unknownString(const Message &message, int number) {
  std::string value;
  const auto &fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i != fields.field_count(); ++i) {
    const auto &field = fields.field(i);
    if (field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      value = field.length_delimited();
  }
  return value;
}

static std::string key(const std::string &domain, const std::string &name,
                       const std::string &overload) {
  std::string text = domain == "ai.onnx" ? "" : domain;
  text += '\0';
  text += name;
  text += '\0';
  return text + overload;
}

/// The function's own name and domain, for messages.
static std::string title(const FunctionProto &function) {
  return quoted(function.domain() + "." + function.name());
}

static int64_t opsetOf(const FunctionProto &function, int64_t outer) {
  for (const auto &import : function.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx")
      return import.version();
  return outer;
}

const FunctionProto *Inliner::callee(const NodeProto &node) const {
  if (functions.empty())
    return nullptr;
  auto found = functions.find(
      key(node.domain(), node.op_type(), unknownString(node, kNodeOverload)));
  return found == functions.end() ? nullptr : found->second;
}

std::string Inliner::unique(const std::string &name) {
  std::string result = name;
  for (unsigned i = 2; !taken.insert(result).second; ++i)
    result = name + "_" + std::to_string(i);
  return result;
}

llvm::Error Inliner::charge(const NodeProto &node) {
  ++inlinedNodes;
  inlinedBytes += node.ByteSizeLong();
  if (inlinedNodes <= kMaxInlinedNodes && inlinedBytes <= kMaxInlinedBytes)
    return llvm::Error::success();
  return makeError(209, "inlining the model's functions exceeds the limit of " +
                            std::to_string(kMaxInlinedNodes) + " nodes or " +
                            std::to_string(kMaxInlinedBytes >> 20) + " MiB");
}

//===----------------------------------------------------------------------===//
// Renaming
//===----------------------------------------------------------------------===//

namespace {

/// New names, by old ones, of one graph and of the graphs around it.
struct Renaming {
  const Renaming *outer = nullptr;
  Names names = {};

  void apply(std::string &name) const {
    for (const Renaming *scope = this; scope; scope = scope->outer)
      if (auto found = scope->names.find(name); found != scope->names.end()) {
        name = found->second;
        return;
      }
  }
};

using FreshName = llvm::function_ref<std::string(StringRef)>;

} // namespace

static void renameGraph(GraphProto &graph, const Renaming &outer,
                        FreshName fresh);

static void renameNode(NodeProto &node, const Renaming &renaming,
                       FreshName fresh) {
  for (std::string &name : *node.mutable_input())
    renaming.apply(name);
  for (std::string &name : *node.mutable_output())
    renaming.apply(name);
  for (AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      renameGraph(*attribute.mutable_g(), renaming, fresh);
    for (GraphProto &graph : *attribute.mutable_graphs())
      renameGraph(graph, renaming, fresh);
  }
}

/// Renames what `graph` reads from around it, and what it defines, so that a
/// name of the caller cannot be caught inside.
static void renameGraph(GraphProto &graph, const Renaming &outer,
                        FreshName fresh) {
  Renaming inner{&outer};
  auto define = [&](std::string &name) {
    if (!name.empty() && !inner.names.count(name))
      inner.names[name] = fresh(name);
  };
  for (auto &input : *graph.mutable_input()) {
    define(*input.mutable_name());
    inner.apply(*input.mutable_name());
  }
  for (auto &tensor : *graph.mutable_initializer()) {
    define(*tensor.mutable_name());
    inner.apply(*tensor.mutable_name());
  }
  for (NodeProto &node : *graph.mutable_node())
    for (std::string &output : *node.mutable_output())
      define(output);
  for (NodeProto &node : *graph.mutable_node())
    renameNode(node, inner, fresh);
  for (auto &output : *graph.mutable_output())
    inner.apply(*output.mutable_name());
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

using Attributes = std::map<std::string, AttributeProto>;

/// What the call gives, and the function's defaults for the rest.
static Attributes attributesOf(const NodeProto &call,
                               const FunctionProto &function) {
  Attributes result;
  const auto &fields = function.GetReflection()->GetUnknownFields(function);
  for (int i = 0; i != fields.field_count(); ++i) {
    const auto &field = fields.field(i);
    AttributeProto attribute;
    if (field.number() == kFunctionAttributeProto &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
        attribute.ParseFromString(field.length_delimited()))
      result[attribute.name()] = attribute;
  }
  for (const AttributeProto &attribute : call.attribute())
    result[attribute.name()] = attribute;
  return result;
}

static void resolveReferences(NodeProto &node, const Attributes &values) {
  auto *attributes = node.mutable_attribute();
  for (int i = 0; i < attributes->size();) {
    AttributeProto &attribute = *attributes->Mutable(i);
    if (!attribute.ref_attr_name().empty()) {
      auto value = values.find(attribute.ref_attr_name());
      // An optional attribute that the call leaves out is absent.
      if (value == values.end()) {
        attributes->DeleteSubrange(i, 1);
        continue;
      }
      std::string name = attribute.name();
      attribute = value->second;
      attribute.set_name(name);
      ++i;
      continue;
    }
    if (attribute.has_g())
      for (NodeProto &inner : *attribute.mutable_g()->mutable_node())
        resolveReferences(inner, values);
    for (GraphProto &graph : *attribute.mutable_graphs())
      for (NodeProto &inner : *graph.mutable_node())
        resolveReferences(inner, values);
    ++i;
  }
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static SmallVector<NodeProto *> takeNodes(NodeList &nodes) {
  SmallVector<NodeProto *> taken(nodes.size());
  nodes.ExtractSubrange(0, nodes.size(), taken.data());
  return taken;
}

static void append(NodeList &from, NodeList &to) {
  for (NodeProto *node : takeNodes(from))
    to.AddAllocated(node);
}

/// The function's names to the caller's.
Expected<Names> Inliner::bind(const NodeProto &call, const std::string &prefix,
                              const FunctionProto &function) {
  if (call.input_size() > function.input_size() ||
      call.output_size() > function.output_size())
    return makeError(206, "node " + quoted(call.name()) + " gives function " +
                              title(function) + " more inputs or outputs (" +
                              std::to_string(call.input_size()) + ", " +
                              std::to_string(call.output_size()) +
                              ") than it has");
  Names names;
  for (int i = 0; i != function.input_size(); ++i)
    names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
  for (int i = 0; i != function.output_size(); ++i) {
    std::string actual = i < call.output_size() ? call.output(i) : "";
    if (actual.empty())
      actual = unique(prefix + "/" + function.output(i));
    if (!names.try_emplace(function.output(i), actual).second)
      return makeError(206, "function " + title(function) + " names " +
                                quoted(function.output(i)) +
                                " twice among its inputs and outputs");
  }
  for (const NodeProto &node : function.node())
    for (const std::string &output : node.output())
      if (!output.empty() && !names.count(output))
        names[output] = unique(prefix + "/" + output);
  return names;
}

llvm::Error Inliner::expandCall(const NodeProto &call, int64_t index,
                                const FunctionProto &function, int64_t opset,
                                NodeList &out) {
  if (llvm::is_contained(stack, &function))
    return makeError(203, "function " + title(function) + " calls itself");
  if (stack.size() == kMaxCallDepth)
    return makeError(203, "functions call functions more than " +
                              std::to_string(kMaxCallDepth) + " deep");
  std::string prefix = nodeName(call, index);
  auto names = bind(call, prefix, function);
  if (!names)
    return names.takeError();
  Renaming renaming{nullptr, std::move(*names)};
  Attributes attributes = attributesOf(call, function);
  auto fresh = [&](StringRef name) {
    return unique(prefix + "/" + name.str());
  };
  NodeList body;
  for (int i = 0; i != function.node_size(); ++i) {
    if (llvm::Error error = charge(function.node(i)))
      return error;
    NodeProto &node = *body.Add();
    node = function.node(i);
    node.set_name(prefix + "/" + nodeName(node, i));
    renameNode(node, renaming, fresh);
    resolveReferences(node, attributes);
  }
  stack.push_back(&function);
  llvm::Error error = expand(body, opsetOf(function, opset));
  stack.pop_back();
  append(body, out);
  return error;
}

llvm::Error Inliner::expandInside(NodeProto &node, int64_t opset) {
  for (AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      if (llvm::Error error =
              expand(*attribute.mutable_g()->mutable_node(), opset))
        return error;
    for (GraphProto &graph : *attribute.mutable_graphs())
      if (llvm::Error error = expand(*graph.mutable_node(), opset))
        return error;
  }
  return llvm::Error::success();
}

llvm::Error Inliner::expand(NodeList &nodes, int64_t opset) {
  NodeList result;
  llvm::Error failure = llvm::Error::success();
  for (auto [index, pointer] : llvm::enumerate(takeNodes(nodes))) {
    std::unique_ptr<NodeProto> node(pointer);
    if (failure)
      continue;
    if (const FunctionProto *function = callee(*node)) {
      failure = expandCall(*node, index, *function, opset, result);
      continue;
    }
    failure = expandInside(*node, opset);
    if (opset != 0)
      opsets[node.get()] = opset;
    result.AddAllocated(node.release());
  }
  nodes.Swap(&result);
  return failure;
}

/// Every name that the model defines at its top.
static void collectNames(const GraphProto &graph, llvm::StringSet<> &names) {
  for (const auto &input : graph.input())
    names.insert(input.name());
  for (const auto &tensor : graph.initializer())
    names.insert(tensor.name());
  for (const NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      names.insert(output);
}

Expected<NodeOpsets> Inliner::run() {
  for (const FunctionProto &function : model.functions())
    if (!functions
             .emplace(key(function.domain(), function.name(),
                          unknownString(function, kFunctionOverload)),
                      &function)
             .second)
      return makeError(203,
                       "function " + title(function) + " is defined twice");
  if (functions.empty())
    return std::move(opsets);
  collectNames(model.graph(), taken);
  if (llvm::Error error = expand(*model.mutable_graph()->mutable_node(), 0))
    return std::move(error);
  return std::move(opsets);
}

Expected<NodeOpsets> inlineFunctions(onnx::ModelProto &model) {
  return Inliner(model).run();
}

} // namespace mlir::qopt::importer
