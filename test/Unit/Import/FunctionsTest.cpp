// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions with fields that this onnx.proto does not know, and the limits of
// inlining.
#include "ImportText.h"
#include "TestModels.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

template <typename Message>
void addUnknown(Message &message, int field, const std::string &bytes) {
  message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(
      field, bytes);
}

onnx::ModelProto emptyModel() {
  onnx::ModelProto model;
  model.add_opset_import()->set_version(17);
  addInput(*model.mutable_graph(), "x", {2});
  model.mutable_graph()->add_output()->set_name("y");
  return model;
}

/// `local.<name>`, from x to y.
onnx::FunctionProto &addFunction(onnx::ModelProto &model,
                                 const std::string &name) {
  onnx::FunctionProto &function = *model.add_functions();
  function.set_name(name);
  function.set_domain("local");
  function.add_input("x");
  function.add_output("y");
  return function;
}

onnx::NodeProto &addBody(onnx::FunctionProto &function, const std::string &op,
                         const std::string &domain, const std::string &input,
                         const std::string &output) {
  onnx::NodeProto &node = *function.add_node();
  node.set_op_type(op);
  node.set_domain(domain);
  node.add_input(input);
  node.add_output(output);
  return node;
}

onnx::ModelProto leakyModel() {
  onnx::ModelProto model = emptyModel();
  onnx::FunctionProto &function = addFunction(model, "Leaky");
  auto *reference =
      addBody(function, "LeakyRelu", "", "x", "y").add_attribute();
  reference->set_name("alpha");
  reference->set_type(onnx::AttributeProto::FLOAT);
  reference->set_ref_attr_name("slope");
  onnx::AttributeProto value;
  value.set_name("slope");
  value.set_type(onnx::AttributeProto::FLOAT);
  value.set_f(0.25f);
  addUnknown(function, 11, value.SerializeAsString());
  addNode(*model.mutable_graph(), "Leaky", {"x"}, "y").set_domain("local");
  return model;
}

TEST(Functions, takesTheDefaultOfAnAttribute) {
  EXPECT_NE(import(leakyModel()).find("leaky_relu, 2.5"), std::string::npos)
      << import(leakyModel());
}

TEST(Functions, takesTheCallsAttributeBeforeTheDefault) {
  onnx::ModelProto model = leakyModel();
  auto *value = model.mutable_graph()->mutable_node(0)->add_attribute();
  value->set_name("slope");
  value->set_type(onnx::AttributeProto::FLOAT);
  value->set_f(0.5f);
  EXPECT_NE(import(model).find("leaky_relu, 5.0"), std::string::npos)
      << import(model);
}

TEST(Functions, tellsOverloadsApart) {
  onnx::ModelProto model = emptyModel();
  for (const char *op : {"Relu", "Tanh"}) {
    onnx::FunctionProto &function = addFunction(model, "F");
    addBody(function, op, "", "x", "y");
    addUnknown(function, 13, op);
  }
  auto &call = addNode(*model.mutable_graph(), "F", {"x"}, "y");
  call.set_domain("local");
  addUnknown(call, 8, "Tanh");
  std::string text = import(model);
  EXPECT_NE(text.find("tanh"), std::string::npos) << text;
  EXPECT_EQ(text.find("relu"), std::string::npos) << text;
}

/// `f0` calls `f1` `calls` times, and so on for `depth` functions.
onnx::ModelProto callTree(int depth, int calls) {
  onnx::ModelProto model = emptyModel();
  for (int level = 0; level != depth; ++level) {
    auto &function = addFunction(model, "f" + std::to_string(level));
    bool last = level + 1 == depth;
    for (int i = 0; i != calls; ++i)
      addBody(function, last ? "Relu" : "f" + std::to_string(level + 1),
              last ? "" : "local", i == 0 ? "x" : "t" + std::to_string(i - 1),
              i + 1 == calls ? "y" : "t" + std::to_string(i));
  }
  addNode(*model.mutable_graph(), "f0", {"x"}, "y").set_domain("local");
  return model;
}

TEST(Functions, stopsAtTheDepthLimit) {
  EXPECT_NE(import(callTree(16, 1)).find("relu"), std::string::npos);
  EXPECT_NE(import(callTree(17, 1))
                .find("error[Q0203]: functions call "
                      "functions more than 16 deep"),
            std::string::npos);
}

TEST(Functions, stopsBeforeCallsMultiply) {
  EXPECT_NE(import(callTree(16, 4)).find("error[Q0209]: inlining"),
            std::string::npos);
}

} // namespace
