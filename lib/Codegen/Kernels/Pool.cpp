// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maximum and average pools. Padding never takes part: results at the border
// fold fewer taps.

#include "Arith.h"
#include "Extremes.h"
#include "PoolRegions.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// Emits one kernel of all regions; `body` stores one chunk.
void emitPool(
    KernelContext &context, Location loc, StringRef family, const Twine &params,
    const PoolWindow &window, ArrayRef<PoolRegion> regions,
    llvm::function_ref<void(KernelBuilder &, const PoolRegion &, const Chunk &)>
        body) {
  context.emitKernel(loc, family, window.key() + " " + params,
                     regions.front().nest.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       for (const PoolRegion &region : regions)
                         region.nest.run(k, args, [&](const Chunk &chunk) {
                           body(k, region, chunk);
                         });
                     });
}

void emitMaxPool(KernelContext &context, Location loc, const PoolWindow &window,
                 const View &in, const View &out) {
  int64_t lanes = context.isa.bytes() / in.elementBytes();
  auto regions = poolRegions(in, out, window, lanes);
  auto larger = [&](KernelBuilder &k, Value a, Value b) {
    return extremeOf(k, a, b, /*isMax=*/true, in.kind, in.storageBias);
  };
  emitPool(context, loc, "max_pool", "", window, regions,
           [&](KernelBuilder &k, const PoolRegion &region, const Chunk &chunk) {
             auto type = k.vec(lanes, k.elementType(in.kind));
             auto load = [&](Value at) {
               return loadPart(k, chunk.memories[1], at, type, chunk.count,
                               in.spanBytes());
             };
             Value first = load(chunk.positions[1]);
             Value result =
                 fold(k, region.taps, in.elementBytes(), chunk.positions[1],
                      {first}, [&](Value at, ValueRange best) {
                        return SmallVector<Value>{larger(k, load(at), best[0])};
                      })[0];
             if (in.storageBias != out.storageBias)
               result = xorI(k, result, 128);
             region.nest.store(k, chunk, result);
           });
}

} // namespace

LogicalResult emit(KernelContext &context, qint::MaxPoolOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  emitMaxPool(context, op.getLoc(), PoolWindow::of(op), in[0], out[0]);
  return success();
}

LogicalResult emit(KernelContext &context, qopt::MaxPoolOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  emitMaxPool(context, op.getLoc(), PoolWindow::of(op), in[0], out[0]);
  return success();
}

LogicalResult emit(KernelContext &context, qint::AvgPoolOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  PoolWindow window = PoolWindow::of(op);
  const View &from = in[0];
  bool isByte = from.kind == ElementKind::I8;
  bool flip = isByte && from.storageBias == 0;
  int64_t zero = op.getInputZeroPoint() + (isByte ? 128 : 0);
  LaneOrder order = isByte ? LaneOrder::Blocked : LaneOrder::Natural;
  auto regions = poolRegions(from, out[0], window, context.isa.bytes());
  ArrayRef<int64_t> counts = op.getTapCounts();
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  // The multipliers belong to the kernel: regions choose them by tap count.
  std::string params;
  llvm::raw_string_ostream text(params);
  text << 'z' << zero << ' ' << output.key();
  SmallVector<Rescale> rescales;
  for (const PoolRegion &region : regions) {
    int64_t taps = region.taps.numElements();
    const int64_t *entry = llvm::find(counts, taps);
    if (entry == counts.end())
      return op.emitOpError("expects a multiplier for ") << taps << " taps";
    int64_t range = (isByte ? 255 : 65535) * taps;
    rescales.push_back(Rescale::of(op.getRequant(), range,
                                   entry - counts.begin(), /*count=*/1));
    rescales.back().averageParity =
        output.kind == ElementKind::I8 && (op.getRequant().getZeroPoint() & 1);
    text << ' ' << rescales.back().key();
  }
  emitPool(context, op.getLoc(), "avg_pool", params, window, regions,
           [&](KernelBuilder &k, const PoolRegion &region, const Chunk &chunk) {
             const Rescale &rescale = rescales[&region - regions.data()];
             bool isWide = rescale.bound > INT32_MAX;
             FoldSpace space{region.taps, from.kind, chunk.memories[1],
                             from.spanBytes(), region.maxUnrolled};
             WideLanes sums = sumLanes(k, space, chunk.positions[1],
                                       chunk.count, flip, isWide);
             for (Value &sum : sums)
               sum = subI(k, sum, zero * region.taps.numElements());
             storeLanes(k, chunk.memories[0], chunk.positions[0],
                        requantize(k, sums, rescale, {}, output, order),
                        chunk.count);
           });
  return success();
}

LogicalResult emit(KernelContext &context, qopt::AvgPoolOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  PoolWindow window = PoolWindow::of(op);
  int64_t lanes = context.isa.lanes();
  auto regions = poolRegions(in[0], out[0], window, lanes);
  emitPool(
      context, op.getLoc(), "avg_pool_f32", "", window, regions,
      [&](KernelBuilder &k, const PoolRegion &region, const Chunk &chunk) {
        auto type = k.vec(lanes, k.f32());
        Value sum = fold(
            k, region.taps, 4, chunk.positions[1], {k.constantF(type, 0.0f)},
            [&](Value at, ValueRange sums) {
              Value x = loadPart(k, chunk.memories[1], at, type, chunk.count,
                                 in[0].spanBytes());
              return SmallVector<Value>{addF(k, sums[0], x)};
            },
            region.maxUnrolled)[0];
        float count = static_cast<float>(region.taps.numElements());
        region.nest.store(k, chunk, divF(k, sum, k.constantF(type, count)));
      });
  return success();
}

} // namespace mlir::qopt::codegen
