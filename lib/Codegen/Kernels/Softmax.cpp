// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer softmax: a table of exponentials, one sum and one reciprocal a row,
// quotients corrected so that they equal the division of
// docs/arithmetic.md, "Softmax".

#include "Arith.h"
#include "Rows.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {
namespace {

/// Fraction bits of the reciprocal `floor(levels 2^39 / sum)`: with
/// `sum >= 2^23` and `levels <= 2^15` it fits 32 bits, and `E <= 2^23` times
/// its error stays below 2^-16.
constexpr int64_t reciprocalBits = 39;

/// The entries, or their three bytes as tables of their own.
SmallVector<uint8_t> tableBytes(ArrayRef<int32_t> entries, bool asPlanes) {
  SmallVector<uint8_t> bytes;
  if (!asPlanes)
    for (int32_t entry : entries)
      for (int byte = 0; byte < 4; ++byte)
        bytes.push_back(static_cast<uint8_t>(entry >> (8 * byte)));
  for (int byte = 0; byte < 3 && asPlanes; ++byte)
    for (int32_t entry : entries)
      bytes.push_back(static_cast<uint8_t>(entry >> (8 * byte)));
  return bytes;
}

class SoftmaxBody {
public:
  SoftmaxBody(KernelBuilder &k, qint::SoftmaxOp op, const View &in,
              const View &out, ValueRange args)
      : k(k), in(in), out(out), rows(in, out, op.getAxis()),
        levels(op.getLevels()), from(args[0]), to(args[1]), table(args[2]) {
    output.kind = out.kind;
    output.storageBias = out.storageBias;
    output.zeroPoint = op.getZeroPoint();
    output.clampMin = out.kind == ElementKind::I8 ? -128 : -32768;
    output.clampMax = -output.clampMin - 1;
    usesPlanes = k.isa.hasVbmi && rows.isContiguous();
  }

  void emit() {
    if (usesPlanes)
      for (int plane = 0; plane < 3; ++plane)
        planes.push_back(
            k.load(table, k.index(256 * plane), k.vec(256, k.i8())));
    rows.run(k, [&](Value rowIn, Value rowOut) {
      if (rows.isContiguous())
        vectorRow(rowIn, rowOut);
      else
        scalarRow(rowIn, rowOut);
    });
  }

private:
  //===--------------------------------------------------------------------===//
  // Contiguous rows
  //===--------------------------------------------------------------------===//

  int64_t chunk() const { return k.isa.bytes(); }

  /// `body` for each chunk of a row, its element index and count.
  SmallVector<Value> chunks(
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
  Value bytesAt(Value row, Value index, int64_t count) {
    Value x =
        k.loadTail(from, k.add(row, index), k.vec(chunk(), k.i8()), count);
    if (in.storageBias == 0) {
      x = xorI(k, x, 128);
      x = keepFirst(x, count);
    }
    return x;
  }

  /// `vector` with zeros from lane `count` on.
  Value keepFirst(Value vector, int64_t count) {
    auto type = cast<VectorType>(vector.getType());
    int64_t lanes = type.getNumElements();
    if (count >= lanes)
      return vector;
    SmallVector<int64_t> mask(lanes, 0);
    for (int64_t lane = 0; lane < count; ++lane)
      mask[lane] = -1;
    return andI(k, vector, k.constantVector(type.getElementType(), mask));
  }

  Value reduce(Value vector, vector::CombiningKind kind) {
    return vector::ReductionOp::create(k.b, k.loc, kind, vector);
  }

  Value rowMaximum(Value row) {
    Value zero = k.constant(k.vec(chunk(), k.i8()), 0);
    Value best =
        chunks({zero}, [&](Value index, int64_t count, ValueRange carried) {
          return SmallVector<Value>{
              maxU(k, carried[0], bytesAt(row, index, count))};
        })[0];
    return k.splat(reduce(best, vector::CombiningKind::MAXUI), chunk());
  }

  /// The three bytes of each table entry.
  SmallVector<Value, 3> planesOf(Value distance) {
    SmallVector<Value, 3> result;
    for (Value plane : planes)
      result.push_back(qint::LookupOp::create(k.b, k.loc, distance.getType(),
                                              plane, distance));
    return result;
  }

  /// Table entries of `distance`, in `order()`.
  WideLanes entries(Value distance) {
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

  LaneOrder order() const {
    return usesPlanes ? LaneOrder::Blocked : LaneOrder::Natural;
  }

  Value gather(Value index) {
    int64_t lanes = k.isa.lanes();
    auto type = MemRefType::get({256}, k.i32());
    Value entries32 = memref::ViewOp::create(k.b, k.loc, type, table,
                                             k.index(0), ValueRange{});
    return vector::GatherOp::create(
        k.b, k.loc, cast<VectorType>(index.getType()), entries32,
        ValueRange{k.index(0)}, index, k.constant(k.vec(lanes, k.i1()), 1),
        k.constant(index.getType(), 0));
  }

  /// The sum of the row's table entries, i64.
  Value rowSum(Value row, Value maximum) {
    int64_t lanes = k.isa.lanes();
    Value zero = k.constant(k.vec(lanes, usesPlanes ? k.i32() : k.i64()), 0);
    SmallVector<Value> init(usesPlanes ? 3 : 1, zero);
    SmallVector<Value> sums =
        chunks(init, [&](Value index, int64_t count, ValueRange carried) {
          Value distance = subI(k, maximum, bytesAt(row, index, count));
          return usesPlanes ? addPlanes(distance, count, carried)
                            : addEntries(distance, count, carried);
        });
    Value total;
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value wide = reduce(k.extendU(sum, k.i64()), vector::CombiningKind::ADD);
      if (i > 0)
        wide = shiftLeft(k, wide, 8 * i);
      total = i == 0 ? wide : addI(k, total, wide);
    }
    return total;
  }

  SmallVector<Value> addPlanes(Value distance, int64_t count,
                               ValueRange carried) {
    Value ones = k.constant(distance.getType(), 1);
    SmallVector<Value> next;
    for (auto [sum, plane] : llvm::zip(carried, planesOf(distance)))
      next.push_back(qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum,
                                          keepFirst(plane, count), ones));
    return next;
  }

  SmallVector<Value> addEntries(Value distance, int64_t count,
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

  /// `floor((2 levels E + sum) / (2 sum))` from the reciprocal, corrected.
  Value quotient(Value entry, Value sum, Value reciprocal) {
    Value e = k.extendU(entry, k.i64());
    Value estimate =
        addI(k, mulI(k, e, reciprocal), int64_t(1) << (reciprocalBits - 1));
    Value y = shiftRightU(k, estimate, reciprocalBits);
    // The estimate is at most one too small.
    Value rest = subI(k, mulI(k, e, levels), mulI(k, y, sum));
    Value isSmall =
        compare(k, arith::CmpIPredicate::sge, shiftLeft(k, rest, 1), sum);
    y = select(k, isSmall, addI(k, y, 1), y);
    return k.truncate(y, k.i32());
  }

  void vectorRow(Value rowIn, Value rowOut) {
    Value maximum = rowMaximum(rowIn);
    Value sum = rowSum(rowIn, maximum);
    Value scaled = k.constant(k.i64(), levels << reciprocalBits);
    Value reciprocal = arith::DivUIOp::create(k.b, k.loc, scaled, sum);
    int64_t lanes = k.isa.lanes();
    // Masks tell the multiplier that 32 bits are enough.
    Value reciprocals =
        andI(k, k.splat(reciprocal, lanes), int64_t(0xffffffff));
    Value sums = k.splat(sum, lanes);
    if (rows.length() < 512)
      sums = andI(k, sums, int64_t(0xffffffff));
    chunks({}, [&](Value index, int64_t count, ValueRange) {
      Value distance = subI(k, maximum, bytesAt(rowIn, index, count));
      WideLanes values;
      for (Value entry : entries(distance))
        values.push_back(
            addI(k, quotient(entry, sums, reciprocals), output.zeroPoint));
      Value position = k.add(rowOut, k.mul(index, out.elementBytes()));
      storeLanes(k, to, position, narrow(k, values, output, order()), count);
      return SmallVector<Value>();
    });
  }

  //===--------------------------------------------------------------------===//
  // Rows with gaps
  //===--------------------------------------------------------------------===//

  Value scalarAt(Value row, Value index) {
    Value x = k.load(from, k.add(row, k.mul(index, rows.inStep())), k.i8());
    if (in.storageBias == 0)
      x = xorI(k, x, 128);
    return k.extendU(x, k.i32());
  }

  Value scalarEntry(Value maximum, Value x) {
    Value index = arith::IndexCastUIOp::create(k.b, k.loc, k.b.getIndexType(),
                                               subI(k, maximum, x));
    return k.extendU(k.load(table, k.mul(index, 4), k.i32()), k.i64());
  }

  void scalarRow(Value rowIn, Value rowOut) {
    int64_t size = rows.length();
    Value maximum = k.loop(
        0, size, 1, {k.constant(k.i32(), 0)}, [&](Value i, ValueRange best) {
          return SmallVector<Value>{maxU(k, best[0], scalarAt(rowIn, i))};
        })[0];
    Value sum = k.loop(0, size, 1, {k.constant(k.i64(), 0)},
                       [&](Value i, ValueRange sums) {
                         Value e = scalarEntry(maximum, scalarAt(rowIn, i));
                         return SmallVector<Value>{addI(k, sums[0], e)};
                       })[0];
    k.loop(0, size, 1, [&](Value i) {
      Value e = scalarEntry(maximum, scalarAt(rowIn, i));
      Value numerator = addI(k, mulI(k, e, 2 * levels), sum);
      Value y =
          arith::DivUIOp::create(k.b, k.loc, numerator, shiftLeft(k, sum, 1));
      Value q = k.clampS(addI(k, y, output.zeroPoint), output.clampMin,
                         output.clampMax);
      q = k.truncate(q, k.elementType(out.kind));
      if (out.storageBias)
        q = xorI(k, q, 128);
      k.store(to, k.add(rowOut, k.mul(i, rows.outStep())), q);
    });
  }

  KernelBuilder &k;
  const View &in;
  const View &out;
  Rows rows;
  int64_t levels;
  Value from, to, table;
  OutputType output;
  bool usesPlanes = false;
  SmallVector<Value, 3> planes;
};

} // namespace

LogicalResult emit(KernelContext &context, qint::SoftmaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  bool isContiguous = Rows(in[0], out[0], op.getAxis()).isContiguous();
  SmallVector<uint8_t> bytes =
      tableBytes(op.getExpTable(), isContiguous && context.isa.hasVbmi);
  std::string params;
  llvm::raw_string_ostream(params)
      << op.getAxis() << " l" << op.getLevels() << 'z' << op.getZeroPoint();
  context.emitKernel(
      op.getLoc(), "softmax", params,
      {KernelArg::read(in[0]), KernelArg::write(out[0]),
       KernelArg::constant(context.constants.append(bytes), bytes.size(),
                           /*mayOverRead=*/false)},
      [&](KernelBuilder &k, ValueRange args) {
        SoftmaxBody(k, op, in[0], out[0], args).emit();
      });
  return success();
}

} // namespace mlir::qopt::codegen
