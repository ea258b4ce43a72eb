// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maxima and sums of exponentials of rows (docs/arithmetic.md, "Softmax").

#include "SoftmaxRows.h"
#include "Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::qopt::codegen {

static bool lookUpInRegisters(const Isa &isa, const Rows &rows) {
  return isa.hasVbmi && rows.isContiguous();
}

SmallVector<uint8_t> exponentialBytes(const Isa &isa, const Rows &rows,
                                      ArrayRef<int32_t> table) {
  SmallVector<uint8_t> bytes;
  if (!lookUpInRegisters(isa, rows)) {
    for (int32_t entry : table)
      for (int byte = 0; byte < 4; ++byte)
        bytes.push_back(static_cast<uint8_t>(entry >> (8 * byte)));
    return bytes;
  }
  for (int byte = 0; byte < 3; ++byte)
    for (int32_t entry : table)
      bytes.push_back(static_cast<uint8_t>(entry >> (8 * byte)));
  return bytes;
}

SoftmaxRows::SoftmaxRows(KernelBuilder &k, const View &in, const Rows &rows,
                         Value from, Value table)
    : k(k), in(in), rows(rows), from(from), table(table),
      usesPlanes(lookUpInRegisters(k.isa, rows)) {
  for (int plane = 0; plane < 3 && usesPlanes; ++plane)
    planes.push_back(k.load(table, k.index(256 * plane), k.vec(256, k.i8())));
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

/// Bytes with bias 128; those past `count` are 0.
Value SoftmaxRows::bytesAt(Value row, Value index, int64_t count) {
  Value x = k.loadTail(from, k.add(row, index), k.vec(chunk(), k.i8()), count);
  if (in.storageBias == 0) {
    x = xorI(k, x, 128);
    x = keepFirst(x, count);
  }
  return x;
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
  Value zero = k.constant(k.vec(chunk(), k.i8()), 0);
  Value best = chunks({zero}, [&](Value index, int64_t count,
                                  ValueRange carried) {
    return SmallVector<Value>{maxU(k, carried[0], bytesAt(row, index, count))};
  })[0];
  return k.splat(reduce(best, /*isSum=*/false), chunk());
}

/// The three bytes of each table entry.
SmallVector<Value, 3> SoftmaxRows::planesOf(Value distance) {
  SmallVector<Value, 3> result;
  for (Value plane : planes)
    result.push_back(qint::LookupOp::create(k.b, k.loc, distance.getType(),
                                            plane, distance));
  return result;
}

Value SoftmaxRows::distances(Value row, Value maximum, Value index,
                             int64_t count) {
  return subI(k, maximum, bytesAt(row, index, count));
}

WideLanes SoftmaxRows::entries(Value distance) {
  if (!usesPlanes) {
    WideLanes result = widen(k, distance, LaneOrder::Natural);
    for (Value &value : result)
      value = gather(value);
    return result;
  }
  SmallVector<Value, 3> bytes = planesOf(distance);
  Value zero = k.constant(distance.getType(), 0);
  WideLanes result;
  for (bool upper : {false, true}) {
    Value low = k.bitcast(interleave(k, bytes[0], bytes[1], upper), k.i16());
    Value high = k.bitcast(interleave(k, bytes[2], zero, upper), k.i16());
    for (bool upperWords : {false, true})
      result.push_back(
          k.bitcast(interleave(k, low, high, upperWords), k.i32()));
  }
  return result;
}

Value SoftmaxRows::gather(Value index) {
  int64_t lanes = k.isa.lanes();
  auto type = MemRefType::get({256}, k.i32());
  Value entries32 =
      memref::ViewOp::create(k.b, k.loc, type, table, k.index(0), ValueRange{});
  return vector::GatherOp::create(k.b, k.loc, cast<VectorType>(index.getType()),
                                  entries32, ValueRange{k.index(0)}, index,
                                  k.constant(k.vec(lanes, k.i1()), 1),
                                  k.constant(index.getType(), 0));
}

Value SoftmaxRows::rowSum(Value row, Value maximum) {
  int64_t lanes = k.isa.lanes();
  Value zero = k.constant(k.vec(lanes, usesPlanes ? k.i32() : k.i64()), 0);
  SmallVector<Value> init(usesPlanes ? 3 : 1, zero);
  SmallVector<Value> sums =
      chunks(init, [&](Value index, int64_t count, ValueRange carried) {
        Value distance = distances(row, maximum, index, count);
        return usesPlanes ? addPlanes(distance, count, carried)
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
  for (auto [sum, plane] : llvm::zip(carried, planesOf(distance)))
    next.push_back(qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum,
                                        keepFirst(plane, count), ones));
  return next;
}

SmallVector<Value> SoftmaxRows::addEntries(Value distance, int64_t count,
                                           ValueRange carried) {
  Value sum = carried[0];
  int64_t lanes = k.isa.lanes();
  for (auto [part, entry] : llvm::enumerate(entries(distance))) {
    int64_t left = count - static_cast<int64_t>(part) * lanes;
    if (left > 0)
      sum = addI(k, sum, k.extendU(keepFirst(entry, left), k.i64()));
  }
  return {sum};
}

Value SoftmaxRows::scalarAt(Value row, Value index) {
  Value x = k.load(from, k.add(row, k.mul(index, rows.inStep())), k.i8());
  if (in.storageBias == 0)
    x = xorI(k, x, 128);
  return k.extendU(x, k.i32());
}

Value SoftmaxRows::scalarDistance(Value row, Value maximum, Value index) {
  return subI(k, maximum, scalarAt(row, index));
}

Value SoftmaxRows::scalarEntry(Value distance) {
  Value index =
      arith::IndexCastUIOp::create(k.b, k.loc, k.b.getIndexType(), distance);
  return k.extendU(k.load(table, k.mul(index, 4), k.i32()), k.i64());
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
