// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights on their way from memory while a product computes with others.
#pragma once

#include "TilePlan.h"

namespace mlir::qopt::codegen {

/// What a tile asks for.
struct Prefetching {
  Value memory;
  /// Where this tile begins, in bytes; null if it asks for nothing.
  Value start;
  /// Bytes of the tile's own weights for each byte.
  int64_t divisor = 1;
};
using Prefetches = std::array<Prefetching, 2>;

/// Tiles of each of the class's panels.
int64_t tilesOf(const Isa &isa, const TileGemm &gemm, const TilePlan &plan,
                const PanelClass &panel);

/// The panel behind that at `base` of `panels`, spread over tiles.
Prefetching prefetchNextPanel(KernelBuilder &kb, const TileGemm &gemm,
                              const TilePlan &plan, const PanelClass &panel,
                              Value panels, Value base, Value tile);

/// How many bytes of its own weights the first class of panels uses for each of
/// `bytes` that are read after the product; 0 where that would be too many, or
/// nothing is read.
int64_t followingDivisor(const Isa &isa, const TileGemm &gemm,
                         const TilePlan &plan, int64_t bytes);

/// `ahead`, what is read after the product, spread over all tiles of the first
/// class of panels, of which this is tile `tile` of panel `panelIndex`. Nothing
/// where `ahead` is null.
Prefetching prefetchFollowing(KernelBuilder &kb, const TileGemm &gemm,
                              const TilePlan &plan, const PanelClass &panel,
                              Value ahead, Value panelIndex, Value tile);

/// The lines that `bytes` of a tile's weights stand for, when `consumed` bytes
/// of them have been used.
void emitPrefetches(KernelBuilder &kb, const Prefetches &ahead, Value consumed,
                    int64_t bytes);

} // namespace mlir::qopt::codegen
