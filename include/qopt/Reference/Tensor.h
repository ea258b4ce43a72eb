// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The values that the reference evaluator computes with.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cassert>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace mlir::qopt::reference {

/// Element types of a tensor. Values of `!quant.uniform` types are evaluated as
/// F32: real values on the type's grid.
enum class ElementKind : uint8_t { F32, I8, I16, I32 };

/// Bytes of one element.
unsigned elementSize(ElementKind kind);

/// `f32`, `i8`, ...
llvm::StringRef elementName(ElementKind kind);

/// The kind that a C++ type has.
template <typename T> constexpr ElementKind kindOf();
template <> constexpr ElementKind kindOf<float>() { return ElementKind::F32; }
template <> constexpr ElementKind kindOf<int8_t>() { return ElementKind::I8; }
template <> constexpr ElementKind kindOf<int16_t>() { return ElementKind::I16; }
template <> constexpr ElementKind kindOf<int32_t>() { return ElementKind::I32; }

/// Row-major elements of one kind with a shape. Copying copies the elements.
class Tensor {
public:
  Tensor() = default;

  /// Zeros. `shape` has no negative dimension and at most `maxElements`
  /// elements (qopt/IR/Shapes.h).
  Tensor(ArrayRef<int64_t> shape, ElementKind kind);

  /// `values` in row-major order, as many as `shape` says.
  template <typename T>
  static Tensor from(ArrayRef<int64_t> shape, ArrayRef<T> values) {
    Tensor tensor(shape, kindOf<T>());
    std::memcpy(tensor.storage.data(), values.data(),
                values.size() * sizeof(T));
    return tensor;
  }

  ArrayRef<int64_t> getShape() const { return shape; }
  ElementKind getKind() const { return kind; }
  int64_t getNumElements() const { return count; }

  /// The elements; `T` is the kind's own C++ type.
  template <typename T> ArrayRef<T> values() const {
    return {reinterpret_cast<const T *>(storage.data()),
            static_cast<size_t>(count)};
  }
  template <typename T> MutableArrayRef<T> values() {
    return {reinterpret_cast<T *>(storage.data()), static_cast<size_t>(count)};
  }

  /// Element `index` of an integer tensor, sign-extended.
  int32_t getInteger(int64_t index) const;
  /// Writes an element of an integer tensor; `value` fits the kind.
  void setInteger(int64_t index, int32_t value);

  ArrayRef<char> bytes() const { return storage; }
  MutableArrayRef<char> bytes() { return storage; }

  bool operator==(const Tensor &other) const {
    return shape == other.shape && kind == other.kind &&
           storage == other.storage;
  }
  bool operator!=(const Tensor &other) const { return !(*this == other); }

private:
  SmallVector<int64_t, 4> shape;
  ElementKind kind = ElementKind::F32;
  int64_t count = 0;
  std::vector<char> storage;
};

/// The kind that values of `type` have in the evaluator: F32 for quantized
/// elements. None for other element types.
std::optional<ElementKind> kindOfElements(Type type);

/// The elements of a constant's attribute, `dense` or `dense_resource`, of a
/// type with f32, i8, i16 or i32 elements. Fails with Q0715 where a resource
/// has no data.
llvm::Expected<Tensor> readElements(ElementsAttr value);

/// Real values of stored integers: `scale (q - zero point)` by the quantized
/// tensor type `type`, whose shape is the tensor's.
Tensor dequantize(const Tensor &integers, RankedTensorType type);

/// The integers of real values by the quantized tensor type `type`, as ONNX
/// QuantizeLinear; the kind is the storage type's.
Tensor quantize(const Tensor &reals, RankedTensorType type);

} // namespace mlir::qopt::reference
