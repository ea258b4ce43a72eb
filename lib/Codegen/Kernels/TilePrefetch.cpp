// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dots leave most of the way to memory unused. Lines are asked for at an even
// pace: more at once would wait for each other, and the dots for them.

#include "TilePrefetch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qopt::codegen {

/// Panels below this come in time by themselves.
static constexpr int64_t minPrefetchedBytes = 16 << 10;
/// Tiles of one panel over which the next panel's prefetches are spread.
static constexpr int64_t maxPrefetchingTiles = 8;
/// What follows comes by a byte for so many of a tile's own: fewer would slow
/// the dots down, for many more there would be more prefetches than lines.
static constexpr int64_t leastDivisor = 4, mostDivisor = 8;
static constexpr int64_t lineBytes = 64;

static int64_t bytesOf(Value memory) {
  return cast<MemRefType>(memory.getType()).getDimSize(0);
}

int64_t tilesOf(const Isa &isa, const TileGemm &gemm, const TilePlan &plan,
                const PanelClass &panel) {
  int64_t tiles = 0;
  int64_t count = plan.general ? gemm.numRows() : plan.rows.back().count;
  int64_t rows = plan.tileRows(isa, gemm, panel.vectors.size(), plan.general);
  for (const RowTiles &group :
       splitRows(count, rows, sizeOf(gemm) != TileSize::Large))
    tiles += group.count;
  if (!plan.general)
    for (const TileRows &level : llvm::drop_end(plan.rows))
      tiles *= level.count;
  return tiles;
}

Prefetching prefetchNextPanel(KernelBuilder &kb, const TileGemm &gemm,
                              const TilePlan &plan, const PanelClass &panel,
                              Value panels, Value base, Value tile) {
  if (panel.count == 1 || panel.bytes < minPrefetchedBytes ||
      gemm.isPackedAtRunTime)
    return {};
  // A power of two, for cheap quotients.
  int64_t tiles = llvm::bit_floor(uint64_t(
      std::min(tilesOf(kb.isa, gemm, plan, panel), maxPrefetchingTiles)));
  if (tiles == 1)
    return {};
  int64_t each = llvm::alignTo(panel.bytes / tiles, lineBytes);
  return {panels, kb.add(kb.add(base, panel.bytes), kb.mul(tile, each)), tiles};
}

int64_t followingDivisor(const Isa &isa, const TileGemm &gemm,
                         const TilePlan &plan, int64_t bytes) {
  const PanelClass &panel = plan.panels.front();
  const int64_t used =
      panel.count * tilesOf(isa, gemm, plan, panel) * panel.bytes;
  if (bytes == 0 || gemm.groups > 1 || used / mostDivisor > 2 * bytes)
    return 0;
  int64_t divisor = mostDivisor;
  while (divisor > leastDivisor && used / divisor < bytes)
    divisor /= 2;
  return divisor;
}

Prefetching prefetchFollowing(KernelBuilder &kb, const TileGemm &gemm,
                              const TilePlan &plan, const PanelClass &panel,
                              Value ahead, Value panelIndex, Value tile) {
  if (!ahead || &panel != plan.panels.begin())
    return {};
  const int64_t divisor = followingDivisor(kb.isa, gemm, plan, bytesOf(ahead));
  const int64_t each = llvm::alignTo(panel.bytes / divisor, lineBytes);
  Value before =
      kb.add(kb.mul(panelIndex, tilesOf(kb.isa, gemm, plan, panel)), tile);
  return {ahead, kb.mul(before, each), divisor};
}

void emitPrefetches(KernelBuilder &kb, const Prefetches &ahead, Value consumed,
                    int64_t bytes) {
  for (const Prefetching &what : ahead) {
    if (!what.start)
      continue;
    Value at = kb.add(what.start, kb.div(consumed, what.divisor));
    Value last = kb.index(bytesOf(what.memory) - 1);
    for (int64_t line = 0; line * lineBytes * what.divisor < bytes; ++line) {
      Value position = arith::MinUIOp::create(
          kb.b, kb.loc, kb.add(at, line * lineBytes), last);
      memref::PrefetchOp::create(kb.b, kb.loc, what.memory, position,
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
    }
  }
}

} // namespace mlir::qopt::codegen
