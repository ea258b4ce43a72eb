// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors are raw little-endian bytes, as ONNX wants them.

#include "Graph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"

using namespace mlir::qopt::exporter;

std::string Graph::reserve(llvm::StringRef wanted) {
  std::string name = wanted.str();
  while (!names.insert(name).second)
    name = (wanted + "_" + llvm::Twine(++numbers[wanted])).str();
  return name;
}

static void setType(onnx::ValueInfoProto &info, llvm::StringRef name,
                    Element element, llvm::ArrayRef<int64_t> shape) {
  info.set_name(name.str());
  onnx::TypeProto::Tensor *tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(static_cast<int32_t>(element));
  tensor->mutable_shape();
  for (int64_t size : shape)
    tensor->mutable_shape()->add_dim()->set_dim_value(size);
}

void Graph::addInput(llvm::StringRef name, Element element,
                     llvm::ArrayRef<int64_t> shape) {
  setType(*graph.add_input(), name, element, shape);
}

void Graph::addOutput(llvm::StringRef name, Element element,
                      llvm::ArrayRef<int64_t> shape) {
  setType(*graph.add_output(), name, element, shape);
}

void Graph::addShape(llvm::StringRef name, llvm::ArrayRef<int64_t> shape) {
  setType(*graph.add_value_info(), name, Element::Float, shape);
}

std::string Graph::addNode(llvm::StringRef op, std::vector<std::string> inputs,
                           llvm::StringRef hint,
                           std::vector<NodeAttribute> attributes) {
  onnx::NodeProto &node = *graph.add_node();
  std::string result = reserve(hint);
  node.set_name(result);
  node.set_op_type(op.str());
  for (std::string &input : inputs)
    node.add_input(std::move(input));
  node.add_output(result);
  for (const NodeAttribute &attribute : attributes) {
    onnx::AttributeProto &proto = *node.add_attribute();
    proto.set_name(attribute.name);
    proto.set_type(attribute.kind);
    if (attribute.kind == onnx::AttributeProto::FLOAT)
      proto.set_f(attribute.real);
    else if (attribute.kind == onnx::AttributeProto::INTS)
      proto.mutable_ints()->Add(attribute.wholes.begin(),
                                attribute.wholes.end());
    else
      proto.set_i(attribute.whole);
  }
  return result;
}

void Graph::nameResult(llvm::StringRef result, llvm::StringRef name) {
  const int count = graph.node_size();
  if (count == 0 || graph.node(count - 1).output(0) != result) {
    onnx::NodeProto &node = *graph.add_node();
    node.set_op_type("Identity");
    node.add_input(result.str());
    node.add_output(name.str());
    return;
  }
  graph.mutable_node(count - 1)->set_output(0, name.str());
}

onnx::TensorProto &Graph::addTensor(llvm::StringRef hint, int32_t type,
                                    llvm::ArrayRef<int64_t> shape) {
  onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(reserve(hint));
  tensor.set_data_type(type);
  for (int64_t size : shape)
    tensor.add_dims(size);
  return tensor;
}

template <typename T, typename Values>
static std::string toBytes(const Values &values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  char *place = bytes.data();
  for (auto value : values) {
    llvm::support::endian::write<T>(place, static_cast<T>(value),
                                    llvm::endianness::little);
    place += sizeof(T);
  }
  return bytes;
}

std::string Graph::addFloats(llvm::StringRef hint,
                             llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<float> values) {
  onnx::TensorProto &tensor =
      addTensor(hint, static_cast<int32_t>(Element::Float), shape);
  std::vector<uint32_t> bits(values.size());
  llvm::transform(values, bits.begin(), llvm::bit_cast<uint32_t, float>);
  tensor.set_raw_data(toBytes<uint32_t>(bits));
  return tensor.name();
}

/// Two elements a byte, the first in the low half.
static std::string toNibbles(llvm::ArrayRef<int32_t> values) {
  std::string bytes((values.size() + 1) / 2, '\0');
  for (auto [i, value] : llvm::enumerate(values))
    bytes[i / 2] |= static_cast<char>((value & 15) << (i % 2 * 4));
  return bytes;
}

std::string Graph::addIntegers(llvm::StringRef hint, Element element,
                               llvm::ArrayRef<int64_t> shape,
                               llvm::ArrayRef<int32_t> values) {
  onnx::TensorProto &tensor =
      addTensor(hint, static_cast<int32_t>(element), shape);
  if (element == Element::Int32)
    tensor.set_raw_data(toBytes<int32_t>(values));
  else if (element == Element::Int16 || element == Element::UInt16)
    tensor.set_raw_data(toBytes<uint16_t>(values));
  else if (element == Element::Int4)
    tensor.set_raw_data(toNibbles(values));
  else
    tensor.set_raw_data(toBytes<uint8_t>(values));
  return tensor.name();
}

std::string Graph::addList(llvm::StringRef hint,
                           llvm::ArrayRef<int64_t> values) {
  onnx::TensorProto &tensor = addTensor(hint, onnx::TensorProto::INT64,
                                        {static_cast<int64_t>(values.size())});
  tensor.set_raw_data(toBytes<int64_t>(values));
  return tensor.name();
}

std::string Graph::addScalar(float value) {
  std::string &name = scalars[llvm::bit_cast<uint32_t>(value)];
  if (name.empty())
    name = addFloats("scalar", {}, value);
  return name;
}
