// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one generator behind convolutions and matrix products, integer and
// float: C[row, channel] = epilogue(bias + sum_k A[row, k] * W[channel, k]),
// by register tiles of rows x channels, with weights packed at compile time.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"
#include <functional>
#include <vector>

namespace mlir::qopt::codegen {

/// One level of the output rows: `count` steps of so many bytes.
struct TileRows {
  int64_t count = 1;
  int64_t inStride = 0;
  int64_t outStride = 0;
};

/// One level of the sum above the contiguous run: `count` runs (or levels)
/// `stride` bytes apart.
struct TileSegment {
  int64_t count = 1;
  int64_t stride = 0;
};

/// How an int32 accumulator becomes an output. All forms are the contract's
/// `clamp(round(acc M / 2^S) + z)` to the bit; cheaper ones have conditions.
struct TileRequant {
  enum class Form {
    /// f32 outputs: a clamp alone.
    Float,
    /// i32 outputs: the accumulators as they are.
    Accumulators,
    /// 8-bit outputs, one `S` in [32, 38], `M < 2^30`: the high half of
    /// `acc 2M`, then 16-bit saturating steps (`shift` holds `S - 31`).
    Narrow,
    /// Any `S >= 33` after `M` is scaled to [2^30, 2^31) and `acc` shifted left
    /// by `left`: the high half of `acc M`, then 32-bit steps (`shift` holds
    /// `S - 32`, in [1, 30]).
    Wide,
    /// Anything else, and half-even: 64-bit steps (`shift` holds `S`).
    Exact,
  };
  Form form = Form::Float;
  /// Results are neither scaled nor narrowed.
  bool isPlain() const {
    return form == Form::Float || form == Form::Accumulators;
  }
  bool halfEven = false;
  /// No accumulator is larger in magnitude.
  int64_t bound = INT32_MAX;
  int64_t left = 0;
  /// One an output channel, groups after one another; scaled as `form` says.
  std::vector<int32_t> multiplier;
  /// One entry, or as many as multipliers.
  std::vector<int32_t> shift;
  /// Zero point and clamp as in memory: with the output's storage bias.
  int64_t zeroPoint = 0;
  int64_t clampMin = 0;
  int64_t clampMax = 0;
  /// For `Float`; infinite where there is none.
  float floatMin = 0;
  float floatMax = 0;
};

struct TileGemm;

/// Weights of fewer bits than the activations lie packed in panels.
struct WeightPacking {
  /// 8 (where activations have 16), 4 or 2; 0 for weights as wide as
  /// activations.
  int64_t bits = 0;
  /// So many weights of a run are a multiple, their group's, of such bits; 0:
  /// all of them are such bits.
  int64_t group = 0;
  /// By channel, run and group.
  std::vector<uint8_t> multiples;

  bool isPacked() const { return bits == 4 || bits == 2; }
  /// Bytes, one after another, that become words when they are loaded.
  bool isBytes() const { return bits == 8; }
  /// Weights in 32 bits.
  int64_t unitElements() const { return 32 / bits; }
  /// Of the weight `element` of a run.
  int64_t multipleOf(const TileGemm &gemm, int64_t channel, int64_t run,
                     int64_t element) const;
};

/// A product to generate. Positions are bytes from the operands' first byte.
struct TileGemm {
  ElementKind in = ElementKind::I8;
  ElementKind out = ElementKind::I8;
  /// The output's lowest byte value is 0 (storage bias 128), not -128.
  bool outUnsigned = false;

  /// Outermost first; at least one.
  SmallVector<TileRows> rows;
  /// Outermost first; may be empty.
  SmallVector<TileSegment> segments;
  /// All but the last pass of the outermost segment weigh `2^leadingShift`:
  /// weights in more than one byte.
  int64_t leadingShift = 0;
  /// Elements that lie next to each other in A, without padding. Reading goes
  /// by 4 bytes, so up to 3 bytes beyond a run are read, times zero weights.
  int64_t runElements = 1;

  /// Output channels of one group.
  int64_t channels = 1;
  int64_t groups = 1;
  int64_t inGroupStride = 0;
  int64_t outGroupStride = 0;
  int64_t inOrigin = 0;
  int64_t outOrigin = 0;

  TileRequant requant;
  /// Where results of bytes are looked up before they are stored, as
  /// `byteTable` gives it; empty if they are not.
  SmallVector<uint8_t> table;
  /// One an output channel, groups after one another: i32 (modulo 2^32), or
  /// the bits of f32.
  std::vector<int32_t> bias;
  /// The weight of output channel `channel` (over all groups) at `position`:
  /// run by run in the order of `segments`, padding left out. Bits of f32 for
  /// float, else the integer.
  std::function<int32_t(int64_t channel, int64_t position)> weight;
  WeightPacking packing;

  /// Panels hold no constants: they are packed when the product runs, without
  /// multipliers (`requant` has one) and with a bias only if `hasBias`.
  bool isPackedAtRunTime = false;
  bool hasBias = true;
  /// Where the rows' i32 values begin, in bytes: what is added to a row's
  /// accumulators, and its multiplier in the form of `requant`. -1 where there
  /// are none. Such a product has one level of rows.
  int64_t rowOffsets = -1;
  int64_t rowMultipliers = -1;

  int64_t numRuns() const;
  int64_t dwordsPerRun() const;
  int64_t numRows() const;
};

/// The fewest bits that hold `gemm`'s weights exactly, as they are or (4 and 2
/// bits) as a multiple that their group shares; 0 where none do or where that
/// would take no less memory or (8 bits) time. Weights are set, with one pass
/// over the sum.
WeightPacking findPacking(const TileGemm &gemm);

/// Emits the kernel and its call; appends the packed weights to the constants.
void emitTileGemm(KernelContext &context, Location loc, const TileGemm &gemm,
                  const View &in, const View &out);

/// Type, zero point, clamp and rounding of the results.
void setOutput(TileGemm &gemm, qint::RequantAttr attr, const View &out);

/// Fills `form`, `multiplier`, `shift` from the contract's multipliers and
/// shifts (`S`), for outputs of `out`. Zero point, clamps and bound are set
/// before.
void chooseTileForm(TileRequant &requant, ArrayRef<int32_t> multiplier,
                    ArrayRef<int32_t> shift, int64_t channels, ElementKind out);

} // namespace mlir::qopt::codegen
