// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accumulation over windows and reduced axes.

#include "Fold.h"
#include "Arith.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {
namespace {

/// Bytes whose sum an unsigned 16-bit lane holds: 257 * 255 = 65535.
constexpr int64_t maxShortSum = 256;

using Combine = llvm::function_ref<SmallVector<Value>(Value, ValueRange)>;

SmallVector<Value> foldLevel(KernelBuilder &k, const LoopSpace &space,
                             int64_t width, unsigned dim, bool isUnrolled,
                             Value position, ValueRange init, Combine combine) {
  if (dim == space.rank())
    return combine(position, init);
  int64_t step = space.strides[0][dim] * width;
  if (!isUnrolled)
    return k.loop(
        0, space.sizes[dim], 1, init, [&](Value iv, ValueRange carried) {
          return foldLevel(k, space, width, dim + 1, false,
                           k.add(position, k.mul(iv, step)), carried, combine);
        });
  SmallVector<Value> values(init);
  for (int64_t i = 0; i < space.sizes[dim]; ++i)
    values = foldLevel(k, space, width, dim + 1, true,
                       k.add(position, i * step), values, combine);
  return values;
}

/// Sums of unsigned bytes in 16-bit lanes: the lower and the upper half of
/// each block of 16. At most `maxShortSum` elements.
SmallVector<Value> sumShort(KernelBuilder &k, const FoldSpace &fs,
                            const LoopSpace &space, Value position,
                            int64_t count, bool flip) {
  auto bytes = k.vec(k.isa.bytes(), k.i8());
  Value zero = k.constant(k.vec(k.isa.bytes() / 2, k.i16()), 0);
  return fold(
      k, space, 1, position, {zero, zero}, [&](Value at, ValueRange sums) {
        Value x = loadPart(k, fs.memory, at, bytes, count, fs.usedBytes);
        if (flip)
          x = xorI(k, x, 128);
        Value none = k.constant(bytes, 0);
        SmallVector<Value> next;
        for (bool upper : {false, true}) {
          Value words = k.bitcast(interleave(k, x, none, upper), k.i16());
          next.push_back(addI(k, sums[upper], words));
        }
        return next;
      });
}

/// 16-bit sums as i32 in blocked order.
WideLanes widenSums(KernelBuilder &k, ArrayRef<Value> words) {
  WideLanes result;
  for (Value word : words) {
    Value zero = k.constant(word.getType(), 0);
    for (bool upper : {false, true})
      result.push_back(k.bitcast(interleave(k, word, zero, upper), k.i32()));
  }
  return result;
}

/// The dimensions of `space` from `first` on.
LoopSpace innerPart(const LoopSpace &space, unsigned first) {
  LoopSpace inner;
  inner.sizes.assign(space.sizes.begin() + first, space.sizes.end());
  inner.strides.emplace_back(space.strides[0].begin() + first,
                             space.strides[0].end());
  return inner;
}

LoopSpace outerPart(const LoopSpace &space, unsigned count) {
  LoopSpace outer;
  outer.sizes.assign(space.sizes.begin(), space.sizes.begin() + count);
  outer.strides.emplace_back(space.strides[0].begin(),
                             space.strides[0].begin() + count);
  return outer;
}

/// Sums of bytes for any number of elements.
WideLanes sumBytes(KernelBuilder &k, const FoldSpace &fs, Value position,
                   int64_t count, bool flip) {
  const LoopSpace &space = fs.space;
  if (space.numElements() <= maxShortSum)
    return widenSums(k, sumShort(k, fs, space, position, count, flip));

  unsigned first = space.rank() - 1;
  int64_t inner = space.sizes[first];
  while (first > 0 && inner * space.sizes[first - 1] <= maxShortSum)
    inner *= space.sizes[--first];
  LoopSpace outer = outerPart(space, first), part = innerPart(space, first);
  auto addPart = [&](const LoopSpace &piece, Value at, ValueRange sums) {
    WideLanes wide = widenSums(k, sumShort(k, fs, piece, at, count, flip));
    SmallVector<Value> next;
    for (auto [sum, value] : llvm::zip(sums, wide))
      next.push_back(addI(k, sum, value));
    return next;
  };
  Value zero = k.constant(k.vec(k.isa.lanes(), k.i32()), 0);
  SmallVector<Value> init(4, zero);
  SmallVector<Value> sums =
      fold(k, outer, 1, position, init, [&](Value at, ValueRange carried) {
        if (inner <= maxShortSum)
          return addPart(part, at, carried);
        // One long run: blocks, then what is left of it.
        int64_t size = part.sizes[0], stride = part.strides[0][0];
        LoopSpace block = part, rest = part;
        block.sizes[0] = maxShortSum;
        rest.sizes[0] = size % maxShortSum;
        int64_t whole = size - rest.sizes[0];
        SmallVector<Value> next = k.loop(
            0, whole, maxShortSum, carried, [&](Value iv, ValueRange values) {
              return addPart(block, k.add(at, k.mul(iv, stride)), values);
            });
        if (rest.sizes[0])
          next = addPart(rest, k.add(at, whole * stride), next);
        return next;
      });
  return WideLanes(sums.begin(), sums.end());
}

} // namespace

SmallVector<Value> fold(KernelBuilder &k, const LoopSpace &space, int64_t width,
                        Value position, ValueRange init, Combine combine,
                        int64_t maxUnrolled) {
  bool isUnrolled = space.numElements() <= maxUnrolled;
  return foldLevel(k, space, width, 0, isUnrolled, position, init, combine);
}

WideLanes sumLanes(KernelBuilder &k, const FoldSpace &fs, Value position,
                   int64_t count, bool flip, bool isWide) {
  if (fs.kind == ElementKind::I8)
    return sumBytes(k, fs, position, count, flip);
  Type element = isWide ? k.i64() : k.i32();
  SmallVector<Value> init(4, k.constant(k.vec(k.isa.lanes(), element), 0));
  auto type = k.vec(k.isa.bytes(), k.i16());
  SmallVector<Value> sums = fold(
      k, fs.space, 2, position, init,
      [&](Value at, ValueRange carried) {
        Value x = loadPart(k, fs.memory, at, type, count, fs.usedBytes);
        SmallVector<Value> next;
        for (auto [sum, value] :
             llvm::zip(carried, widen(k, x, LaneOrder::Natural)))
          next.push_back(addI(k, sum, k.extendS(value, element)));
        return next;
      },
      fs.maxUnrolled);
  return WideLanes(sums.begin(), sums.end());
}

} // namespace mlir::qopt::codegen
