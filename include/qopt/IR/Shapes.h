// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of the operators, as plain functions: verifiers, importer,
// passes and evaluators all use these.
#pragma once

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <cstdint>
#include <optional>

namespace mlir::qopt {

/// No tensor has more elements, and no attribute of a window is larger.
inline constexpr int64_t maxElements = (INT64_C(1) << 31) - 1;

/// The number of elements of `shape`; none when a dimension is negative or the
/// product exceeds `maxElements`.
std::optional<int64_t> countElements(ArrayRef<int64_t> shape);

/// One axis of a sliding window (convolution or pooling). Lengths are in
/// elements; `input`, `kernel`, `stride` and `dilation` are at least one.
struct WindowAxis {
  int64_t input = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t padBegin = 0;
  int64_t padEnd = 0;

  /// The distance from the first to past the last tap.
  int64_t extent() const { return (kernel - 1) * dilation + 1; }

  /// Window positions along the axis: `floor((input + padBegin + padEnd -
  /// extent) / stride) + 1`; none when the window does not fit once.
  std::optional<int64_t> outputSize() const;

  /// Taps of window `output` that lie inside the input: `[first, last)`.
  std::pair<int64_t, int64_t> insideTaps(int64_t output) const;

  /// Input index of tap `tap` of window `output`; may lie outside the input.
  int64_t inputIndex(int64_t output, int64_t tap) const {
    return output * stride + tap * dilation - padBegin;
  }
};

/// A 2-D window: rows, then columns.
struct Window2D {
  std::array<WindowAxis, 2> axes;

  /// From ONNX-like attributes. `spatial`, `kernel`, `strides` and `dilations`
  /// have two entries, `pads` four: top, left, bottom, right. None when the
  /// counts or signs are wrong or a value exceeds `maxElements`.
  static std::optional<Window2D> get(ArrayRef<int64_t> spatial,
                                     ArrayRef<int64_t> kernel,
                                     ArrayRef<int64_t> strides,
                                     ArrayRef<int64_t> pads,
                                     ArrayRef<int64_t> dilations);

  /// Rows and columns of the result; none when the window does not fit once.
  std::optional<std::array<int64_t, 2>> outputSize() const;

  /// Ascending, distinct numbers of taps inside the input over all windows.
  /// The window must fit at least once.
  SmallVector<int64_t> tapCounts() const;
};

/// The NumPy broadcast of two shapes; none where they do not agree.
std::optional<SmallVector<int64_t>> broadcastShapes(ArrayRef<int64_t> lhs,
                                                    ArrayRef<int64_t> rhs);

/// Whether `permutation` holds each of `0 .. size-1` once.
bool isPermutation(ArrayRef<int64_t> permutation);

/// `result[i] = shape[permutation[i]]`; `permutation` is one of `shape`'s axes.
SmallVector<int64_t> permuteShape(ArrayRef<int64_t> shape,
                                  ArrayRef<int64_t> permutation);

/// The shape of a concatenation; none where ranks or sizes outside `axis`
/// differ, `axis` is out of range or there is no shape.
std::optional<SmallVector<int64_t>>
concatShapes(ArrayRef<ArrayRef<int64_t>> shapes, int64_t axis);

/// `pads` holds the begins of all axes, then the ends, all >= 0; none
/// otherwise.
std::optional<SmallVector<int64_t>> padShape(ArrayRef<int64_t> shape,
                                             ArrayRef<int64_t> pads);

/// The shape left after reducing `axes`, which are ascending, distinct and in
/// range; none otherwise.
std::optional<SmallVector<int64_t>>
reduceShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes, bool keepDims);

/// Row-major strides, in elements.
SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape);

} // namespace mlir::qopt
