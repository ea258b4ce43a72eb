// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses a model under limits and copies what its outputs need into a Graph.
#include "Reader.h"

#include "ReadNode.h"
#include "ReadTensor.h"
#include "qopt/Import/ONNX/Opsets.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <limits>
#include <queue>

namespace mlir::qopt::importer {

namespace {

/// Builds one Graph from one ModelProto.
class GraphReader {
public:
  GraphReader(const onnx::ModelProto &model, const ReadOptions &options)
      : model(model), proto(model.graph()), options(options) {}

  Expected<Graph> read(StringRef bytes);

private:
  llvm::Error readOpset();
  llvm::Error readBoundConstants();
  llvm::Error readInputs();
  llvm::Error indexNames();
  llvm::Error define(StringRef name, int64_t producer);
  llvm::Error selectNodes();
  llvm::Error sortNodes(ArrayRef<bool> live);
  llvm::Error readNodes();
  llvm::Error readConstants();
  const std::vector<std::string> &readsOf(int64_t node);

  const onnx::ModelProto &model;
  const onnx::GraphProto &proto;
  const ReadOptions &options;
  Graph graph;
  TensorSource source;

  /// Who produces a name: a node's position, or one of these.
  enum : int64_t { Input = -1, Initializer = -2, Sparse = -3 };
  llvm::StringMap<int64_t> producers;
  llvm::StringMap<const onnx::TensorProto *> initializers;
  std::vector<std::unique_ptr<onnx::TensorProto>> bound;
  std::vector<std::vector<std::string>> reads;
  std::vector<int64_t> order;
};

} // namespace

llvm::Error GraphReader::readOpset() {
  bool found = false;
  for (const auto &import : model.opset_import()) {
    if (!import.domain().empty() && import.domain() != "ai.onnx")
      continue;
    if (found && graph.opset != import.version())
      return makeError(202, "the model imports two opsets, " +
                                std::to_string(graph.opset) + " and " +
                                std::to_string(import.version()));
    found = true;
    graph.opset = import.version();
  }
  if (!found)
    return makeError(202, "the model imports no opset of the ONNX domain");
  if (graph.opset < kMinOpset || graph.opset > kMaxOpset)
    return makeError(
        303, "opset " + std::to_string(graph.opset) + " is not supported",
        {"supported are opsets " + std::to_string(kMinOpset) + " to " +
         std::to_string(kMaxOpset)},
        "export the model for opset 17");
  return llvm::Error::success();
}

llvm::Error GraphReader::readBoundConstants() {
  for (const auto &[name, bytes] : options.constants) {
    auto tensor = std::make_unique<onnx::TensorProto>();
    if (!tensor->ParseFromString(bytes))
      return makeError(205, "the value for input " + quoted(name) +
                                " is not a serialized tensor");
    if (llvm::none_of(proto.input(), [&, &name = name](const auto &input) {
          return input.name() == name;
        }))
      return makeError(120, "the model has no input " + quoted(name) +
                                " to bind a value to");
    initializers[name] = tensor.get();
    bound.push_back(std::move(tensor));
  }
  return llvm::Error::success();
}

static Dimension readDimension(const onnx::TensorShapeProto::Dimension &dim) {
  Dimension result;
  // Exporters also write 0 and -1 for a dimension that they leave open.
  if (dim.has_dim_value() && dim.dim_value() > 0)
    result.size = dim.dim_value();
  else if (dim.has_dim_param() && dim.dim_param() != "?")
    result.symbol = dim.dim_param();
  return result;
}

llvm::Error GraphReader::readInputs() {
  for (const auto &value : proto.input()) {
    if (value.name().empty())
      return makeError(203, "a graph input has no name");
    if (initializers.count(value.name()))
      continue;
    GraphInput input;
    input.name = value.name();
    input.type = value.type().has_tensor_type()
                     ? typeName(value.type().tensor_type().elem_type())
                     : "not a tensor";
    if (value.type().has_tensor_type()) {
      const auto &type = value.type().tensor_type();
      input.isFloat = isFloatType(type.elem_type());
      input.hasShape = type.has_shape();
      for (const auto &dim : type.shape().dim())
        input.dimensions.push_back(readDimension(dim));
    }
    if (input.dimensions.size() > kMaxRank)
      return makeError(209, "input " + quoted(input.name) + " has " +
                                std::to_string(input.dimensions.size()) +
                                " dimensions, at most " +
                                std::to_string(kMaxRank) + " are supported");
    graph.inputs.push_back(std::move(input));
  }
  return llvm::Error::success();
}

llvm::Error GraphReader::define(StringRef name, int64_t producer) {
  if (name.empty())
    return makeError(203, "a graph value has no name");
  if (!producers.try_emplace(name, producer).second)
    return makeError(203, "value " + quoted(name) + " is defined twice");
  return llvm::Error::success();
}

llvm::Error GraphReader::indexNames() {
  for (const auto &tensor : proto.initializer()) {
    if (initializers.count(tensor.name()) && producers.count(tensor.name()))
      return makeError(203,
                       "value " + quoted(tensor.name()) + " is defined twice");
    // A value bound from outside replaces the model's default.
    initializers.try_emplace(tensor.name(), &tensor);
    if (auto error = define(tensor.name(), Initializer))
      return error;
  }
  for (const auto &[name, bytes] : options.constants)
    producers.try_emplace(name, Initializer);
  for (const auto &tensor : proto.sparse_initializer())
    if (auto error = define(tensor.values().name(), Sparse))
      return error;
  if (auto error = readInputs())
    return error;
  for (const GraphInput &input : graph.inputs)
    if (auto error = define(input.name, Input))
      return error;
  for (int64_t i = 0; i != proto.node_size(); ++i)
    for (const std::string &output : proto.node(i).output())
      if (!output.empty())
        if (auto error = define(output, i))
          return error;
  return llvm::Error::success();
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

llvm::Error GraphReader::selectNodes() {
  reads.resize(proto.node_size());
  std::vector<bool> seen(proto.node_size());
  SmallVector<int64_t> stack;
  auto visit = [&](StringRef name, const std::string &reader) -> llvm::Error {
    auto producer = producers.find(name);
    if (producer == producers.end())
      return makeError(203, reader + " reads " + quoted(name) +
                                ", which nothing produces");
    if (producer->second == Sparse)
      return makeError(302, "tensor " + quoted(name) +
                                " is a sparse initializer, which is not "
                                "supported");
    graph.used.insert(name);
    if (producer->second >= 0 && !seen[producer->second]) {
      seen[producer->second] = true;
      stack.push_back(producer->second);
    }
    return llvm::Error::success();
  };
  if (proto.output_size() == 0)
    return makeError(202, "the model's graph has no outputs");
  for (const auto &output : proto.output()) {
    graph.outputs.push_back(output.name());
    if (auto error = visit(output.name(), "the graph's output"))
      return error;
  }
  while (!stack.empty()) {
    int64_t node = stack.pop_back_val();
    for (const std::string &name : readsOf(node))
      if (auto error =
              visit(name, "node " + quoted(nodeName(proto.node(node), node))))
        return error;
  }
  SmallVector<bool> live(seen.begin(), seen.end());
  return sortNodes(live);
}

/// Kahn's algorithm; among nodes that are ready the earliest in the file comes
/// first, so that a sorted file keeps its order.
llvm::Error GraphReader::sortNodes(ArrayRef<bool> live) {
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
      int64_t producer = producers.find(name)->second;
      if (producer < 0)
        continue;
      users[producer].push_back(node);
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

llvm::Error GraphReader::readNodes() {
  graph.nodes.reserve(order.size());
  for (int64_t index : order) {
    auto node = readNode(proto.node(index), index, source);
    if (!node)
      return node.takeError();
    graph.nodes.push_back(std::move(*node));
  }
  return llvm::Error::success();
}

llvm::Error GraphReader::readConstants() {
  // In file order, so that the hash over external data is well defined.
  auto add = [&](const std::string &name) -> llvm::Error {
    if (!graph.used.contains(name))
      return llvm::Error::success();
    auto constant = readTensor(*initializers.find(name)->second, name, source);
    if (!constant)
      return constant.takeError();
    graph.constants[name] = std::move(*constant);
    return llvm::Error::success();
  };
  for (const auto &tensor : proto.initializer())
    if (auto error = add(tensor.name()))
      return error;
  for (const auto &[name, bytes] : options.constants)
    if (!graph.constants.count(name))
      if (auto error = add(name))
        return error;
  return llvm::Error::success();
}

Expected<Graph> GraphReader::read(StringRef bytes) {
  source.folder = options.folder;
  source.allowExternal = options.allowExternal;
  source.hash.update(bytes);
  if (!model.has_graph())
    return makeError(202, quoted(options.name) + " holds no graph");
  if (proto.node_size() > kMaxNodes)
    return makeError(209, "the graph has " + std::to_string(proto.node_size()) +
                              " nodes, at most " + std::to_string(kMaxNodes) +
                              " are supported");
  if (auto error = readOpset())
    return error;
  if (auto error = readBoundConstants())
    return error;
  if (auto error = indexNames())
    return error;
  if (auto error = selectNodes())
    return error;
  if (auto error = readNodes())
    return error;
  if (auto error = readConstants())
    return error;
  graph.hash = llvm::toHex(source.hash.final(), /*LowerCase=*/true);
  graph.bytes = bytes.size() + source.bytes;
  return std::move(graph);
}

Expected<Graph> readModel(StringRef bytes, const ReadOptions &options) {
  if (bytes.size() > size_t(std::numeric_limits<int32_t>::max()))
    return makeError(209, quoted(options.name) + " exceeds 2 GiB", {},
                     "save its weights as external data");
  // Our message says more than protobuf's lines on standard error.
  google::protobuf::LogSilencer silencer;
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(bytes.data()), int(bytes.size()));
  stream.SetTotalBytesLimit(std::numeric_limits<int32_t>::max());
  stream.SetRecursionLimit(100);
  onnx::ModelProto model;
  if (bytes.empty() || !model.ParseFromCodedStream(&stream) ||
      !stream.ConsumedEntireMessage())
    return makeError(201, quoted(options.name) + " is not a valid ONNX file",
                     {"its " + std::to_string(bytes.size()) +
                      " bytes are not a whole protobuf message"},
                     "check that the file was transferred completely");
  return GraphReader(model, options).read(bytes);
}

} // namespace mlir::qopt::importer
