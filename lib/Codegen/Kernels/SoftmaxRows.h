// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What integer softmax and its logarithm share: the maximum of a row, tables of
// exponentials (two for inputs of 16 bits) and their sum.
#pragma once

#include "Rows.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {

/// The entries of `tables`, of 256 each, or their bytes as tables of
/// their own where `rows` are looked up in registers.
SmallVector<uint8_t> exponentialBytes(const Isa &isa, const Rows &rows,
                                      ArrayRef<int32_t> tables);

class SoftmaxRows {
public:
  /// `tables` is the memory of `exponentialBytes`.
  SoftmaxRows(KernelBuilder &k, const View &in, const Rows &rows, Value from,
              Value tables);

  /// Elements of a step, as many as a vector has bytes.
  int64_t chunk() const { return k.isa.bytes(); }

  /// `body` for each chunk of a row, its element index and count.
  SmallVector<Value> chunks(
      ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)> body);

  /// \name Contiguous rows
  /// @{
  /// The row's largest element in every lane.
  Value rowMaximum(Value row);
  /// The sum of the row's table entries, i64.
  Value rowSum(Value row, Value maximum);
  /// How far a chunk's elements lie below the maximum.
  Value distances(Value row, Value maximum, Value index, int64_t count);
  /// Exponentials of distances, in `order()`; 0 past `count`.
  WideLanes entries(Value distance, int64_t count);
  LaneOrder order() const {
    return usesPlanes ? LaneOrder::Blocked : LaneOrder::Natural;
  }
  /// @}

  /// \name Rows with gaps
  /// @{
  Value scalarMaximum(Value row);
  Value scalarSum(Value row, Value maximum);
  /// i32.
  Value scalarDistance(Value row, Value maximum, Value index);
  /// i64.
  Value scalarEntry(Value distance);
  /// @}

private:
  Value valuesAt(Value row, Value index, int64_t count);
  Value toUnsigned(Value x);
  Value keepFirst(Value vector, int64_t count);
  Value reduce(Value vector, bool isSum);
  SmallVector<Value, 4> planesOf(int64_t which, Value index, int64_t count);
  WideLanes lookUp(int64_t which, Value index, int64_t count);
  Value multiply(Value coarse, Value fine);
  Value gather(int64_t which, Value index);
  SmallVector<Value> addPlanes(Value distance, int64_t count,
                               ValueRange carried);
  SmallVector<Value> addEntries(Value distance, int64_t count,
                                ValueRange carried);
  Value scalarAt(Value row, Value index);
  Value scalarLookUp(int64_t which, Value index);

  KernelBuilder &k;
  const View &in;
  const Rows &rows;
  Value from, tables;
  bool isWide, usesPlanes;
  SmallVector<Value, 8> planes;
};

} // namespace mlir::qopt::codegen
