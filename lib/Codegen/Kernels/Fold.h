// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accumulation over the taps of a window or the elements of reduced axes.
#pragma once

#include "qopt/Codegen/Kernels/LoopSpace.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {

/// Elements up to which a fold has no loops.
inline constexpr int64_t maxUnrolledFold = 16;

/// The elements that one result is made of, relative to the first: a space of
/// one operand. `usedBytes` of `memory` are the input's.
struct FoldSpace {
  LoopSpace space;
  ElementKind kind = ElementKind::I8;
  Value memory;
  int64_t usedBytes = 0;
  int64_t maxUnrolled = maxUnrolledFold;

  int64_t numElements() const { return space.numElements(); }
};

/// `combine` for every element in row-major order, unrolled up to
/// `maxUnrolled` elements. `combine` gets the element's byte position and the
/// accumulators.
SmallVector<Value>
fold(KernelBuilder &k, const LoopSpace &space, int64_t width, Value position,
     ValueRange init,
     llvm::function_ref<SmallVector<Value>(Value, ValueRange)> combine,
     int64_t maxUnrolled = maxUnrolledFold);

/// The sum over `space` of `Isa::bytes()` neighbouring elements from
/// `position` on, the first `count` of which matter; exact. Bytes are taken as
/// unsigned and `flip` is applied to them first; sums are i32 in blocked
/// order. i16 sums are in natural order, i64 if `isWide`.
WideLanes sumLanes(KernelBuilder &k, const FoldSpace &space, Value position,
                   int64_t count, bool flip, bool isWide);

} // namespace mlir::qopt::codegen
