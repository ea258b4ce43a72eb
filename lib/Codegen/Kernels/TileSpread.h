// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of one row with few channels, whose lanes hold several dwords of K.
#pragma once

#include "TilePlan.h"

namespace mlir::qopt::codegen {

/// One row and weights that are used as they lie: time is what loading them
/// takes.
bool isMemoryBound(const TileGemm &gemm);

/// Dwords of K that a vector holds for each of `channels` channels, a power of
/// two; 1 where that would not pay.
int64_t spreadOf(const TileGemm &gemm, int64_t channels, int64_t lanes);

/// The one row at `inRow` times the panel at `base`, stored at `outRow`.
void emitSpreadTile(KernelBuilder &kb, const TileGemm &gemm,
                    const TilePlan &plan, const PanelClass &panel,
                    const TileMemory &memory, Value inRow, Value base,
                    Value outRow);

} // namespace mlir::qopt::codegen
