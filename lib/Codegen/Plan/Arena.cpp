// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Offsets in the arena: largest buffers first, each in the tightest gap that
// its lifetime leaves.

#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Plan/Plan.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

namespace mlir::qopt::codegen {

static bool aliveTogether(const Buffer &a, const Buffer &b) {
  return a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;
}

/// The start of the smallest gap of at least `bytes` between the `placed`
/// buffers (sorted by offset), or the end of all of them.
static int64_t findGap(llvm::ArrayRef<const Buffer *> placed, int64_t bytes) {
  int64_t end = 0, best = -1, bestSize = 0;
  for (const Buffer *buffer : placed) {
    int64_t size = buffer->offset - end;
    if (size >= bytes && (best < 0 || size < bestSize)) {
      best = end;
      bestSize = size;
    }
    end = std::max(end, int64_t(llvm::alignTo(buffer->offset + buffer->bytes,
                                              arenaAlignment)));
  }
  return best < 0 ? end : best;
}

int64_t largestLiveBytes(ArrayRef<Buffer> buffers) {
  int64_t most = 0;
  // What is alive together is alive when the last of it begins.
  for (const Buffer &begin : buffers) {
    int64_t sum = 0;
    for (const Buffer &buffer : buffers)
      if (buffer.place == Buffer::Place::Arena && buffer.firstStep >= 0 &&
          buffer.firstStep <= begin.firstStep &&
          begin.firstStep <= buffer.lastStep)
        sum += buffer.bytes;
    most = std::max(most, sum);
  }
  return most;
}

int64_t assignOffsets(std::vector<Buffer> &buffers) {
  std::vector<Buffer *> order;
  for (Buffer &buffer : buffers)
    if (buffer.place == Buffer::Place::Arena && buffer.firstStep >= 0)
      order.push_back(&buffer);
  llvm::sort(order, [](const Buffer *a, const Buffer *b) {
    if (a->bytes != b->bytes)
      return a->bytes > b->bytes;
    return a < b;
  });
  int64_t total = 0;
  std::vector<const Buffer *> done;
  for (Buffer *buffer : order) {
    std::vector<const Buffer *> placed;
    for (const Buffer *other : done)
      if (aliveTogether(*buffer, *other))
        placed.push_back(other);
    llvm::sort(placed, [](const Buffer *a, const Buffer *b) {
      return a->offset != b->offset ? a->offset < b->offset : a < b;
    });
    buffer->offset = findGap(placed, buffer->bytes);
    total = std::max(total, buffer->offset + buffer->bytes);
    done.push_back(buffer);
  }
  return total;
}

} // namespace mlir::qopt::codegen
