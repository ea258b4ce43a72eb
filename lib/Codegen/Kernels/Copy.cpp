// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops that move values, as copies between strided windows, and fills of
// what lies beside a window.

#include "Copy.h"
#include "Arith.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

namespace mlir::qopt::codegen {

NestOperand walkView(const View &view, ArrayRef<int64_t> strides,
                     bool isWritten) {
  NestOperand operand;
  operand.arg = isWritten ? KernelArg::write(view) : KernelArg::read(view);
  operand.kind = view.kind;
  operand.storageBias = view.storageBias;
  operand.origin = view.origin();
  operand.strides.assign(strides.begin(), strides.end());
  return operand;
}

CopyNest::CopyNest(const Isa &isa, ArrayRef<int64_t> sizes,
                   const NestOperand &to, const NestOperand &from)
    : nest(sizes, {to, from}, isa.bytes() / byteWidth(to.kind)),
      flip(to.storageBias ^ from.storageBias) {}

void CopyNest::copy(KernelBuilder &k, const Chunk &part) const {
  Value value = nest.load(k, part, 1, nest.maxChunk());
  nest.store(k, part, flip ? xorI(k, value, flip) : value);
}

void copySpace(KernelContext &context, Location loc, ArrayRef<int64_t> sizes,
               const NestOperand &to, const NestOperand &from) {
  CopyNest copy(context.isa, sizes, to, from);
  TransposingCopy transposing(sizes, to, from);
  context.emitKernel(
      loc, "copy", copy.nest.key(), copy.nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        if (transposing.applies())
          return transposing.run(k, args);
        copy.nest.run(k, args, [&](const Chunk &part) { copy.copy(k, part); });
      });
}

namespace {

/// Strides after splitting each axis of a shape at `boundaries`: the products
/// of the innermost sizes of the split shape, ascending from 1.
SmallVector<int64_t> splitStrides(const View &view,
                                  ArrayRef<int64_t> boundaries) {
  SmallVector<int64_t> result;
  for (int64_t boundary : ArrayRef(boundaries).drop_back()) {
    int64_t suffix = 1, stride = 1;
    for (int64_t axis = view.rank(); axis-- > 0;) {
      if (view.shape[axis] != 1 && boundary >= suffix &&
          boundary < suffix * view.shape[axis])
        stride = view.strides[axis] * (boundary / suffix);
      suffix *= view.shape[axis];
    }
    result.push_back(stride);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

/// The products of innermost sizes of both shapes, merged; empty where they do
/// not divide one another.
SmallVector<int64_t> commonBoundaries(const View &a, const View &b) {
  SmallVector<int64_t> boundaries = {1};
  for (const View *view : {&a, &b}) {
    int64_t suffix = 1;
    for (int64_t size : llvm::reverse(view->shape))
      boundaries.push_back(suffix *= size);
  }
  llvm::sort(boundaries);
  boundaries.erase(std::unique(boundaries.begin(), boundaries.end()),
                   boundaries.end());
  for (size_t i = 1; i < boundaries.size(); ++i)
    if (boundaries[i] % boundaries[i - 1] != 0)
      return {};
  return boundaries;
}

/// Byte position of the element with row-major index `index`.
Value positionOf(KernelBuilder &k, const View &view, Value index) {
  int64_t width = view.elementBytes(), suffix = 1;
  Value position = k.index(view.origin() * width);
  for (int64_t axis = view.rank(); axis-- > 0;) {
    if (view.shape[axis] != 1) {
      Value at = k.rem(k.div(index, suffix), view.shape[axis]);
      position = k.add(position, k.mul(at, view.strides[axis] * width));
    }
    suffix *= view.shape[axis];
  }
  return position;
}

/// A box of elements, relative to a view's logical element 0.
struct Box {
  SmallVector<int64_t> begins, sizes;

  bool empty() const {
    return llvm::any_of(sizes, [](int64_t size) { return size <= 0; });
  }
};

/// Bits of the value that a fill stores.
int64_t fillBits(const View &view, double value) {
  if (view.kind == ElementKind::F32) {
    float single = static_cast<float>(value);
    int32_t bits;
    std::memcpy(&bits, &single, sizeof(bits));
    return bits;
  }
  return static_cast<int64_t>(value) + view.storageBias;
}

/// Writes `value` to every box of `view`.
void fillBoxes(KernelContext &context, Location loc, const View &view,
               ArrayRef<Box> boxes, double value) {
  int64_t lanes = context.isa.bytes() / view.elementBytes();
  std::vector<ElementwiseNest> nests;
  std::string key;
  llvm::raw_string_ostream out(key);
  for (const Box &box : boxes) {
    if (box.empty())
      continue;
    NestOperand operand = walkView(view, view.strides, /*isWritten=*/true);
    for (int64_t axis = 0; axis < view.rank(); ++axis)
      operand.origin += box.begins[axis] * view.strides[axis];
    nests.emplace_back(box.sizes, operand, lanes);
    out << nests.back().key() << ' ';
  }
  if (nests.empty())
    return;
  int64_t bits = fillBits(view, value);
  context.emitKernel(loc, "fill", key + llvm::Twine(bits), nests.front().args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       Type element = IntegerType::get(k.b.getContext(),
                                                       8 * view.elementBytes());
                       Value splat = k.constant(k.vec(lanes, element), bits);
                       for (const ElementwiseNest &nest : nests)
                         nest.run(k, args, [&](const Chunk &part) {
                           nest.store(k, part, splat);
                         });
                     });
}

} // namespace

void emitCopy(KernelContext &context, Location loc, const View &from,
              const View &to) {
  copySpace(context, loc, to.shape, walkView(to, to.strides, true),
            walkView(from, from.strides, false));
}

void emitTranspose(KernelContext &context, Location loc, const View &from,
                   const View &to, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> strides;
  for (int64_t axis : permutation)
    strides.push_back(from.strides[axis]);
  copySpace(context, loc, to.shape, walkView(to, to.strides, true),
            walkView(from, strides, false));
}

void emitReshapeCopy(KernelContext &context, Location loc, const View &from,
                     const View &to) {
  SmallVector<int64_t> boundaries = commonBoundaries(from, to);
  if (boundaries.size() == 1)
    boundaries.push_back(1);
  if (!boundaries.empty()) {
    SmallVector<int64_t> sizes;
    for (size_t i = boundaries.size() - 1; i > 0; --i)
      sizes.push_back(boundaries[i] / boundaries[i - 1]);
    return copySpace(context, loc, sizes,
                     walkView(to, splitStrides(to, boundaries), true),
                     walkView(from, splitStrides(from, boundaries), false));
  }
  context.emitKernel(
      loc, "reshape", "", {KernelArg::write(to), KernelArg::read(from)},
      [&](KernelBuilder &k, ValueRange args) {
        Type type = k.elementType(to.kind);
        k.loop(0, to.numElements(), 1, [&](Value index) {
          Value value = k.load(args[1], positionOf(k, from, index), type);
          if (to.storageBias != from.storageBias)
            value = xorI(k, value, to.storageBias ^ from.storageBias);
          k.store(args[0], positionOf(k, to, index), value);
        });
      });
}

void emitHaloFill(KernelContext &context, Location loc, const View &view,
                  int64_t value) {
  if (view.halo.empty())
    return;
  const Halo &halo = view.halo;
  int64_t n = view.shape[0], c = view.shape[1], h = view.shape[2],
          w = view.shape[3];
  int64_t row = halo.left + w + halo.right;
  SmallVector<Box, 4> boxes = {
      {{0, 0, -halo.top, -halo.left}, {n, c, halo.top, row}},
      {{0, 0, h, -halo.left}, {n, c, halo.bottom, row}},
  };
  if (view.strides[2] == row * view.strides[3] && h > 1) {
    // The end of a row and the beginning of the next are one run.
    boxes.push_back({{0, 0, 0, w}, {n, c, h - 1, halo.right + halo.left}});
    boxes.push_back({{0, 0, 0, -halo.left}, {n, c, 1, halo.left}});
    boxes.push_back({{0, 0, h - 1, w}, {n, c, 1, halo.right}});
  } else {
    boxes.push_back({{0, 0, 0, -halo.left}, {n, c, h, halo.left}});
    boxes.push_back({{0, 0, 0, w}, {n, c, h, halo.right}});
  }
  fillBoxes(context, loc, view, boxes, static_cast<double>(value));
}

void emitPadFill(KernelContext &context, Location loc, const View &outer,
                 ArrayRef<int64_t> begins, ArrayRef<int64_t> inner,
                 double value) {
  SmallVector<Box, 4> boxes;
  Box rest{SmallVector<int64_t>(outer.rank(), 0),
           SmallVector<int64_t>(outer.shape.begin(), outer.shape.end())};
  for (int64_t axis = 0; axis < outer.rank(); ++axis) {
    int64_t end = begins[axis] + inner[axis];
    Box before = rest, after = rest;
    before.sizes[axis] = begins[axis];
    after.begins[axis] = end;
    after.sizes[axis] = outer.shape[axis] - end;
    boxes.push_back(before);
    boxes.push_back(after);
    rest.begins[axis] = begins[axis];
    rest.sizes[axis] = inner[axis];
  }
  fillBoxes(context, loc, outer, boxes, value);
}

} // namespace mlir::qopt::codegen
