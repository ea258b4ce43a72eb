// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops and register tiles of a product.

#include "Arith.h"
#include "Table.h"
#include "TileEpilogue.h"
#include "TilePlan.h"
#include "TilePrefetch.h"
#include "TileSpread.h"
#include "WeightPacking.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/IR/Qint.h"

namespace mlir::qopt::codegen {
namespace {

/// Accumulators that keep the dot unit busy while results are under way.
constexpr int64_t wantedAccumulators = 12;
/// The same where dots wait for weights.
constexpr int64_t accumulatorsBehindMemory = 8;

/// Where a run's weights begin, and what they are multiples of, by vector.
struct RunWeights {
  Value base;
  SmallVector<GroupFactor, 4> factors;
};

/// A kernel's body under construction.
class TileEmitter {
public:
  TileEmitter(KernelBuilder &kb, const TileGemm &gemm, const TilePlan &plan,
              const TileMemory &memory)
      : kb(kb), gemm(gemm), plan(plan), in(memory.in), panels(memory.panels),
        rowValues(memory.rows), memory(memory) {}

  void run() {
    kb.loop(0, gemm.groups, 1, [&](Value group) {
      Value inBase = kb.add(kb.mul(group, gemm.inGroupStride), gemm.inOrigin);
      Value outBase =
          kb.add(kb.mul(group, gemm.outGroupStride), gemm.outOrigin);
      Value panelBase = kb.mul(group, plan.groupBytes);
      runGroup({inBase, panelBase, outBase});
    });
  }

  void runGroup(const TilePositions &at) {
    for (const PanelClass &panel : plan.panels)
      runPanels(panel, at.in, at.panels, at.out);
  }

private:
  KernelBuilder &kb;
  const TileGemm &gemm;
  const TilePlan &plan;
  Value in, panels, rowValues;
  const TileMemory &memory;
  /// Of those of one class.
  Value panelIndex;

  bool isFloat() const { return gemm.in == ElementKind::F32; }

  void runPanels(const PanelClass &panel, Value inBase, Value panelBase,
                 Value outBase) {
    int64_t width = byteWidth(gemm.out);
    kb.loop(0, panel.count, 1, [&](Value i) {
      panelIndex = i;
      Value base =
          kb.add(kb.add(kb.mul(i, panel.bytes), panel.offset), panelBase);
      Value target = kb.add(
          kb.add(kb.mul(i, panel.channels * width), panel.firstChannel * width),
          outBase);
      if (plan.general)
        runGeneralRows(panel, inBase, base, target);
      else
        runRows(panel, 0, inBase, base, target, kb.index(0));
    });
  }

  int64_t tilesOf(const PanelClass &panel) const {
    return codegen::tilesOf(kb.isa, gemm, plan, panel);
  }

  int64_t tileRows(const PanelClass &panel) const {
    return plan.tileRows(kb.isa, gemm, panel.vectors.size(), plan.general);
  }

  /// Row level `level` and those in it; tiles lie within the innermost.
  void runRows(const PanelClass &panel, size_t level, Value inBase, Value base,
               Value outBase, Value tile) {
    const TileRows &rows = plan.rows[level];
    if (level + 1 < plan.rows.size()) {
      int64_t tiles = tilesOf(panel);
      for (size_t outer = 0; outer <= level; ++outer)
        tiles /= plan.rows[outer].count;
      kb.loop(0, rows.count, 1, [&](Value i) {
        runRows(panel, level + 1, kb.add(kb.mul(i, rows.inStride), inBase),
                base, kb.add(kb.mul(i, rows.outStride), outBase),
                kb.add(tile, kb.mul(i, tiles)));
      });
      return;
    }
    forTiles(rows.count, tileRows(panel),
             [&](Value row, int64_t count, Value index) {
               Value inTile = kb.add(kb.mul(row, rows.inStride), inBase);
               Value outTile = kb.add(kb.mul(row, rows.outStride), outBase);
               SmallVector<Value> inRows, outRows;
               for (int64_t r = 0; r < count; ++r) {
                 inRows.push_back(kb.add(inTile, r * rows.inStride));
                 outRows.push_back(kb.add(outTile, r * rows.outStride));
               }
               runTile(panel, inRows, base, outRows, kb.add(tile, index), row);
             });
  }

  /// Calls `body` with the first row, the number of rows and the index of each
  /// tile.
  void forTiles(int64_t rows, int64_t maxRows,
                llvm::function_ref<void(Value, int64_t, Value)> body) {
    int64_t first = 0;
    for (const RowTiles &tiles :
         splitRows(rows, maxRows, sizeOf(gemm) != TileSize::Large)) {
      kb.loop(0, tiles.count, 1, [&](Value i) {
        Value row = kb.add(kb.mul(i, tiles.rows), tiles.first);
        if (tiles.first + (tiles.count - 1) * tiles.rows > tiles.last)
          row = arith::MinUIOp::create(kb.b, kb.loc, row, kb.index(tiles.last));
        body(row, tiles.rows, kb.add(i, first));
      });
      first += tiles.count;
    }
  }

  /// All rows in one sequence; a tile's positions are computed.
  void runGeneralRows(const PanelClass &panel, Value inBase, Value base,
                      Value outBase) {
    forTiles(gemm.numRows(), tileRows(panel),
             [&](Value row, int64_t count, Value index) {
               SmallVector<Value> inRows, outRows;
               for (int64_t r = 0; r < count; ++r) {
                 Value left = kb.add(row, r);
                 Value inRow = inBase, outRow = outBase;
                 for (const TileRows &rows : llvm::reverse(plan.rows)) {
                   bool isOutermost = &rows == &plan.rows.front();
                   Value at = isOutermost ? left : kb.rem(left, rows.count);
                   inRow = kb.add(kb.mul(at, rows.inStride), inRow);
                   outRow = kb.add(kb.mul(at, rows.outStride), outRow);
                   if (!isOutermost)
                     left = kb.div(left, rows.count);
                 }
                 inRows.push_back(inRow);
                 outRows.push_back(outRow);
               }
               runTile(panel, inRows, base, outRows, index);
             });
  }

  /// Sets of accumulators: several where a tile is so small that one dot would
  /// wait for the one before. Float sums have one order, so one set.
  int64_t accumulatorSets(const PanelClass &panel, int64_t rows) const {
    if (isFloat())
      return 1;
    int64_t tile = rows * panel.vectors.size();
    int64_t sets = 1;
    if (plan.hasWordWeights)
      return 1;
    int64_t wanted =
        isMemoryBound(gemm) ? accumulatorsBehindMemory : wantedAccumulators;
    while (tile * sets < wanted && sets < 4 &&
           sets * 2 <= gemm.dwordsPerRun() && tile * sets * 2 <= 20)
      sets *= 2;
    return kb.isa.kind == IsaKind::AVX512VNNI ? sets
                                              : std::min<int64_t>(sets, 2);
  }

  /// One register tile: initialize, sum over K, narrow, store.
  void runTile(const PanelClass &panel, ArrayRef<Value> inRows, Value base,
               ArrayRef<Value> outRows, Value tile, Value firstRow = {}) {
    if (panel.spread > 1)
      return emitSpreadTile(kb, gemm, plan, panel, memory, inRows[0], base,
                            outRows[0]);
    int64_t rows = inRows.size(), vectors = panel.vectors.size();
    int64_t sets = accumulatorSets(panel, rows);
    SmallVector<Value> acc = initialAccumulators(
        panel, base, rowScalars(gemm.rowOffsets, firstRow, rows), rows, sets);
    Value weights = kb.add(base, plan.weightOffset(panel));
    const Prefetches ahead = {
        prefetchNextPanel(kb, gemm, plan, panel, panels, base, tile),
        prefetchFollowing(kb, gemm, plan, panel, memory.ahead, panelIndex,
                          tile)};
    acc = sum(panel, inRows, weights, ahead, acc);

    PanelScales scales = loadScales(kb, gemm, plan, panel, panels, base);
    scales.rowMultiplier = rowScalars(gemm.rowMultipliers, firstRow, rows);
    SmallVector<SmallVector<Value>> totals(rows);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        totals[r].push_back(total(acc, r * vectors + v, rows * vectors));
    storeRows(kb, gemm, panel, scales, totals, memory, outRows);
  }

  /// The sum of all sets of accumulator `index`.
  Value total(ArrayRef<Value> acc, int64_t index, int64_t perSet) {
    Value sum = acc[index];
    for (size_t i = index + perSet; i < acc.size(); i += perSet)
      sum = arith::AddIOp::create(kb.b, kb.loc, sum, acc[i]);
    return sum;
  }

  /// The values of `rows` rows from `firstRow` on, `offset` bytes into the
  /// rows' memory; none where that is negative.
  SmallVector<Value> rowScalars(int64_t offset, Value firstRow, int64_t rows) {
    SmallVector<Value> values;
    for (int64_t r = 0; r < rows && offset >= 0; ++r)
      values.push_back(kb.load(
          rowValues, kb.add(kb.mul(firstRow, 4), offset + 4 * r), kb.i32()));
    return values;
  }

  SmallVector<Value> initialAccumulators(const PanelClass &panel, Value base,
                                         ArrayRef<Value> rowOffsets,
                                         int64_t rows, int64_t sets) {
    Type element = isFloat() ? kb.f32() : kb.i32();
    SmallVector<Value> bias, zero;
    int64_t lane = 0;
    for (int64_t lanes : panel.vectors) {
      auto type = kb.vec(std::max<int64_t>(lanes, 4), element);
      bias.push_back(plan.hasBias
                         ? loadLanes(kb, panels,
                                     kb.add(base, plan.biasOffset() + 4 * lane),
                                     lanes, element)
                         : kb.constant(type, 0));
      if (sets > 1)
        zero.push_back(kb.constant(bias.back().getType(), 0));
      lane += lanes;
    }
    SmallVector<Value> acc;
    for (int64_t set = 0; set < sets; ++set)
      for (int64_t r = 0; r < rows; ++r)
        for (Value start : set == 0 ? bias : zero)
          acc.push_back(set > 0 || rowOffsets.empty()
                            ? start
                            : addToAll(start, rowOffsets[r]));
    return acc;
  }

  Value addToAll(Value vector, Value scalar) {
    int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
    return arith::AddIOp::create(kb.b, kb.loc, vector, kb.splat(scalar, lanes));
  }

  SmallVector<Value> sum(const PanelClass &panel, ArrayRef<Value> inRows,
                         Value weights, const Prefetches &ahead,
                         ArrayRef<Value> start) {
    if (gemm.leadingShift)
      return sumWide(panel, inRows, weights, ahead, start);
    auto sumFrom = [&](ArrayRef<Value> acc) {
      return sumSegments(panel, 0, inRows, kb.index(0), weights, kb.index(0),
                         ahead, acc);
    };
    if (plan.packedShift == 0)
      return sumFrom(start);
    SmallVector<Value> acc;
    for (Value value : start)
      acc.push_back(kb.constant(value.getType(), 0));
    acc = sumFrom(acc);
    for (auto [value, bias] : llvm::zip_equal(acc, start))
      value = addI(kb, shiftRight(kb, value, plan.packedShift), bias);
    return acc;
  }

  /// The outermost level where its last pass weighs less than those before it,
  /// whose sum is shifted. `start` are biases, added behind the shift; modulo
  /// 2^32, as all sums.
  SmallVector<Value> sumWide(const PanelClass &panel, ArrayRef<Value> inRows,
                             Value weights, const Prefetches &ahead,
                             ArrayRef<Value> start) {
    int64_t last = gemm.segments.front().count - 1;
    int64_t bytes =
        gemm.numRuns() / (last + 1) * plan.runBytes(panel, gemm.dwordsPerRun());
    SmallVector<Value> acc;
    for (Value value : start)
      acc.push_back(kb.constant(value.getType(), 0));
    auto pass = [&](Value i, ValueRange carried) {
      Value consumed = kb.mul(i, bytes);
      return sumSegments(panel, 1, inRows, kb.index(0),
                         kb.add(consumed, weights), consumed, ahead, carried);
    };
    acc = kb.loop(0, last, 1, acc, pass);
    for (auto [value, bias] : llvm::zip_equal(acc, start)) {
      Value shift = kb.constant(value.getType(), gemm.leadingShift);
      value = arith::ShLIOp::create(kb.b, kb.loc, value, shift);
      value = arith::AddIOp::create(kb.b, kb.loc, value, bias);
    }
    return pass(kb.index(last), acc);
  }

  /// Segment level `level` and the run in it. `offset` is common to all rows
  /// of A, `consumed` are the bytes of weights before.
  SmallVector<Value> sumSegments(const PanelClass &panel, size_t level,
                                 ArrayRef<Value> inRows, Value offset,
                                 Value weights, Value consumed,
                                 const Prefetches &ahead, ValueRange acc) {
    if (level == gemm.segments.size())
      return sumRun(panel, inRows, offset, weights, consumed, ahead, acc);
    const TileSegment &segment = gemm.segments[level];
    int64_t runs = 1;
    for (size_t i = level + 1; i < gemm.segments.size(); ++i)
      runs *= gemm.segments[i].count;
    int64_t bytes = runs * plan.runBytes(panel, gemm.dwordsPerRun());
    return kb.loop(0, segment.count, 1, acc, [&](Value i, ValueRange carried) {
      return sumSegments(panel, level + 1, inRows,
                         kb.add(kb.mul(i, segment.stride), offset),
                         kb.add(kb.mul(i, bytes), weights),
                         kb.add(kb.mul(i, bytes), consumed), ahead, carried);
    });
  }

  /// One contiguous run of K, group by group where weights have groups.
  SmallVector<Value> sumRun(const PanelClass &panel, ArrayRef<Value> inRows,
                            Value offset, Value weights, Value consumed,
                            const Prefetches &ahead, ValueRange acc) {
    int64_t dwords = gemm.dwordsPerRun(), group = plan.groupDwords;
    if (group == 0)
      return sumDwords(panel, inRows, offset, {weights, {}}, consumed, ahead,
                       acc, dwords);
    auto sumGroup = [&](Value i, int64_t count, ValueRange carried) {
      Value before = kb.mul(i, plan.runBytes(panel, group));
      Value multiples = kb.add(weights, before);
      RunWeights own{kb.add(multiples, plan.multipleBytes(panel)), {}};
      WeightUnpacker unpacker(kb, gemm, plan);
      int64_t lane = 0;
      for (int64_t lanes : panel.vectors) {
        own.factors.push_back(
            unpacker.loadFactor(panels, kb.add(multiples, lane), lanes));
        lane += lanes;
      }
      return sumDwords(panel, inRows, kb.add(kb.mul(i, 4 * group), offset), own,
                       kb.add(consumed, before), ahead, carried, count);
    };
    SmallVector<Value> sums =
        kb.loop(0, dwords / group, 1, acc, [&](Value i, ValueRange carried) {
          return sumGroup(i, group, carried);
        });
    if (dwords % group)
      sums = sumGroup(kb.index(dwords / group), dwords % group, sums);
    return sums;
  }

  /// `dwords` dwords of K that lie next to each other.
  SmallVector<Value> sumDwords(const PanelClass &panel, ArrayRef<Value> inRows,
                               Value offset, const RunWeights &weights,
                               Value consumed, const Prefetches &ahead,
                               ValueRange acc, int64_t dwords) {
    int64_t tile = inRows.size() * panel.vectors.size();
    int64_t sets = acc.size() / tile;
    int64_t unroll = sets;
    // From one step to the next LLVM would add up words' products first and
    // run out of registers.
    while (!plan.hasWordWeights && unroll < 8 &&
           unroll * tile < plan.choice.dots)
      unroll *= 2;
    unroll = std::min(std::max(unroll, plan.unitDwords), dwords);
    // Without a remainder where a nearby count divides the run.
    for (int64_t count = unroll; count * 2 > unroll; --count)
      if (dwords % count == 0 && count % sets == 0 &&
          count % plan.unitDwords == 0) {
        unroll = count;
        break;
      }
    if (unroll > plan.unitDwords)
      unroll -= unroll % plan.unitDwords;
    int64_t whole = dwords / unroll * unroll;
    SmallVector<Value> sums = kb.loop(
        0, whole * 4, unroll * 4, acc, [&](Value k, ValueRange carried) {
          SmallVector<Value> next(carried);
          emitPrefetches(kb, ahead, kb.add(consumed, unitsTo(panel, k)),
                         plan.unitBytes(panel) * unroll / plan.unitDwords);
          for (int64_t i = 0; i < unroll; ++i)
            step(panel, inRows, kb.add(offset, k), weights, k, i,
                 llvm::MutableArrayRef(next).slice(i % sets * tile, tile));
          return next;
        });
    for (int64_t i = whole; i < dwords; ++i)
      step(panel, inRows, offset, weights, kb.index(0), i,
           llvm::MutableArrayRef(sums).slice(i % sets * tile, tile));
    return sums;
  }

  /// The bytes of weights for `k` bytes of K, which begin a unit.
  Value unitsTo(const PanelClass &panel, Value k) {
    int64_t bytes = plan.unitBytes(panel), perUnit = 4 * plan.unitDwords;
    return bytes % perUnit == 0 ? kb.mul(k, bytes / perUnit)
                                : kb.div(kb.mul(k, bytes), perUnit);
  }

  /// Adds the products of 4 bytes of K, `dword` dwords after `k` (bytes).
  void step(const PanelClass &panel, ArrayRef<Value> inRows, Value inOffset,
            const RunWeights &weights, Value k, int64_t dword,
            MutableArrayRef<Value> acc) {
    Value position = kb.add(kb.add(unitsTo(panel, k), weights.base),
                            dword / plan.unitDwords * plan.unitBytes(panel));
    int64_t field = dword % plan.unitDwords;
    if (plan.hasWordWeights)
      return stepWords(panel, inRows, kb.add(inOffset, 4 * dword), position,
                       weights, field, acc);
    SmallVector<Value> w;
    int64_t lane = 0;
    for (int64_t v = 0; v < int64_t(panel.vectors.size()); ++v) {
      w.push_back(loadWeights(panel, v, kb.add(position, plan.laneBytes * lane),
                              weights, field));
      lane += panel.vectors[v];
    }
    int64_t vectors = w.size();
    for (auto [r, row] : llvm::enumerate(inRows)) {
      Value at = kb.add(kb.add(row, inOffset), 4 * dword);
      Value dwordA = kb.load(in, at, isFloat() ? kb.f32() : kb.i32());
      for (int64_t v = 0; v < vectors; ++v)
        acc[r * vectors + v] =
            dotDwords(kb, gemm.in, acc[r * vectors + v], dwordA, w[v]);
    }
  }

  /// The weights of vector `v` at `position`; field `field` of packed ones.
  Value loadWeights(const PanelClass &panel, int64_t v, Value position,
                    const RunWeights &weights, int64_t field) {
    Value units =
        loadDwordWeights(kb, plan, panels, position, panel.vectors[v]);
    if (!gemm.packing.isPacked())
      return units;
    return WeightUnpacker(kb, gemm, plan)
        .unpack(units, field,
                weights.factors.empty() ? GroupFactor() : weights.factors[v]);
  }

  /// The same with weights as words at `position`: each row's bytes are widened
  /// in place, the first and third by a mask, the others by a shift.
  void stepWords(const PanelClass &panel, ArrayRef<Value> inRows,
                 Value inOffset, Value position, const RunWeights &weights,
                 int64_t field, MutableArrayRef<Value> acc) {
    int64_t vectors = panel.vectors.size();
    SmallVector<std::array<Value, 2>> a;
    for (Value row : inRows) {
      Value dword = kb.load(in, kb.add(row, inOffset), kb.i32());
      Value bytes = kb.bitcast(kb.splat(dword, kb.isa.lanes()), kb.i16());
      Type type = bytes.getType();
      a.push_back(
          {arith::AndIOp::create(kb.b, kb.loc, bytes, kb.constant(type, 0xff)),
           arith::ShRUIOp::create(kb.b, kb.loc, bytes, kb.constant(type, 8))});
    }
    int64_t lane = 0;
    for (int64_t v = 0; v < vectors; ++v) {
      int64_t lanes = panel.vectors[v];
      for (int64_t half : {0, 1}) {
        bool isPacked = plan.unpacksWords;
        Value at =
            kb.add(position, isPacked ? 4 * lane : 8 * lane + 4 * lanes * half);
        Value words = kb.bitcast(
            loadWeights(panel, v, at, weights, 2 * field + half), kb.i16());
        int64_t width = cast<VectorType>(words.getType()).getNumElements();
        for (auto [r, row] : llvm::enumerate(a)) {
          Value &sum = acc[r * vectors + v];
          sum = qint::Dot2Op::create(kb.b, kb.loc, sum.getType(), sum,
                                     kb.slice(row[half], 0, width), words);
        }
      }
      lane += lanes;
    }
  }
};

} // namespace

Value loadDwordWeights(KernelBuilder &kb, const TilePlan &plan, Value panels,
                       Value position, int64_t lanes) {
  if (plan.laneBytes != 2)
    return loadLanes(kb, panels, position, lanes, kb.i32());
  auto type = kb.vec(2 * std::max<int64_t>(lanes, 4), kb.i8());
  Value bytes = kb.loadTail(panels, position, type, 2 * lanes);
  return kb.bitcast(kb.extendS(bytes, kb.i16()), kb.i32());
}

Value dotDwords(KernelBuilder &kb, ElementKind kind, Value acc, Value a,
                Value weights) {
  auto type = cast<VectorType>(acc.getType());
  if (!isa<VectorType>(a.getType()))
    a = kb.splat(a, type.getNumElements());
  switch (kind) {
  case ElementKind::F32:
    return vector::FMAOp::create(kb.b, kb.loc, a, kb.bitcast(weights, kb.f32()),
                                 acc);
  case ElementKind::I16:
    return qint::Dot2Op::create(kb.b, kb.loc, type, acc,
                                kb.bitcast(a, kb.i16()),
                                kb.bitcast(weights, kb.i16()));
  default:
    return qint::Dot4Op::create(kb.b, kb.loc, type, acc, kb.bitcast(a, kb.i8()),
                                kb.bitcast(weights, kb.i8()));
  }
}

void emitTileLoops(KernelBuilder &kb, const TileGemm &gemm,
                   const TilePlan &plan, const TileMemory &memory,
                   const TilePositions &at) {
  TileEmitter(kb, gemm, plan, memory).runGroup(at);
}

void emitTileGemm(KernelContext &context, Location loc, const TileGemm &gemm,
                  const View &in, const View &out) {
  TileUse use = chooseTile(context, gemm);
  TilePlan plan = planTiles(gemm, context.isa, use.used);
  const int64_t size = gemm.groups * plan.groupBytes;
  int64_t offset = context.constants.append(
      size, /*alignment=*/64, [&](llvm::MutableArrayRef<uint8_t> bytes) {
        packPanels(gemm, plan, bytes);
      });
  if (context.packsOnly) {
    context.packed = {offset, size};
    return;
  }
  SmallVector<KernelArg> args = {
      KernelArg::read(in),
      KernelArg::constant(offset, size, /*mayOverRead=*/false),
      KernelArg::write(out)};
  if (!gemm.table.empty())
    args.push_back(tableArg(context, gemm.table));
  const bool hasAhead =
      followingDivisor(context.isa, gemm, plan, context.ahead.bytes) > 0;
  if (hasAhead)
    args.push_back(KernelArg::constant(context.ahead.offset,
                                       context.ahead.bytes,
                                       /*mayOverRead=*/false));
  func::FuncOp kernel = context.emitKernel(
      loc, "tile", tileKey(gemm) + (hasAhead ? "/a" : ""), args,
      [&](KernelBuilder &kb, ValueRange values) {
        TileMemory memory{values[0], values[1], values[2], {}, {}};
        if (!gemm.table.empty())
          memory.table = values[3];
        if (hasAhead)
          memory.ahead = values.back();
        TileEmitter(kb, gemm, plan, memory).run();
      });
  context.recordTile(use, kernel.getName());
}

} // namespace mlir::qopt::codegen
