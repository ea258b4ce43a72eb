// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product of one row reads each weight once, and its speed is that of memory.
// A vector narrower than the machine's takes as long to load and to multiply as
// a whole one, and rows of weights that are no multiple of a cache line make
// most loads touch two. So the channels that do not fill a vector get panels of
// their own, whose lanes hold neighbouring dwords of K of each channel; they
// are added up at the end.

#include "TileSpread.h"
#include "Arith.h"
#include "TileEpilogue.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::qopt::codegen {

/// Accumulators that keep the dot unit busy while results are under way.
static constexpr int64_t spreadSets = 4;

bool isMemoryBound(const TileGemm &gemm) {
  return gemm.numRows() == 1 && gemm.in != ElementKind::F32 &&
         !gemm.packing.isPacked() && !gemm.isPackedAtRunTime;
}

int64_t spreadOf(const TileGemm &gemm, int64_t channels, int64_t lanes) {
  const int64_t spread = lanes / channels;
  // What fills the last vector up, zeros, is to be little.
  const bool isWorthIt = isMemoryBound(gemm) && gemm.numRuns() == 1 &&
                         gemm.leadingShift == 0 &&
                         gemm.dwordsPerRun() >= 4 * spread;
  return isWorthIt ? std::max<int64_t>(spread, 1) : 1;
}

/// `count` dwords at `position`, all of them once for each channel.
static Value loadDwords(KernelBuilder &kb, Value memory, Value position,
                        int64_t spread, int64_t lanes, int64_t count) {
  if (spread == 2 && count == 2)
    return kb.bitcast(kb.loadSplat(memory, position, kb.i64(), lanes / 2),
                      kb.i32());
  Value dwords = kb.loadTail(
      memory, position, kb.vec(std::max<int64_t>(spread, 4), kb.i32()), count);
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < lanes; ++lane)
    order.push_back(lane % spread);
  return kb.shuffle(dwords, dwords, order);
}

/// The sums of `spread` neighbouring lanes; at least 4 lanes, the others zero.
static Value joinLanes(KernelBuilder &kb, Value sums, int64_t spread) {
  int64_t lanes = cast<VectorType>(sums.getType()).getNumElements();
  for (; spread > 1; spread /= 2) {
    lanes /= 2;
    SmallVector<int64_t> even, odd;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      even.push_back(2 * lane);
      odd.push_back(2 * lane + 1);
    }
    sums = addI(kb, kb.shuffle(sums, sums, even), kb.shuffle(sums, sums, odd));
  }
  while (lanes < 4) {
    sums = kb.concat(sums, kb.constant(sums.getType(), 0));
    lanes *= 2;
  }
  return sums;
}

void emitSpreadTile(KernelBuilder &kb, const TileGemm &gemm,
                    const TilePlan &plan, const PanelClass &panel,
                    const TileMemory &memory, Value inRow, Value base,
                    Value outRow) {
  const int64_t spread = panel.spread, lanes = panel.lanes() * spread;
  const int64_t dwords = gemm.dwordsPerRun(), whole = dwords / spread;
  const Value weights = kb.add(base, plan.weightOffset(panel));
  const Type type = kb.vec(lanes, kb.i32());
  auto step = [&](Value unit, int64_t index, int64_t count, Value &acc) {
    Value at =
        kb.add(kb.add(inRow, kb.mul(unit, 4 * spread)), 4 * spread * index);
    Value a = loadDwords(kb, memory.in, at, spread, lanes, count);
    const int64_t bytes = plan.unitBytes(panel);
    Value w = loadDwordWeights(
        kb, plan, memory.panels,
        kb.add(kb.add(weights, kb.mul(unit, bytes)), bytes * index), lanes);
    acc = dotDwords(kb, gemm.in, acc, a, w);
  };
  const int64_t sets = std::min(spreadSets, whole);
  SmallVector<Value> sums(sets, kb.constant(type, 0));
  sums = kb.loop(0, whole / sets * sets, sets, sums,
                 [&](Value unit, ValueRange carried) {
                   SmallVector<Value> next(carried);
                   for (int64_t i = 0; i < sets; ++i)
                     step(unit, i, spread, next[i]);
                   return next;
                 });
  for (int64_t i = whole / sets * sets; i < whole; ++i)
    step(kb.index(0), i, spread, sums[i % sets]);
  if (dwords % spread)
    step(kb.index(0), whole, dwords % spread, sums[whole % sets]);
  for (int64_t i = 1; i < sets; ++i)
    sums[0] = addI(kb, sums[0], sums[i]);

  Value total = joinLanes(kb, sums[0], spread);
  if (plan.hasBias)
    total = addI(kb, total,
                 loadLanes(kb, memory.panels, kb.add(base, plan.biasOffset()),
                           panel.lanes(), kb.i32()));
  storeRows(kb, gemm, panel,
            loadScales(kb, gemm, plan, panel, memory.panels, base), {{total}},
            memory, {outRow});
}

} // namespace mlir::qopt::codegen
