// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of two computed matrices of bytes on the tile generator: the right
// side is packed into working memory when the product runs.
#pragma once

#include "TilePlan.h"

namespace mlir::qopt::codegen {

/// Bytes from row to row of a left side that is computed.
int64_t weightStride(const TileGemm &gemm);

/// What lies where in a product's working memory, in bytes: panels first, then
/// i32 values of each row (offsets, multipliers), then the left side's rows if
/// those are computed.
struct ProductScratch {
  int64_t rowOffsets = 0;
  int64_t rowMultipliers = 0;
  int64_t left = 0;
  int64_t bytes = 0;

  ProductScratch(const TileGemm &gemm, const TilePlan &plan, bool hasLeft);
};

/// The batches of a product: what each operand's first byte is in each.
class ProductBatches {
public:
  ProductBatches(const View &left, const View &right, const View &out);

  /// All batches have one right side.
  bool sharesRight() const;
  /// `body` for the byte positions of the left side, the right side and the
  /// result of each batch.
  void run(KernelBuilder &k,
           llvm::function_ref<void(Value, Value, Value)> body) const;

private:
  SmallVector<int64_t> sizes;
  /// Bytes, outermost first.
  SmallVector<std::array<int64_t, 3>> steps;
  std::array<int64_t, 3> origins;
};

/// Rows by terms by columns of bytes, its panels packed when it runs; `rows`
/// and `requant` are left to the caller.
TileGemm productGemm(int64_t rows, int64_t terms, int64_t columns,
                     const View &out);

/// Whether rows of the left side, rows or columns of the right side and rows of
/// the result have no gaps, all in the arena's form.
bool canTile(const View &left, const View &right, const View &out);

/// Packs the right side, less `128 - storageBias`, into panels.
class ProductPacker {
public:
  ProductPacker(KernelBuilder &k, const TileGemm &gemm, const TilePlan &plan,
                const View &right, Value from, Value to);

  /// The matrix at byte `source`. Biases become `factor sum_k w + constant` of
  /// the packed `w` where panels have them.
  void pack(Value source, int64_t factor, int64_t constant);

private:
  void packRows(const PanelClass &panel, Value source, Value target);
  void packRowGroup(const PanelClass &panel, Value source, Value target,
                    int64_t firstVector, int64_t size, int64_t lane);
  void packColumns(const PanelClass &panel, Value source, Value target);
  void packUnit(const PanelClass &panel, ArrayRef<int64_t> channels,
                Value source, Value target, int64_t lane, int64_t bytes);
  void packBias(const PanelClass &panel, Value base, int64_t factor,
                int64_t constant);
  Value signedBytes(Value position, int64_t lanes, int64_t count);

  KernelBuilder &k;
  const TileGemm &gemm;
  const TilePlan &plan;
  Value from, to;
  int64_t rowStride, columnStride, usedBytes;
  int32_t storageBias;
};

/// Float softmax of `in` along `axis` into `out`.
void emitFloatSoftmax(KernelContext &context, Location loc, int64_t axis,
                      const View &in, const View &out);

/// The float product of `op`'s operands in the views `in`.
LogicalResult emitFloatProduct(KernelContext &context, Operation *op,
                               ArrayRef<View> in, const View &out);

} // namespace mlir::qopt::codegen
