// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One GraphProto, the model's or a node's, to nodes in execution order.
#pragma once

#include "Functions.h"
#include "ReadTensor.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qopt::importer {

/// What the graphs of one model share while it is read.
struct ReadState {
  TensorSource source;
  int64_t opset = 0;
  NodeOpsets opsets;
  /// Names that values of the model have.
  llvm::StringSet<> names;
  llvm::StringSet<> used;
};

/// Reads what the outputs of one graph need. Tensors that have been read are
/// dropped from `proto`, so that a large model is in memory once.
class GraphReader {
public:
  /// Who produces a name: a node's position, or one of these. `CutAway` is a
  /// graph input that `--inputs` does not name.
  enum Producer : int64_t {
    Input = -1,
    Initializer = -2,
    Sparse = -3,
    CutAway = -4
  };

  GraphReader(onnx::GraphProto &proto, ReadState &state, int64_t opset,
              const GraphReader *outer = nullptr)
      : proto(proto), state(state), opset(opset), outer(outer) {}

  /// Declares a name; Q0203 if it is empty or declared already.
  llvm::Error define(StringRef name, int64_t producer);
  /// Declares initializers; those in `bound` replace the model's own.
  llvm::Error defineInitializers(
      ArrayRef<std::pair<std::string, onnx::TensorProto *>> bound);
  llvm::Error defineNodes();
  llvm::Error defineSubgraphInputs(std::vector<std::string> &inputs);

  /// The positions of the nodes that `outputs` need, names that nothing
  /// produces left aside.
  std::vector<bool> reach(ArrayRef<std::string> outputs);
  /// Selects and sorts the nodes that `outputs` need. Errors: Q0203, Q0302.
  llvm::Error select(ArrayRef<std::string> outputs);
  llvm::Error readNodes(std::vector<Node> &nodes);
  llvm::Error readConstants(std::map<std::string, ConstantRef> &constants);

  /// The unique name of what `name` means here; nothing if it means nothing.
  std::optional<std::string> resolve(StringRef name) const;

  /// Who produces a name of this graph.
  llvm::StringMap<int64_t> producers;

private:
  llvm::Error visit(StringRef name, const std::string &reader,
                    std::vector<bool> &seen,
                    llvm::SmallVectorImpl<int64_t> &stack);
  llvm::Error sort(const std::vector<bool> &live);
  llvm::Error readSubgraphs(onnx::NodeProto &proto, int64_t nodeOpset,
                            Node &node);
  const std::vector<std::string> &readsOf(int64_t node);

  onnx::GraphProto &proto;
  ReadState &state;
  int64_t opset;
  const GraphReader *outer;
  llvm::StringMap<onnx::TensorProto *> initializers;
  /// Initializers in file order, then values bound from outside.
  std::vector<std::pair<std::string, onnx::TensorProto *>> tensors;
  /// The names of this graph that are not unique in the model.
  llvm::StringMap<std::string> renamed;
  std::vector<std::vector<std::string>> reads;
  std::vector<int64_t> order;
};

} // namespace mlir::qopt::importer
