// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the accumulators of a tile to outputs in memory.
#pragma once

#include "TilePlan.h"

namespace mlir::qopt::codegen {

/// What of a panel the epilogue reads, once a tile; one value a vector.
struct PanelScales {
  SmallVector<Value> multiplier;
  /// One scalar a row of the tile, where rows have multipliers of their own.
  SmallVector<Value> rowMultiplier;
  /// Empty where one shift is common to all channels.
  SmallVector<Value> shift;
};

PanelScales loadScales(KernelBuilder &kb, const TileGemm &gemm,
                       const TilePlan &plan, const PanelClass &panel,
                       Value panels, Value panelBase);

/// Narrows and stores the first `panel.channels` channels of a tile's rows at
/// byte `positions` of `memory.out`, looked up in `memory.table` if that is
/// there. A row of `acc` has one vector (i32 or f32) for each of the panel's.
/// Rows of few channels are narrowed together.
void storeRows(KernelBuilder &kb, const TileGemm &gemm, const PanelClass &panel,
               const PanelScales &scales, ArrayRef<SmallVector<Value>> acc,
               const TileMemory &memory, ArrayRef<Value> positions);

} // namespace mlir::qopt::codegen
