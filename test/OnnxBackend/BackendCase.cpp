// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads backend tests with the generated ONNX classes.

#include "BackendCase.h"
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <onnx/onnx_pb.h>

namespace fs = std::filesystem;

namespace qopt_test {

static std::string readFile(const fs::path &path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream buffer;
  buffer << stream.rdbuf();
  return buffer.str();
}

/// The elements of a tensor of `Element`, from raw bytes or from `list`.
template <typename Element, typename List>
static std::vector<float> readValues(const onnx::TensorProto &proto,
                                     const List &list) {
  std::vector<Element> elements(list.begin(), list.end());
  if (proto.has_raw_data()) {
    elements.resize(proto.raw_data().size() / sizeof(Element));
    std::memcpy(elements.data(), proto.raw_data().data(),
                elements.size() * sizeof(Element));
  }
  return std::vector<float>(elements.begin(), elements.end());
}

/// The 16-bit floats whose bits stand in `int32_data`.
static std::vector<_Float16> halves(const onnx::TensorProto &proto) {
  std::vector<_Float16> elements;
  for (int32_t bits : proto.int32_data()) {
    uint16_t half = static_cast<uint16_t>(bits);
    std::memcpy(&elements.emplace_back(), &half, sizeof half);
  }
  return elements;
}

bool isFloatType(int type) {
  return type == onnx::TensorProto::FLOAT ||
         type == onnx::TensorProto::DOUBLE ||
         type == onnx::TensorProto::FLOAT16;
}

bool isIntegerType(int type) {
  return (type >= onnx::TensorProto::UINT8 &&
          type <= onnx::TensorProto::INT64) ||
         type == onnx::TensorProto::BOOL || type == onnx::TensorProto::UINT32 ||
         type == onnx::TensorProto::UINT64;
}

static std::vector<float> readNumbers(const onnx::TensorProto &proto) {
  switch (proto.data_type()) {
  case onnx::TensorProto::FLOAT:
    return readValues<float>(proto, proto.float_data());
  case onnx::TensorProto::DOUBLE:
    return readValues<double>(proto, proto.double_data());
  case onnx::TensorProto::FLOAT16:
    return readValues<_Float16>(proto, halves(proto));
  case onnx::TensorProto::BOOL:
  case onnx::TensorProto::UINT8:
    return readValues<uint8_t>(proto, proto.int32_data());
  case onnx::TensorProto::INT8:
    return readValues<int8_t>(proto, proto.int32_data());
  case onnx::TensorProto::UINT16:
    return readValues<uint16_t>(proto, proto.int32_data());
  case onnx::TensorProto::INT16:
    return readValues<int16_t>(proto, proto.int32_data());
  case onnx::TensorProto::INT32:
    return readValues<int32_t>(proto, proto.int32_data());
  case onnx::TensorProto::UINT32:
    return readValues<uint32_t>(proto, proto.uint64_data());
  case onnx::TensorProto::INT64:
    return readValues<int64_t>(proto, proto.int64_data());
  case onnx::TensorProto::UINT64:
    return readValues<uint64_t>(proto, proto.uint64_data());
  default:
    return {};
  }
}

static BackendTensor readTensor(const fs::path &path) {
  BackendTensor tensor;
  tensor.serialized = readFile(path);
  onnx::TensorProto proto;
  if (!proto.ParseFromString(tensor.serialized))
    return tensor;
  tensor.type = proto.data_type();
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  tensor.values = readNumbers(proto);
  return tensor;
}

/// `input_0.pb`, `input_1.pb`, ... until one is missing.
static std::vector<BackendTensor> readTensors(const fs::path &folder,
                                              const std::string &stem) {
  std::vector<BackendTensor> tensors;
  for (int i = 0;; ++i) {
    fs::path path = folder / (stem + "_" + std::to_string(i) + ".pb");
    if (!fs::exists(path))
      return tensors;
    tensors.push_back(readTensor(path));
  }
}

static void collectOperators(const onnx::GraphProto &graph,
                             std::set<std::string> &operators) {
  for (const onnx::NodeProto &node : graph.node()) {
    operators.insert((node.domain().empty() || node.domain() == "ai.onnx"
                          ? ""
                          : node.domain() + "::") +
                     node.op_type());
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        collectOperators(attribute.g(), operators);
      for (const onnx::GraphProto &inner : attribute.graphs())
        collectOperators(inner, operators);
    }
  }
}

/// Relabels a model of an opset before 7 and drops the attributes that its
/// operators lost there: `is_test` and `consumed_inputs` said nothing, and
/// broadcasting became NumPy's.
static bool relabel(onnx::ModelProto &model) {
  bool relabelled = false;
  for (onnx::OperatorSetIdProto &opset : *model.mutable_opset_import())
    if (opset.domain().empty() && opset.version() < 7) {
      opset.set_version(7);
      relabelled = true;
    }
  if (!relabelled)
    return false;
  for (onnx::NodeProto &node : *model.mutable_graph()->mutable_node()) {
    std::set<std::string> lost = {"broadcast", "consumed_inputs", "is_test"};
    if (node.op_type() == "Add" || node.op_type() == "Mul" ||
        node.op_type() == "Sub")
      lost.insert("axis");
    auto *attributes = node.mutable_attribute();
    attributes->erase(
        std::remove_if(attributes->begin(), attributes->end(),
                       [&](const onnx::AttributeProto &attribute) {
                         return lost.count(attribute.name());
                       }),
        attributes->end());
  }
  return true;
}

static void addCast(onnx::NodeProto &node, const std::string &from,
                    const std::string &to, int type) {
  node.set_op_type("Cast");
  node.add_input(from);
  node.add_output(to);
  onnx::AttributeProto &attribute = *node.add_attribute();
  attribute.set_name("to");
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(type);
}

/// Whether the node that makes `name` gives integers that stand for reals.
static bool isQuantized(const onnx::GraphProto &graph,
                        const std::string &name) {
  static const std::set<std::string> makers = {"QuantizeLinear", "QLinearConv",
                                               "QLinearMatMul"};
  for (const onnx::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      if (output == name)
        return makers.count(node.op_type()) != 0;
  return false;
}

/// Bools enter and integers leave as floats.
static void adaptBoundary(onnx::GraphProto &graph) {
  std::vector<onnx::NodeProto> first;
  for (onnx::ValueInfoProto &input : *graph.mutable_input()) {
    onnx::TypeProto::Tensor &type =
        *input.mutable_type()->mutable_tensor_type();
    if (type.elem_type() != onnx::TensorProto::BOOL)
      continue;
    std::string name = input.name();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    input.set_name(name + "@float");
    addCast(first.emplace_back(), input.name(), name, onnx::TensorProto::BOOL);
  }
  if (!first.empty()) {
    first.insert(first.end(), graph.node().begin(), graph.node().end());
    graph.clear_node();
    for (onnx::NodeProto &node : first)
      graph.add_node()->Swap(&node);
  }
  for (onnx::ValueInfoProto &output : *graph.mutable_output()) {
    onnx::TypeProto::Tensor &type =
        *output.mutable_type()->mutable_tensor_type();
    if (!isIntegerType(type.elem_type()) || isQuantized(graph, output.name()))
      continue;
    std::string name = output.name();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    output.set_name(name + "@float");
    addCast(*graph.add_node(), name, output.name(), onnx::TensorProto::FLOAT);
  }
}

static bool isPlain(const onnx::ValueInfoProto &value) {
  int type = value.type().tensor_type().elem_type();
  return value.type().has_tensor_type() &&
         (isFloatType(type) || isIntegerType(type));
}

static BackendCase readCase(const fs::path &folder, std::string name) {
  BackendCase result;
  result.name = std::move(name);
  onnx::ModelProto model;
  if (!model.ParseFromString(readFile(folder / "model.onnx")))
    return result;
  std::set<std::string> operators, initializers;
  collectOperators(model.graph(), operators);
  result.operators.assign(operators.begin(), operators.end());
  for (const auto *values : {&model.graph().input(), &model.graph().output()})
    for (const onnx::ValueInfoProto &value : *values)
      result.hasPlainTensors &= isPlain(value);
  result.relabelled = relabel(model);
  if (result.hasPlainTensors)
    adaptBoundary(*model.mutable_graph());
  result.model = model.SerializeAsString();
  for (const onnx::TensorProto &tensor : model.graph().initializer())
    initializers.insert(tensor.name());
  for (const onnx::ValueInfoProto &input : model.graph().input())
    if (!initializers.count(input.name()))
      result.inputNames.push_back(input.name());
  for (int i = 0;; ++i) {
    fs::path data = folder / ("test_data_set_" + std::to_string(i));
    if (!fs::exists(data))
      return result;
    result.dataSets.push_back(
        {readTensors(data, "input"), readTensors(data, "output")});
  }
}

std::vector<BackendCase> readBackendCases(const std::string &root,
                                          const std::string &folder) {
  std::vector<BackendCase> cases;
  std::error_code error;
  for (const fs::directory_entry &entry :
       fs::directory_iterator(fs::path(root) / folder, error))
    if (fs::exists(entry.path() / "model.onnx"))
      cases.push_back(readCase(
          entry.path(), folder + "/" + entry.path().filename().string()));
  std::sort(cases.begin(), cases.end(),
            [](const auto &left, const auto &right) {
              return left.name < right.name;
            });
  return cases;
}

} // namespace qopt_test
