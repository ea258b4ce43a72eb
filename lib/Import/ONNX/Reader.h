// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes to Graph.
#pragma once

#include "Cut.h"

namespace mlir::qopt::importer {

/// What readModel needs beside the bytes.
struct ReadOptions {
  /// What messages call the model.
  std::string name = "model";
  /// Where external data may lie; none is read unless `allowExternal`.
  std::string folder;
  bool allowExternal = false;
  /// Graph inputs bound to a serialized TensorProto.
  ArrayRef<std::pair<std::string, std::string>> constants;
  /// Graph inputs bound to numbers.
  ArrayRef<std::pair<std::string, std::vector<double>>> values;
  CutOptions cut;
};

/// Parses and checks a serialized ModelProto. Calls of model-local functions
/// are inlined, the graph is cut where `options.cut` says so. Nodes that no
/// output needs are left out, the others are in execution order; every name
/// that is read is produced before it. Errors: Q0122, Q0123 (the cut), Q0201
/// (not an ONNX file), Q0202 (incomplete), Q0203 (names that do not form a
/// graph), Q0205, Q0206, Q0208, Q0209, Q0303.
Expected<Graph> readModel(StringRef bytes, const ReadOptions &options);

/// The same for a file, which is read as it is parsed and never in memory as a
/// whole. Errors also: Q0502.
Expected<Graph> readModelFile(StringRef path, const ReadOptions &options);

} // namespace mlir::qopt::importer
