// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Channels cut into vectors, loaded and stored.

#include "ChannelBlocks.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {

SmallVector<ChannelBlocks> divideChannels(int64_t channels, int64_t columns,
                                          const Isa &isa) {
  SmallVector<ChannelBlocks> result;
  int64_t whole = channels / isa.bytes();
  if (whole)
    result.push_back({0, whole, isa.bytes(), isa.bytes()});
  if (int64_t rest = channels % isa.bytes()) {
    int64_t lanes = 16;
    while (lanes < rest)
      lanes *= 2;
    int64_t together = isa.bytes() / lanes;
    while (together > columns)
      together /= 2;
    result.push_back({channels - rest, 1, lanes, rest, together});
  }
  return result;
}

/// Columns that lie in memory as they lie in the vector.
static bool areNeighbours(const ChannelBlocks &b, ArrayRef<int64_t> offsets,
                          int64_t elementBytes) {
  for (int64_t column = 0; column < b.columns; ++column)
    if (offsets[column] != column * b.lanes * elementBytes)
      return false;
  return b.columns == 1 || b.valid == b.lanes;
}

Value loadColumns(KernelBuilder &k, Value memory, const View &view,
                  const ChannelBlocks &b, Value position,
                  ArrayRef<int64_t> offsets) {
  Type element = k.elementType(view.kind);
  if (areNeighbours(b, offsets, view.elementBytes()))
    return loadPart(k, memory, position, k.vec(b.width(), element),
                    b.width() - b.lanes + b.valid, view.spanBytes());
  SmallVector<Value> pieces;
  for (int64_t column = 0; column < b.columns; ++column)
    pieces.push_back(loadPart(k, memory, k.add(position, offsets[column]),
                              k.vec(b.lanes, element), b.valid,
                              view.spanBytes()));
  while (pieces.size() > 1) {
    for (size_t i = 0; i < pieces.size() / 2; ++i)
      pieces[i] = k.concat(pieces[2 * i], pieces[2 * i + 1]);
    pieces.resize(pieces.size() / 2);
  }
  return pieces[0];
}

void storeColumns(KernelBuilder &k, Value memory, const ChannelBlocks &b,
                  Value position, ArrayRef<int64_t> offsets,
                  ArrayRef<Value> vectors, int64_t elementBytes) {
  if (areNeighbours(b, offsets, elementBytes))
    return storeLanes(k, memory, position, vectors,
                      b.width() - b.lanes + b.valid);
  int64_t perVector = b.width() / vectors.size();
  for (int64_t column = 0; column < b.columns; ++column) {
    int64_t first = column * b.lanes;
    Value piece =
        k.slice(vectors[first / perVector], first % perVector, b.lanes);
    k.storeTail(memory, k.add(position, offsets[column]), piece, b.valid);
  }
}

} // namespace mlir::qopt::codegen
