// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantized function, op by op: reals in, one float form, a pair behind it.

#include "qopt/Export/ONNX/Export.h"
#include "BlockedWeight.h"
#include "Emitter.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Weights.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::exporter;

static constexpr int64_t opset = 21;
static constexpr int64_t irVersion = 10;

/// The element type of a quantized tensor's integers.
static Element elementOf(Type type) {
  auto quantized = cast<quant::QuantizedType>(getElementTypeOrSelf(type));
  switch (quantized.getStorageTypeIntegralWidth()) {
  case 8:
    return Element::Int8;
  case 16:
    return Element::Int16;
  default:
    return Element::Int32;
  }
}

/// The shape of a tensor.
static ArrayRef<int64_t> shapeOf(Type type) {
  return cast<RankedTensorType>(type).getShape();
}

static StringRef nameOf(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>("qopt.value");
  return name ? name.getValue() : op->getName().stripDialect();
}

namespace {

/// Scale and zero point as initializers.
struct Parameters {
  std::string scale, zeroPoint;
};

/// One run over a function.
class Exporter {
public:
  Exporter(func::FuncOp function, StringRef name)
      : function(function), graph(name) {}

  llvm::Error run();
  onnx::GraphProto take() { return graph.take(); }

private:
  void reserveBoundary();
  void addArgument(QuantizeOp op);
  llvm::Error addOp(Operation *op);
  void addResults(func::ReturnOp op);
  /// The reals of a quantized value; adds a constant's nodes.
  std::string getReals(Value value);
  std::string addConstant(ConstantOp op);
  /// A weight whose layer computes on float activations.
  std::string addWeight(DequantizeOp op);
  std::string addArgumentReals(BlockArgument argument);
  Parameters addParameters(StringRef hint, Type type, int64_t shift = 0);
  /// A pair on the reals `name`; gives the reals that it leaves.
  std::string addPair(const std::string &name, Type type);
  std::string addReshape(const std::string &name, Type type, StringRef hint);
  /// Calls `result` `name` and adds the pair behind it.
  std::string addNamed(const std::string &result, StringRef name, Type type);
  /// A layer on rows of more axes, as Gemm between two reshapes: a MatMul would
  /// leave its bias behind.
  std::string addMatrixLayer(GemmOp op, StringRef name);

  func::FuncOp function;
  Graph graph;
  SmallVector<std::string> inputs, outputs;
  llvm::DenseMap<Value, std::string> reals;
};

} // namespace

/// A boundary value's ONNX type and how much its integers lie above qopt's.
static std::pair<Element, int64_t> getOwnType(StringAttr type) {
  if (!type)
    return {Element::Float, 0};
  return llvm::StringSwitch<std::pair<Element, int64_t>>(type.getValue())
      .Case("int8", {Element::Int8, 0})
      .Case("uint8", {Element::UInt8, 128})
      .Case("int16", {Element::Int16, 0})
      .Case("uint16", {Element::UInt16, 32768})
      .Default({Element::Float, 0});
}

void Exporter::reserveBoundary() {
  auto reserve = [&](DictionaryAttr attrs, const Twine &fallback) {
    auto name = attrs ? attrs.getAs<StringAttr>("qopt.name") : StringAttr();
    return graph.reserve(name ? name.str() : fallback.str());
  };
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    inputs.push_back(reserve(function.getArgAttrDict(i), "input" + Twine(i)));
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    outputs.push_back(
        reserve(function.getResultAttrDict(i), "output" + Twine(i)));
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto own =
        getOwnType(function.getArgAttrOfType<StringAttr>(i, "qopt.type"));
    graph.addInput(inputs[i], own.first, shapeOf(type));
  }
}

Parameters Exporter::addParameters(StringRef hint, Type type, int64_t shift) {
  auto element = getElementTypeOrSelf(type);
  SmallVector<float> scales;
  SmallVector<int32_t> zeroPoints;
  SmallVector<int64_t> shape;
  Element storage = elementOf(type);
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element)) {
    for (double scale : perAxis.getScales())
      scales.push_back(static_cast<float>(scale));
    for (int64_t zeroPoint : perAxis.getZeroPoints())
      zeroPoints.push_back(static_cast<int32_t>(zeroPoint + shift));
    shape.push_back(scales.size());
  } else {
    auto whole = cast<quant::UniformQuantizedType>(element);
    scales.push_back(static_cast<float>(whole.getScale()));
    zeroPoints.push_back(static_cast<int32_t>(whole.getZeroPoint() + shift));
  }
  if (shift == 128)
    storage = Element::UInt8;
  else if (shift != 0)
    storage = Element::UInt16;
  Parameters parameters;
  parameters.scale = graph.addFloats((hint + "/scale").str(), shape, scales);
  parameters.zeroPoint = graph.addIntegers((hint + "/zero_point").str(),
                                           storage, shape, zeroPoints);
  return parameters;
}

std::string Exporter::addPair(const std::string &name, Type type) {
  // An activation that stays float.
  if (!isQuantized(type))
    return name;
  Parameters parameters = addParameters(name, type);
  std::string integers = graph.addNode(
      "QuantizeLinear", {name, parameters.scale, parameters.zeroPoint},
      name + "/QuantizeLinear");
  std::string result = graph.addNode(
      "DequantizeLinear", {integers, parameters.scale, parameters.zeroPoint},
      name + "/DequantizeLinear");
  graph.addShape(result, shapeOf(type));
  return result;
}

/// What the first reader of a constant takes it for.
static std::string nameConstant(ConstantOp op) {
  Operation *read = op;
  if (auto dequantize = dyn_cast<DequantizeOp>(*op->user_begin()))
    read = dequantize;
  OpOperand &use = *read->use_begin();
  StringRef role = "constant";
  if (auto reader = dyn_cast<QuantizableOpInterface>(use.getOwner())) {
    if (&use == reader.getWeightOperand())
      role = "weight";
    else if (&use == reader.getBiasOperand())
      role = "bias";
  }
  return (nameOf(use.getOwner()) + "/" + role).str();
}

std::string Exporter::addConstant(ConstantOp op) {
  if (auto reals = getConstantF32(op.getResult()))
    return graph.addFloats(nameConstant(op), shapeOf(op.getType()), *reals);
  std::optional<SmallVector<int32_t>> integers =
      getQuantizedConstant(op.getResult());
  if (!integers)
    return "";
  Type type = op.getType();
  std::string tensor = graph.addIntegers(nameConstant(op), elementOf(type),
                                         shapeOf(type), *integers);
  Parameters parameters = addParameters(tensor, type);
  std::vector<std::string> operands = {tensor, parameters.scale,
                                       parameters.zeroPoint};
  std::vector<NodeAttribute> attributes;
  if (int64_t axis = quantAxis(type); axis >= 0)
    attributes.emplace_back("axis", axis);
  return graph.addNode("DequantizeLinear", std::move(operands),
                       tensor + "/DequantizeLinear", std::move(attributes));
}

std::string Exporter::addWeight(DequantizeOp op) {
  auto constant = op.getInput().getDefiningOp<ConstantOp>();
  if (!constant)
    return "";
  Operation *layer = *op->user_begin();
  auto bits = layer->getAttrOfType<IntegerAttr>(weightBitsAttr);
  if (!bits || bits.getInt() == 8)
    return addConstant(constant);
  auto group = layer->getAttrOfType<IntegerAttr>(weightGroupAttr);
  const BlockedWeight weight =
      splitWeight(constant, bits.getInt(), group ? group.getInt() : 0);
  const std::string hint = (nameOf(layer) + "/weight").str();
  std::vector<std::string> operands = {
      graph.addIntegers(hint, Element::Int4, shapeOf(op.getType()),
                        weight.integers),
      graph.addFloats(hint + "/scale", weight.scaleShape, weight.scales)};
  std::vector<NodeAttribute> attributes;
  if (weight.scaleShape.size() == 1)
    attributes.emplace_back("axis", int64_t(0));
  if (group) {
    attributes.emplace_back("axis", int64_t(1));
    attributes.emplace_back("block_size", group.getInt());
  }
  return graph.addNode("DequantizeLinear", std::move(operands),
                       hint + "/DequantizeLinear", std::move(attributes));
}

/// An input that is read as float; where it is of integers, their values.
std::string Exporter::addArgumentReals(BlockArgument argument) {
  const unsigned number = argument.getArgNumber();
  const std::string &input = inputs[number];
  auto own =
      getOwnType(function.getArgAttrOfType<StringAttr>(number, "qopt.type"));
  if (own.first == Element::Float)
    return input;
  return graph.addNode("Cast", {input}, input + "/Cast",
                       {{"to", static_cast<int64_t>(Element::Float)}});
}

std::string Exporter::getReals(Value value) {
  if (std::string name = reals[value]; !name.empty())
    return name;
  std::string name;
  if (auto constant = value.getDefiningOp<ConstantOp>())
    name = addConstant(constant);
  else if (auto dequantize = value.getDefiningOp<DequantizeOp>())
    name = addWeight(dequantize);
  else if (auto argument = dyn_cast<BlockArgument>(value))
    name = addArgumentReals(argument);
  return reals[value] = name;
}

void Exporter::addArgument(QuantizeOp op) {
  auto argument = cast<BlockArgument>(op.getInput());
  unsigned number = argument.getArgNumber();
  auto [element, shift] =
      getOwnType(function.getArgAttrOfType<StringAttr>(number, "qopt.type"));
  const std::string &input = inputs[number];
  if (element == Element::Float) {
    reals[op.getResult()] = addPair(input, op.getType());
    return;
  }
  Parameters parameters = addParameters(input, op.getType(), shift);
  reals[op.getResult()] = graph.addNode(
      "DequantizeLinear", {input, parameters.scale, parameters.zeroPoint},
      input + "/DequantizeLinear");
}

std::string Exporter::addReshape(const std::string &name, Type type,
                                 StringRef hint) {
  std::string shape = graph.addList((hint + "/shape").str(), shapeOf(type));
  return graph.addNode("Reshape", {name, shape}, hint);
}

/// The matrix that a layer computes on the rows of `type`.
static RankedTensorType getMatrixType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  int64_t columns = tensor.getShape().back();
  return tensor.clone({tensor.getNumElements() / columns, columns});
}

/// The range of `type` where its storage type has a larger one.
static Limits getLimits(Type type) {
  if (!isQuantized(type))
    return {};
  auto element = cast<quant::UniformQuantizedType>(getElementTypeOrSelf(type));
  const int64_t bits = element.getStorageTypeIntegralWidth();
  const int64_t low = element.getStorageTypeMin(),
                high = element.getStorageTypeMax();
  if (low == numerics::signedMin(bits) && high == numerics::signedMax(bits))
    return {};
  return {element.getScale() * (low - element.getZeroPoint()),
          element.getScale() * (high - element.getZeroPoint())};
}

std::string Exporter::addNamed(const std::string &result, StringRef name,
                               Type type) {
  graph.nameResult(result, name);
  return addPair(name.str(), type);
}

std::string Exporter::addMatrixLayer(GemmOp op, StringRef name) {
  Type in = getMatrixType(op.getInput().getType());
  Type out = getMatrixType(op.getType());
  std::string rows =
      addReshape(getReals(op.getInput()), in, (name + "/rows").str());
  rows = addPair(rows, in);
  std::string matrix = graph.reserve((name + "/matrix").str());
  std::string result = emitOp(
      graph, op, matrix,
      [&](Value value) {
        return value == op.getInput() ? rows : getReals(value);
      },
      getLimits(out));
  return addReshape(addNamed(result, matrix, out), op.getType(),
                    (name + "/reshape").str());
}

llvm::Error Exporter::addOp(Operation *op) {
  std::string name = graph.reserve(nameOf(op));
  auto gemm = dyn_cast<GemmOp>(op);
  std::string result =
      gemm && gemm.getType().getRank() != 2
          ? addMatrixLayer(gemm, name)
          : emitOp(
                graph, op, name, [&](Value value) { return getReals(value); },
                getLimits(op->getResult(0).getType()));
  if (result.empty())
    return makeError(
        335, ("'" + op->getName().getStringRef() + "' has no ONNX form").str());
  reals[op->getResult(0)] = addNamed(result, name, op->getResult(0).getType());
  return llvm::Error::success();
}

void Exporter::addResults(func::ReturnOp op) {
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    auto [element, shift] =
        getOwnType(function.getResultAttrOfType<StringAttr>(i, "qopt.type"));
    graph.addOutput(outputs[i], element, shapeOf(value.getType()));
    // The way out of integers; a weight's is no result.
    auto dequantize = value.getDefiningOp<DequantizeOp>();
    Value quantized = dequantize ? dequantize.getInput() : value;
    std::string result = getReals(quantized);
    if (element != Element::Float) {
      Parameters parameters =
          addParameters(outputs[i], quantized.getType(), shift);
      result = graph.addNode("QuantizeLinear",
                             {result, parameters.scale, parameters.zeroPoint},
                             outputs[i] + "/QuantizeLinear");
    } else {
      result = graph.addNode("Identity", {result}, outputs[i] + "/Identity");
    }
    graph.nameResult(result, outputs[i]);
  }
}

llvm::Error Exporter::run() {
  reserveBoundary();
  for (Operation &op : function.getBody().front()) {
    if (isa<ConstantOp, DequantizeOp>(op))
      continue;
    if (auto quantize = dyn_cast<QuantizeOp>(op)) {
      addArgument(quantize);
    } else if (auto results = dyn_cast<func::ReturnOp>(op)) {
      addResults(results);
    } else if (llvm::Error error = addOp(&op)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Expected<std::string>
mlir::qopt::exporter::exportQdq(func::FuncOp quantized, StringRef name,
                                StringRef version) {
  Exporter exporter(quantized, name);
  if (llvm::Error error = exporter.run())
    return std::move(error);
  onnx::ModelProto model;
  model.set_ir_version(irVersion);
  model.set_producer_name("qopt");
  model.set_producer_version(version.str());
  onnx::OperatorSetIdProto &imported = *model.add_opset_import();
  imported.set_domain("");
  imported.set_version(opset);
  *model.mutable_graph() = exporter.take();
  std::string bytes;
  if (model.ByteSizeLong() > INT32_MAX || !model.SerializeToString(&bytes))
    return makeError(336, "the model is above 2 GB, which an ONNX file cannot "
                          "hold");
  return bytes;
}
