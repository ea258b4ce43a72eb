// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an ONNX model holds and which of it qopt supports, without data.
#pragma once

#include "qopt/Import/ONNX/Import.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mlir::qopt::importer {

/// A value at the model's boundary or at a node's result.
struct ValueFigures {
  std::string name;
  /// `float32`, `int64`, ...; `unknown` where the model does not say.
  std::string type;
  /// False where the shape is not known.
  bool hasShape = false;
  /// A number, or the name of an open dimension (`?` if it has none).
  std::vector<std::string> shape;
};

/// One node that an output needs.
struct NodeFigures {
  enum class Status {
    /// It becomes qopt ops.
    Computed,
    /// It vanishes at compile time.
    Folded,
    /// It is refused; `code` and `why` say more.
    Refused,
    /// It hangs on a refused node or on open dimensions.
    Unchecked,
  };
  std::string name;
  /// `Conv`, `com.microsoft.QLinearAdd`.
  std::string opType;
  std::vector<std::string> inputs;
  std::vector<ValueFigures> outputs;
  Status status = Status::Unchecked;
  int code = 0;
  std::string why;
  /// Multiply-accumulates of one inference, and weights first read here.
  uint64_t macs = 0, parameters = 0;
};

/// A refusal that belongs to no node, or to nodes inside a subgraph.
struct RefusalFigures {
  int code = 0;
  std::string why;
};

struct ModelFigures {
  int64_t irVersion = 0;
  int64_t opset = 0;
  /// Domain and version, the ONNX domain as `ai.onnx`.
  std::vector<std::pair<std::string, int64_t>> opsets;
  std::string producer;
  std::string hash;
  uint64_t bytes = 0;
  std::vector<ValueFigures> inputs, outputs;
  /// In execution order.
  std::vector<NodeFigures> nodes;
  /// Nodes of the file that no output needs.
  int64_t unusedNodes = 0;
  std::vector<RefusalFigures> refusals;
  /// Non-empty where dimensions are open: what to add to see all shapes. Only
  /// the operators' names are checked then.
  std::string openShapes;
  std::vector<std::string> notes;

  /// Refused nodes and other refusals.
  int64_t countRefused() const;
};

/// Describes the model at `path` as importModel would read it. What is not
/// supported, or breaks ONNX's rules at a node, stands in the figures; an
/// error is a file that cannot be read or is no model.
llvm::Expected<ModelFigures> inspectModel(llvm::StringRef path,
                                          MLIRContext &context,
                                          ImportOptions &options);

} // namespace mlir::qopt::importer
