// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What integer softmax and its logarithm share: the maximum of a row, a table
// of exponentials and their sum.
#pragma once

#include "Rows.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {

/// The entries of `table`, or their three bytes as tables of their own where
/// `rows` are looked up in registers.
SmallVector<uint8_t> exponentialBytes(const Isa &isa, const Rows &rows,
                                      ArrayRef<int32_t> table);

class SoftmaxRows {
public:
  /// `table` is the memory of `exponentialBytes`.
  SoftmaxRows(KernelBuilder &k, const View &in, const Rows &rows, Value from,
              Value table);

  /// Bytes that a vector holds.
  int64_t chunk() const { return k.isa.bytes(); }

  /// `body` for each chunk of a row, its element index and count.
  SmallVector<Value> chunks(
      ValueRange init,
      llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)> body);

  /// \name Contiguous rows
  /// @{
  /// The row's largest byte in every lane.
  Value rowMaximum(Value row);
  /// The sum of the row's table entries, i64.
  Value rowSum(Value row, Value maximum);
  /// How far a chunk's bytes lie below the maximum.
  Value distances(Value row, Value maximum, Value index, int64_t count);
  /// Table entries of distances, in `order()`.
  WideLanes entries(Value distance);
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
  Value bytesAt(Value row, Value index, int64_t count);
  Value keepFirst(Value vector, int64_t count);
  Value reduce(Value vector, bool isSum);
  SmallVector<Value, 3> planesOf(Value distance);
  Value gather(Value index);
  SmallVector<Value> addPlanes(Value distance, int64_t count,
                               ValueRange carried);
  SmallVector<Value> addEntries(Value distance, int64_t count,
                                ValueRange carried);
  Value scalarAt(Value row, Value index);

  KernelBuilder &k;
  const View &in;
  const Rows &rows;
  Value from, table;
  bool usesPlanes;
  SmallVector<Value, 3> planes;
};

} // namespace mlir::qopt::codegen
