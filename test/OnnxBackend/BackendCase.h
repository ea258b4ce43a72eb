// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One backend test as files: a model, its inputs and expected outputs. Knows
// protobuf and no MLIR.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qopt_test {

/// A tensor of a data set. `values` is empty unless the elements are f32 or
/// f64.
struct BackendTensor {
  bool isFloat = false;
  std::vector<int64_t> shape;
  std::vector<float> values;
  /// The TensorProto's own bytes.
  std::string serialized;
};

struct BackendDataSet {
  std::vector<BackendTensor> inputs, outputs;
};

struct BackendCase {
  /// Folder and test: `node/test_add`.
  std::string name;
  /// The model. Opsets before 7, which the importer refuses, are relabelled 7:
  /// half of these tests are of opset 6 only by their age.
  std::string model;
  bool relabelled = false;
  /// Names of the graph inputs that are no initializers, in order.
  std::vector<std::string> inputNames;
  /// Operators of all nodes, distinct and sorted; `domain::Op` for foreign
  /// domains.
  std::vector<std::string> operators;
  std::vector<BackendDataSet> dataSets;
};

/// The tests below `root` in `folder`, sorted by name. Tests whose files cannot
/// be parsed come without data sets.
std::vector<BackendCase> readBackendCases(const std::string &root,
                                          const std::string &folder);

} // namespace qopt_test
