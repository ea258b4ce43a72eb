// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maxima and sums of exponentials of rows (docs/arithmetic.md, "Softmax").

#include "SoftmaxRows.h"
#include "Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::qopt::codegen {

/// A table of i32.
static constexpr int64_t tableBytes = 4 * 256;

/// The bytes of an entry that may be other than 0.
static int getPlanes(bool isWide) { return isWide ? 4 : 3; }

static bool lookUpInRegisters(const Isa &isa, const Rows &rows) {
  return isa.hasVbmi && rows.isContiguous();
}

SmallVector<uint8_t> exponentialBytes(const Isa &isa, const Rows &rows,
                                      ArrayRef<int32_t> tables) {
  SmallVector<uint8_t> bytes;
  if (!lookUpInRegisters(isa, rows)) {
    for (int32_t entry : tables)
      for (int byte = 0; byte < 4; ++byte)
        bytes.push_back(static_cast<uint8_t>(entry >> (8 * byte)));
    return bytes;
  }
  const int planes = getPlanes(tables.size() > 256);
  for (; !tables.empty(); tables = tables.drop_front(256))
    for (int byte = 0; byte < planes; ++byte)
      for (int32_t entry : tables.take_front(256))
        bytes.push_back(static_cast<uint8_t>(entry >> (8 * byte)));
  return bytes;
}

SoftmaxRows::SoftmaxRows(KernelBuilder &k, const View &in, const Rows &rows,
                         Value from, Value tables)
    : k(k), in(in), rows(rows), from(from), tables(tables),
      isWide(in.kind == ElementKind::I16),
      usesPlanes(lookUpInRegisters(k.isa, rows)) {
  const int count = getPlanes(isWide) * (isWide ? 2 : 1);
  for (int plane = 0; plane < count && usesPlanes; ++plane)
    planes.push_back(k.load(tables, k.index(256 * plane), k.vec(256, k.i8())));
}

SmallVector<Value> SoftmaxRows::chunks(
    ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)> body) {
  int64_t size = rows.length(), whole = size - size % chunk();
  SmallVector<Value> values =
      k.loop(0, whole, chunk(), init, [&](Value iv, ValueRange carried) {
        return body(iv, chunk(), carried);
      });
  if (whole < size)
    values = body(k.index(whole), size - whole, values);
  return values;
}

/// As unsigned numbers, biased by half of the type's range; those past `count`
/// are 0.
Value SoftmaxRows::valuesAt(Value row, Value index, int64_t count) {
  Value x = k.loadTail(from, k.add(row, k.mul(index, in.elementBytes())),
                       k.vec(chunk(), isWide ? k.i16() : k.i8()), count);
  return in.storageBias == 0 ? keepFirst(toUnsigned(x), count) : x;
}

/// Signed numbers with the bias of bytes in memory.
Value SoftmaxRows::toUnsigned(Value x) {
  return xorI(k, x, isWide ? INT16_MIN : 128);
}

/// `vector` with zeros from lane `count` on.
Value SoftmaxRows::keepFirst(Value vector, int64_t count) {
  auto type = cast<VectorType>(vector.getType());
  int64_t lanes = type.getNumElements();
  if (count >= lanes)
    return vector;
  SmallVector<int64_t> mask(lanes, 0);
  for (int64_t lane = 0; lane < count; ++lane)
    mask[lane] = -1;
  return andI(k, vector, k.constantVector(type.getElementType(), mask));
}

Value SoftmaxRows::reduce(Value vector, bool isSum) {
  auto kind = isSum ? vector::CombiningKind::ADD : vector::CombiningKind::MAXUI;
  return vector::ReductionOp::create(k.b, k.loc, kind, vector);
}

Value SoftmaxRows::rowMaximum(Value row) {
  Value zero = k.constant(k.vec(chunk(), isWide ? k.i16() : k.i8()), 0);
  Value best = chunks({zero}, [&](Value index, int64_t count,
                                  ValueRange carried) {
    return SmallVector<Value>{maxU(k, carried[0], valuesAt(row, index, count))};
  })[0];
  return k.splat(reduce(best, /*isSum=*/false), chunk());
}

/// The bytes of each entry of table `which`; 0 past `count`.
SmallVector<Value, 4> SoftmaxRows::planesOf(int64_t which, Value index,
                                            int64_t count) {
  SmallVector<Value, 4> result;
  const int64_t perTable = getPlanes(isWide);
  for (Value plane : ArrayRef(planes).slice(perTable * which, perTable))
    result.push_back(keepFirst(
        qint::LookupOp::create(k.b, k.loc, index.getType(), plane, index),
        count));
  return result;
}

Value SoftmaxRows::distances(Value row, Value maximum, Value index,
                             int64_t count) {
  return subI(k, maximum, valuesAt(row, index, count));
}

WideLanes SoftmaxRows::entries(Value distance, int64_t count) {
  if (!isWide)
    return lookUp(0, distance, count);
  WideLanes result;
  Value coarse = k.truncate(shiftRightU(k, distance, 8), k.i8());
  for (auto [c, f] :
       llvm::zip_equal(lookUp(0, coarse, count),
                       lookUp(1, k.truncate(distance, k.i8()), count)))
    result.push_back(k.truncate(
        multiply(k.extendU(c, k.i64()), k.extendU(f, k.i64())), k.i32()));
  return result;
}

/// The exponential of a sum from those of both parts, i64.
Value SoftmaxRows::multiply(Value coarse, Value fine) {
  return shiftRightU(k, addI(k, mulI(k, coarse, fine), int64_t(1) << 36), 37);
}

/// Entries of table `which`, in `order()`; 0 past `count`.
WideLanes SoftmaxRows::lookUp(int64_t which, Value index, int64_t count) {
  WideLanes result;
  if (!usesPlanes) {
    for (auto [part, value] :
         llvm::enumerate(widen(k, index, LaneOrder::Natural))) {
      int64_t left = count - static_cast<int64_t>(part) * k.isa.lanes();
      result.push_back(left > 0 ? keepFirst(gather(which, value), left)
                                : k.constant(value.getType(), 0));
    }
    return result;
  }
  SmallVector<Value, 4> bytes = planesOf(which, index, count);
  if (bytes.size() == 3)
    bytes.push_back(k.constant(index.getType(), 0));
  for (bool upper : {false, true}) {
    Value low = k.bitcast(interleave(k, bytes[0], bytes[1], upper), k.i16());
    Value high = k.bitcast(interleave(k, bytes[2], bytes[3], upper), k.i16());
    for (bool upperWords : {false, true})
      result.push_back(
          k.bitcast(interleave(k, low, high, upperWords), k.i32()));
  }
  return result;
}

Value SoftmaxRows::gather(int64_t which, Value index) {
  int64_t lanes = k.isa.lanes();
  auto type = MemRefType::get({256}, k.i32());
  Value entries32 = memref::ViewOp::create(
      k.b, k.loc, type, tables, k.index(tableBytes * which), ValueRange{});
  return vector::GatherOp::create(k.b, k.loc, cast<VectorType>(index.getType()),
                                  entries32, ValueRange{k.index(0)}, index,
                                  k.constant(k.vec(lanes, k.i1()), 1),
                                  k.constant(index.getType(), 0));
}

Value SoftmaxRows::rowSum(Value row, Value maximum) {
  int64_t lanes = k.isa.lanes();
  const bool addsBytes = usesPlanes && !isWide;
  Value zero = k.constant(k.vec(lanes, addsBytes ? k.i32() : k.i64()), 0);
  SmallVector<Value> init(addsBytes ? 3 : 1, zero);
  SmallVector<Value> sums =
      chunks(init, [&](Value index, int64_t count, ValueRange carried) {
        Value distance = distances(row, maximum, index, count);
        return addsBytes ? addPlanes(distance, count, carried)
                         : addEntries(distance, count, carried);
      });
  Value total;
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value wide = reduce(k.extendU(sum, k.i64()), /*isSum=*/true);
    if (i > 0)
      wide = shiftLeft(k, wide, 8 * i);
    total = i == 0 ? wide : addI(k, total, wide);
  }
  return total;
}

SmallVector<Value> SoftmaxRows::addPlanes(Value distance, int64_t count,
                                          ValueRange carried) {
  Value ones = k.constant(distance.getType(), 1);
  SmallVector<Value> next;
  for (auto [sum, plane] : llvm::zip(carried, planesOf(0, distance, count)))
    next.push_back(
        qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum, plane, ones));
  return next;
}

SmallVector<Value> SoftmaxRows::addEntries(Value distance, int64_t count,
                                           ValueRange carried) {
  // Four entries of 23 bits fit an i32.
  Value sum;
  for (Value entry : entries(distance, count))
    sum = sum ? addI(k, sum, entry) : entry;
  return {addI(k, carried[0], k.extendU(sum, k.i64()))};
}

Value SoftmaxRows::scalarAt(Value row, Value index) {
  Value x = k.load(from, k.add(row, k.mul(index, rows.inStep())),
                   isWide ? k.i16() : k.i8());
  return k.extendU(in.storageBias == 0 ? toUnsigned(x) : x, k.i32());
}

Value SoftmaxRows::scalarDistance(Value row, Value maximum, Value index) {
  return subI(k, maximum, scalarAt(row, index));
}

Value SoftmaxRows::scalarEntry(Value distance) {
  if (!isWide)
    return scalarLookUp(0, distance);
  return multiply(scalarLookUp(0, shiftRightU(k, distance, 8)),
                  scalarLookUp(1, andI(k, distance, 255)));
}

Value SoftmaxRows::scalarLookUp(int64_t which, Value index) {
  Value at =
      arith::IndexCastUIOp::create(k.b, k.loc, k.b.getIndexType(), index);
  Value position = k.add(k.index(tableBytes * which), k.mul(at, 4));
  return k.extendU(k.load(tables, position, k.i32()), k.i64());
}

Value SoftmaxRows::scalarMaximum(Value row) {
  return k.loop(0, rows.length(), 1, {k.constant(k.i32(), 0)},
                [&](Value i, ValueRange best) {
                  return SmallVector<Value>{maxU(k, best[0], scalarAt(row, i))};
                })[0];
}

Value SoftmaxRows::scalarSum(Value row, Value maximum) {
  return k.loop(0, rows.length(), 1, {k.constant(k.i64(), 0)},
                [&](Value i, ValueRange sums) {
                  Value e = scalarEntry(scalarDistance(row, maximum, i));
                  return SmallVector<Value>{addI(k, sums[0], e)};
                })[0];
}

} // namespace mlir::qopt::codegen
