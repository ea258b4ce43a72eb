// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Requantization in the cheapest form that equals the contract, narrowing and
// masked stores.

#include "TileEpilogue.h"
#include "Table.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/IR/Qint.h"
#include <cmath>

namespace mlir::qopt::codegen {

/// The largest zero point that a 32-bit sum has room for beside a product and
/// its rounding, as a power of two.
static constexpr int64_t foldedZeroPointBits = 29;

void setOutput(TileGemm &gemm, qint::RequantAttr attr, const View &out) {
  TileRequant &requant = gemm.requant;
  gemm.out = out.kind;
  gemm.outUnsigned = out.storageBias != 0;
  requant.halfEven = attr.getRounding() == qint::Rounding::HalfEven;
  requant.zeroPoint = int64_t(attr.getZeroPoint()) + out.storageBias;
  requant.clampMin = int64_t(attr.getClampMin()) + out.storageBias;
  requant.clampMax = int64_t(attr.getClampMax()) + out.storageBias;
}

void chooseTileForm(TileRequant &requant, ArrayRef<int32_t> multiplier,
                    ArrayRef<int32_t> shift, int64_t channels,
                    ElementKind out) {
  if (out == ElementKind::I32) {
    requant.form = TileRequant::Form::Accumulators;
    return;
  }
  auto multiplierOf = [&](int64_t c) {
    return multiplier[multiplier.size() == 1 ? 0 : c];
  };
  auto shiftOf = [&](int64_t c) { return shift[shift.size() == 1 ? 0 : c]; };
  // A multiplier as large as 31 bits hold, and the shift that goes with it.
  auto roomOf = [&](int64_t c) {
    return llvm::countl_zero(uint32_t(multiplierOf(c))) - 1;
  };
  bool isNarrow = !requant.halfEven && out == ElementKind::I8 &&
                  shift.size() == 1 && shift[0] >= 32 && shift[0] <= 38;
  int64_t least = INT64_MAX, most = 0;
  for (int64_t c = 0; c < channels; ++c) {
    isNarrow &= multiplierOf(c) < (1 << 30);
    least = std::min<int64_t>(least, shiftOf(c) + roomOf(c));
    most = std::max<int64_t>(most, shiftOf(c) + roomOf(c));
  }
  // Large factors, as of 16-bit outputs, need accumulators with more fraction.
  int64_t left = std::max<int64_t>(0, 33 - least);
  bool isWide = !requant.halfEven && most + left <= 62 && left < 31 &&
                requant.bound < (int64_t(1) << (31 - left));
  if (!isNarrow && isWide)
    requant.left = left;
  requant.form = isNarrow ? TileRequant::Form::Narrow
                 : isWide ? TileRequant::Form::Wide
                          : TileRequant::Form::Exact;
  for (int64_t c = 0; c < channels; ++c) {
    int64_t m = multiplierOf(c), s = shiftOf(c);
    if (isNarrow) {
      m *= 2;
      s -= 31;
    } else if (isWide) {
      m <<= roomOf(c);
      s += roomOf(c) + left - 32;
    }
    requant.multiplier.push_back(static_cast<int32_t>(m));
    requant.shift.push_back(static_cast<int32_t>(s));
  }
  if (llvm::all_equal(requant.shift))
    requant.shift.resize(1);
}

Value loadLanes(KernelBuilder &kb, Value memory, Value position, int64_t lanes,
                Type element) {
  return kb.loadTail(memory, position,
                     kb.vec(std::max<int64_t>(lanes, 4), element), lanes);
}

PanelScales loadScales(KernelBuilder &kb, const TileGemm &gemm,
                       const TilePlan &plan, const PanelClass &panel,
                       Value panels, Value panelBase) {
  PanelScales scales;
  int64_t lane = 0;
  for (int64_t lanes : panel.vectors) {
    auto loadAt = [&](int64_t offset) {
      return loadLanes(kb, panels, kb.add(panelBase, offset + 4 * lane), lanes,
                       kb.i32());
    };
    if (plan.hasMultipliers)
      scales.multiplier.push_back(loadAt(plan.multiplierOffset(panel)));
    if (plan.hasShifts)
      scales.shift.push_back(loadAt(plan.shiftOffset(panel)));
    lane += lanes;
  }
  return scales;
}

namespace {

/// The epilogue of a tile.
class RowEpilogue {
public:
  RowEpilogue(KernelBuilder &kb, const TileGemm &gemm,
              const PanelScales &scales)
      : kb(kb), gemm(gemm), requant(gemm.requant), scales(scales) {}

  /// Narrows several accumulators to one vector: those of the panel's vectors
  /// `first` to `first + size`, of one or more rows from `row` on.
  Value narrow(ArrayRef<Value> acc, int64_t first, int64_t size, int64_t row) {
    firstRow = row;
    firstVector = first;
    vectorsOfRow = size;
    switch (requant.form) {
    case TileRequant::Form::Float:
      return clampFloat(acc.front());
    case TileRequant::Form::Accumulators:
      return acc.front();
    case TileRequant::Form::Narrow:
      return narrowForm(acc);
    case TileRequant::Form::Wide:
    case TileRequant::Form::Exact:
      return narrowWords(acc);
    }
    return Value();
  }

private:
  int64_t firstRow = 0, firstVector = 0, vectorsOfRow = 1;
  int64_t vectorOf(size_t i) const { return firstVector + i % vectorsOfRow; }
  /// The multiplier of accumulator `i` of those that are narrowed together.
  Value multiplierOf(size_t i, Value acc) {
    if (!scales.rowMultiplier.empty())
      return kb.splat(scales.rowMultiplier[firstRow + i / vectorsOfRow],
                      cast<VectorType>(acc.getType()).getNumElements());
    if (scales.multiplier.empty())
      return constantLike(acc, requant.multiplier[0]);
    return scales.multiplier[vectorOf(i)];
  }

  KernelBuilder &kb;
  const TileGemm &gemm;
  const TileRequant &requant;
  const PanelScales &scales;

  Value binaryAdd(Value a, Value c) {
    return arith::AddIOp::create(kb.b, kb.loc, a, c);
  }
  Value constantLike(Value like, int64_t value) {
    return kb.constant(like.getType(), value);
  }
  Value shiftRight(Value value, Value shift) {
    return arith::ShRSIOp::create(kb.b, kb.loc, value, shift);
  }
  Value mulHigh(Value acc, size_t i) {
    return qint::MulHighOp::create(kb.b, kb.loc, acc.getType(), acc,
                                   multiplierOf(i, acc));
  }
  Value pack(Value a, Value c, Type element, bool isUnsigned) {
    int64_t lanes = cast<VectorType>(a.getType()).getNumElements();
    return qint::PackOp::create(kb.b, kb.loc, kb.vec(2 * lanes, element), a, c,
                                isUnsigned);
  }

  Value clampFloat(Value value) {
    auto select = [&](arith::CmpFPredicate predicate, float bound) {
      Value limit = kb.constantF(value.getType(), bound);
      Value inside =
          arith::CmpFOp::create(kb.b, kb.loc, predicate, value, limit);
      value = arith::SelectOp::create(kb.b, kb.loc, inside, value, limit);
    };
    if (!std::isinf(requant.floatMin))
      select(arith::CmpFPredicate::OGT, requant.floatMin);
    if (!std::isinf(requant.floatMax))
      select(arith::CmpFPredicate::OLT, requant.floatMax);
    return value;
  }

  /// `Narrow`: high half, 16-bit saturating rounding, bytes.
  Value narrowForm(ArrayRef<Value> acc) {
    int64_t f = requant.shift[0];
    int64_t rounding = (requant.zeroPoint << f) + (int64_t(1) << (f - 1));
    SmallVector<Value> high;
    for (auto [i, value] : llvm::enumerate(acc))
      high.push_back(mulHigh(value, i));
    if (acc.size() == 1) {
      Value sum = binaryAdd(high[0], constantLike(high[0], rounding));
      return toBytes(shiftRight(sum, constantLike(sum, f)));
    }
    SmallVector<Value> words;
    for (size_t i = 0; i < high.size(); i += 2) {
      // Saturation at 16 bits is harmless: what saturates there is beyond the
      // clamp by then, since f <= 7.
      Value packed = pack(high[i], high[i + 1], kb.i16(), false);
      words.push_back(roundWords(packed, f));
    }
    return bytesFromWords(words);
  }

  /// floor((words + 2^(f-1)) / 2^f) + zero point, in 16 saturating bits.
  Value roundWords(Value words, int64_t f) {
    if (requant.zeroPoint == 0)
      return qint::MulRoundOp::create(kb.b, kb.loc, words.getType(), words,
                                      constantLike(words, 1 << (15 - f)));
    int64_t rounding = (requant.zeroPoint << f) + (int64_t(1) << (f - 1));
    Value sum = LLVM::SAddSat::create(kb.b, kb.loc, words,
                                      constantLike(words, rounding));
    return shiftRight(sum, constantLike(sum, f));
  }

  /// Words (16 bits, or 32) with the zero point in, to clamped bytes.
  Value bytesFromWords(ArrayRef<Value> words) {
    if (words.size() == 1)
      return toBytes(words[0]);
    Value bytes = pack(words[0], words[1], kb.i8(), gemm.outUnsigned);
    int64_t low = gemm.outUnsigned ? 0 : -128;
    if (requant.clampMin > low) {
      Value bound = constantLike(bytes, requant.clampMin);
      bytes = gemm.outUnsigned
                  ? Value(arith::MaxUIOp::create(kb.b, kb.loc, bytes, bound))
                  : Value(arith::MaxSIOp::create(kb.b, kb.loc, bytes, bound));
    }
    if (requant.clampMax < low + 255) {
      Value bound = constantLike(bytes, requant.clampMax);
      bytes = gemm.outUnsigned
                  ? Value(arith::MinUIOp::create(kb.b, kb.loc, bytes, bound))
                  : Value(arith::MinSIOp::create(kb.b, kb.loc, bytes, bound));
    }
    return bytes;
  }

  Value toBytes(Value value) {
    return kb.truncate(kb.clampS(value, requant.clampMin, requant.clampMax),
                       kb.i8());
  }

  /// `Wide` and `Exact`: 32-bit outputs first, then packs.
  Value narrowWords(ArrayRef<Value> acc) {
    SmallVector<Value> values;
    for (auto [i, value] : llvm::enumerate(acc))
      values.push_back(requant.form == TileRequant::Form::Wide
                           ? wide(value, i)
                           : exact(value, i));
    if (acc.size() == 1) {
      Value clamped = kb.clampS(values[0], requant.clampMin, requant.clampMax);
      return kb.truncate(clamped, kb.elementType(gemm.out));
    }
    SmallVector<Value> words;
    for (size_t i = 0; i < values.size(); i += 2)
      words.push_back(pack(values[i], values[i + 1], kb.i16(), false));
    if (gemm.out == ElementKind::I8)
      return bytesFromWords(words);
    Value result = words[0];
    if (requant.clampMin > -32768)
      result = arith::MaxSIOp::create(kb.b, kb.loc, result,
                                      constantLike(result, requant.clampMin));
    if (requant.clampMax < 32767)
      result = arith::MinSIOp::create(kb.b, kb.loc, result,
                                      constantLike(result, requant.clampMax));
    return result;
  }

  /// floor((high + 2^(f-1)) / 2^f) + z, in 32 bits: |high| < 2^30 and f <= 30.
  Value wide(Value acc, size_t i) {
    if (requant.left)
      acc = arith::ShLIOp::create(kb.b, kb.loc, acc,
                                  constantLike(acc, requant.left));
    Value high = mulHigh(acc, i);
    Value shift, rounding;
    bool isFolded = false;
    if (scales.shift.empty()) {
      int64_t f = requant.shift[0];
      int64_t zeroPoint = requant.zeroPoint << f;
      isFolded = std::abs(zeroPoint) < (int64_t(1) << foldedZeroPointBits) &&
                 f < foldedZeroPointBits;
      shift = constantLike(high, f);
      rounding = constantLike(high, (int64_t(1) << (f - 1)) +
                                        (isFolded ? zeroPoint : 0));
    } else {
      shift = scales.shift[vectorOf(i)];
      // Not 1 << (f - 1): SSE shifts lanes left by way of floats.
      Value more =
          arith::SubIOp::create(kb.b, kb.loc, constantLike(shift, 31), shift);
      rounding = arith::ShRUIOp::create(kb.b, kb.loc,
                                        constantLike(high, 1 << 30), more);
    }
    Value result = shiftRight(binaryAdd(high, rounding), shift);
    if (!isFolded && requant.zeroPoint != 0)
      result = binaryAdd(result, constantLike(result, requant.zeroPoint));
    return result;
  }

  /// The contract as it is written, in 64 bits.
  Value exact(Value acc, size_t i) {
    Value value = kb.extendS(acc, kb.i64());
    Value m = kb.extendS(multiplierOf(i, acc), kb.i64());
    Value product = arith::MulIOp::create(kb.b, kb.loc, value, m);
    Value shift = scales.shift.empty()
                      ? constantLike(product, requant.shift[0])
                      : kb.extendS(scales.shift[vectorOf(i)], kb.i64());
    Value one = constantLike(product, 1);
    Value less = arith::SubIOp::create(kb.b, kb.loc, shift, one);
    Value half = arith::ShLIOp::create(kb.b, kb.loc, one, less);
    Value result = shiftRight(binaryAdd(product, half), shift);
    if (requant.halfEven)
      result = toEven(product, half, shift, result);
    result = binaryAdd(result, constantLike(result, requant.zeroPoint));
    result = kb.clampS(result, requant.clampMin, requant.clampMax);
    return kb.truncate(result, kb.i32());
  }

  /// `rounded` less one where `product` was a tie and `rounded` is odd.
  Value toEven(Value product, Value half, Value shift, Value rounded) {
    Value one = constantLike(product, 1);
    Value full = arith::ShLIOp::create(kb.b, kb.loc, one, shift);
    Value mask = arith::SubIOp::create(kb.b, kb.loc, full, one);
    Value low = arith::AndIOp::create(kb.b, kb.loc, product, mask);
    Value isTie = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq,
                                        low, half);
    Value odd = arith::AndIOp::create(kb.b, kb.loc, rounded, one);
    Value step = arith::SelectOp::create(kb.b, kb.loc, isTie, odd,
                                         constantLike(product, 0));
    return arith::SubIOp::create(kb.b, kb.loc, rounded, step);
  }
};

} // namespace

/// Rows whose `size` vectors each narrow together: up to 4 vectors of 32 bits
/// become one of bytes, 2 become one of 16 bits.
static int64_t rowsTogether(const TileGemm &gemm, int64_t size, int64_t left) {
  int64_t vectors = gemm.requant.isPlain()        ? 1
                    : gemm.out == ElementKind::I8 ? 4
                                                  : 2;
  int64_t rows = std::max<int64_t>(1, vectors / size);
  while (rows > left)
    rows /= 2;
  return rows;
}

/// Brings what packing left in blocks of 128 bits into row order: a unit is
/// what four lanes of one vector became.
static Value rowOrder(KernelBuilder &kb, Value narrowed, int64_t rows,
                      int64_t size, int64_t unitBytes) {
  auto type = cast<VectorType>(narrowed.getType());
  int64_t perBlock = rows * size;
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  int64_t blocks = bytes / (unitBytes * perBlock);
  if (rows == 1 || blocks == 1)
    return narrowed;
  SmallVector<int64_t> order;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t v = 0; v < size; ++v)
        order.push_back(block * perBlock + row * size + v);
  Value units = kb.bitcast(narrowed, kb.b.getIntegerType(unitBytes * 8));
  return kb.bitcast(kb.shuffle(units, units, order), type.getElementType());
}

void storeRows(KernelBuilder &kb, const TileGemm &gemm, const PanelClass &panel,
               const PanelScales &scales, ArrayRef<SmallVector<Value>> acc,
               const TileMemory &memory, ArrayRef<Value> positions) {
  RowEpilogue epilogue(kb, gemm, scales);
  int64_t width = byteWidth(gemm.out), first = 0, channel = 0;
  for (int64_t size : narrowGroups(panel.vectors, gemm.out)) {
    int64_t lanes = size * panel.vectors[first];
    int64_t count = std::min(lanes, panel.channels - channel);
    for (size_t row = 0; row < acc.size();) {
      int64_t rows = panel.vectors[first] < 4
                         ? 1
                         : rowsTogether(gemm, size, acc.size() - row);
      SmallVector<Value> together;
      for (int64_t r = 0; r < rows; ++r)
        llvm::append_range(together, ArrayRef(acc[row + r]).slice(first, size));
      Value narrowed = epilogue.narrow(together, first, size, row);
      if (memory.table)
        narrowed = lookUpBytes(kb, memory.table, narrowed);
      narrowed = rowOrder(kb, narrowed, rows, size, 4 * width);
      for (int64_t r = 0; r < rows; ++r) {
        Value part =
            rows == 1 ? narrowed : kb.slice(narrowed, r * lanes, lanes);
        kb.storeTail(memory.out, kb.add(positions[row + r], channel * width),
                     part, count);
      }
      row += rows;
    }
    channel += lanes;
    first += size;
  }
}

} // namespace mlir::qopt::codegen
