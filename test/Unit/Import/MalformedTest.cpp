// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged models: every truncation, and bytes changed at random with a fixed
// seed. Each is refused with a QoptError or imports to a verified module.
#include "TestModels.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Support/Error.h"

#include "gtest/gtest.h"
#include <random>

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// Imports and checks that the outcome is one of the two; true if it imported.
bool importDamaged(llvm::StringRef bytes) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  importer::ImportOptions options;
  auto module = importer::importModelBytes(bytes, context, options);
  if (module)
    return true;
  std::string text;
  llvm::raw_string_ostream os(text);
  ExitCode code = reportError(module.takeError(), os);
  EXPECT_TRUE(code == ExitCode::BadModel || code == ExitCode::Unsupported)
      << text;
  return false;
}

TEST(Malformed, everyTruncationIsRefused) {
  std::string bytes = smallNetwork().SerializeAsString();
  // The opset and the graph are fields of their own at the end; a cut between
  // fields of the model leaves a message that parses.
  for (size_t length = 0; length != bytes.size(); ++length)
    EXPECT_FALSE(importDamaged(llvm::StringRef(bytes).take_front(length)))
        << length;
}

TEST(Malformed, changedBytesNeverCrash) {
  std::string bytes = smallNetwork().SerializeAsString();
  std::mt19937 random(1);
  unsigned imported = 0;
  for (int round = 0; round != 1500; ++round) {
    std::string damaged = bytes;
    unsigned changes = 1 + random() % 3;
    for (unsigned i = 0; i != changes; ++i)
      damaged[random() % damaged.size()] = char(random());
    imported += importDamaged(damaged);
  }
  // Most bytes are weights, so many changes are harmless: the test reaches
  // the whole importer, not only the parser.
  EXPECT_GT(imported, 100u);
}

TEST(Malformed, changedIntegersNeverCrash) {
  std::mt19937_64 random(2);
  const int64_t interesting[] = {0,
                                 -1,
                                 1,
                                 2,
                                 3,
                                 7,
                                 1 << 16,
                                 INT32_MAX,
                                 int64_t(1) << 31,
                                 int64_t(1) << 40,
                                 INT64_MAX,
                                 INT64_MIN};
  auto pick = [&] { return interesting[random() % std::size(interesting)]; };
  for (int round = 0; round != 600; ++round) {
    onnx::ModelProto model = smallNetwork();
    onnx::GraphProto &graph = *model.mutable_graph();
    auto &node = *graph.mutable_node(random() % graph.node_size());
    auto &tensor = *graph.mutable_initializer(random() % 5);
    switch (random() % 5) {
    case 0:
      for (auto &attribute : *node.mutable_attribute()) {
        attribute.set_i(pick());
        for (int64_t &value : *attribute.mutable_ints())
          value = pick();
      }
      break;
    case 1:
      tensor.set_dims(random() % tensor.dims_size(), pick());
      break;
    case 2:
      for (int64_t &value : *tensor.mutable_int64_data())
        value = pick();
      break;
    case 3:
      graph.mutable_input(0)
          ->mutable_type()
          ->mutable_tensor_type()
          ->mutable_shape()
          ->mutable_dim(random() % 4)
          ->set_dim_value(pick());
      break;
    default:
      // Another value where an input was: wrong ranks, types and cycles.
      if (node.input_size())
        node.set_input(random() % node.input_size(),
                       graph.node(random() % graph.node_size()).output(0));
    }
    importDamaged(model.SerializeAsString());
  }
}

TEST(Malformed, deepNestingIsRefused) {
  onnx::ModelProto model = smallNetwork();
  onnx::GraphProto *graph = model.mutable_graph();
  for (int depth = 0; depth != 200; ++depth) {
    auto *node = graph->add_node();
    node->set_op_type("If");
    node->add_output("o" + std::to_string(depth));
    auto *attribute = node->add_attribute();
    attribute->set_name("then_branch");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    graph = attribute->mutable_g();
  }
  EXPECT_FALSE(importDamaged(model.SerializeAsString()));
}

TEST(Malformed, longChainsNeedNoStack) {
  onnx::ModelProto model;
  model.add_opset_import()->set_version(17);
  onnx::GraphProto &graph = *model.mutable_graph();
  addInput(graph, "v0", {2});
  int count = 20000;
  for (int i = 0; i != count; ++i)
    addNode(graph, "Relu", {"v" + std::to_string(i)},
            "v" + std::to_string(i + 1));
  graph.add_output()->set_name("v" + std::to_string(count));
  EXPECT_TRUE(importDamaged(model.SerializeAsString()));
}

} // namespace
