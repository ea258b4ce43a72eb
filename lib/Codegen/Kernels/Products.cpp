// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Working memory, batches and packing of products of two computed matrices.

#include "Products.h"
#include "Arith.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

int64_t weightStride(const TileGemm &gemm) {
  return llvm::alignTo(gemm.runElements, 4);
}

ProductScratch::ProductScratch(const TileGemm &gemm, const TilePlan &plan,
                               bool hasLeft) {
  int64_t rows = gemm.numRows();
  rowOffsets = llvm::alignTo(plan.groupBytes, 64);
  rowMultipliers = rowOffsets + llvm::alignTo(4 * rows, 64);
  left = rowMultipliers + llvm::alignTo(4 * rows, 64);
  bytes = hasLeft ? left + rows * weightStride(gemm) : left;
}

TileGemm productGemm(int64_t rows, int64_t terms, int64_t columns,
                     const View &out) {
  TileGemm gemm;
  gemm.out = out.kind;
  gemm.outUnsigned = out.storageBias != 0;
  gemm.isPackedAtRunTime = true;
  gemm.rows = {{rows, 0, 0}};
  gemm.runElements = terms;
  gemm.channels = columns;
  return gemm;
}

int64_t scratchBytes(Operation *op) {
  bool isAttend = isa<qint::AttendOp>(op);
  if (!isAttend && !isa<qint::MatMulOp>(op))
    return 0;
  ArrayRef<int64_t> left =
      cast<ShapedType>(op->getOperand(0).getType()).getShape();
  auto type = cast<ShapedType>(op->getResult(0).getType());
  ArrayRef<int64_t> shape = type.getShape();
  View out;
  out.kind = *elementKindOf(type.getElementType());
  TileGemm gemm =
      productGemm(shape[shape.size() - 2], left.back(), shape.back(), out);
  // Enough for any instruction set: plans know of none.
  int64_t bytes = 0;
  for (IsaKind kind : {IsaKind::Scalar, IsaKind::AVX2, IsaKind::AVXVNNI,
                       IsaKind::AVX512VNNI}) {
    Isa isa;
    isa.kind = kind;
    bytes = std::max(
        bytes, ProductScratch(gemm, planTiles(gemm, isa), isAttend).bytes);
  }
  return bytes;
}

static bool isUnit(const View &view, int64_t fromEnd) {
  int64_t axis = view.rank() - fromEnd;
  return view.shape[axis] == 1 || view.strides[axis] == 1;
}

bool canTile(const View &left, const View &right, const View &out) {
  return left.buffer >= 0 && right.buffer >= 0 &&
         left.kind == ElementKind::I8 && right.kind == ElementKind::I8 &&
         left.storageBias == 128 && isUnit(left, 1) &&
         (isUnit(right, 1) || isUnit(right, 2)) && isUnit(out, 1);
}

ProductBatches::ProductBatches(const View &left, const View &right,
                               const View &out) {
  const View *views[] = {&left, &right, &out};
  for (int64_t axis = 0; axis + 2 < out.rank(); ++axis) {
    sizes.push_back(out.shape[axis]);
    std::array<int64_t, 3> step;
    for (auto [i, view] : llvm::enumerate(views)) {
      int64_t own = axis - (out.rank() - view->rank());
      step[i] = own < 0 || view->shape[own] == 1
                    ? 0
                    : view->strides[own] * view->elementBytes();
    }
    steps.push_back(step);
  }
  for (auto [i, view] : llvm::enumerate(views))
    origins[i] = view->origin() * view->elementBytes();
}

bool ProductBatches::sharesRight() const {
  return llvm::all_of(llvm::zip(sizes, steps), [](auto level) {
    return std::get<0>(level) == 1 || std::get<1>(level)[1] == 0;
  });
}

void ProductBatches::run(
    KernelBuilder &k,
    llvm::function_ref<void(Value, Value, Value)> body) const {
  auto level = [&](auto &&self, size_t axis, std::array<Value, 3> at) -> void {
    if (axis == sizes.size())
      return body(at[0], at[1], at[2]);
    k.loop(0, sizes[axis], 1, [&](Value i) {
      std::array<Value, 3> next;
      for (size_t operand = 0; operand < 3; ++operand)
        next[operand] = steps[axis][operand]
                            ? k.add(at[operand], k.mul(i, steps[axis][operand]))
                            : at[operand];
      self(self, axis + 1, next);
    });
  };
  level(level, 0,
        {k.index(origins[0]), k.index(origins[1]), k.index(origins[2])});
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

ProductPacker::ProductPacker(KernelBuilder &k, const TileGemm &gemm,
                             const TilePlan &plan, const View &right,
                             Value from, Value to)
    : k(k), gemm(gemm), plan(plan), from(from), to(to),
      rowStride(right.strides[right.rank() - 2]),
      columnStride(right.strides[right.rank() - 1]),
      usedBytes(right.spanBytes()), storageBias(right.storageBias) {}

void ProductPacker::pack(Value source, int64_t factor, int64_t constant) {
  bool byRows = columnStride == 1 || gemm.channels == 1;
  for (const PanelClass &panel : plan.panels)
    k.loop(0, panel.count, 1, [&](Value i) {
      Value base = k.add(k.mul(i, panel.bytes), panel.offset);
      Value first = k.add(k.add(source, panel.firstChannel * columnStride),
                          k.mul(i, panel.channels * columnStride));
      Value target = k.add(base, plan.weightOffset(panel));
      // A column of a matrix of one row is both.
      if (byRows && !(rowStride == 1 && gemm.runElements > 1))
        packRows(panel, first, target);
      else
        packColumns(panel, first, target);
      if (plan.hasBias)
        packBias(panel, base, factor, constant);
    });
}

/// The first `count` of `lanes` bytes as s8.
Value ProductPacker::signedBytes(Value position, int64_t lanes, int64_t count) {
  Value bytes =
      loadPart(k, from, position, k.vec(lanes, k.i8()), count, usedBytes);
  return storageBias == 0 ? bytes : xorI(k, bytes, 128);
}

/// Rows of the matrix lie along columns: four of them are interleaved.
void ProductPacker::packRows(const PanelClass &panel, Value source,
                             Value target) {
  int64_t firstVector = 0, lane = 0;
  for (int64_t size : narrowGroups(panel.vectors, gemm.out)) {
    packRowGroup(panel, source, target, firstVector, size, lane);
    lane += size * panel.vectors[firstVector];
    firstVector += size;
  }
}

void ProductPacker::packRowGroup(const PanelClass &panel, Value source,
                                 Value target, int64_t firstVector,
                                 int64_t size, int64_t lane) {
  int64_t width = panel.vectors[firstVector], lanes = size * width;
  int64_t loaded = std::max<int64_t>(lanes, 16), blocks = loaded / 16;
  int64_t count = std::min(lanes, panel.channels - lane);
  SmallVector<int64_t> order =
      laneChannels(ArrayRef(panel.vectors).slice(firstVector, size), gemm.out);
  auto packDword = [&](Value dword, int64_t rows) {
    SmallVector<Value, 4> bytes;
    Value row = k.add(k.add(source, lane), k.mul(dword, 4 * rowStride));
    for (int64_t r = 0; r < 4; ++r)
      bytes.push_back(
          r < rows ? signedBytes(k.add(row, r * rowStride), loaded, count)
                   : k.constant(k.vec(loaded, k.i8()), 0));
    // Vector `j` gets dwords of channels 16 b + 4 j + i in lane 4 b + i.
    SmallVector<Value, 4> quads;
    for (bool upper : {false, true}) {
      Value low = k.bitcast(interleave(k, bytes[0], bytes[1], upper), k.i16());
      Value high = k.bitcast(interleave(k, bytes[2], bytes[3], upper), k.i16());
      for (bool upperWords : {false, true})
        quads.push_back(
            k.bitcast(interleave(k, low, high, upperWords), k.i32()));
    }
    Value at = k.add(k.add(target, 4 * lane), k.mul(dword, 4 * panel.lanes()));
    bool isDirect = size == 4 && width == 4 * blocks;
    Value all;
    if (!isDirect)
      all =
          k.concat(k.concat(quads[0], quads[1]), k.concat(quads[2], quads[3]));
    for (int64_t v = 0; v < size; ++v) {
      Value vector = isDirect ? quads[v] : Value();
      if (!isDirect) {
        SmallVector<int64_t> from;
        for (int64_t l = 0; l < width; ++l) {
          int64_t channel = order[v * width + l];
          from.push_back(channel / 4 % 4 * 4 * blocks + channel / 16 * 4 +
                         channel % 4);
        }
        vector = k.shuffle(all, all, from);
      }
      k.store(to, k.add(at, 4 * v * width), vector);
    }
  };
  int64_t whole = gemm.runElements / 4;
  k.loop(0, whole, 1, [&](Value dword) { packDword(dword, 4); });
  if (gemm.runElements % 4)
    packDword(k.index(whole), gemm.runElements % 4);
}

/// Columns of the matrix lie along rows: blocks of 4 by 4 dwords are
/// transposed.
void ProductPacker::packColumns(const PanelClass &panel, Value source,
                                Value target) {
  SmallVector<int64_t> order = laneChannels(panel.vectors, gemm.out);
  auto packBlock = [&](Value block, int64_t bytes) {
    Value from = k.add(source, k.mul(block, 16));
    Value into = k.add(target, k.mul(block, 16 * panel.lanes()));
    // Positions of lanes are sums over groups; laneChannels counts from each
    // vector on, so four neighbouring lanes are four neighbouring channels.
    for (int64_t lane = 0; lane < panel.lanes(); lane += 4)
      packUnit(panel, ArrayRef(order).slice(lane, 4), from, into, lane, bytes);
  };
  int64_t whole = gemm.runElements / 16;
  k.loop(0, whole, 1, [&](Value block) { packBlock(block, 16); });
  if (gemm.runElements % 16)
    packBlock(k.index(whole), gemm.runElements % 16);
}

void ProductPacker::packUnit(const PanelClass &panel,
                             ArrayRef<int64_t> channels, Value source,
                             Value target, int64_t lane, int64_t bytes) {
  SmallVector<Value, 4> rows;
  for (int64_t channel : channels) {
    // Lanes beyond the last channel are computed and never stored.
    int64_t at = std::min(channel, panel.channels - 1);
    Value row = signedBytes(k.add(source, at * columnStride), 16, bytes);
    if (bytes < 16) {
      SmallVector<int64_t> mask(16, 0);
      std::fill_n(mask.begin(), bytes, -1);
      row = andI(k, row, k.constantVector(k.i8(), mask));
    }
    rows.push_back(k.bitcast(row, k.i32()));
  }
  SmallVector<Value, 4> dwords;
  for (int64_t half : {0, 2}) {
    Value low =
        k.shuffle(rows[0], rows[1], {half, 4 + half, half + 1, 5 + half});
    Value high =
        k.shuffle(rows[2], rows[3], {half, 4 + half, half + 1, 5 + half});
    dwords.push_back(k.shuffle(low, high, {0, 1, 4, 5}));
    dwords.push_back(k.shuffle(low, high, {2, 3, 6, 7}));
  }
  for (int64_t dword = 0; 4 * dword < bytes; ++dword)
    k.store(to, k.add(target, 4 * (dword * panel.lanes() + lane)),
            dwords[dword]);
}

/// Sums of the packed weights by one more pass: they are in the cache.
void ProductPacker::packBias(const PanelClass &panel, Value base,
                             int64_t factor, int64_t constant) {
  SmallVector<Value> init;
  for (int64_t lanes : panel.vectors)
    init.push_back(k.constant(k.vec(lanes, k.i32()), 0));
  Value weights = k.add(base, plan.weightOffset(panel));
  SmallVector<Value> sums = k.loop(
      0, gemm.dwordsPerRun(), 1, init, [&](Value dword, ValueRange carried) {
        SmallVector<Value> next;
        Value at = k.add(weights, k.mul(dword, 4 * panel.lanes()));
        for (Value sum : carried) {
          int64_t lanes = cast<VectorType>(sum.getType()).getNumElements();
          auto type = k.vec(4 * lanes, k.i8());
          next.push_back(qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum,
                                              k.constant(type, 1),
                                              k.load(to, at, type)));
          at = k.add(at, 4 * lanes);
        }
        return next;
      });
  Value at = k.add(base, plan.biasOffset());
  for (Value sum : sums) {
    k.store(to, at, addI(k, mulI(k, sum, factor), constant));
    at = k.add(at, 4 * cast<VectorType>(sum.getType()).getNumElements());
  }
}

} // namespace mlir::qopt::codegen
