// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies that turn columns into rows: blocks transposed in registers, and a
// shorter way for up to four interleaved planes (images).

#include "Arith.h"
#include "Copy.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {
namespace {

/// Planes that are interleaved by shuffles of whole vectors.
constexpr int64_t maxPlanes = 4;

/// Lane `i` of the result is lane `lanes[i]` of `sources` in a row.
Value gatherLanes(KernelBuilder &k, ArrayRef<Value> sources,
                  ArrayRef<int64_t> lanes) {
  int64_t size = cast<VectorType>(sources[0].getType()).getNumElements();
  Value result = sources[0];
  for (auto [s, source] : llvm::enumerate(sources)) {
    SmallVector<int64_t> order;
    for (auto [i, lane] : llvm::enumerate(lanes)) {
      bool isHere = lane / size == static_cast<int64_t>(s);
      // The first shuffle places source 0, each later one its own lanes.
      order.push_back(isHere ? (s == 0 ? 0 : size) + lane % size
                             : static_cast<int64_t>(i));
    }
    result = k.shuffle(result, source, order);
  }
  return result;
}

/// Columns of the square block whose rows are given.
SmallVector<Value> transposeBlock(KernelBuilder &k, SmallVector<Value> rows) {
  size_t size = rows.size();
  for (size_t stage = 1; stage < size; stage *= 2) {
    SmallVector<Value> next;
    for (size_t i = 0; i < size / 2; ++i)
      for (bool upper : {false, true})
        next.push_back(interleave(k, rows[i], rows[i + size / 2], upper));
    rows = next;
  }
  return rows;
}

} // namespace

TransposingCopy::TransposingCopy(ArrayRef<int64_t> sizes, const NestOperand &to,
                                 const NestOperand &from)
    : to(to), from(from), width(byteWidth(to.kind)) {
  space.sizes.assign(sizes.begin(), sizes.end());
  space.strides = {to.strides, from.strides};
  space.normalize();
  unsigned last = space.rank() - 1;
  // An element that repeats is stored as a splat: nothing to transpose.
  if (space.innerStride(0) != 1 || space.innerStride(1) <= 1)
    return;
  for (unsigned dim = 0; dim < last; ++dim) {
    if (space.strides[1][dim] != 1)
      continue;
    space.makeInnermost(dim);
    space.makeInnermost(last - 1);
    fromInner = last - 1;
    return;
  }
}

int64_t TransposingCopy::used(unsigned operand) const {
  return operand == 0 ? to.arg.view.spanBytes() : from.arg.view.spanBytes();
}

Value TransposingCopy::biased(KernelBuilder &k, Value vector) const {
  int32_t flip = to.storageBias ^ from.storageBias;
  return flip ? xorI(k, vector, flip) : vector;
}

void TransposingCopy::run(KernelBuilder &k, ValueRange args) const {
  Site site{k.index(to.origin * width), k.index(from.origin * width)};
  outerLoops(k, args, 0, site);
}

void TransposingCopy::outerLoops(KernelBuilder &k, ValueRange args,
                                 unsigned dim, Site site) const {
  if (static_cast<int>(dim) == fromInner)
    return plane(k, args, site);
  k.loop(0, space.sizes[dim], 1, [&](Value iv) {
    Site next{k.add(site.to, k.mul(iv, space.strides[0][dim] * width)),
              k.add(site.from, k.mul(iv, space.strides[1][dim] * width))};
    outerLoops(k, args, dim + 1, next);
  });
}

void TransposingCopy::plane(KernelBuilder &k, ValueRange args,
                            Site site) const {
  unsigned alongDim = fromInner, acrossDim = fromInner + 1;
  int64_t along = space.sizes[alongDim], across = space.sizes[acrossDim];
  if (across <= maxPlanes && space.strides[0][alongDim] == across)
    return interleaveRow(k, args, site);
  if (along <= maxPlanes && space.strides[1][acrossDim] == along)
    return deinterleaveRow(k, args, site);

  int64_t edge = 16 / width;
  auto rowsOfTiles = [&](Value a, int64_t countAlong) {
    auto at = [&](Value c, int64_t countAcross) {
      Site block{
          k.add(k.add(site.to, k.mul(a, space.strides[0][alongDim] * width)),
                k.mul(c, width)),
          k.add(k.add(site.from, k.mul(a, width)),
                k.mul(c, space.strides[1][acrossDim] * width))};
      tile(k, args, block, countAcross, countAlong);
    };
    int64_t whole = across - across % edge;
    k.loop(0, whole, edge, [&](Value c) { at(c, edge); });
    if (whole < across)
      at(k.index(whole), across - whole);
  };
  int64_t whole = along - along % edge;
  k.loop(0, whole, edge, [&](Value a) { rowsOfTiles(a, edge); });
  if (whole < along)
    rowsOfTiles(k.index(whole), along - whole);
}

void TransposingCopy::tile(KernelBuilder &k, ValueRange args, Site site,
                           int64_t across, int64_t along) const {
  int64_t edge = 16 / width;
  auto type = k.vec(edge, k.elementType(to.kind));
  SmallVector<Value> rows;
  for (int64_t i = 0; i < edge; ++i) {
    if (i >= across) {
      rows.push_back(rows[0]);
      continue;
    }
    int64_t step = space.strides[1][fromInner + 1] * width;
    Value row =
        loadPart(k, args[1], k.add(site.from, i * step), type, along, used(1));
    rows.push_back(biased(k, row));
  }
  SmallVector<Value> columns = transposeBlock(k, rows);
  for (int64_t i = 0; i < along; ++i) {
    int64_t step = space.strides[0][fromInner] * width;
    k.storeTail(args[0], k.add(site.to, i * step), columns[i], across);
  }
}

void TransposingCopy::interleaveRow(KernelBuilder &k, ValueRange args,
                                    Site site) const {
  int64_t pixels = space.sizes[fromInner], planes = space.sizes[fromInner + 1];
  int64_t step = (k.isa.hasVbmi ? k.isa.bytes() : 16) / width;
  int64_t planeStep = space.strides[1][fromInner + 1] * width;
  auto type = k.vec(step, k.elementType(to.kind));
  auto at = [&](Value first, int64_t count) {
    SmallVector<Value> sources, results;
    Value position = k.add(site.from, k.mul(first, width));
    for (int64_t plane = 0; plane < planes; ++plane)
      sources.push_back(
          biased(k, loadPart(k, args[1], k.add(position, plane * planeStep),
                             type, count, used(1))));
    for (int64_t part = 0; part < planes; ++part) {
      SmallVector<int64_t> lanes;
      for (int64_t lane = 0; lane < step; ++lane) {
        int64_t element = part * step + lane;
        lanes.push_back(element % planes * step + element / planes);
      }
      results.push_back(gatherLanes(k, sources, lanes));
    }
    storeLanes(k, args[0], k.add(site.to, k.mul(first, planes * width)),
               results, count * planes);
  };
  int64_t whole = pixels - pixels % step;
  k.loop(0, whole, step, [&](Value first) { at(first, step); });
  if (whole < pixels)
    at(k.index(whole), pixels - whole);
}

void TransposingCopy::deinterleaveRow(KernelBuilder &k, ValueRange args,
                                      Site site) const {
  int64_t planes = space.sizes[fromInner], pixels = space.sizes[fromInner + 1];
  int64_t step = (k.isa.hasVbmi ? k.isa.bytes() : 16) / width;
  int64_t planeStep = space.strides[0][fromInner] * width;
  auto type = k.vec(step, k.elementType(to.kind));
  auto at = [&](Value first, int64_t count) {
    SmallVector<Value> sources;
    Value position = k.add(site.from, k.mul(first, planes * width));
    for (int64_t part = 0; part < planes; ++part) {
      int64_t left = std::min(count * planes - part * step, step);
      sources.push_back(
          left <= 0 ? sources[0]
                    : loadPart(k, args[1], k.add(position, part * step * width),
                               type, left, used(1)));
    }
    for (int64_t plane = 0; plane < planes; ++plane) {
      SmallVector<int64_t> lanes;
      for (int64_t lane = 0; lane < step; ++lane)
        lanes.push_back(lane * planes + plane);
      Value target =
          k.add(k.add(site.to, k.mul(first, width)), plane * planeStep);
      k.storeTail(args[0], target, biased(k, gatherLanes(k, sources, lanes)),
                  count);
    }
  };
  int64_t whole = pixels - pixels % step;
  k.loop(0, whole, step, [&](Value first) { at(first, step); });
  if (whole < pixels)
    at(k.index(whole), pixels - whole);
}

} // namespace mlir::qopt::codegen
