// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// External data is read from the model's folder and from nowhere else, through
// every place where a model can hold a tensor.
#include "TestModels.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::qopt;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

struct Attack {
  const char *name;
  Entries entries;
};

Attack at(const char *location, Entries more = {}) {
  Entries entries = {{"location", location}};
  entries.insert(entries.end(), more.begin(), more.end());
  return {location, entries};
}

/// What must not be read. `w.bin` is a good file of eight bytes.
std::vector<Attack> attacks() {
  return {
      at("../secret.bin"),
      at("sub/../../secret.bin"),
      at("./.././secret.bin"),
      at("/etc/hostname"),
      at("//etc/hostname"),
      at("link.bin"),
      at("folder/secret.bin"),
      at("sub/up/secret.bin"),
      at("hard.bin"),
      at("pipe"),
      at("zero"),
      at("sub"),
      at("."),
      at(""),
      {"no location", {}},
      {"zero byte", {{"location", std::string("w.bin\0x", 7)}}},
      at("file:///etc/hostname"),
      at("..\\secret.bin"),
      at("~/secret.bin"),
      {"last location counts",
       {{"location", "w.bin"}, {"location", "../secret.bin"}}},
      at("w.bin", {{"offset", "-1"}}),
      at("w.bin", {{"length", "-8"}}),
      at("w.bin", {{"offset", "9"}}),
      at("w.bin", {{"offset", "18446744073709551615"}, {"length", "8"}}),
      at("w.bin", {{"offset", "18446744073709551616"}}),
      at("w.bin", {{"length", "18446744073709551615"}}),
      at("w.bin", {{"offset", "4"}, {"length", "8"}}),
      at("w.bin", {{"length", "4"}}),
      at("w.bin", {{"offset", "0x0"}}),
      at("w.bin", {{"length", " 8"}}),
  };
}

void fill(onnx::TensorProto &tensor, const Entries &entries) {
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(2);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto &[key, value] : entries) {
    auto *entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
}

onnx::TensorProto &valueOf(onnx::NodeProto &constant) {
  auto *attribute = constant.add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  return *attribute->mutable_t();
}

onnx::GraphProto &branchOf(onnx::NodeProto &node, const char *name) {
  auto *attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  return *attribute->mutable_g();
}

/// An If that takes its first branch, whose output is `t`.
onnx::GraphProto &addIf(onnx::GraphProto &graph) {
  auto *condition = graph.add_initializer();
  condition->set_name("yes");
  condition->set_data_type(onnx::TensorProto::BOOL);
  condition->add_int32_data(1);
  auto &node = addNode(graph, "If", {"yes"}, "w");
  branchOf(node, "else_branch").add_output()->set_name("x");
  onnx::GraphProto &branch = branchOf(node, "then_branch");
  branch.add_output()->set_name("t");
  return branch;
}

/// The places of a tensor `w` that is added to `x`.
enum class Place {
  Initializer,
  Constant,
  BranchInitializer,
  BranchConstant,
  Function,
  BoundValue,
  SparseInitializer,
  SparseConstant,
};
constexpr Place places[] = {
    Place::Initializer,       Place::Constant,       Place::BranchInitializer,
    Place::BranchConstant,    Place::Function,       Place::BoundValue,
    Place::SparseInitializer, Place::SparseConstant,
};

onnx::ModelProto modelWith(Place place, const Entries &entries,
                           importer::ImportOptions &options) {
  onnx::ModelProto model;
  model.add_opset_import()->set_version(17);
  onnx::GraphProto &graph = *model.mutable_graph();
  addInput(graph, "x", {2});
  graph.add_output()->set_name("y");
  switch (place) {
  case Place::Initializer:
    fill(*graph.add_initializer(), entries);
    graph.mutable_initializer(0)->set_name("w");
    break;
  case Place::Constant:
    fill(valueOf(addNode(graph, "Constant", {}, "w")), entries);
    break;
  case Place::BranchInitializer: {
    auto *tensor = addIf(graph).add_initializer();
    fill(*tensor, entries);
    tensor->set_name("t");
    break;
  }
  case Place::BranchConstant:
    fill(valueOf(addNode(addIf(graph), "Constant", {}, "t")), entries);
    break;
  case Place::Function: {
    auto *function = model.add_functions();
    function->set_name("F");
    function->set_domain("local");
    function->add_output("o");
    auto *node = function->add_node();
    node->set_op_type("Constant");
    node->add_output("o");
    fill(valueOf(*node), entries);
    addNode(graph, "F", {}, "w").set_domain("local");
    break;
  }
  case Place::BoundValue: {
    addInput(graph, "w", {2});
    onnx::TensorProto tensor;
    fill(tensor, entries);
    options.constants.emplace_back("w", tensor.SerializeAsString());
    break;
  }
  case Place::SparseInitializer: {
    auto *tensor = graph.add_sparse_initializer();
    fill(*tensor->mutable_values(), entries);
    tensor->mutable_values()->set_name("w");
    break;
  }
  case Place::SparseConstant: {
    auto *attribute = addNode(graph, "Constant", {}, "w").add_attribute();
    attribute->set_name("sparse_value");
    attribute->set_type(onnx::AttributeProto::SPARSE_TENSOR);
    fill(*attribute->mutable_sparse_tensor()->mutable_values(), entries);
    break;
  }
  }
  addNode(graph, "Add", {"x", "w"}, "y");
  return model;
}

class ExternalData : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("qopt-external", root));
    folder = path("model");
    ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
    ASSERT_EQ(::mkdir(path("model/sub").c_str(), 0700), 0);
    const float values[2] = {1, 2};
    for (const char *name : {"secret.bin", "model/w.bin", "model/first.bin"})
      std::ofstream(path(name), std::ios::binary)
          .write(reinterpret_cast<const char *>(values), sizeof(values));
    ASSERT_EQ(::symlink("w.bin", path("model/link.bin").c_str()), 0);
    ASSERT_EQ(::symlink("..", path("model/folder").c_str()), 0);
    ASSERT_EQ(::symlink("../..", path("model/sub/up").c_str()), 0);
    ASSERT_EQ(::symlink("/dev/zero", path("model/zero").c_str()), 0);
    ASSERT_EQ(
        ::link(path("model/first.bin").c_str(), path("model/hard.bin").c_str()),
        0);
    ASSERT_EQ(::mkfifo(path("model/pipe").c_str(), 0600), 0);
  }

  void TearDown() override { llvm::sys::fs::remove_directories(root); }

  std::string path(llvm::StringRef name) {
    llvm::SmallString<128> result(root);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }

  /// The exit code of an import, Ok if there was no error.
  ExitCode import(Place place, const Entries &entries, std::string &text) {
    MLIRContext context(MLIRContext::Threading::DISABLED);
    importer::ImportOptions options;
    std::string bytes = modelWith(place, entries, options).SerializeAsString();
    auto module = importer::importModelBytes(bytes, context, options, folder);
    if (module)
      return ExitCode::Ok;
    llvm::raw_string_ostream os(text);
    return reportError(module.takeError(), os);
  }

  llvm::SmallString<128> root;
  std::string folder;
};

TEST_F(ExternalData, isReadFromTheModelsFolder) {
  for (Place place : places) {
    std::string text;
    bool isSparse =
        place == Place::SparseInitializer || place == Place::SparseConstant;
    EXPECT_EQ(import(place, {{"location", "w.bin"}}, text),
              isSparse ? ExitCode::Unsupported : ExitCode::Ok)
        << int(place) << ": " << text;
  }
}

TEST_F(ExternalData, isReadFromNowhereElse) {
  for (const Attack &attack : attacks())
    for (Place place : places) {
      std::string text;
      EXPECT_NE(import(place, attack.entries, text), ExitCode::Ok)
          << attack.name << " in place " << int(place);
      EXPECT_EQ(text.find("Q07"), std::string::npos) << text;
    }
}

} // namespace
