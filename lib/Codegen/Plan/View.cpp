// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of strided windows.

#include "qopt/Codegen/Plan/View.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {

int64_t byteWidth(ElementKind kind) {
  switch (kind) {
  case ElementKind::I8:
    return 1;
  case ElementKind::I16:
    return 2;
  case ElementKind::I32:
  case ElementKind::F32:
    return 4;
  }
  return 0;
}

FailureOr<ElementKind> elementKindOf(Type elementType) {
  if (elementType.isInteger(8))
    return ElementKind::I8;
  if (elementType.isInteger(16))
    return ElementKind::I16;
  if (elementType.isInteger(32))
    return ElementKind::I32;
  if (elementType.isF32())
    return ElementKind::F32;
  return failure();
}

llvm::StringRef stringifyElementKind(ElementKind kind) {
  switch (kind) {
  case ElementKind::I8:
    return "i8";
  case ElementKind::I16:
    return "i16";
  case ElementKind::I32:
    return "i32";
  case ElementKind::F32:
    return "f32";
  }
  return "";
}

bool Halo::operator==(const Halo &other) const {
  return top == other.top && left == other.left && bottom == other.bottom &&
         right == other.right;
}

int64_t View::numElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

int64_t View::begin() const {
  if (halo.empty())
    return offset;
  return offset - halo.top * strides[2] - halo.left * strides[3];
}

int64_t View::spanElements() const {
  int64_t last = origin();
  for (auto [size, stride] : llvm::zip_equal(shape, strides))
    last += (size - 1) * stride;
  if (!halo.empty())
    last += halo.bottom * strides[2] + halo.right * strides[3];
  return last + 1;
}

/// Whether `strides` are those of a gapless tensor whose axes, outermost first,
/// are `order`. Axes of length one may have any stride.
static bool isDenseInOrder(const View &view, ArrayRef<int64_t> order) {
  int64_t expected = 1;
  for (int64_t axis : llvm::reverse(order)) {
    if (view.shape[axis] != 1 && view.strides[axis] != expected)
      return false;
    expected *= view.shape[axis];
  }
  return true;
}

bool View::isRowMajorDense() const {
  llvm::SmallVector<int64_t> order;
  for (int64_t axis = 0; axis < rank(); ++axis)
    order.push_back(axis);
  return halo.empty() && isDenseInOrder(*this, order);
}

bool View::isChannelsLastDense() const {
  return rank() == 4 && halo.empty() && isDenseInOrder(*this, {0, 2, 3, 1});
}

bool View::isDense() const {
  if (!halo.empty())
    return false;
  llvm::SmallVector<int64_t> order;
  for (int64_t axis = 0; axis < rank(); ++axis)
    if (shape[axis] != 1)
      order.push_back(axis);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return strides[a] != strides[b] ? strides[a] > strides[b] : a < b;
  });
  return isDenseInOrder(*this, order);
}

std::string View::key() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << stringifyElementKind(kind) << '[';
  llvm::interleave(shape, os, "x");
  os << '|';
  llvm::interleave(strides, os, ",");
  os << '|' << halo.top << ',' << halo.left << ',' << halo.bottom << ','
     << halo.right << "|" << storageBias << ']';
  return text;
}

llvm::SmallVector<int64_t, 4> rowMajorStrides(ArrayRef<int64_t> shape) {
  llvm::SmallVector<int64_t, 4> strides(shape.size(), 1);
  for (int64_t axis = int64_t(shape.size()) - 2; axis >= 0; --axis)
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

} // namespace mlir::qopt::codegen
