// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an operator importer sees of its node: checked attributes and inputs,
// folding, and emission of qopt ops.
#pragma once

#include "Fold.h"
#include "mlir/IR/Builders.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qopt::importer {

/// A value between DynamicQuantizeLinear and the Mul that ends what it began.
struct DynamicValue {
  enum class Role { Integers, Scale, ZeroPoint, Product };
  Role role = Role::Integers;
  /// The name of the float value that is quantized.
  std::string source;
  /// Scale: what it has been multiplied by; empty for nothing. Product: the
  /// weight at scale 1.
  Constant factor;
  /// Product: the operator on reals, and the weight's channel axis.
  Node node;
  int64_t channelAxis = 0;
};

/// What an ONNX name stands for while the graph is imported.
struct Entry {
  enum class Kind {
    /// An f32 tensor that is computed at run time.
    Activation,
    /// A tensor whose values are known now.
    Constant,
    /// The result of a node that was refused.
    Unknown,
  };
  Kind kind = Kind::Unknown;
  Value value;
  ConstantRef constant;
  /// An activation that stands for a bool: 0 or 1.
  bool isBool = false;
  /// An activation of whole numbers from 0 to below this, such as positions; 0
  /// where that is not known.
  int64_t wholeBelow = 0;
  /// On an activation that the model holds as integers: what they mean. `value`
  /// are the reals they stand for. Without scales: a graph input that nobody
  /// has read yet.
  QuantizationRef quantization;
  /// On an activation without a value: a part of a dynamic quantization.
  std::shared_ptr<const DynamicValue> dynamic;
  /// Unknown, and it depends on values, not only on shapes, of graph inputs.
  bool dependsOnData = false;
};

/// State of one import that all nodes share.
struct ImportState {
  ImportState(const Graph &graph, OpBuilder &builder)
      : graph(graph), builder(builder) {}

  const Graph &graph;
  OpBuilder &builder;
  llvm::StringMap<Entry> entries;
  /// Constants that are already ops. The key keeps a constant's address from
  /// being taken by a later one, but not its values: where integers are held,
  /// the floats go.
  std::map<std::weak_ptr<const Constant>, Value, std::owner_less<>>
      materialized;
  /// Values that softmax alone reads, directly or behind moves and sums: minus
  /// infinity masks there.
  llvm::StringSet<> logits;
  /// Names given as `qopt.value`.
  llvm::StringSet<> valueNames;
  llvm::StringSet<> resourceNames;
  /// Elements that folding has produced.
  int64_t foldedElements = 0;

  /// `name`, or `name_2`, ... where that is taken.
  std::string uniqueValueName(const std::string &name);
  /// The same for resources, in characters that need no quotes.
  std::string uniqueResourceName(StringRef name);
  /// A `qopt.constant`, of integers with a `qopt.dequantize` behind it where
  /// the constant has them; the caller has checked that the values are finite.
  Value materialize(const ConstantRef &constant, Location loc);
};

/// Errors are sticky: the first one counts, every accessor afterwards returns a
/// harmless default and `create` creates nothing. An importer reads all it
/// needs, returns if not `ok()`, then emits.
class NodeContext {
public:
  NodeContext(ImportState &state, const Node &node);

  bool ok() const { return !failed; }
  int64_t opset() const { return node.opset; }
  const std::string &opType() const { return node.opType; }

  /// \name Errors
  /// @{
  /// Q0302: the operator is supported, this form of it is not.
  void unsupported(const std::string &why);
  /// Q0206: the node breaks ONNX's rules.
  void invalid(const std::string &why);
  /// Another code of the 02xx range.
  void refuse(int code, const std::string &why);
  /// `error` as it is.
  void fail(llvm::Error error);
  /// Q0206 with the text of `error`.
  void invalid(llvm::Error error);
  /// The value of `value`; its error becomes Q0206.
  template <typename T> T check(Expected<T> value) {
    if (value)
      return std::move(*value);
    invalid(value.takeError());
    return T();
  }
  /// @}

  /// \name Attributes: absent ones have the default, others a checked type
  /// @{
  bool hasAttribute(StringRef name) const;
  int64_t intAttribute(StringRef name, int64_t defaultValue);
  float floatAttribute(StringRef name, float defaultValue);
  std::string stringAttribute(StringRef name, StringRef defaultValue);
  std::optional<Shape> intsAttribute(StringRef name);
  std::vector<float> floatsAttribute(StringRef name);
  ConstantRef tensorAttribute(StringRef name);
  /// Declares attributes that inference has no use for.
  void ignoreAttributes(ArrayRef<StringRef> names);
  /// Refuses attributes that nobody asked for.
  void checkAttributes();
  /// @}

  /// \name Inputs and outputs
  /// @{
  /// Checks the number of inputs and that the first `min` are present.
  void expectInputs(size_t min, size_t max);
  /// Outputs after the first are refused if something reads them and the
  /// operator has no results for them.
  void expectOneOutput();
  size_t numOutputs() const { return node.outputs.size(); }
  /// Whether something reads output `i`.
  bool isRead(size_t i) const;
  size_t numInputs() const { return node.inputs.size(); }
  bool hasInput(size_t i) const;
  /// Known now, whatever its element type.
  bool isConstant(size_t i) const;
  /// Depends on values of graph inputs, so that no folding can make it known.
  bool dependsOnData(size_t i) const;
  bool allInputsConstant() const;
  /// The input's known values; unsupported if it is computed at run time.
  ConstantRef constant(size_t i, StringRef what);
  /// The same, checked to be float and finite.
  ConstantRef floatConstant(size_t i, StringRef what);
  /// A list (or scalar) of integers.
  Shape intsConstant(size_t i, StringRef what);
  /// The input as an f32 value; a constant becomes an op. Integers are refused,
  /// except by operators that only move values.
  Value activation(size_t i);
  /// The input as 0 and 1 in f32, where it may be a bool.
  Value boolActivation(size_t i);
  bool isBool(size_t i) const { return entry(i).isBool; }
  /// Where the input's values are known to be whole numbers, what all are
  /// below; else 0.
  int64_t wholeBelow(size_t i) const {
    return isBool(i) ? 2 : entry(i).wholeBelow;
  }
  /// Whether the input is an activation that the model holds as integers.
  bool holdsIntegers(size_t i) const;
  /// TensorProto's number of such an input's element type.
  int integerType(size_t i) const;
  /// The reals that such an input stands for where `quantization` says how; an
  /// error where the operator that made it says otherwise.
  Value dequantized(size_t i, const Quantization &quantization);
  /// The integers of such an input as numbers.
  Value numbers(size_t i);
  /// The input as a part of a dynamic quantization; null where it is none.
  const DynamicValue *dynamicValue(size_t i) const {
    return entry(i).dynamic.get();
  }
  /// Whether an input is one.
  bool readsDynamic() const;
  /// The shape of an input of any kind.
  Shape shapeOf(size_t i);
  static Shape shapeOf(Value value);
  /// @}

  /// \name Results
  /// @{
  void setResult(Value value);
  void setResult(Expected<Constant> constant);
  void setResult(const Constant &constant);
  /// The result is a bool, 0 or 1 in f32.
  void setBoolResult(Value value);
  /// The result is whole numbers from 0 to below `bound`.
  void setWholeResult(Value value, int64_t bound);
  /// Output `i` after the first is known.
  void setConstantResult(size_t i, Constant constant);
  /// Of an operator with several outputs: one value or constant each.
  void setResults(ArrayRef<Value> values);
  void setResults(ArrayRef<ConstantRef> constants);
  /// The result is held as integers; rounds `value` (f32) to them.
  void setQuantizedResult(Value value, const Quantization &quantization);
  /// Output `i` is a part of a dynamic quantization.
  void setDynamicResult(size_t i, std::shared_ptr<const DynamicValue> value);
  /// The result is the input itself.
  void forward(size_t i);
  /// A constant made from others, named after `origin` for messages; charged
  /// to the folding budget.
  ConstantRef derive(Expected<Constant> constant, StringRef name);
  /// @}

  /// \name Emission
  /// @{
  template <typename Op, typename... Args>
  Value create(ArrayRef<int64_t> shape, Args &&...args) {
    RankedTensorType type = resultType(shape);
    if (!type)
      return Value();
    auto op = Op::create(state.builder, loc, type, std::forward<Args>(args)...);
    created.push_back(op);
    return op->getResult(0);
  }
  Value emitConstant(const ConstantRef &constant);
  MLIRContext *getContext() const { return state.builder.getContext(); }
  /// A `qopt.reshape`, or `value` itself if that has the shape.
  Value reshape(Value value, ArrayRef<int64_t> shape);
  /// A `qopt.unary` with one function.
  Value unary(Value value, Function function, ArrayRef<double> params);
  struct Step {
    Function function;
    SmallVector<double, 2> params;
  };
  /// A `qopt.unary` with several.
  Value chain(Value value, ArrayRef<Step> steps);
  FnAttr fn(Function function, ArrayRef<double> params);
  /// @}

  /// \name Operators that stand for several
  /// @{
  const Node &getNode() const { return node; }
  /// Imports these nodes, in order, instead of this one.
  void expandTo(std::vector<Node> nodes) { expansion = std::move(nodes); }
  std::vector<Node> takeExpansion() { return std::move(expansion); }
  /// Gives a constant a name that the expansion reads.
  void define(StringRef name, Constant constant);
  /// @}

  /// Names the ops and enters the outputs; an error, if any, is returned.
  llvm::Error finish();

private:
  const NodeAttribute *attribute(StringRef name, NodeAttribute::Kind kind,
                                 StringRef kindName);
  const Entry &entry(size_t i) const;
  RankedTensorType resultType(ArrayRef<int64_t> shape);
  ConstantRef finite(const ConstantRef &constant);
  void notFloat(const std::string &what);
  /// The operator as the model names it, with its domain.
  std::string modelOp() const;
  std::string where() const;
  /// Whether the operator may read these integers: it moves values, and those
  /// it read before mean the same.
  bool checkMove(const QuantizationRef &quantization, size_t i);
  /// `value` through `quantize` and `dequantize`.
  Value roundTo(Value value, const Quantization &quantization);

  ImportState &state;
  const Node &node;
  Location loc;
  bool failed = false;
  std::optional<llvm::Error> error;
  llvm::StringSet<> knownAttributes;
  SmallVector<Operation *> created;
  Entry result;
  /// Of the outputs after the first.
  SmallVector<Entry> others;
  /// What the integers mean that an operator moves.
  QuantizationRef moved;
  std::vector<Node> expansion;
};

} // namespace mlir::qopt::importer
