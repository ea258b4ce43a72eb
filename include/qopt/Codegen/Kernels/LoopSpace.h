// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An iteration space shared by several strided operands, put into the shape
// that the fewest and longest loops run over.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>

namespace mlir::qopt::codegen {

/// A loop nest over `sizes`, outermost first. Operand `i` lies at
/// `sum_d index[d] * strides[i][d]`; a stride of 0 repeats (a broadcast).
/// Operand 0 is the one that is written.
struct LoopSpace {
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<llvm::SmallVector<int64_t>> strides;

  /// Drops loops of length one, orders the others by operand 0's strides
  /// (largest first) and joins neighbours that every operand walks as one.
  /// What is visited stays the same, the order does not. At least one loop
  /// remains; each operand keeps one stride a loop.
  void normalize();

  unsigned rank() const { return sizes.size(); }
  unsigned numOperands() const { return strides.size(); }
  int64_t numElements() const;
  int64_t innerSize() const { return sizes.back(); }
  int64_t innerStride(unsigned operand) const {
    return strides[operand].back();
  }

  /// Moves loop `dim` innermost; the others keep their order.
  void makeInnermost(unsigned dim);

  /// Sizes and strides as text: equal spaces give equal keys.
  std::string key() const;
};

} // namespace mlir::qopt::codegen
