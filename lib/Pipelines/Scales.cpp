// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales stand in the types of level `quantized`.

#include "Scales.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Weights.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

/// The constant of integers that `layer` has for a weight, behind a
/// `dequantize` or not; null where it has none.
static ConstantOp getWeight(QuantizableOpInterface layer) {
  OpOperand *weight = layer.getWeightOperand();
  if (!weight)
    return nullptr;
  Value value = weight->get();
  if (auto dequantize = value.getDefiningOp<DequantizeOp>())
    value = dequantize.getInput();
  return isQuantized(value.getType()) ? value.getDefiningOp<ConstantOp>()
                                      : ConstantOp();
}

static quant::QuantizedType getElement(Type type) {
  return cast<quant::QuantizedType>(getElementTypeOrSelf(type));
}

/// The fewest bits that hold a symmetric weight.
static int64_t countBits(Operation *layer, Type type) {
  if (auto own = layer->getAttrOfType<IntegerAttr>(weightBitsAttr))
    return own.getInt();
  return llvm::Log2_64_Ceil(getElement(type).getStorageTypeMax() + 1) + 1;
}

/// Scales of a type: one, or one an index of its axis.
static SmallVector<double> getScales(Type type) {
  if (auto perAxis =
          dyn_cast<quant::UniformQuantizedPerAxisType>(getElement(type)))
    return SmallVector<double>(perAxis.getScales());
  return {quantScale(type)};
}

static void writeActivation(llvm::json::OStream &json, StringRef name,
                            Type type) {
  if (!isQuantized(type) || isPerAxis(type))
    return;
  const numerics::QuantParams params = quantParams(type);
  quant::QuantizedType element = getElement(type);
  json.object([&] {
    json.attribute("name", llvm::json::fixUTF8(name));
    json.attribute("scale", static_cast<double>(params.scale));
    json.attribute("zero_point", params.zeroPoint);
    json.attribute("least", element.getStorageTypeMin());
    json.attribute("largest", element.getStorageTypeMax());
  });
}

static void writeWeight(llvm::json::OStream &json,
                        QuantizableOpInterface layer) {
  ConstantOp weight = getWeight(layer);
  if (!weight)
    return;
  Type type = weight.getType();
  auto name = layer->getAttrOfType<StringAttr>("qopt.value");
  json.object([&] {
    json.attribute("layer", llvm::json::fixUTF8(name ? name.getValue() : ""));
    json.attributeArray("shape", [&] {
      for (int64_t size : cast<RankedTensorType>(type).getShape())
        json.value(size);
    });
    json.attribute("bits", countBits(layer, type));
    json.attribute("largest", getElement(type).getStorageTypeMax());
    if (auto group = layer->getAttrOfType<IntegerAttr>(weightGroupAttr))
      json.attribute("group", group.getInt());
    if (isPerAxis(type))
      json.attribute("axis", quantAxis(type));
    json.attributeArray("scales", [&] {
      for (double scale : getScales(type))
        json.value(scale);
    });
  });
}

std::string mlir::qopt::pipelines::makeScales(func::FuncOp quantized) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, 2);
  json.object([&] {
    json.attribute("schema_version", 1);
    json.attributeArray("activations", [&] {
      quantized.walk([&](Operation *op) {
        if (auto quantize = dyn_cast<QuantizeOp>(op)) {
          auto argument = dyn_cast<BlockArgument>(quantize.getInput());
          auto name = argument ? quantized.getArgAttrOfType<StringAttr>(
                                     argument.getArgNumber(), "qopt.name")
                               : StringAttr();
          if (name)
            writeActivation(json, name, quantize.getType());
        } else if (auto name = op->getAttrOfType<StringAttr>("qopt.value");
                   name && op->getNumResults() == 1 && !isa<ConstantOp>(op)) {
          writeActivation(json, name, op->getResult(0).getType());
        }
      });
    });
    json.attributeArray("weights", [&] {
      quantized.walk(
          [&](QuantizableOpInterface layer) { writeWeight(json, layer); });
    });
  });
  os << "\n";
  return text;
}

WeightSizes mlir::qopt::pipelines::countWeightBytes(func::FuncOp quantized) {
  WeightSizes sizes;
  llvm::DenseSet<Operation *> seen;
  quantized.walk([&](QuantizableOpInterface layer) {
    ConstantOp weight = getWeight(layer);
    if (!weight || !seen.insert(weight).second)
      return;
    ++sizes.weights;
    auto type = cast<RankedTensorType>(weight.getType());
    const uint64_t elements = type.getNumElements();
    sizes.bytes += (elements * countBits(layer, type) + 7) / 8;
    auto group = layer->getAttrOfType<IntegerAttr>(weightGroupAttr);
    // Each group's own scale, as QDQ files have it.
    const uint64_t scales =
        group ? elements / type.getDimSize(1) *
                    llvm::divideCeil(type.getDimSize(1), group.getInt())
              : getScales(type).size();
    sizes.bytes += 4 * scales;
  });
  quantized.walk([&](ConstantOp constant) {
    auto type = cast<RankedTensorType>(constant.getType());
    if (type.getElementType().isF32())
      sizes.bytes += 4 * type.getNumElements();
  });
  return sizes;
}
