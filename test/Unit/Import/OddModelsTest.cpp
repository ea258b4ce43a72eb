// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models as exporters of all ages write them.
#include "ImportText.h"
#include "TestModels.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Import/ONNX/Inspect.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// The functions only: the module's hash is that of the bytes.
std::string body(const std::string &text) {
  return text.substr(std::min(text.size(), text.find("func.func")));
}

TEST(OddModels, everyIrVersionIsRead) {
  std::string first = body(import(smallNetwork()));
  EXPECT_NE(first.find("qopt.softmax"), std::string::npos) << first;
  for (int version = 3; version <= 13; ++version) {
    onnx::ModelProto model = smallNetwork();
    model.set_ir_version(version);
    EXPECT_EQ(body(import(model)), first) << version;
  }
}

TEST(OddModels, initializersMayBeInputsToo) {
  std::string first = body(import(smallNetwork()));
  onnx::ModelProto model = smallNetwork();
  for (const auto &tensor : model.graph().initializer())
    addInput(*model.mutable_graph(), tensor.name(), {1});
  EXPECT_EQ(body(import(model)), first);
}

TEST(OddModels, nodeNamesMayRepeat) {
  onnx::ModelProto model = smallNetwork();
  std::string first = body(import(model));
  for (auto &node : *model.mutable_graph()->mutable_node())
    node.set_name("same");
  EXPECT_EQ(body(import(model)), first);
}

TEST(OddModels, unusedInputsStayArguments) {
  onnx::ModelProto model = smallNetwork();
  addInput(*model.mutable_graph(), "unused", {3});
  EXPECT_NE(import(model).find("%arg1: tensor<3xf32> {qopt.name = \"unused\"}"),
            std::string::npos);
}

TEST(OddModels, declaredValuesAreNotBelieved) {
  onnx::ModelProto model = smallNetwork();
  std::string first = body(import(model));
  onnx::GraphProto wrong;
  addInput(wrong, "c", {7, 7, 7});
  addInput(wrong, "nothing", {1});
  for (const auto &value : wrong.input())
    *model.mutable_graph()->add_value_info() = value;
  EXPECT_EQ(body(import(model)), first);
}

TEST(OddModels, aFileImportsAsItsBytes) {
  // Larger than one block of the stream, so that blocks meet inside fields.
  onnx::ModelProto model = smallNetwork();
  onnx::GraphProto &graph = *model.mutable_graph();
  auto *tensor = graph.add_initializer();
  tensor->set_name("large");
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_dims(700'001);
  std::string raw(700'001 * 4, '\0');
  for (size_t i = 0; i != raw.size(); ++i)
    raw[i] = i % 4 == 3 ? 0x3f : char(i * 7);
  tensor->set_raw_data(raw);
  addNode(graph, "Neg", {"large"}, "z");
  graph.add_output()->set_name("z");
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("qopt", "onnx", path));
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  ASSERT_FALSE(bool(writeFileAtomically(path, model.SerializeAsString())));
  MLIRContext context(MLIRContext::Threading::DISABLED);
  importer::ImportOptions options;
  auto module = importer::importModel(path, context, options);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  std::string text;
  llvm::raw_string_ostream os(text);
  (*module)->print(os);
  EXPECT_EQ(text, import(model));
}

TEST(OddModels, figuresNameEachNode) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("qopt", "onnx", path));
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  onnx::ModelProto model = smallNetwork();
  addNode(*model.mutable_graph(), "Relu", {"x"}, "dead");
  ASSERT_FALSE(bool(writeFileAtomically(path, model.SerializeAsString())));
  MLIRContext context(MLIRContext::Threading::DISABLED);
  importer::ImportOptions options;
  auto figures = importer::inspectModel(path, context, options);
  ASSERT_TRUE(bool(figures)) << llvm::toString(figures.takeError());
  EXPECT_EQ(figures->countRefused(), 0);
  EXPECT_EQ(figures->unusedNodes, 1);
  ASSERT_EQ(figures->nodes.size(), 9u);
  const importer::NodeFigures &conv = figures->nodes.front();
  EXPECT_EQ(conv.opType, "Conv");
  EXPECT_EQ(conv.macs, 3u * 36 * 2 * 9);
  EXPECT_EQ(conv.parameters, 3u * 2 * 9 + 3);
  EXPECT_EQ(conv.outputs.front().shape,
            (std::vector<std::string>{"1", "3", "6", "6"}));
  EXPECT_EQ(figures->nodes[3].status, importer::NodeFigures::Status::Folded);
}

} // namespace
