// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a tensor's elements lie: a strided window into a buffer.
#pragma once

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <cstdint>
#include <string>

namespace mlir {
class Type;
} // namespace mlir

namespace mlir::qopt::codegen {

enum class ElementKind { I8, I16, I32, F32 };

/// Bytes of one element.
int64_t byteWidth(ElementKind kind);
/// i8, i16, i32 or f32; quantized and other types fail.
FailureOr<ElementKind> elementKindOf(Type elementType);
/// `i8`, `i16`, `i32`, `f32`.
llvm::StringRef stringifyElementKind(ElementKind kind);

/// Elements of padding that are physically there around rows and columns of a
/// rank-4 value. They hold the value's zero point when consumers run.
struct Halo {
  int64_t top = 0, left = 0, bottom = 0, right = 0;

  bool empty() const { return !(top | left | bottom | right); }
  bool operator==(const Halo &other) const;
};

/// A logical tensor (ONNX axis order) in a buffer. Element `(i0, i1, ...)` lies
/// `offset + sum i_d strides[d]` elements after the buffer's first byte.
/// Images (rank-4 values around convolutions and pools) are stored channels
/// last: `strides[1] == 1`, columns at `strides[3] >= C`, rows at `strides[2]`;
/// other values row-major. A slice of
/// a concat has larger strides than its own shape asks for. Kernels must work
/// for any strides; the usual ones are to be fast.
struct View {
  /// Index into `Plan::buffers`.
  int64_t buffer = -1;
  ElementKind kind = ElementKind::I8;
  llvm::SmallVector<int64_t, 4> shape;
  llvm::SmallVector<int64_t, 4> strides;
  int64_t offset = 0;
  Halo halo;
  /// The integer in memory is `q + storageBias` modulo 2^8 or 2^16: 128 for i8
  /// values in the arena (memory holds u8), 0 at the boundary and for other
  /// kinds, but 128 and 32768 for boundary tensors of unsigned types.
  int32_t storageBias = 0;

  int64_t rank() const { return shape.size(); }
  int64_t numElements() const;
  int64_t elementBytes() const { return byteWidth(kind); }
  /// Element offset in the buffer of the first element, halo included: where
  /// a kernel's memref begins.
  int64_t begin() const;
  /// Element offset of logical element 0 from `begin()`.
  int64_t origin() const { return offset - begin(); }
  /// Elements from `begin()` to the end of the last element, halo included.
  int64_t spanElements() const;
  int64_t spanBytes() const { return spanElements() * elementBytes(); }
  /// Logical elements lie without gaps in row-major order of `shape`.
  bool isRowMajorDense() const;
  /// Rank 4, no halo, and without gaps in the order N, H, W, C.
  bool isChannelsLastDense() const;
  /// Without gaps in some axis order, and no halo: an elementwise kernel may
  /// treat it as one row of `numElements()`.
  bool isDense() const;
  /// Everything but buffer and offset, for kernel keys.
  std::string key() const;
};

/// Strides of a dense row-major tensor.
llvm::SmallVector<int64_t, 4> rowMajorStrides(ArrayRef<int64_t> shape);

} // namespace mlir::qopt::codegen
