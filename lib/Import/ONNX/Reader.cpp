// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses a model under limits and copies what its outputs need into a Graph.
#include "Reader.h"

#include "BindValues.h"
#include "HashingStream.h"
#include "ReadNode.h"
#include "qopt/Import/ONNX/Opsets.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <limits>

namespace mlir::qopt::importer {

namespace {

constexpr uint64_t kMaxModelBytes = std::numeric_limits<int32_t>::max();

/// Builds one Graph from one ModelProto, which it empties.
class ModelReader {
public:
  ModelReader(onnx::ModelProto &model, ReadState &state,
              const ReadOptions &options)
      : model(model), state(state), options(options) {}

  Expected<Graph> read();

private:
  llvm::Error readHeader();
  llvm::Error checkOpset(int64_t version);
  llvm::Error readFunctions();
  llvm::Error readBoundConstants();
  Expected<const onnx::ValueInfoProto *> findInput(const std::string &name);
  llvm::Error readInputs(GraphReader &reader);
  void readDeclarations();
  llvm::Error cut(GraphReader &reader);
  llvm::Error readGraph(GraphReader &reader);

  onnx::ModelProto &model;
  ReadState &state;
  const ReadOptions &options;
  Graph graph;
  std::vector<std::unique_ptr<onnx::TensorProto>> bound;
  std::vector<std::pair<std::string, onnx::TensorProto *>> boundByName;
};

} // namespace

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

llvm::Error ModelReader::checkOpset(int64_t version) {
  if (version >= kMinOpset && version <= kMaxOpset)
    return llvm::Error::success();
  return makeError(303,
                   "opset " + std::to_string(version) + " is not supported",
                   {"supported are opsets " + std::to_string(kMinOpset) +
                    " to " + std::to_string(kMaxOpset)},
                   "export the model for opset 17");
}

llvm::Error ModelReader::readHeader() {
  graph.irVersion = model.ir_version();
  graph.producer = model.producer_name();
  if (!model.producer_version().empty())
    graph.producer += " " + model.producer_version();
  bool found = false;
  for (const auto &import : model.opset_import()) {
    bool isOnnx = import.domain().empty() || import.domain() == "ai.onnx";
    graph.opsets.emplace_back(isOnnx ? "ai.onnx" : import.domain(),
                              import.version());
    if (!isOnnx)
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
  return checkOpset(graph.opset);
}

llvm::Error ModelReader::readFunctions() {
  auto opsets = inlineFunctions(model);
  if (!opsets)
    return opsets.takeError();
  state.opsets = std::move(*opsets);
  for (const onnx::FunctionProto &function : model.functions())
    for (const auto &import : function.opset_import())
      if (import.domain().empty() || import.domain() == "ai.onnx")
        if (auto error = checkOpset(import.version()))
          return error;
  model.clear_functions();
  return llvm::Error::success();
}

llvm::Error ModelReader::readBoundConstants() {
  for (const auto &[name, bytes] : options.constants) {
    auto tensor = std::make_unique<onnx::TensorProto>();
    if (!tensor->ParseFromString(bytes))
      return makeError(205, "the value for input " + quoted(name) +
                                " is not a serialized tensor");
    if (auto input = findInput(name); !input)
      return input.takeError();
    boundByName.emplace_back(name, tensor.get());
    bound.push_back(std::move(tensor));
  }
  for (const auto &[name, values] : options.values) {
    auto input = findInput(name);
    if (!input)
      return input.takeError();
    auto tensor = makeBoundTensor(**input, values);
    if (!tensor)
      return tensor.takeError();
    // With another value it is another model.
    state.source.hash.update((*tensor)->SerializeAsString());
    boundByName.emplace_back(name, tensor->get());
    bound.push_back(std::move(*tensor));
  }
  return llvm::Error::success();
}

Expected<const onnx::ValueInfoProto *>
ModelReader::findInput(const std::string &name) {
  for (const onnx::ValueInfoProto &input : model.graph().input())
    if (input.name() == name)
      return &input;
  return makeError(120, "the model has no input " + quoted(name) +
                            " to bind a value to");
}

//===----------------------------------------------------------------------===//
// Declared values
//===----------------------------------------------------------------------===//

static Dimension readDimension(const onnx::TensorShapeProto::Dimension &dim) {
  Dimension result;
  // Exporters also write 0 and -1 for a dimension that they leave open.
  if (dim.has_dim_value() && dim.dim_value() > 0)
    result.size = dim.dim_value();
  else if (dim.has_dim_param() && dim.dim_param() != "?")
    result.symbol = dim.dim_param();
  return result;
}

static GraphInput readValue(const onnx::ValueInfoProto &value) {
  GraphInput input;
  input.name = value.name();
  if (!value.has_type() || value.type().has_tensor_type())
    input.type = typeName(value.type().tensor_type().elem_type());
  else
    input.type = "not a tensor";
  if (!value.type().has_tensor_type())
    return input;
  const auto &type = value.type().tensor_type();
  input.isFloat = isFloatType(type.elem_type());
  input.hasShape = type.has_shape();
  for (const auto &dim : type.shape().dim())
    input.dimensions.push_back(readDimension(dim));
  return input;
}

static llvm::Error checkRank(const GraphInput &input) {
  if (input.dimensions.size() <= kMaxRank)
    return llvm::Error::success();
  return makeError(209, "input " + quoted(input.name) + " has " +
                            std::to_string(input.dimensions.size()) +
                            " dimensions, at most " + std::to_string(kMaxRank) +
                            " are supported");
}

llvm::Error ModelReader::readInputs(GraphReader &reader) {
  for (const auto &value : model.graph().input()) {
    if (value.name().empty())
      return makeError(203, "a graph input has no name");
    auto known = reader.producers.find(value.name());
    if (known != reader.producers.end() &&
        known->second == GraphReader::Initializer)
      continue;
    graph.inputs.push_back(readValue(value));
    if (auto error = checkRank(graph.inputs.back()))
      return error;
    if (auto error = reader.define(value.name(), GraphReader::Input))
      return error;
  }
  return llvm::Error::success();
}

/// What the model says of values inside the graph; nothing depends on it but
/// the cut and what `inspect` shows.
void ModelReader::readDeclarations() {
  auto add = [&](const onnx::ValueInfoProto &value) {
    if (value.type().tensor_type().shape().dim_size() <= int(kMaxRank))
      graph.declared.emplace(value.name(), readValue(value));
  };
  for (const auto &value : model.graph().value_info())
    add(value);
  for (const auto &value : model.graph().output())
    add(value);
}

//===----------------------------------------------------------------------===//
// Graph
//===----------------------------------------------------------------------===//

llvm::Error ModelReader::cut(GraphReader &reader) {
  std::vector<bool> needed = reader.reach(graph.outputs);
  graph.unusedNodes = llvm::count(needed, false);
  if (options.cut.empty())
    return llvm::Error::success();
  if (auto error = applyCut(graph, reader, options.cut))
    return error;
  std::vector<bool> kept = reader.reach(graph.outputs);
  for (size_t i = 0; i != needed.size(); ++i)
    if (needed[i] && !kept[i])
      ++graph.cut->nodes[model.graph().node(i).op_type()];
  // A part of a model is another model, with other statistics.
  for (const auto *names : {&options.cut.inputs, &options.cut.outputs}) {
    for (const std::string &name : *names) {
      state.source.hash.update(name);
      state.source.hash.update(StringRef("\0", 1));
    }
    state.source.hash.update(StringRef("\1", 1));
  }
  return llvm::Error::success();
}

llvm::Error ModelReader::readGraph(GraphReader &reader) {
  if (auto error = reader.defineInitializers(boundByName))
    return error;
  if (auto error = readInputs(reader))
    return error;
  if (auto error = reader.defineNodes())
    return error;
  readDeclarations();
  for (const auto &output : model.graph().output())
    graph.outputs.push_back(output.name());
  if (graph.outputs.empty())
    return makeError(202, "the model's graph has no outputs");
  if (auto error = cut(reader))
    return error;
  if (auto error = reader.select(graph.outputs))
    return error;
  if (auto error = reader.readNodes(graph.nodes))
    return error;
  return reader.readConstants(graph.constants);
}

Expected<Graph> ModelReader::read() {
  if (!model.has_graph())
    return makeError(202, quoted(options.name) + " holds no graph");
  if (model.graph().node_size() > kMaxNodes)
    return makeError(209, "the graph has " +
                              std::to_string(model.graph().node_size()) +
                              " nodes, at most " + std::to_string(kMaxNodes) +
                              " are supported");
  if (auto error = readHeader())
    return error;
  if (auto error = readFunctions())
    return error;
  if (auto error = readBoundConstants())
    return error;
  state.opset = graph.opset;
  GraphReader reader(*model.mutable_graph(), state, graph.opset);
  if (auto error = readGraph(reader))
    return error;
  graph.used = std::move(state.used);
  return std::move(graph);
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

/// False unless the whole stream is one ModelProto.
static bool parse(google::protobuf::io::CodedInputStream &stream,
                  onnx::ModelProto &model) {
  // Our message says more than protobuf's lines on standard error.
  google::protobuf::LogSilencer silencer;
  stream.SetTotalBytesLimit(int(kMaxModelBytes));
  stream.SetRecursionLimit(100);
  return model.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

static llvm::Error notOnnx(const ReadOptions &options, uint64_t bytes) {
  return makeError(201, quoted(options.name) + " is not a valid ONNX file",
                   {"its " + std::to_string(bytes) +
                    " bytes are not a whole protobuf message"},
                   "check that the file was transferred completely");
}

static llvm::Error tooLarge(const ReadOptions &options) {
  return makeError(209, quoted(options.name) + " exceeds 2 GiB", {},
                   "save its weights as external data");
}

static Expected<Graph> readParsed(onnx::ModelProto &model, ReadState &state,
                                  uint64_t bytes, const ReadOptions &options) {
  state.source.folder = options.folder;
  state.source.allowExternal = options.allowExternal;
  auto graph = ModelReader(model, state, options).read();
  if (!graph)
    return graph;
  graph->hash = llvm::toHex(state.source.hash.final(), /*LowerCase=*/true);
  graph->bytes = bytes + state.source.bytes;
  return graph;
}

Expected<Graph> readModel(StringRef bytes, const ReadOptions &options) {
  if (bytes.size() > kMaxModelBytes)
    return tooLarge(options);
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(bytes.data()), int(bytes.size()));
  onnx::ModelProto model;
  if (bytes.empty() || !parse(stream, model))
    return notOnnx(options, bytes.size());
  ReadState state;
  state.source.hash.update(bytes);
  return readParsed(model, state, bytes.size(), options);
}

static llvm::Error cannotRead(StringRef path, std::error_code error) {
  return makeError(502, "cannot read '" + path.str() + "': " + error.message(),
                   {}, "check the path");
}

Expected<Graph> readModelFile(StringRef path, const ReadOptions &options) {
  auto file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file)
    return cannotRead(path, llvm::errorToErrorCode(file.takeError()));
  llvm::scope_exit close([&] { llvm::sys::fs::closeFile(*file); });
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(*file, status))
    return cannotRead(path, error);
  if (status.getSize() > kMaxModelBytes)
    return tooLarge(options);
  ReadState state;
  HashingStream input(*file, state.source.hash);
  onnx::ModelProto model;
  bool parsed = false;
  {
    google::protobuf::io::CodedInputStream stream(&input);
    parsed = parse(stream, model);
  }
  if (input.error)
    return cannotRead(path, input.error);
  uint64_t bytes = status.getSize();
  if (!parsed || input.ByteCount() == 0)
    return notOnnx(options, bytes);
  return readParsed(model, state, uint64_t(input.ByteCount()), options);
}

} // namespace mlir::qopt::importer
