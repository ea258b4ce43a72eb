// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One backend test as files: a model, its inputs and expected outputs. Knows
// protobuf and no MLIR.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qopt_test {

/// A tensor of a data set.
struct BackendTensor {
  /// TensorProto's number of the element type; 0 for what is no tensor.
  int type = 0;
  std::vector<int64_t> shape;
  /// The elements of float, integer and bool types, as float32.
  std::vector<float> values;
  /// The TensorProto's own bytes.
  std::string serialized;
};

/// TensorProto's number.
inline constexpr int typeFloat16 = 10;

/// True for float32, float64 and float16.
bool isFloatType(int type);
/// True for the integers of 8 bits and more, and for bool.
bool isIntegerType(int type);

struct BackendDataSet {
  std::vector<BackendTensor> inputs, outputs;
};

struct BackendCase {
  /// Folder and test: `node/test_add`.
  std::string name;
  /// The model, adapted to a compiler whose boundary is float:
  /// - opsets before 7, which the importer refuses, are relabelled 7: half of
  ///   these tests are of opset 6 only by their age;
  /// - a bool input is a float input and a Cast; an integer or bool output is
  ///   followed by a Cast to float, unless a quantized operator makes it.
  std::string model;
  bool relabelled = false;
  /// The boundary is all tensors of float, integer or bool elements.
  bool hasPlainTensors = true;
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
