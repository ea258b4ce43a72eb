// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers between memory and arithmetic: bytes widened to i32 lanes, i32
// accumulators rescaled with one rounding and packed
// (docs/arithmetic.md, "Requantize").
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"

namespace mlir::qopt::codegen {

/// How `4 * lanes` elements are spread over four i32 vectors.
enum class LaneOrder {
  /// Vector `j` holds elements `j * lanes ...`.
  Natural,
  /// Lane `4 b + i` of vector `j` holds element `16 b + 4 j + i`: what packing
  /// within blocks of 128 bits turns back into the natural order.
  Blocked,
  /// Vectors 0 and 1 hold the first half, 2 and 3 the second; lane `4 b + i` of
  /// the even ones holds element `8 b + i` of its half, of the odd ones element
  /// `8 b + 4 + i`: what interleaving words leaves.
  Halves,
};

/// Interleaves two vectors lane by lane within blocks of 128 bits: the lower
/// halves of the blocks, or the upper ones.
Value interleave(KernelBuilder &k, Value a, Value b, bool upper);

/// `qint.pack`: i32 to i16 or i16 to i8, saturating, by blocks.
Value pack(KernelBuilder &k, Value a, Value b, bool isUnsigned = false);

/// Four i32 vectors of the ISA's width.
using WideLanes = SmallVector<Value, 4>;

/// `Isa::bytes()` u8 or i16 lanes as i32. Bytes are zero-extended (i8 values
/// are given with bias 128), i16 sign-extended; i16 needs the natural order.
WideLanes widen(KernelBuilder &k, Value vector, LaneOrder order);

/// Word pairs (a, b) of the lanes of two byte vectors, zero-extended, as four
/// vectors in blocked order.
WideLanes wordPairs(KernelBuilder &k, Value a, Value b);

/// What a result's integers have to become.
struct OutputType {
  ElementKind kind = ElementKind::I8;
  int32_t clampMin = -128, clampMax = 127;
  int32_t zeroPoint = 0;
  /// As `View::storageBias`.
  int32_t storageBias = 0;

  static OutputType of(qint::RequantAttr requant, const View &view);
  std::string key() const;
};

/// Rescaling of accumulators with `|acc| <= bound`. Multipliers and shifts are
/// one for all lanes, or vary and are then given as vectors.
struct Rescale {
  int64_t bound = 0;
  int64_t minMultiplier = 1, maxMultiplier = 1;
  int32_t minShift = 1, maxShift = 1;
  qint::Rounding rounding = qint::Rounding::HalfUp;
  /// Set for averages, and decides what ties to even are: whether the zero
  /// point of an i8 result is odd.
  std::optional<bool> averageParity;

  /// From the entries of `requant` that `first` and `count` select (all if
  /// `count` is 0).
  static Rescale of(qint::RequantAttr requant, int64_t bound, int64_t first = 0,
                    int64_t count = 0);
  bool hasOneShift() const { return minShift == maxShift; }
  std::string key() const;
};

/// Per-lane operands of a rescale; empty where one value serves all lanes.
struct RescaleLanes {
  /// i32 vectors, one a part.
  SmallVector<Value, 4> multipliers;
  SmallVector<Value, 4> shifts;
};

/// `clamp(round(acc * M / 2^S) + z)` of each lane, as vectors ready to store:
/// for i8 one vector of bytes, storage bias applied; for i16 two vectors. In
/// element order, whatever `order` says of `acc`.
SmallVector<Value, 2> requantize(KernelBuilder &k, ArrayRef<Value> acc,
                                 const Rescale &rescale,
                                 const RescaleLanes &lanes,
                                 const OutputType &output, LaneOrder order);

/// Values that are rescaled already (i32) clamped and packed, in element order.
SmallVector<Value, 2> narrow(KernelBuilder &k, ArrayRef<Value> values,
                             const OutputType &output, LaneOrder order);

/// Stores the first `count` elements of what `requantize` gave.
void storeLanes(KernelBuilder &k, Value memory, Value position,
                ArrayRef<Value> vectors, int64_t count);

} // namespace mlir::qopt::codegen
