// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// QuantizeLinear and DequantizeLinear. A tensor of integers is kept as the f32
// value that it stands for, behind a qopt.quantize and a qopt.dequantize, so
// that operators which read it after DequantizeLinear are imported as ever.
#include "Quantized.h"
#include "Registry.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/Numerics/QuantParams.h"
#include <cmath>

namespace mlir::qopt::importer {

/// TensorProto's numbers of the integer types.
enum : int {
  typeUint8 = 2,
  typeInt8 = 3,
  typeUint16 = 4,
  typeInt16 = 5,
  typeInt32 = 6,
  typeUint4 = 21,
  typeInt4 = 22
};

namespace {
/// An integer type of ONNX: its own width, and that of the storage it gets.
struct IntegerKind {
  int type;
  const char *name;
  unsigned width, bits;
  bool isUnsigned;
};
} // namespace

static const IntegerKind *findKind(int type) {
  static constexpr IntegerKind kinds[] = {
      {typeUint8, "uint8", 8, 8, true},     {typeInt8, "int8", 8, 8, false},
      {typeUint16, "uint16", 16, 16, true}, {typeInt16, "int16", 16, 16, false},
      {typeUint4, "uint4", 4, 8, false},    {typeInt4, "int4", 4, 8, false},
  };
  for (const IntegerKind &kind : kinds)
    if (kind.type == type)
      return &kind;
  return nullptr;
}

QuantizationRef getInputQuantization(StringRef typeName) {
  for (int type : {typeUint8, typeInt8, typeUint16, typeInt16}) {
    const IntegerKind *kind = findKind(type);
    if (typeName != kind->name)
      continue;
    auto result = std::make_shared<Quantization>();
    result->bits = kind->bits;
    result->isUnsigned = kind->isUnsigned;
    return result;
  }
  return nullptr;
}

static int integerTypeOf(const Quantization &q) {
  if (q.bits == 8)
    return q.isUnsigned ? typeUint8 : typeInt8;
  return q.isUnsigned ? typeUint16 : typeInt16;
}

StringRef getIntegerName(const Quantization &quantization) {
  return findKind(integerTypeOf(quantization))->name;
}

bool movesIntegers(StringRef opType) {
  static constexpr StringRef ops[] = {
      "Concat",    "DepthToSpace",  "Dropout",  "Expand",  "Flatten",
      "Gather",    "GlobalMaxPool", "Identity", "MaxPool", "Reshape",
      "Slice",     "SpaceToDepth",  "Split",    "Squeeze", "Tile",
      "Transpose", "Unsqueeze"};
  return llvm::is_contained(ops, opType);
}

Type getElementType(MLIRContext *context, const Quantization &q) {
  using quant::UniformQuantizedPerAxisType;
  using quant::UniformQuantizedType;
  // Built without a diagnostic where it is not valid.
  auto quiet = [&] { return InFlightDiagnostic(); };
  Type storage = IntegerType::get(context, q.bits);
  Type expressed = Float32Type::get(context);
  int64_t bound = int64_t(1) << (q.bits - 1);
  unsigned flags = quant::QuantizationFlags::Signed;
  if (q.axis < 0)
    return UniformQuantizedType::getChecked(quiet, flags, storage, expressed,
                                            double(q.scales[0]),
                                            q.zeroPoints[0], -bound, bound - 1);
  SmallVector<double> scales(q.scales.begin(), q.scales.end());
  return UniformQuantizedPerAxisType::getChecked(
      quiet, flags, storage, expressed, scales, q.zeroPoints,
      static_cast<int32_t>(q.axis), -bound, bound - 1);
}

template <typename T>
static ElementsAttr getElements(RankedTensorType type, const std::string &name,
                                ArrayRef<int64_t> values) {
  SmallVector<T> narrow(values.begin(), values.end());
  constexpr size_t inlineBytes = 64;
  if (narrow.size() * sizeof(T) < inlineBytes)
    return DenseElementsAttr::get(type, ArrayRef<T>(narrow));
  return DenseResourceElementsAttr::get(
      type, name,
      HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<T>(narrow)));
}

Value materializeQuantized(ImportState &state, const Constant &constant,
                           Location loc) {
  std::optional<std::vector<int64_t>> integers = recoverIntegers(constant);
  if (!integers)
    return Value();
  OpBuilder &builder = state.builder;
  Type element = getElementType(builder.getContext(), *constant.quantization);
  if (!element)
    return Value();
  unsigned bits = constant.quantization->bits;
  auto storage =
      RankedTensorType::get(constant.shape, builder.getIntegerType(bits));
  std::string resource = state.uniqueResourceName(constant.name);
  ElementsAttr values =
      bits == 8 ? getElements<int8_t>(storage, resource, *integers)
                : getElements<int16_t>(storage, resource, *integers);
  auto op = ConstantOp::create(builder, loc, storage.clone(element), values);
  op->setAttr("qopt.value",
              builder.getStringAttr(state.uniqueValueName(constant.name)));
  auto real = DequantizeOp::create(
      builder, loc, storage.clone(builder.getF32Type()), op.getResult());
  real->setAttr("qopt.value", builder.getStringAttr(state.uniqueValueName(
                                  constant.name + "@dequantize")));
  return real;
}

//===----------------------------------------------------------------------===//
// NodeContext's side
//===----------------------------------------------------------------------===//

bool NodeContext::holdsIntegers(size_t i) const {
  const Entry &e = entry(i);
  return e.kind == Entry::Kind::Activation && e.quantization;
}

int NodeContext::integerType(size_t i) const {
  return integerTypeOf(*entry(i).quantization);
}

bool NodeContext::checkMove(const QuantizationRef &quantization, size_t i) {
  std::string input = "input " + std::to_string(i);
  if (!movesIntegers(node.opType)) {
    unsupported(input + " holds integers; it expects a DequantizeLinear "
                        "before it");
    return false;
  }
  if (quantization->scales.empty())
    dequantized(i, asNumbers(*quantization));
  const QuantizationRef &known = entry(i).quantization;
  if (moved && !(*moved == *known)) {
    unsupported("its inputs hold integers of different scales");
    return false;
  }
  moved = known;
  return true;
}

Quantization asNumbers(const Quantization &integers, int64_t zeroPoint) {
  Quantization result = integers;
  int64_t shift = integers.isUnsigned ? int64_t(1) << (integers.bits - 1) : 0;
  result.scales = {1.0f};
  result.zeroPoints = {zeroPoint - shift};
  return result;
}

Value NodeContext::numbers(size_t i) {
  if (failed)
    return Value();
  QuantizationRef integers = entry(i).quantization;
  if (integers->scales.empty())
    return dequantized(i, asNumbers(*integers));
  int64_t shift = integers->isUnsigned ? int64_t(1) << (integers->bits - 1) : 0;
  double scale = integers->scales[0];
  double zeroPoint = double(integers->zeroPoints[0] + shift);
  if (scale == 1 && zeroPoint == 0)
    return entry(i).value;
  return unary(entry(i).value, Function::Affine, {1 / scale, zeroPoint});
}

Value NodeContext::roundTo(Value value, const Quantization &quantization) {
  if (failed)
    return Value();
  Type element = getElementType(state.builder.getContext(), quantization);
  if (!element) {
    invalid("the scale or the zero point is out of range");
    return Value();
  }
  auto type = cast<RankedTensorType>(value.getType());
  auto quantize =
      QuantizeOp::create(state.builder, loc, type.clone(element), value);
  auto dequantize = DequantizeOp::create(state.builder, loc, type, quantize);
  created.push_back(quantize);
  created.push_back(dequantize);
  return dequantize;
}

Value NodeContext::dequantized(size_t i, const Quantization &quantization) {
  if (failed)
    return Value();
  Entry &e = state.entries[node.inputs[i]];
  if (e.quantization->scales.empty()) {
    e.value = roundTo(e.value, quantization);
    e.quantization = std::make_shared<Quantization>(quantization);
  } else if (!(*e.quantization == quantization)) {
    unsupported("input " + std::to_string(i) +
                " was quantized with another scale or zero point");
  }
  return e.value;
}

void NodeContext::setQuantizedResult(Value value,
                                     const Quantization &quantization) {
  setResult(roundTo(value, quantization));
  result.quantization = std::make_shared<Quantization>(quantization);
}

bool NodeContext::readsDynamic() const {
  for (size_t i = 0; i != node.inputs.size(); ++i)
    if (entry(i).dynamic)
      return true;
  return false;
}

void NodeContext::setDynamicResult(size_t i,
                                   std::shared_ptr<const DynamicValue> value) {
  if (i > others.size())
    others.resize(i);
  Entry &entry = i == 0 ? result : others[i - 1];
  entry.kind = Entry::Kind::Activation;
  entry.dynamic = std::move(value);
}

void NodeContext::define(StringRef name, Constant constant) {
  Entry entry;
  entry.kind = Entry::Kind::Constant;
  entry.constant = derive(std::move(constant), name);
  state.entries[name] = entry;
}

//===----------------------------------------------------------------------===//
// The operators
//===----------------------------------------------------------------------===//

/// The scales in input 1, checked to be what a type may hold; those of
/// constants may be zero or nearly so, as quantizers make them for dead
/// channels.
static std::vector<float> readScales(NodeContext &n, bool isConstant) {
  ConstantRef scales = n.floatConstant(1, "the scale");
  if (!n.ok())
    return {};
  if (scales->shape.size() > 1)
    n.unsupported("scales of shape " + formatShape(scales->shape) +
                  " without a block size");
  for (float scale : scales->floats)
    if (scale < 0 || (!std::isnormal(scale) && !isConstant))
      n.invalid("expects scales above zero");
  if (scales->floats.empty())
    n.invalid("expects a scale");
  return scales->floats;
}

/// The zero points in input 2 less `shift`, one a scale; 0 where there is none.
static std::vector<int64_t> readZeroPoints(NodeContext &n, size_t count,
                                           const IntegerKind &kind) {
  int64_t shift = kind.isUnsigned ? int64_t(1) << (kind.width - 1) : 0;
  std::vector<int64_t> result(count, -shift);
  if (!n.hasInput(2))
    return result;
  ConstantRef points = n.constant(2, "the zero point");
  if (!n.ok())
    return result;
  if (points->element != Element::Int || points->ints.size() != count) {
    n.invalid("expects " + std::to_string(count) + " integer zero points");
    return result;
  }
  int64_t bound = int64_t(1) << (kind.bits - 1);
  for (size_t i = 0; i != count; ++i) {
    result[i] = points->ints[i] - shift;
    if (result[i] < -bound || result[i] >= bound)
      n.invalid("zero point " + std::to_string(points->ints[i]) +
                " is outside " + kind.name);
  }
  return result;
}

/// Scales and zero points of a tensor of `shape`.
static Quantization readQuantization(NodeContext &n, const IntegerKind &kind,
                                     ArrayRef<int64_t> shape) {
  Quantization q;
  q.bits = kind.bits;
  q.isUnsigned = kind.isUnsigned;
  int64_t axis = n.intAttribute("axis", 1);
  if (n.intAttribute("block_size", 0) != 0)
    n.unsupported("blocked quantization of what is computed at run time");
  q.scales = readScales(n, n.isConstant(0));
  q.zeroPoints = readZeroPoints(n, q.scales.size(), kind);
  if (!n.ok() || q.scales.size() == 1)
    return q;
  q.axis = n.check(normalizeAxis(axis, shape.size()));
  if (n.ok() && shape[q.axis] != int64_t(q.scales.size()))
    n.invalid("expects " + std::to_string(shape[q.axis]) +
              " scales along axis " + std::to_string(axis) + ", but got " +
              std::to_string(q.scales.size()));
  return q;
}

/// The type that QuantizeLinear gives: its zero point's, else its attribute's.
static int readResultType(NodeContext &n) {
  int type = int(n.intAttribute("output_dtype", 0));
  if (n.hasInput(2))
    type = n.constant(2, "the zero point")->type;
  return type == 0 ? typeUint8 : type;
}

/// Calls `visit(element, channel)` in order.
static void forEachElement(ArrayRef<int64_t> shape, int64_t axis,
                           llvm::function_ref<void(int64_t, int64_t)> visit) {
  int64_t inner = 1, count = *countElements(shape);
  for (int64_t i = axis + 1; axis >= 0 && i < int64_t(shape.size()); ++i)
    inner *= shape[i];
  for (int64_t i = 0; i != count; ++i)
    visit(i, axis < 0 ? 0 : i / inner % shape[axis]);
}

/// The integers of a float constant, in the model's type.
static Constant quantizeConstant(const Constant &input, const Quantization &q,
                                 const IntegerKind &kind) {
  int64_t shift = kind.isUnsigned ? int64_t(1) << (kind.width - 1) : 0;
  // An unsigned type of four bits is stored without a shift.
  int64_t low = -(int64_t(1) << (kind.width - 1));
  if (kind.type == typeUint4)
    low = 0;
  int64_t high = low + (int64_t(1) << kind.width) - 1;
  Constant result;
  result.element = Element::Int;
  result.type = kind.type;
  result.shape = input.shape;
  result.ints.resize(input.floats.size());
  forEachElement(input.shape, q.axis, [&](int64_t i, int64_t channel) {
    numerics::QuantParams params;
    params.scale = q.scales[channel];
    params.zeroPoint = q.zeroPoints[channel];
    params.qmin = low;
    params.qmax = high;
    result.ints[i] = numerics::quantize(input.floats[i], params) + shift;
  });
  return result;
}

void importQuantizeLinear(NodeContext &n) {
  n.expectInputs(2, 3);
  n.ignoreAttributes({"saturate"});
  if (n.intAttribute("precision", 0) > 1)
    n.unsupported("a precision other than float32");
  int type = readResultType(n);
  if (!n.ok())
    return;
  const IntegerKind *kind = findKind(type);
  if (!kind)
    return n.unsupported("the result's element type is none of int8, uint8, "
                         "int16, uint16, int4, uint4");
  Shape shape = n.shapeOf(0);
  Quantization q = readQuantization(n, *kind, shape);
  if (!n.ok())
    return;
  if (n.isConstant(0)) {
    ConstantRef input = n.floatConstant(0, "the input");
    if (n.ok())
      n.setResult(quantizeConstant(*input, q, *kind));
    return;
  }
  if (q.axis >= 0)
    return n.unsupported("an activation has more than one scale");
  if (kind->width == 4)
    return n.unsupported("an activation of four bits");
  n.setQuantizedResult(n.activation(0), q);
}

/// Dequantizes integers that are known now and have one scale a block of
/// `blockSize` elements along an axis: they become floats, which qopt quantizes
/// anew where they are weights.
static void dequantizeBlocks(NodeContext &n, const Constant &input,
                             int64_t blockSize) {
  ConstantRef scales = n.floatConstant(1, "the scale");
  ConstantRef points =
      n.hasInput(2) ? n.constant(2, "the zero point") : nullptr;
  int64_t axis =
      n.check(normalizeAxis(n.intAttribute("axis", 1), input.shape.size()));
  if (!n.ok())
    return;
  Shape shape = input.shape;
  if (blockSize < 0 || shape.empty())
    return n.invalid("expects a block size above zero and an axis");
  shape[axis] = (shape[axis] + blockSize - 1) / blockSize;
  if (scales->shape != shape ||
      (points && points->ints.size() != scales->floats.size()))
    return n.invalid("expects scales and zero points of shape " +
                     formatShape(shape));
  int64_t inner = 1;
  for (int64_t size : ArrayRef(shape).drop_front(axis + 1))
    inner *= size;
  Constant result;
  result.shape = input.shape;
  for (int64_t i = 0, e = input.ints.size(); i != e; ++i) {
    int64_t along = i / inner % input.shape[axis];
    int64_t outer = i / inner / input.shape[axis];
    int64_t block =
        (outer * shape[axis] + along / blockSize) * inner + i % inner;
    int64_t point = points ? points->ints[block] : 0;
    result.floats.push_back(scales->floats[block] *
                            float(input.ints[i] - point));
  }
  n.setResult(result);
}

/// Dequantizes integers that are known now.
static void dequantizeConstant(NodeContext &n, const Constant &input,
                               const IntegerKind &kind) {
  if (int64_t blockSize = n.intAttribute("block_size", 0))
    return dequantizeBlocks(n, input, blockSize);
  Quantization q = readQuantization(n, kind, input.shape);
  if (!n.ok())
    return;
  int64_t shift = kind.isUnsigned ? int64_t(1) << (kind.width - 1) : 0;
  Constant result;
  result.shape = input.shape;
  result.floats.resize(input.ints.size());
  forEachElement(input.shape, q.axis, [&](int64_t i, int64_t channel) {
    int64_t steps = input.ints[i] - shift - q.zeroPoints[channel];
    float scale = q.scales[channel];
    // Below the smallest step that a type may have there is nothing but zero.
    bool isZero = !std::isnormal(scale) && kind.type != typeInt32;
    result.floats[i] = isZero ? 0 : scale * float(steps);
  });
  for (float &scale : q.scales)
    if (!std::isnormal(scale))
      scale = 1;
  // Biases are quantized again, at the product of the scales they meet.
  if (kind.type != typeInt32)
    result.quantization = std::make_shared<Quantization>(std::move(q));
  n.setResult(result);
}

void importDequantizeLinear(NodeContext &n) {
  static constexpr IntegerKind bias = {typeInt32, "int32", 32, 32, false};
  n.expectInputs(2, 3);
  n.ignoreAttributes({"output_dtype"});
  if (n.ok() && n.isConstant(0)) {
    ConstantRef input = n.constant(0, "the input");
    if (input->element != Element::Int)
      return n.invalid("expects integers");
    const IntegerKind *kind =
        input->type == typeInt32 ? &bias : findKind(input->type);
    if (!kind)
      return n.unsupported("the input's element type is none of int8, uint8, "
                           "int16, uint16, int4, uint4, int32");
    return dequantizeConstant(n, *input, *kind);
  }
  if (n.ok() && !n.holdsIntegers(0)) {
    if (n.dependsOnData(0))
      n.unsupported("its input is not the result of a QuantizeLinear or "
                    "another quantized operator");
    else
      n.activation(0);
    return;
  }
  if (!n.ok())
    return;
  const IntegerKind &kind = *findKind(n.integerType(0));
  Quantization q = readQuantization(n, kind, n.shapeOf(0));
  if (n.ok())
    n.setResult(n.dequantized(0, q));
}

} // namespace mlir::qopt::importer
