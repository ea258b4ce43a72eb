// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds who produces what, keeps what is needed, sorts it, and copies it out
// of protobuf; subgraphs of nodes the same way, below the graph around them.
#include "ReadGraph.h"

#include "ReadNode.h"
#include "qopt/Support/Error.h"
#include <queue>

namespace mlir::qopt::importer {

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

static llvm::Error definedTwice(StringRef name) {
  return makeError(203, "value " + quoted(name) + " is defined twice");
}

llvm::Error GraphReader::define(StringRef name, int64_t producer) {
  if (name.empty())
    return makeError(203, "a graph value has no name");
  if (!producers.try_emplace(name, producer).second)
    return definedTwice(name);
  if (state.names.insert(name).second)
    return llvm::Error::success();
  std::string unique;
  unsigned i = 2;
  do
    unique = name.str() + "_" + std::to_string(i++);
  while (!state.names.insert(unique).second);
  renamed[name] = unique;
  return llvm::Error::success();
}

llvm::Error GraphReader::defineInitializers(
    ArrayRef<std::pair<std::string, onnx::TensorProto *>> bound) {
  for (const auto &[name, tensor] : bound)
    initializers[name] = tensor;
  for (auto &tensor : *proto.mutable_initializer()) {
    if (auto error = define(tensor.name(), Initializer))
      return error;
    auto entry = initializers.try_emplace(tensor.name(), &tensor).first;
    tensors.emplace_back(tensor.name(), entry->second);
  }
  for (const auto &[name, tensor] : bound) {
    if (producers.count(name))
      continue;
    if (auto error = define(name, Initializer))
      return error;
    tensors.emplace_back(name, tensor);
  }
  for (const auto &tensor : proto.sparse_initializer())
    if (auto error = define(tensor.values().name(), Sparse))
      return error;
  return llvm::Error::success();
}

llvm::Error GraphReader::defineNodes() {
  for (int64_t i = 0; i != proto.node_size(); ++i)
    for (const std::string &output : proto.node(i).output())
      if (!output.empty())
        if (auto error = define(output, i))
          return error;
  reads.resize(proto.node_size());
  return llvm::Error::success();
}

llvm::Error
GraphReader::defineSubgraphInputs(std::vector<std::string> &inputs) {
  for (const auto &input : proto.input()) {
    if (!initializers.count(input.name()))
      if (auto error = define(input.name(), Input))
        return error;
    inputs.push_back(*resolve(input.name()));
  }
  return llvm::Error::success();
}

std::optional<std::string> GraphReader::resolve(StringRef name) const {
  for (const GraphReader *scope = this; scope; scope = scope->outer) {
    if (!scope->producers.count(name))
      continue;
    auto found = scope->renamed.find(name);
    return found == scope->renamed.end() ? name.str() : found->second;
  }
  return std::nullopt;
}

const std::vector<std::string> &GraphReader::readsOf(int64_t node) {
  std::vector<std::string> &names = reads[node];
  if (names.empty()) {
    for (const std::string &input : proto.node(node).input())
      if (!input.empty())
        names.push_back(input);
    for (std::string &name : capturedNames(proto.node(node)))
      if (producers.count(name))
        names.push_back(std::move(name));
  }
  return names;
}

//===----------------------------------------------------------------------===//
// Selection and order
//===----------------------------------------------------------------------===//

std::vector<bool> GraphReader::reach(ArrayRef<std::string> outputs) {
  std::vector<bool> seen(proto.node_size());
  SmallVector<int64_t> stack;
  auto visitName = [&](StringRef name) {
    auto producer = producers.find(name);
    if (producer == producers.end() || producer->second < 0 ||
        seen[producer->second])
      return;
    seen[producer->second] = true;
    stack.push_back(producer->second);
  };
  for (const std::string &output : outputs)
    visitName(output);
  while (!stack.empty())
    for (const std::string &name : readsOf(stack.pop_back_val()))
      visitName(name);
  return seen;
}

llvm::Error GraphReader::visit(StringRef name, const std::string &reader,
                               std::vector<bool> &seen,
                               llvm::SmallVectorImpl<int64_t> &stack) {
  auto producer = producers.find(name);
  if (producer == producers.end()) {
    if (auto captured = outer ? outer->resolve(name) : std::nullopt) {
      state.used.insert(*captured);
      return llvm::Error::success();
    }
    return makeError(203, reader + " reads " + quoted(name) +
                              ", which nothing produces");
  }
  if (producer->second == Sparse)
    return makeError(302, "tensor " + quoted(name) +
                              " is a sparse initializer, which is not "
                              "supported");
  if (producer->second == CutAway)
    return makeError(123,
                     reader + " needs input " + quoted(name) +
                         ", which --inputs does not name",
                     {}, "add it to --inputs, or cut nearer to the outputs");
  state.used.insert(*resolve(name));
  if (producer->second >= 0 && !seen[producer->second]) {
    seen[producer->second] = true;
    stack.push_back(producer->second);
  }
  return llvm::Error::success();
}

llvm::Error GraphReader::select(ArrayRef<std::string> outputs) {
  std::vector<bool> seen(proto.node_size());
  SmallVector<int64_t> stack;
  for (const std::string &output : outputs)
    if (auto error = visit(output, "the graph's output", seen, stack))
      return error;
  while (!stack.empty()) {
    int64_t node = stack.pop_back_val();
    std::string reader = "node " + quoted(nodeName(proto.node(node), node));
    for (const std::string &input : proto.node(node).input())
      if (!input.empty())
        if (auto error = visit(input, reader, seen, stack))
          return error;
    for (const std::string &name : readsOf(node))
      if (auto error = visit(name, reader, seen, stack))
        return error;
  }
  return sort(seen);
}

/// Kahn's algorithm; among nodes that are ready the earliest in the file comes
/// first, so that a sorted file keeps its order.
llvm::Error GraphReader::sort(const std::vector<bool> &live) {
  std::vector<std::vector<int64_t>> users(live.size());
  std::vector<int64_t> missing(live.size());
  std::priority_queue<int64_t, std::vector<int64_t>, std::greater<int64_t>>
      ready;
  int64_t count = 0;
  for (int64_t node = 0; node != int64_t(live.size()); ++node) {
    if (!live[node])
      continue;
    ++count;
    for (const std::string &name : readsOf(node)) {
      auto producer = producers.find(name);
      if (producer == producers.end() || producer->second < 0)
        continue;
      users[producer->second].push_back(node);
      ++missing[node];
    }
    if (missing[node] == 0)
      ready.push(node);
  }
  while (!ready.empty()) {
    int64_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (int64_t user : users[node])
      if (--missing[user] == 0)
        ready.push(user);
  }
  if (int64_t(order.size()) == count)
    return llvm::Error::success();
  for (int64_t node = 0;; ++node)
    if (live[node] && missing[node] != 0)
      return makeError(203, "node " + quoted(nodeName(proto.node(node), node)) +
                                " is part of a cycle");
}

//===----------------------------------------------------------------------===//
// Copying
//===----------------------------------------------------------------------===//

llvm::Error GraphReader::readNodes(std::vector<Node> &nodes) {
  nodes.reserve(order.size());
  for (int64_t index : order) {
    onnx::NodeProto &nodeProto = *proto.mutable_node(index);
    auto node = readNode(nodeProto, index, state.source);
    if (!node)
      return node.takeError();
    auto own = state.opsets.find(&nodeProto);
    node->opset = own == state.opsets.end() ? opset : own->second;
    if (auto error = readSubgraphs(nodeProto, node->opset, *node))
      return error;
    for (auto *names : {&node->inputs, &node->outputs, &node->captures})
      for (std::string &name : *names)
        if (auto unique = resolve(name))
          name = *unique;
    nodes.push_back(std::move(*node));
    onnx::NodeProto().Swap(&nodeProto);
  }
  return llvm::Error::success();
}

/// Reads one graph of a node of `outer`.
static Expected<Subgraph> readSubgraph(onnx::GraphProto &proto,
                                       ReadState &state, int64_t opset,
                                       const GraphReader &outer) {
  Subgraph graph;
  GraphReader reader(proto, state, opset, &outer);
  if (auto error = reader.defineInitializers({}))
    return error;
  if (auto error = reader.defineSubgraphInputs(graph.inputs))
    return error;
  if (auto error = reader.defineNodes())
    return error;
  for (const auto &output : proto.output())
    graph.outputs.push_back(output.name());
  if (auto error = reader.select(graph.outputs))
    return error;
  for (std::string &output : graph.outputs)
    output = *reader.resolve(output);
  if (auto error = reader.readNodes(graph.nodes))
    return error;
  if (auto error = reader.readConstants(graph.constants))
    return error;
  return graph;
}

llvm::Error GraphReader::readSubgraphs(onnx::NodeProto &nodeProto,
                                       int64_t nodeOpset, Node &node) {
  for (auto &attribute : *nodeProto.mutable_attribute()) {
    if (!attribute.has_g())
      continue;
    auto graph = readSubgraph(*attribute.mutable_g(), state, nodeOpset, *this);
    if (!graph)
      return graph.takeError();
    node.graphs[attribute.name()] =
        std::make_shared<Subgraph>(std::move(*graph));
  }
  return llvm::Error::success();
}

/// In file order, so that the hash over external data is well defined.
llvm::Error
GraphReader::readConstants(std::map<std::string, ConstantRef> &constants) {
  for (const auto &[name, tensor] : tensors) {
    std::string unique = *resolve(name);
    if (!state.used.contains(unique))
      continue;
    auto constant = readTensor(*tensor, unique, state.source);
    if (!constant)
      return constant.takeError();
    constants[unique] = pack(std::move(*constant));
    onnx::TensorProto().Swap(tensor);
  }
  return llvm::Error::success();
}

} // namespace mlir::qopt::importer
