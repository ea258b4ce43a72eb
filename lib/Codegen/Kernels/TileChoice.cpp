// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What products and their kernels are known by; candidates for a product's cut,
// and the one that is used.

#include "TilePlan.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {

/// Dots of the innermost loop's body by the cost model: enough to make its
/// counter cheap, less where code is most of what a product costs.
static constexpr int64_t dotsPerIteration = 48;
static constexpr int64_t dotsPerTinyIteration = 16;
/// Rows of the candidate with small tiles.
static constexpr int64_t fewRows = 4;

TileChoice modelledTile(const TileGemm &gemm, const Isa &isa) {
  TileChoice choice;
  choice.vectors = maxPanelVectors(isa, gemm);
  choice.dots =
      sizeOf(gemm) == TileSize::Tiny ? dotsPerTinyIteration : dotsPerIteration;
  return choice;
}

std::vector<TileChoice> tileCandidates(const TileGemm &gemm, const Isa &isa) {
  const TileChoice modelled = modelledTile(gemm, isa);
  std::vector<TileChoice> candidates = {modelled};
  auto add = [&](int64_t vectors, int64_t rows, int64_t dots) {
    candidates.push_back({vectors, rows, dots});
  };
  const int64_t vectors = llvm::divideCeil(gemm.channels, isa.lanes());
  for (int64_t count : {1, 2, 3, 4, 8})
    if (count != modelled.vectors && count <= vectors &&
        4 * count <= isa.registers())
      add(count, modelled.rows, modelled.dots);
  if (gemm.numRows() > fewRows)
    add(modelled.vectors, fewRows, modelled.dots);
  add(modelled.vectors, modelled.rows, 2 * modelled.dots);
  add(modelled.vectors, modelled.rows, modelled.dots / 2);
  return candidates;
}

std::string tileShape(const TileGemm &gemm, const Isa &isa) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << isa.key() << ' ' << stringifyElementKind(gemm.in) << " to "
     << stringifyElementKind(gemm.out)
     << (gemm.table.empty() ? "" : " by table") << ", rows";
  for (const TileRows &level : gemm.rows)
    os << ' ' << level.count;
  os << ", sums";
  for (const TileSegment &segment : gemm.segments)
    os << ' ' << segment.count;
  os << ' ' << gemm.runElements;
  if (gemm.packing.bits)
    os << " of " << gemm.packing.bits << " bits";
  os << ", channels " << gemm.channels;
  if (gemm.groups > 1)
    os << " in " << gemm.groups << " groups";
  return text;
}

std::string tileKey(const TileGemm &gemm) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const TileRows &level : gemm.rows)
    os << level.count << '@' << level.inStride << '>' << level.outStride << ' ';
  os << '/';
  for (const TileSegment &segment : gemm.segments)
    os << segment.count << '@' << segment.stride << ' ';
  const TileRequant &r = gemm.requant;
  if (gemm.packing.bits)
    os << gemm.packing.bits << '*' << gemm.packing.group << '/';
  os << gemm.leadingShift << '/' << gemm.runElements << '/' << gemm.channels
     << '/' << gemm.groups << '/' << gemm.inGroupStride << '/'
     << gemm.outGroupStride << '/' << gemm.inOrigin << '/' << gemm.outOrigin
     << '/' << int(r.form) << '<' << r.left << '/' << r.halfEven << '/'
     << r.shift.size() << '/' << r.zeroPoint << '/' << r.clampMin << '/'
     << r.clampMax << '/' << llvm::bit_cast<uint32_t>(r.floatMin) << '/'
     << llvm::bit_cast<uint32_t>(r.floatMax);
  if (r.shift.size() == 1)
    os << '/' << r.shift[0];
  if (!gemm.table.empty())
    os << "/t";
  if (gemm.isPackedAtRunTime)
    os << "/b" << gemm.hasBias << 'o' << gemm.rowOffsets << 'm'
       << gemm.rowMultipliers << '/' << r.multiplier[0] << '/'
       << gemm.outUnsigned;
  return text;
}

TileUse chooseTile(const KernelContext &context, const TileGemm &gemm) {
  const std::vector<TileChoice> candidates = tileCandidates(gemm, context.isa);
  TileUse use;
  use.shape = tileShape(gemm, context.isa);
  use.modelled = use.used = candidates.front();
  const auto known = context.tiles.find(use.shape);
  // What no generator would choose is not tried.
  if (known != context.tiles.end() &&
      llvm::is_contained(candidates, known->second))
    use.used = known->second;
  else if (context.tileCandidate < candidates.size())
    use.used = candidates[context.tileCandidate];
  return use;
}

} // namespace mlir::qopt::codegen
