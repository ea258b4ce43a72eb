// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds, packs and unpacks weights of few bits.

#include "WeightPacking.h"
#include "Arith.h"
#include <numeric>

namespace mlir::qopt::codegen {

//===----------------------------------------------------------------------===//
// Finding
//===----------------------------------------------------------------------===//

/// As many words of weights stay in the first cache while rows pass; making
/// them of bytes would cost a tenth of the time.
static constexpr int64_t fewWords = 16 << 10;

static int64_t lowest(int64_t bits) { return -(int64_t(1) << (bits - 1)); }
static int64_t highest(int64_t bits) { return (int64_t(1) << (bits - 1)) - 1; }

namespace {
/// The weights of one group.
struct GroupRange {
  int64_t low = 0, high = 0, divisor = 0;

  void add(int64_t weight) {
    low = std::min(low, weight);
    high = std::max(high, weight);
    divisor = std::gcd(divisor, weight);
  }
  /// The smallest multiple that leaves `bits` bits; 0 where there is none. Not
  /// above what packed bytes hold times it.
  int64_t multipleFor(int64_t bits) const {
    const int64_t most = 255 / ((int64_t(1) << bits) - 1);
    for (int64_t multiple = 1; multiple <= most; ++multiple)
      if (divisor % multiple == 0 && low >= multiple * lowest(bits) &&
          high <= multiple * highest(bits))
        return multiple;
    return 0;
  }
};
} // namespace

/// Whether all weights have `bits` bits, and their sums room for the shift that
/// unpacked bytes leave.
static bool haveBits(const TileGemm &gemm, int64_t bits) {
  const int64_t length = gemm.numRuns() * gemm.runElements;
  const int64_t room =
      gemm.in == ElementKind::I8 ? INT32_MAX / (255 << (8 - bits)) : INT32_MAX;
  for (int64_t channel = 0; channel < gemm.channels * gemm.groups; ++channel) {
    int64_t magnitude = 0;
    for (int64_t position = 0; position < length; ++position) {
      const int64_t weight = gemm.weight(channel, position);
      if (weight < lowest(bits) || weight > highest(bits))
        return false;
      magnitude += std::abs(weight);
    }
    if (magnitude > room)
      return false;
  }
  return true;
}

/// The multiples of all groups of `group` weights; false where one has none.
static bool findMultiples(const TileGemm &gemm, WeightPacking &packing) {
  packing.multiples.clear();
  const int64_t runs = gemm.numRuns();
  for (int64_t channel = 0; channel < gemm.channels * gemm.groups; ++channel)
    for (int64_t run = 0; run < runs; ++run)
      for (int64_t first = 0; first < gemm.runElements;
           first += packing.group) {
        GroupRange range;
        const int64_t end = std::min(first + packing.group, gemm.runElements);
        for (int64_t i = first; i < end; ++i)
          range.add(gemm.weight(channel, run * gemm.runElements + i));
        const int64_t multiple = range.multipleFor(packing.bits);
        if (multiple == 0)
          return false;
        packing.multiples.push_back(static_cast<uint8_t>(multiple));
      }
  return true;
}

/// Bytes of a run of one channel.
static int64_t bytesOf(const TileGemm &gemm, const WeightPacking &packing) {
  const int64_t perUnit = packing.unitElements();
  return llvm::divideCeil(gemm.runElements, perUnit) * 4 +
         (packing.group ? llvm::divideCeil(gemm.runElements, packing.group)
                        : 0);
}

/// Weights of one group.
static int64_t countWeights(const TileGemm &gemm) {
  return gemm.channels * gemm.numRuns() * gemm.runElements;
}

WeightPacking findPacking(const TileGemm &gemm) {
  for (int64_t bits : {2, 4}) {
    WeightPacking packing;
    packing.bits = bits;
    // Longer groups take less room. A group has whole units.
    for (int64_t group : {0, 512, 256, 128, 64, 32, 16, 8}) {
      packing.group = group;
      if (group % packing.unitElements() != 0 ||
          bytesOf(gemm, packing) >= gemm.dwordsPerRun() * 4)
        continue;
      if (group == 0 ? haveBits(gemm, bits) : findMultiples(gemm, packing))
        return packing;
    }
  }
  WeightPacking packing;
  const bool isWorthIt = gemm.numRows() == 1 || countWeights(gemm) > fewWords;
  if (gemm.in == ElementKind::I16 && isWorthIt && haveBits(gemm, 8))
    packing.bits = 8;
  return packing;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

uint32_t packUnit(const TileGemm &gemm, const TilePlan &plan, int64_t channel,
                  int64_t run, int64_t firstDword) {
  const WeightPacking &packing = gemm.packing;
  const int64_t bits = packing.bits, perDword = 4 / byteWidth(gemm.in);
  const bool isWords = plan.unpacksWords;
  // Packed bytes that are multiplied before they are weights have no sign.
  const int64_t above = packing.group && !isWords ? -lowest(bits) : 0;
  const uint32_t mask = (1u << bits) - 1;
  uint32_t unit = 0;
  for (int64_t dword = 0; dword < plan.unitDwords; ++dword)
    for (int64_t i = 0; i < perDword; ++i) {
      const int64_t element = (firstDword + dword) * perDword + i;
      int64_t value = 0;
      if (element < gemm.runElements)
        value = gemm.weight(channel, run * gemm.runElements + element) /
                packing.multipleOf(gemm, channel, run, element);
      int64_t lane = i, field = dword;
      if (isWords && perDword == 4) {
        lane = i / 2;
        field = 2 * dword + i % 2;
      }
      unit |= (static_cast<uint32_t>(value + above) & mask)
              << (lane * (isWords ? 16 : 8) + field * bits);
    }
  return unit;
}

//===----------------------------------------------------------------------===//
// Unpacking
//===----------------------------------------------------------------------===//

GroupFactor WeightUnpacker::loadFactor(Value panels, Value position,
                                       int64_t lanes) const {
  Value multiples =
      kb.extendU(kb.load(panels, position, kb.vec(lanes, kb.i8())), kb.i32());
  Value words = orI(kb, multiples, shiftLeft(kb, multiples, 16));
  GroupFactor factor;
  factor.words = kb.bitcast(words, kb.i16());
  if (plan.unpacksWords)
    return factor;
  Value bytes = orI(kb, words, shiftLeft(kb, words, 8));
  factor.bytes =
      kb.bitcast(shiftLeft(kb, bytes, gemm.packing.bits - 1), kb.i8());
  return factor;
}

Value WeightUnpacker::unpack(Value units, int64_t field,
                             const GroupFactor &factor) const {
  return plan.unpacksWords ? unpackWords(units, field, factor)
                           : unpackBytes(units, field, factor);
}

Value WeightUnpacker::unpackBytes(Value units, int64_t field,
                                  const GroupFactor &factor) const {
  const int64_t bits = gemm.packing.bits;
  Value words = kb.bitcast(units, kb.i16());
  if (!factor.words) {
    // The upper bits of each byte: a weight times a power of two.
    if (int64_t left = 8 - bits * (field + 1))
      words = shiftLeft(kb, words, left);
    return andI(kb, kb.bitcast(words, kb.i8()), -(int64_t(1) << (8 - bits)));
  }
  if (field)
    words = shiftRightU(kb, words, bits * field);
  Value bytes = andI(kb, kb.bitcast(words, kb.i8()), (1 << bits) - 1);
  // No product leaves its byte, so both bytes of a word are multiplied at once.
  words = mulI(kb, kb.bitcast(bytes, kb.i16()), factor.words);
  return subI(kb, kb.bitcast(words, kb.i8()), factor.bytes);
}

Value WeightUnpacker::unpackWords(Value units, int64_t field,
                                  const GroupFactor &factor) const {
  const int64_t bits = gemm.packing.bits;
  Value words = kb.bitcast(units, kb.i16());
  if (int64_t left = 16 - bits * (field + 1))
    words = shiftLeft(kb, words, left);
  words = shiftRight(kb, words, 16 - bits);
  return factor.words ? mulI(kb, words, factor.words) : words;
}

} // namespace mlir::qopt::codegen
