// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small models built in memory.
#pragma once

#include "OnnxProto.h"
#include <string>

inline void addInput(onnx::GraphProto &graph, const std::string &name,
                     std::initializer_list<int64_t> shape) {
  auto *input = graph.add_input();
  input->set_name(name);
  auto *type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (int64_t size : shape)
    type->mutable_shape()->add_dim()->set_dim_value(size);
}

inline void addFloats(onnx::GraphProto &graph, const std::string &name,
                      std::initializer_list<int64_t> shape) {
  auto *tensor = graph.add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  int64_t count = 1;
  for (int64_t size : shape) {
    tensor->add_dims(size);
    count *= size;
  }
  for (int64_t i = 0; i != count; ++i)
    tensor->add_float_data(0.25f * float(i % 7) - 0.5f);
}

inline onnx::NodeProto &addNode(onnx::GraphProto &graph, const std::string &op,
                                std::initializer_list<std::string> inputs,
                                const std::string &output) {
  auto *node = graph.add_node();
  node->set_op_type(op);
  for (const std::string &input : inputs)
    node->add_input(input);
  node->add_output(output);
  return *node;
}

inline void addInts(onnx::NodeProto &node, const std::string &name,
                    std::initializer_list<int64_t> values) {
  auto *attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute->add_ints(value);
}

/// Convolution, pool, shape arithmetic, Gemm, Softmax.
inline onnx::ModelProto smallNetwork() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  onnx::GraphProto &graph = *model.mutable_graph();
  addInput(graph, "x", {1, 2, 6, 6});
  addFloats(graph, "w", {3, 2, 3, 3});
  addFloats(graph, "b", {3});
  addFloats(graph, "f", {4, 27});
  addInts(addNode(graph, "Conv", {"x", "w", "b"}, "c"), "pads", {1, 1, 1, 1});
  addNode(graph, "Relu", {"c"}, "r");
  auto &pool = addNode(graph, "MaxPool", {"r"}, "p");
  addInts(pool, "kernel_shape", {2, 2});
  addInts(pool, "strides", {2, 2});
  addNode(graph, "Shape", {"p"}, "s");
  auto *zero = graph.add_initializer();
  zero->set_name("zero");
  zero->set_data_type(onnx::TensorProto::INT64);
  zero->add_dims(1);
  zero->add_int64_data(0);
  addNode(graph, "Gather", {"s", "zero"}, "n");
  auto *rest = graph.add_initializer();
  rest->set_name("rest");
  rest->set_data_type(onnx::TensorProto::INT64);
  rest->add_dims(1);
  rest->add_int64_data(-1);
  auto *axis = addNode(graph, "Concat", {"n", "rest"}, "t").add_attribute();
  axis->set_name("axis");
  axis->set_type(onnx::AttributeProto::INT);
  axis->set_i(0);
  addNode(graph, "Reshape", {"p", "t"}, "flat");
  auto *transposed = addNode(graph, "Gemm", {"flat", "f"}, "g").add_attribute();
  transposed->set_name("transB");
  transposed->set_type(onnx::AttributeProto::INT);
  transposed->set_i(1);
  addNode(graph, "Softmax", {"g"}, "y");
  graph.add_output()->set_name("y");
  return model;
}
