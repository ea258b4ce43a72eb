// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a product is cut into register tiles and its weights into panels.
#pragma once

#include "qopt/Codegen/Kernels/TileGemm.h"

namespace mlir::qopt::codegen {

/// Neighbouring panels of one width. In memory a panel is its bias, its
/// multipliers, its shifts if they differ by channel, and its weights: for
/// each 4 bytes of K, 4 bytes a lane; or 2 bytes a lane for 2 words; or 2 words
/// a lane for the first and third byte of a vector's lanes, then 2 for the
/// second and fourth. Packed weights: for each group its multiples, a byte a
/// lane, if there are any, and 4 bytes a lane for each unit of K.
struct PanelClass {
  /// Lanes of each vector, in order, as stored; two are computed as four.
  SmallVector<int64_t> vectors;
  /// Neighbouring dwords of K that a vector holds for each channel; above 1 the
  /// panel is one vector, `spread` times as wide as `vectors` says.
  int64_t spread = 1;
  int64_t firstChannel = 0;
  int64_t count = 1;
  /// Bytes from the group's first byte.
  int64_t offset = 0;
  int64_t bytes = 0;
  /// Channels of the last vectors may be fewer than lanes; only in the last
  /// panel.
  int64_t channels = 0;

  int64_t lanes() const;
};

/// `count` tiles of `rows` rows from row `first` on. No tile begins after
/// `last`: where that matters, the last one computes some rows again.
struct RowTiles {
  int64_t rows = 1;
  int64_t count = 1;
  int64_t first = 0;
  int64_t last = 0;
};

struct TilePlan {
  TileChoice choice;
  SmallVector<PanelClass> panels;
  /// Bytes of one group's panels.
  int64_t groupBytes = 0;
  /// Row levels with neighbours merged.
  SmallVector<TileRows> rows;
  /// A tile's rows may lie in several rows of the outer levels; then their
  /// positions are computed, else they are constant distances.
  bool general = false;

  int64_t biasOffset() const { return 0; }
  int64_t multiplierOffset(const PanelClass &panel) const;
  int64_t shiftOffset(const PanelClass &panel) const;
  int64_t weightOffset(const PanelClass &panel) const;
  bool hasBias = true;
  bool hasMultipliers = false;
  bool hasShifts = false;
  /// Weights of bytes are used as words, and stored so unless they are packed.
  bool hasWordWeights = false;
  /// Packed weights are made words, not bytes.
  bool unpacksWords = false;
  /// Dwords of K in a unit of packed weights; 1 without packing.
  int64_t unitDwords = 1;
  /// Dwords of K in a group of weights with a multiple; 0 without groups.
  int64_t groupDwords = 0;
  /// What sums of unpacked bytes are shifted right by.
  int64_t packedShift = 0;

  /// Bytes of a lane's weights for one unit of K: 8 where bytes are stored as
  /// words, 2 where words are stored as bytes.
  int64_t laneBytes = 4;
  /// Bytes of a panel's weights for one unit of K (4 bytes without packing).
  int64_t unitBytes(const PanelClass &panel) const {
    return laneBytes * panel.lanes() * panel.spread;
  }
  /// Bytes of a panel's multiples of one group.
  int64_t multipleBytes(const PanelClass &panel) const {
    return groupDwords ? panel.lanes() : 0;
  }
  /// Most rows of a tile with panels of `vectors` vectors.
  int64_t tileRows(const Isa &isa, const TileGemm &gemm, int64_t vectors,
                   bool isGeneral) const;
  /// Bytes of a panel's weights for a run of `dwords`.
  int64_t runBytes(const PanelClass &panel, int64_t dwords) const;
};

/// Cut by `choice`; by the cost model without one.
TilePlan planTiles(const TileGemm &gemm, const Isa &isa,
                   std::optional<TileChoice> choice = std::nullopt);

/// What the cost model says.
TileChoice modelledTile(const TileGemm &gemm, const Isa &isa);
/// What `--tune` tries, beginning with what the cost model says.
std::vector<TileChoice> tileCandidates(const TileGemm &gemm, const Isa &isa);
/// What choices are stored by.
std::string tileShape(const TileGemm &gemm, const Isa &isa);
/// The choice for a product; `kernels` is empty.
TileUse chooseTile(const KernelContext &context, const TileGemm &gemm);
/// Vectors of a panel: as many as a tile of several rows has room for; more
/// where one row is as fast as memory.
int64_t maxPanelVectors(const Isa &isa, const TileGemm &gemm);

/// `lanes` stored lanes at `position`, 4 of them at least (the others zero).
Value loadLanes(KernelBuilder &kb, Value memory, Value position, int64_t lanes,
                Type element);

/// The weights of 4 bytes of K, stored for `lanes` lanes at `position` and not
/// packed, as many lanes as `loadLanes` gives.
Value loadDwordWeights(KernelBuilder &kb, const TilePlan &plan, Value panels,
                       Value position, int64_t lanes);

/// `acc` and the products of each lane's 4 bytes of `a`, a vector or one scalar
/// for all lanes, and of `weights`, as elements of `kind`.
Value dotDwords(KernelBuilder &kb, ElementKind kind, Value acc, Value a,
                Value weights);

/// Most rows of a tile that registers have room for.
int64_t maxTileRows(const Isa &isa, const TileGemm &gemm, int64_t vectors,
                    bool general);
/// `rows` as tiles of nearly equal size, the larger ones first; or of one size
/// with an overlap where that costs next to nothing, which halves the code.
SmallVector<RowTiles> splitRows(int64_t rows, int64_t maxRows, bool isSmall);
/// How much a product's time matters beside its code: at full speed a tiny one
/// takes 0.1 us, a small one 0.3 us.
enum class TileSize { Tiny, Small, Large };
TileSize sizeOf(const TileGemm &gemm);

/// How many vectors of one width are narrowed together, from the first one on:
/// 4 and 2 for 8-bit outputs, 2 for 16-bit ones, 1 for what is left.
SmallVector<int64_t> narrowGroups(ArrayRef<int64_t> vectors, ElementKind out);
/// The panel's channel that each lane computes, by vector and lane, in the
/// order in which narrowing needs them.
SmallVector<int64_t> laneChannels(ArrayRef<int64_t> vectors, ElementKind out);

/// Everything of a product that a kernel's body bakes in.
std::string tileKey(const TileGemm &gemm);

/// Memory that a product's loops read and write; `rows` holds the rows' values,
/// `table` where results are looked up, `ahead` what is read after the product.
/// These may be null.
struct TileMemory {
  Value in, panels, out, rows, table, ahead = {};
};
/// Where a group begins in each, in bytes.
struct TilePositions {
  Value in, panels, out;
};
/// The loops over one group's panels and rows.
void emitTileLoops(KernelBuilder &kb, const TileGemm &gemm,
                   const TilePlan &plan, const TileMemory &memory,
                   const TilePositions &at);

/// Writes the packed panels of all groups over zeros: `groupBytes` a group.
void packPanels(const TileGemm &gemm, const TilePlan &plan,
                llvm::MutableArrayRef<uint8_t> bytes);

} // namespace mlir::qopt::codegen
