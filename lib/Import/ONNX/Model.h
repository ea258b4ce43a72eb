// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checked form of an ONNX graph that the importer works on. No protobuf
// and no MLIR: the reader fills it, the operator importers read it.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir::qopt::importer {

using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using Shape = SmallVector<int64_t, 4>;

/// Limits that keep hostile models from exhausting the machine.
inline constexpr size_t kMaxRank = 8;
inline constexpr int64_t kMaxElements = (int64_t(1) << 31) - 1;
inline constexpr int64_t kMaxNodes = 1'000'000;

/// What folding tells apart: every float type is held as float32, every
/// integer type as int64.
enum class Element { Float, Int, Bool };

/// How a tensor's integers stand for reals: `x = scale (q - zeroPoint)`. Zero
/// points are those of signed storage: an unsigned tensor of N bits is taken
/// less 2^(N-1).
struct Quantization {
  /// 8 or 16, of the storage.
  unsigned bits = 8;
  /// Whether the model's own type is unsigned.
  bool isUnsigned = false;
  /// The axis that `scales` run along; one scale in all where it is negative.
  int64_t axis = -1;
  std::vector<float> scales;
  std::vector<int64_t> zeroPoints;

  bool operator==(const Quantization &other) const {
    return bits == other.bits && isUnsigned == other.isUnsigned &&
           axis == other.axis && scales == other.scales &&
           zeroPoints == other.zeroPoints;
  }
};
using QuantizationRef = std::shared_ptr<const Quantization>;

/// A tensor whose values are known.
struct Constant {
  std::string name;
  /// `TensorProto`'s number of the element type as read; 0 for results of
  /// folding.
  int type = 0;
  /// For floats that the model holds as integers: how. Folding that changes
  /// values may leave it behind, so whoever uses it checks that the values are
  /// multiples of the scales (`recoverIntegers`).
  QuantizationRef quantization;
  Element element = Element::Float;
  Shape shape;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  /// Instead of `ints`, less `lowest`: large tensors of few bits, such as the
  /// weights of a quantized model, until they are read.
  std::vector<uint8_t> packed;
  int64_t lowest = 0;

  int64_t size() const {
    return element == Element::Float ? floats.size()
                                     : ints.size() + packed.size();
  }
};
using ConstantRef = std::shared_ptr<const Constant>;

/// `constant` with its integers in bytes where that saves much and they fit.
ConstantRef pack(ConstantRef constant);
/// `constant` with its integers in `ints`.
ConstantRef unpack(const ConstantRef &constant);

struct NodeAttribute {
  enum class Kind { Int, Float, String, Ints, Floats, Tensor, Other };
  Kind kind = Kind::Other;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  ConstantRef tensor;
};

struct Subgraph;

struct Node {
  /// The operator of the model where it was taken apart into several nodes.
  std::string origin;
  /// The ONNX name, or `Conv_17` with the node's position in its graph.
  std::string name;
  std::string opType;
  /// Empty for ONNX's own operators.
  std::string domain;
  /// The ONNX opset that the node is written for: the model's, or that of the
  /// function which it comes from.
  int64_t opset = 0;
  /// Empty names are absent optional inputs and outputs.
  std::vector<std::string> inputs, outputs;
  /// Values that the node's subgraphs read.
  std::vector<std::string> captures;
  std::map<std::string, NodeAttribute> attributes;
  /// The attributes that are graphs.
  std::map<std::string, std::shared_ptr<const Subgraph>> graphs;
};

/// A graph inside a node. Its names are unique in the whole model; it may read
/// names of the graphs around it.
struct Subgraph {
  std::vector<std::string> inputs, outputs;
  /// In execution order; only what the outputs need.
  std::vector<Node> nodes;
  std::map<std::string, ConstantRef> constants;
};

struct Dimension {
  /// -1 where the model leaves it open.
  int64_t size = -1;
  /// The name of an open dimension, possibly empty.
  std::string symbol;
};

struct GraphInput {
  std::string name;
  /// `float32`, `int64`, ...; `unknown` where the model does not say.
  std::string type;
  bool isFloat = false;
  bool hasShape = false;
  std::vector<Dimension> dimensions;
};

/// What `--inputs` and `--outputs` left out.
struct CutSummary {
  std::vector<std::string> inputs, outputs;
  /// Nodes that the whole model needs and the cut one does not, by operator.
  std::map<std::string, int64_t> nodes;
};

/// A graph in execution order that holds only what its outputs need.
struct Graph {
  int64_t opset = 0;
  int64_t irVersion = 0;
  std::string producer;
  /// Every domain and version that the model imports, in file order.
  std::vector<std::pair<std::string, int64_t>> opsets;
  /// Nodes of the file that no output needs.
  int64_t unusedNodes = 0;
  /// What the model says of values that are no graph inputs.
  std::map<std::string, GraphInput> declared;
  std::optional<CutSummary> cut;
  std::vector<std::string> notes;
  std::vector<GraphInput> inputs;
  std::vector<std::string> outputs;
  std::vector<Node> nodes;
  std::map<std::string, ConstantRef> constants;
  /// The names that a node reads or that are outputs of a graph or subgraph.
  llvm::StringSet<> used;
  /// SHA-256 in hexadecimal.
  std::string hash;
  /// Bytes of the model and of the external data read.
  uint64_t bytes = 0;
};

/// The integers of a constant with a `quantization`, in its own order; nothing
/// where its values are not exactly `scale (q - zeroPoint)` within the storage.
std::optional<std::vector<int64_t>> recoverIntegers(const Constant &constant);

/// A name for messages: quoted, control characters escaped, at most 120 bytes.
std::string quoted(StringRef name);

/// `1x3x224x224`, `scalar` for no dimensions.
std::string formatShape(ArrayRef<int64_t> shape);

/// The product of `shape`, or nothing if a dimension is negative or the product
/// exceeds kMaxElements.
std::optional<int64_t> countElements(ArrayRef<int64_t> shape);

} // namespace mlir::qopt::importer
