// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dynamic quantization as exporters write it: DynamicQuantizeLinear of x,
// MatMulInteger or ConvInteger with integer weights, Cast, Mul by the product
// of both scales. It stands for MatMul or Conv of x itself with the weights'
// reals: nothing is emitted before the Mul, and x gets a range of its own.
#include "Registry.h"

namespace mlir::qopt::importer {

using Role = DynamicValue::Role;

void importDynamicQuantizeLinear(NodeContext &n) {
  n.expectInputs(1, 1);
  if (!n.ok() || !n.activation(0))
    return;
  auto role = [&](Role kind) {
    auto value = std::make_shared<DynamicValue>();
    value->role = kind;
    value->source = n.getNode().inputs[0];
    return value;
  };
  n.setDynamicResult(0, role(Role::Integers));
  n.setDynamicResult(1, role(Role::Scale));
  n.setDynamicResult(2, role(Role::ZeroPoint));
}

/// Refuses input `i` where it is no part of `source`'s quantization.
static bool expectRole(NodeContext &n, size_t i, Role role,
                       const std::string &source) {
  const DynamicValue *value = n.dynamicValue(i);
  if (value && value->role == role && value->source == source)
    return true;
  n.unsupported("input " + std::to_string(i) +
                " is not what DynamicQuantizeLinear made with input 0");
  return false;
}

/// The integer weight in input 1 with scales of 1 and the zero points of input
/// 3, which run along `axis` where there are several.
static Constant readWeight(NodeContext &n, int64_t axis) {
  Constant result;
  ConstantRef weight = n.constant(1, "the weight");
  if (n.ok() && weight->element != Element::Int)
    n.invalid("the weight expects integers");
  if (!n.ok())
    return result;
  auto q = std::make_shared<Quantization>();
  std::vector<int64_t> points = {0};
  if (n.hasInput(3))
    points = n.constant(3, "the weight's zero point")->ints;
  bool isUnsigned =
      llvm::any_of(weight->ints, [](int64_t value) { return value > 127; });
  int64_t rank = weight->shape.size();
  if (!n.ok() || points.empty() || axis >= rank ||
      (points.size() != 1 && int64_t(points.size()) != weight->shape[axis])) {
    n.invalid("the weight's zero point does not fit its shape");
    return result;
  }
  q->axis = points.size() == 1 ? -1 : axis;
  q->scales.assign(points.size(), 1);
  for (int64_t point : points)
    q->zeroPoints.push_back(point - (isUnsigned ? 128 : 0));
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < rank; ++i)
    inner *= weight->shape[i];
  result.shape = weight->shape;
  for (size_t i = 0; i != weight->ints.size(); ++i)
    result.floats.push_back(
        float(weight->ints[i] -
              points[points.size() == 1 ? 0 : i / inner % points.size()]));
  result.quantization = std::move(q);
  return result;
}

/// A product of integers that no DynamicQuantizeLinear made: that of the
/// numbers less their zero points.
static void importNumbersProduct(NodeContext &n, int64_t channelAxis) {
  int64_t point = 0;
  if (n.hasInput(2)) {
    ConstantRef points = n.constant(2, "the zero point");
    if (n.ok() && (points->element != Element::Int || points->size() != 1))
      n.unsupported("more than one zero point of input 0");
    point = n.ok() ? points->ints.front() : 0;
  }
  Constant weight = readWeight(n, channelAxis);
  if (!n.ok())
    return;
  const std::string &output = n.getNode().outputs.front();
  Constant one, zeroPoint = intConstant({}, {point});
  one.floats = {1.0f};
  n.define(output + "@one", std::move(one));
  n.define(output + "@zero_point", std::move(zeroPoint));
  n.define(output + "@weight", std::move(weight));
  Node dequantize, product = n.getNode();
  dequantize.name = product.name;
  dequantize.origin = product.origin = product.opType;
  dequantize.opType = "DequantizeLinear";
  dequantize.opset = product.opset;
  dequantize.inputs = {product.inputs[0], output + "@one",
                       output + "@zero_point"};
  dequantize.outputs = {output + "@numbers"};
  product.opType = product.opType == "ConvInteger" ? "Conv" : "MatMul";
  product.inputs = {output + "@numbers", output + "@weight"};
  for (const auto &[name, value] : product.attributes)
    n.ignoreAttributes({StringRef(name)});
  n.expandTo({std::move(dequantize), std::move(product)});
}

void importIntegerProduct(NodeContext &n) {
  n.expectInputs(2, 4);
  if (!n.ok())
    return;
  if (n.holdsIntegers(0))
    return importNumbersProduct(n, n.opType() == "ConvInteger" ? 0 : 1);
  const DynamicValue *x = n.dynamicValue(0);
  if (!x || x->role != Role::Integers)
    return n.unsupported("input 0 is not the result of DynamicQuantizeLinear");
  if (!expectRole(n, 2, Role::ZeroPoint, x->source))
    return;
  bool isConv = n.opType() == "ConvInteger";
  auto product = std::make_shared<DynamicValue>();
  product->role = Role::Product;
  product->source = x->source;
  product->channelAxis = isConv ? 0 : 1;
  product->factor = readWeight(n, product->channelAxis);
  product->node = n.getNode();
  product->node.opType = isConv ? "Conv" : "MatMul";
  product->node.origin = n.opType();
  // The operator's importer reads the attributes.
  for (const auto &[name, value] : product->node.attributes)
    n.ignoreAttributes({StringRef(name)});
  if (n.ok())
    n.setDynamicResult(0, std::move(product));
}

/// `scale` times the constant in input `constant`.
static void multiplyScale(NodeContext &n, const DynamicValue &scale,
                          size_t constant) {
  ConstantRef factor = n.floatConstant(constant, "the scale");
  if (!n.ok())
    return;
  auto result = std::make_shared<DynamicValue>(scale);
  if (scale.factor.floats.empty())
    result->factor = *factor;
  else
    result->factor =
        n.check(foldBinary(Arithmetic::Mul, scale.factor, *factor));
  if (n.ok())
    n.setDynamicResult(0, std::move(result));
}

/// The product's operator on reals: its weight times `factor`, by channel where
/// that has several values.
static void emitProduct(NodeContext &n, const DynamicValue &product,
                        const Constant &factor) {
  Constant weight = product.factor;
  auto q = std::make_shared<Quantization>(*weight.quantization);
  std::vector<float> scales = factor.floats;
  if (scales.empty())
    scales = {1.0f};
  int64_t axis = product.channelAxis;
  if (scales.size() != 1 && int64_t(scales.size()) != weight.shape[axis])
    return n.unsupported("a scale of shape " + formatShape(factor.shape) +
                         " for a weight of shape " + formatShape(weight.shape));
  size_t count = std::max(scales.size(), q->scales.size());
  if (count > 1) {
    q->axis = axis;
    scales.resize(count, scales[0]);
    q->zeroPoints.resize(count, q->zeroPoints[0]);
  }
  q->scales = scales;
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < int64_t(weight.shape.size()); ++i)
    inner *= weight.shape[i];
  for (size_t i = 0; i != weight.floats.size(); ++i)
    weight.floats[i] *= scales[count == 1 ? 0 : i / inner % count];
  weight.quantization = std::move(q);
  Node node = product.node;
  const std::string &output = n.getNode().outputs.front();
  n.define(output + "@weight", std::move(weight));
  node.inputs = {product.source, output + "@weight"};
  node.outputs = {output};
  if (n.ok())
    n.expandTo({std::move(node)});
}

/// Mul: of a scale and a constant, or of a product and its scale.
static void importDynamicMul(NodeContext &n) {
  n.expectInputs(2, 2);
  if (!n.ok())
    return;
  for (size_t i : {0, 1}) {
    const DynamicValue *value = n.dynamicValue(i);
    const DynamicValue *other = n.dynamicValue(1 - i);
    if (value && value->role == Role::Scale && n.isConstant(1 - i))
      return multiplyScale(n, *value, 1 - i);
    if (value && value->role == Role::Product && other &&
        other->role == Role::Scale && other->source == value->source)
      return emitProduct(n, *value, other->factor);
  }
  n.unsupported("it is part of a dynamic quantization of another form than "
                "the product of integers times both scales");
}

void importDynamicUse(NodeContext &n) {
  StringRef op = n.opType();
  if (op == "MatMulInteger" || op == "ConvInteger")
    return importIntegerProduct(n);
  if (op == "MatMulIntegerToFloat")
    return importMatMulIntegerToFloat(n);
  if (op == "Mul")
    return importDynamicMul(n);
  const DynamicValue *first = n.dynamicValue(0);
  if (op == "Cast" && first && first->role == Role::Product) {
    if (n.intAttribute("to", 1) != 1)
      n.unsupported("a product of integers is cast to another type than float");
    n.ignoreAttributes({"saturate"});
    return n.forward(0);
  }
  n.unsupported("it reads a dynamic quantization; supported are MatMulInteger "
                "or ConvInteger, Cast, and Mul by both scales");
}

} // namespace mlir::qopt::importer
