// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants of the qopt dialect as plain arrays.

#include "qopt/Transforms/Constants.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringSet.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qopt;

/// Constants up to this many bytes are printed in place.
static constexpr size_t inlineBytes = 64;

/// The bytes of a resource with exactly `count` elements of `width` bytes.
static std::optional<ArrayRef<char>>
getResourceBytes(DenseResourceElementsAttr attr, size_t width) {
  AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  if (!blob)
    return std::nullopt;
  ArrayRef<char> bytes = blob->getData();
  if (bytes.size() != width * static_cast<size_t>(attr.getNumElements()))
    return std::nullopt;
  return bytes;
}

static ElementsAttr getElements(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  return constant ? constant.getValue() : ElementsAttr();
}

bool mlir::qopt::isConstantF32(Value value) {
  ElementsAttr elements = getElements(value);
  if (!elements || !elements.getElementType().isF32())
    return false;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return getResourceBytes(resource, sizeof(float)).has_value();
  return isa<DenseElementsAttr>(elements);
}

std::optional<SmallVector<float>> mlir::qopt::getConstantF32(Value value) {
  if (!isConstantF32(value))
    return std::nullopt;
  ElementsAttr elements = getElements(value);
  SmallVector<float> result(elements.getNumElements());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
    ArrayRef<char> bytes = *getResourceBytes(resource, sizeof(float));
    // The blob of a file need not be aligned for float.
    llvm::copy(bytes, reinterpret_cast<char *>(result.data()));
    return result;
  }
  llvm::copy(cast<DenseElementsAttr>(elements).getValues<float>(),
             result.begin());
  return result;
}

/// `dense` for a few values, else a resource blob.
template <typename T>
static ElementsAttr createElements(RankedTensorType type, StringRef name,
                                   ArrayRef<T> values) {
  if (values.size() * sizeof(T) <= inlineBytes)
    return DenseElementsAttr::get(type, values);
  return DenseResourceElementsAttr::get(
      type, name, HeapAsmResourceBlob::allocateAndCopyInferAlign(values));
}

ConstantOp mlir::qopt::createConstantF32(OpBuilder &builder, Location loc,
                                         RankedTensorType type,
                                         ArrayRef<float> values) {
  return ConstantOp::create(builder, loc, type,
                            createElements(type, "qopt_f32", values));
}

template <typename T>
static ElementsAttr createIntegers(RankedTensorType type, StringRef name,
                                   ArrayRef<int32_t> values) {
  SmallVector<T> narrow(values.begin(), values.end());
  return createElements<T>(type, name, narrow);
}

ElementsAttr mlir::qopt::createIntegerElements(RankedTensorType type,
                                               ArrayRef<int32_t> values) {
  if (type.getElementType().isInteger(8))
    return createIntegers<int8_t>(type, "qopt_i8", values);
  if (type.getElementType().isInteger(16))
    return createIntegers<int16_t>(type, "qopt_i16", values);
  return createIntegers<int32_t>(type, "qopt_i32", values);
}

ConstantOp mlir::qopt::createQuantizedConstant(OpBuilder &builder, Location loc,
                                               RankedTensorType type,
                                               ArrayRef<int32_t> values) {
  auto quantized = cast<quant::QuantizedType>(type.getElementType());
  auto storage = type.clone(quantized.getStorageType());
  return ConstantOp::create(builder, loc, type,
                            createIntegerElements(storage, values));
}

template <typename T>
static std::optional<SmallVector<int32_t>> readIntegers(ElementsAttr elements) {
  SmallVector<int32_t> result(elements.getNumElements());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
    auto bytes = getResourceBytes(resource, sizeof(T));
    if (!bytes)
      return std::nullopt;
    for (auto [index, value] : llvm::enumerate(result)) {
      T narrow;
      std::memcpy(&narrow, bytes->data() + index * sizeof(T), sizeof(T));
      value = narrow;
    }
    return result;
  }
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return std::nullopt;
  llvm::copy(dense.getValues<T>(), result.begin());
  return result;
}

std::optional<SmallVector<int32_t>>
mlir::qopt::getQuantizedConstant(Value value) {
  ElementsAttr elements = getElements(value);
  if (!elements ||
      !isa<quant::QuantizedType>(getElementTypeOrSelf(value.getType())))
    return std::nullopt;
  if (elements.getElementType().isInteger(8))
    return readIntegers<int8_t>(elements);
  if (elements.getElementType().isInteger(16))
    return readIntegers<int16_t>(elements);
  if (elements.getElementType().isInteger(32))
    return readIntegers<int32_t>(elements);
  return std::nullopt;
}

void mlir::qopt::releaseUnusedConstants(MLIRContext &context,
                                        ArrayRef<ModuleOp> inUse) {
  llvm::StringSet<> used;
  for (ModuleOp module : inUse)
    module.walk([&](Operation *op) {
      op->getAttrDictionary().walk([&](DenseResourceElementsAttr attribute) {
        used.insert(attribute.getRawHandle().getKey());
      });
    });
  DialectResourceBlobManager &manager =
      DenseResourceElementsHandle::getManagerInterface(&context)
          .getBlobManager();
  std::vector<std::string> unused;
  manager.getBlobMap([&](const auto &blobs) {
    for (const auto &entry : blobs)
      if (entry.second.getBlob() && !used.contains(entry.getKey()))
        unused.push_back(entry.getKey().str());
  });
  for (const std::string &key : unused)
    manager.update(key, AsmResourceBlob());
}
