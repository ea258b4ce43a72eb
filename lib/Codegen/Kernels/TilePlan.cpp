// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts a product into register tiles and panels, and packs the weights.

#include "TilePlan.h"
#include "TileSpread.h"
#include "WeightPacking.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

namespace mlir::qopt::codegen {

int64_t TileGemm::numRuns() const {
  int64_t count = 1;
  for (const TileSegment &segment : segments)
    count *= segment.count;
  return count;
}

int64_t TileGemm::dwordsPerRun() const {
  return llvm::divideCeil(runElements * byteWidth(in), 4);
}

int64_t TileGemm::numRows() const {
  int64_t count = 1;
  for (const TileRows &level : rows)
    count *= level.count;
  return count;
}

int64_t WeightPacking::multipleOf(const TileGemm &gemm, int64_t channel,
                                  int64_t run, int64_t element) const {
  if (group == 0)
    return 1;
  int64_t groups = llvm::divideCeil(gemm.runElements, group);
  return multiples[(channel * gemm.numRuns() + run) * groups + element / group];
}

int64_t PanelClass::lanes() const {
  int64_t sum = 0;
  for (int64_t lanes : vectors)
    sum += lanes;
  return sum;
}

int64_t TilePlan::multiplierOffset(const PanelClass &panel) const {
  return hasBias ? 4 * panel.lanes() : 0;
}

int64_t TilePlan::shiftOffset(const PanelClass &panel) const {
  return multiplierOffset(panel) + (hasMultipliers ? 4 * panel.lanes() : 0);
}

int64_t TilePlan::weightOffset(const PanelClass &panel) const {
  int64_t offset = shiftOffset(panel) + (hasShifts ? 4 * panel.lanes() : 0);
  return panel.spread > 1 ? llvm::alignTo(offset, 64) : offset;
}

int64_t TilePlan::runBytes(const PanelClass &panel, int64_t dwords) const {
  int64_t bytes =
      llvm::divideCeil(dwords, unitDwords * panel.spread) * unitBytes(panel);
  if (groupDwords)
    bytes += llvm::divideCeil(dwords, groupDwords) * multipleBytes(panel);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Channels to vectors and panels
//===----------------------------------------------------------------------===//

/// Vectors for `channels`. With `compact`, the last ones shrink, to `least`
/// lanes at the least, so that few channels of zero weights are stored; else
/// only where that costs no time: a narrow dot takes as long as a wide one.
static SmallVector<int64_t> vectorsFor(int64_t channels, int64_t lanes,
                                       bool compact, int64_t least) {
  SmallVector<int64_t> vectors;
  for (; channels >= lanes; channels -= lanes)
    vectors.push_back(lanes);
  while (channels > 0) {
    int64_t width = compact ? least : 4;
    while (width < channels && width < lanes)
      width *= 2;
    if (!compact && width > 4 && !vectors.empty())
      width = lanes;
    // Two narrow vectors hold 9 to 12 channels tighter than a wide one.
    if (compact && width > least && width - channels > 2)
      width /= 2;
    vectors.push_back(width);
    channels -= width;
  }
  return vectors;
}

/// Several rows share what widening weights once costs in memory.
static bool hasWordWeights(const TileGemm &gemm, const Isa &isa) {
  return isa.dotsWords() && gemm.in == ElementKind::I8 && gemm.numRows() > 1 &&
         !gemm.isPackedAtRunTime;
}

/// All channels' vectors.
static SmallVector<int64_t> vectorsOf(const TileGemm &gemm, const Isa &isa) {
  return vectorsFor(gemm.channels, isa.lanes(),
                    gemm.numRows() == 1 && !gemm.isPackedAtRunTime,
                    gemm.packing.isPacked() ? 4 : 2);
}

int64_t maxPanelVectors(const Isa &isa, const TileGemm &gemm) {
  // The fewer panels one row has, the fewer activations it loads. Widths below
  // a cache line would make loads of the others touch two.
  if (isa.kind == IsaKind::AVX512VNNI && isMemoryBound(gemm) &&
      llvm::all_of(vectorsOf(gemm, isa), [&](int64_t lanes) {
        return lanes == isa.lanes() || spreadOf(gemm, lanes, isa.lanes()) > 1;
      }))
    return 8;
  // A vector of weights that becomes words is worth more rows.
  if (gemm.packing.isBytes() && gemm.numRows() > 1)
    return 2;
  // One row needs no room for more than its accumulators, and widening each
  // row's activations pays with several vectors.
  bool isWide = isa.kind == IsaKind::AVX512VNNI || gemm.numRows() == 1 ||
                hasWordWeights(gemm, isa);
  return isWide ? 4 : 2;
}

/// The panels' vectors, `vectors` in order: as many to a panel as it has room
/// for, one where several dwords of K share a vector.
static SmallVector<PanelClass> groupVectors(ArrayRef<int64_t> vectors,
                                            const TileGemm &gemm,
                                            const Isa &isa,
                                            int64_t maxVectors) {
  auto spreadAt = [&](size_t i) {
    return spreadOf(gemm, vectors[i], isa.lanes());
  };
  SmallVector<PanelClass> panels;
  for (size_t first = 0; first < vectors.size();) {
    PanelClass panel;
    panel.spread = spreadAt(first);
    int64_t left = 1;
    while (first + left < vectors.size() && panel.spread == 1 &&
           spreadAt(first + left) == 1)
      ++left;
    int64_t width = std::min(left, maxVectors);
    // A last panel of one vector is slow: share with the one before.
    if (left == maxVectors + 1 && maxVectors > 2)
      width = llvm::divideCeil(left, 2);
    llvm::append_range(panel.vectors, vectors.slice(first, width));
    first += width;
    panels.push_back(panel);
  }
  return panels;
}

static void planPanels(TilePlan &plan, const TileGemm &gemm, const Isa &isa) {
  int64_t channel = 0;
  for (PanelClass &panel :
       groupVectors(vectorsOf(gemm, isa), gemm, isa, plan.choice.vectors)) {
    panel.firstChannel = channel;
    panel.channels = std::min(panel.lanes(), gemm.channels - channel);
    channel += panel.channels;
    if (!plan.panels.empty() && plan.panels.back().vectors == panel.vectors &&
        plan.panels.back().channels == panel.channels)
      ++plan.panels.back().count;
    else
      plan.panels.push_back(panel);
  }
  int64_t offset = 0;
  for (PanelClass &panel : plan.panels) {
    panel.offset = offset = llvm::alignTo(offset, 64);
    panel.bytes = plan.weightOffset(panel) +
                  gemm.numRuns() * plan.runBytes(panel, gemm.dwordsPerRun());
    // Panels of a class follow one another at their size.
    if (panel.count > 1)
      panel.bytes = llvm::alignTo(panel.bytes, 64);
    offset += panel.count * panel.bytes;
  }
  plan.groupBytes = gemm.groups == 1 ? offset : llvm::alignTo(offset, 64);
}

//===----------------------------------------------------------------------===//
// Rows to tiles
//===----------------------------------------------------------------------===//

TileSize sizeOf(const TileGemm &gemm) {
  int64_t work = gemm.numRows() * gemm.channels * gemm.groups * gemm.numRuns() *
                 gemm.dwordsPerRun();
  return work < (int64_t(1) << 13)   ? TileSize::Tiny
         : work < (int64_t(1) << 15) ? TileSize::Small
                                     : TileSize::Large;
}

int64_t TilePlan::tileRows(const Isa &isa, const TileGemm &gemm,
                           int64_t vectors, bool isGeneral) const {
  return std::min(choice.rows, maxTileRows(isa, gemm, vectors, isGeneral));
}

int64_t maxTileRows(const Isa &isa, const TileGemm &gemm, int64_t vectors,
                    bool general) {
  bool isFloat = gemm.in == ElementKind::F32;
  int64_t scratchW = isFloat ? 0 : isa.dotScratchPerWeight();
  int64_t scratchA = isFloat ? 0 : isa.dotScratchPerActivation();
  // Weights, one activation and its scratch, a mask where bytes are widened.
  int64_t room = isa.registers() - vectors * (1 + scratchW) - 1 - scratchA -
                 (scratchA ? 1 : 0);
  int64_t rows = std::max<int64_t>(room / vectors, 1);
  // A row's accumulators and both halves of its activations; beside them a
  // vector of weights, a product and a mask.
  if (hasWordWeights(gemm, isa))
    rows = (isa.registers() - 3) / (vectors + 2);
  if (isa.kind == IsaKind::AVX512VNNI)
    rows = std::min<int64_t>(rows, vectors >= 4 ? 6 : vectors == 3 ? 9 : 14);
  if (sizeOf(gemm) == TileSize::Tiny)
    rows = std::min(rows, std::max<int64_t>(1, 8 / vectors));
  // Each row's position takes a general register.
  return general ? std::min<int64_t>(rows, 8) : rows;
}

SmallVector<RowTiles> splitRows(int64_t rows, int64_t maxRows, bool isSmall) {
  int64_t tiles = llvm::divideCeil(rows, maxRows);
  int64_t size = rows / tiles, larger = rows % tiles;
  if (larger == 0)
    return {{size, tiles, 0, rows - size}};
  int64_t again = (size + 1) * tiles - rows;
  if (isSmall || again * 50 <= rows)
    return {{size + 1, tiles, 0, rows - size - 1}};
  int64_t end = (size + 1) * larger;
  return {{size + 1, larger, 0, end - size - 1},
          {size, tiles - larger, end, rows - size}};
}

static void planRows(TilePlan &plan, const TileGemm &gemm, const Isa &isa) {
  for (const TileRows &level : gemm.rows) {
    if (level.count == 1)
      continue;
    if (!plan.rows.empty()) {
      TileRows &outer = plan.rows.back();
      if (outer.inStride == level.count * level.inStride &&
          outer.outStride == level.count * level.outStride) {
        outer = {outer.count * level.count, level.inStride, level.outStride};
        continue;
      }
    }
    plan.rows.push_back(level);
  }
  if (plan.rows.empty())
    plan.rows.push_back({1, 0, 0});
  if (plan.rows.size() == 1)
    return;
  // Short rows leave tiles of few rows: then tiles go across rows, unless the
  // sum is too short to pay for computing positions.
  int64_t vectors = plan.panels.front().vectors.size();
  int64_t width = plan.rows.back().count;
  int64_t best = plan.tileRows(isa, gemm, vectors, true);
  int64_t tiles =
      llvm::divideCeil(width, plan.tileRows(isa, gemm, vectors, false));
  int64_t dwords = gemm.numRuns() * gemm.dwordsPerRun();
  plan.general = width / tiles * 3 < best * 2 && dwords >= 8;
}

TilePlan planTiles(const TileGemm &gemm, const Isa &isa,
                   std::optional<TileChoice> choice) {
  TilePlan plan;
  plan.choice = choice ? *choice : modelledTile(gemm, isa);
  plan.hasBias = gemm.hasBias;
  plan.hasMultipliers = !gemm.requant.isPlain() && !gemm.isPackedAtRunTime;
  plan.hasShifts = gemm.requant.shift.size() > 1;
  plan.hasWordWeights = hasWordWeights(gemm, isa);
  if (gemm.packing.isPacked()) {
    const int64_t perDword = 4 / byteWidth(gemm.in);
    plan.unpacksWords = plan.hasWordWeights || gemm.in == ElementKind::I16;
    plan.unitDwords = gemm.packing.unitElements() / perDword;
    plan.groupDwords = gemm.packing.group / perDword;
    if (!plan.unpacksWords && !plan.groupDwords)
      plan.packedShift = 8 - gemm.packing.bits;
  } else if (plan.hasWordWeights) {
    plan.laneBytes = 8;
  } else if (gemm.packing.isBytes()) {
    plan.laneBytes = 2;
  }
  planPanels(plan, gemm, isa);
  planRows(plan, gemm, isa);
  return plan;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

SmallVector<int64_t> narrowGroups(ArrayRef<int64_t> vectors, ElementKind out) {
  int64_t most = out == ElementKind::I8 ? 4 : out == ElementKind::I16 ? 2 : 1;
  SmallVector<int64_t> groups;
  size_t first = 0;
  while (first < vectors.size()) {
    size_t equal = first;
    while (equal < vectors.size() && vectors[equal] == vectors[first])
      ++equal;
    int64_t size = std::min<int64_t>(equal - first, most);
    size = size >= 4 ? 4 : size >= 2 ? 2 : 1;
    groups.push_back(size);
    first += size;
  }
  return groups;
}

SmallVector<int64_t> laneChannels(ArrayRef<int64_t> vectors, ElementKind out) {
  SmallVector<int64_t> channels;
  int64_t first = 0, base = 0;
  for (int64_t size : narrowGroups(vectors, out)) {
    int64_t lanes = vectors[first];
    // Packing interleaves blocks of 128 bits: four lanes of each vector.
    for (int64_t v = 0; v < size; ++v)
      for (int64_t lane = 0; lane < lanes; ++lane)
        channels.push_back(size == 1
                               ? base + lane
                               : base + lane / 4 * 4 * size + 4 * v + lane % 4);
    first += size;
    base += size * lanes;
  }
  return channels;
}

namespace {
/// Writes little-endian words one after another.
struct Writer {
  MutableArrayRef<uint8_t> bytes;
  size_t position;

  template <typename T> void put(T value) {
    std::memcpy(bytes.data() + position, &value, sizeof(T));
    position += sizeof(T);
  }
};
} // namespace

/// The weights of `channel` for the 4 bytes of K at `dword` of run `run`.
static void packDword(Writer &writer, const TileGemm &gemm, int64_t channel,
                      int64_t run, int64_t dword) {
  int64_t perDword = 4 / byteWidth(gemm.in);
  for (int64_t i = 0; i < perDword; ++i) {
    int64_t element = dword * perDword + i;
    int32_t value = 0;
    if (channel >= 0 && element < gemm.runElements)
      value = gemm.weight(channel, run * gemm.runElements + element);
    if (gemm.in == ElementKind::I8 || gemm.packing.isBytes())
      writer.put(static_cast<int8_t>(value));
    else if (gemm.in == ElementKind::I16)
      writer.put(static_cast<int16_t>(value));
    else
      writer.put(value);
  }
}

/// The same as words: those of the first and third byte, or of the second and
/// fourth.
static void packWords(Writer &writer, const TileGemm &gemm, int64_t channel,
                      int64_t run, int64_t dword, int64_t half) {
  for (int64_t element : {4 * dword + half, 4 * dword + 2 + half}) {
    int32_t value = 0;
    if (channel >= 0 && element < gemm.runElements)
      value = gemm.weight(channel, run * gemm.runElements + element);
    writer.put(static_cast<int16_t>(value));
  }
}

/// Packed weights and their multiples.
static void packUnits(Writer &writer, const TileGemm &gemm,
                      const TilePlan &plan, ArrayRef<int64_t> channels) {
  int64_t perDword = 4 / byteWidth(gemm.in);
  for (int64_t run = 0; run < gemm.numRuns(); ++run)
    for (int64_t dword = 0; dword < gemm.dwordsPerRun();
         dword += plan.unitDwords) {
      if (plan.groupDwords && dword % plan.groupDwords == 0)
        for (int64_t channel : channels)
          writer.put(static_cast<uint8_t>(
              channel < 0 ? 1
                          : gemm.packing.multipleOf(gemm, channel, run,
                                                    dword * perDword)));
      for (int64_t channel : channels)
        writer.put(channel < 0 ? 0 : packUnit(gemm, plan, channel, run, dword));
    }
}

/// One panel whose first channel is `first`, of a group that ends at `end`.
static void packPanel(Writer writer, const TileGemm &gemm, const TilePlan &plan,
                      const PanelClass &panel, int64_t first, int64_t end) {
  const size_t start = writer.position;
  SmallVector<int64_t> channels = laneChannels(panel.vectors, gemm.out);
  for (int64_t &channel : channels)
    channel = first + channel < end ? first + channel : -1;
  for (int64_t channel : channels)
    writer.put(channel < 0 ? 0 : gemm.bias[channel]);
  if (plan.hasMultipliers)
    for (int64_t channel : channels)
      writer.put(channel < 0 ? 0 : gemm.requant.multiplier[channel]);
  if (plan.hasShifts)
    for (int64_t channel : channels)
      writer.put(channel < 0 ? 1 : gemm.requant.shift[channel]);
  writer.position = start + plan.weightOffset(panel);
  if (gemm.packing.isPacked())
    return packUnits(writer, gemm, plan, channels);
  if (panel.spread > 1) {
    for (int64_t dword = 0; dword < gemm.dwordsPerRun(); dword += panel.spread)
      for (int64_t channel : channels)
        for (int64_t i = 0; i < panel.spread; ++i)
          packDword(writer, gemm, channel, 0, dword + i);
    return;
  }
  for (int64_t run = 0; run < gemm.numRuns(); ++run)
    for (int64_t dword = 0; dword < gemm.dwordsPerRun(); ++dword) {
      if (!plan.hasWordWeights) {
        for (int64_t channel : channels)
          packDword(writer, gemm, channel, run, dword);
        continue;
      }
      ArrayRef<int64_t> left = channels;
      for (int64_t lanes : panel.vectors) {
        for (int64_t half : {0, 1})
          for (int64_t channel : left.take_front(lanes))
            packWords(writer, gemm, channel, run, dword, half);
        left = left.drop_front(lanes);
      }
    }
}

void packPanels(const TileGemm &gemm, const TilePlan &plan,
                MutableArrayRef<uint8_t> bytes) {
  for (int64_t group = 0; group < gemm.groups; ++group) {
    int64_t firstChannel = group * gemm.channels;
    for (const PanelClass &panel : plan.panels)
      for (int64_t i = 0; i < panel.count; ++i) {
        size_t position =
            group * plan.groupBytes + panel.offset + i * panel.bytes;
        packPanel(Writer{bytes, position}, gemm, plan, panel,
                  firstChannel + panel.firstChannel + i * panel.channels,
                  firstChannel + gemm.channels);
      }
  }
}

} // namespace mlir::qopt::codegen
