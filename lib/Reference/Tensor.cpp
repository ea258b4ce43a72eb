// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors, and the way from constants and quantized types to them.

#include "qopt/Reference/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/IR/Shapes.h"
#include "qopt/Support/Error.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

unsigned reference::elementSize(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
  case ElementKind::I32:
    return 4;
  case ElementKind::I8:
    return 1;
  case ElementKind::I16:
    return 2;
  }
  return 4;
}

llvm::StringRef reference::elementName(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
    return "f32";
  case ElementKind::I8:
    return "i8";
  case ElementKind::I16:
    return "i16";
  case ElementKind::I32:
    return "i32";
  }
  return "";
}

Tensor::Tensor(ArrayRef<int64_t> shape, ElementKind kind)
    : shape(shape), kind(kind), count(countElements(shape).value_or(0)),
      storage(count * elementSize(kind)) {}

int32_t Tensor::getInteger(int64_t index) const {
  switch (kind) {
  case ElementKind::I8:
    return values<int8_t>()[index];
  case ElementKind::I16:
    return values<int16_t>()[index];
  default:
    return values<int32_t>()[index];
  }
}

void Tensor::setInteger(int64_t index, int32_t value) {
  switch (kind) {
  case ElementKind::I8:
    values<int8_t>()[index] = static_cast<int8_t>(value);
    return;
  case ElementKind::I16:
    values<int16_t>()[index] = static_cast<int16_t>(value);
    return;
  default:
    values<int32_t>()[index] = value;
  }
}

std::optional<ElementKind> reference::kindOfElements(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (element.isF32() || isQuantized(element))
    return ElementKind::F32;
  if (element.isSignlessInteger(8))
    return ElementKind::I8;
  if (element.isSignlessInteger(16))
    return ElementKind::I16;
  if (element.isSignlessInteger(32))
    return ElementKind::I32;
  return std::nullopt;
}

llvm::Expected<Tensor> reference::readElements(ElementsAttr value) {
  auto type = cast<RankedTensorType>(value.getShapedType());
  std::optional<ElementKind> kind = kindOfElements(type);
  if (!kind || !countElements(type.getShape()))
    return makeError(715, "a constant holds elements that are not f32, i8, "
                          "i16 or i32");
  Tensor tensor(type.getShape(), *kind);
  MutableArrayRef<char> bytes = tensor.bytes();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != bytes.size())
      return makeError(715, "the data of constant '" +
                                resource.getRawHandle().getKey().str() +
                                "' is missing");
    llvm::copy(blob->getData(), bytes.begin());
    return tensor;
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return makeError(715, "a constant is neither dense nor a resource");
  ArrayRef<char> raw = dense.getRawData();
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = raw[dense.isSplat() ? i % raw.size() : i];
  return tensor;
}

/// Calls `body(element, channel)` for each element, `channel` being its index
/// along the quantized axis (0 for a per-tensor type).
template <typename Body>
static void forEachChannel(RankedTensorType type, Body body) {
  int64_t axis = quantAxis(type);
  int64_t inner = 1, channels = 1;
  if (axis >= 0) {
    channels = type.getDimSize(axis);
    for (int64_t size : type.getShape().drop_front(axis + 1))
      inner *= size;
  }
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
    body(i, axis < 0 ? 0 : i / inner % channels);
}

Tensor reference::dequantize(const Tensor &integers, RankedTensorType type) {
  Tensor reals(integers.getShape(), ElementKind::F32);
  MutableArrayRef<float> out = reals.values<float>();
  forEachChannel(type, [&](int64_t i, int64_t channel) {
    // A bias has a scale that is no float32 and values beyond 24 bits.
    numerics::QuantParams params = quantParams(type, channel);
    double scale = integers.getKind() == ElementKind::I32
                       ? quantScale(type, channel)
                       : params.scale;
    out[i] = static_cast<float>(
        scale *
        (static_cast<double>(integers.getInteger(i)) - params.zeroPoint));
  });
  return reals;
}

Tensor reference::quantize(const Tensor &reals, RankedTensorType type) {
  Tensor integers(reals.getShape(), *kindOfElements(storageTensorType(type)));
  ArrayRef<float> in = reals.values<float>();
  forEachChannel(type, [&](int64_t i, int64_t channel) {
    integers.setInteger(i,
                        numerics::quantize(in[i], quantParams(type, channel)));
  });
  return integers;
}
