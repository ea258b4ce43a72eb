// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer softmax: a table of exponentials, one sum and one reciprocal a row,
// quotients corrected so that they equal the division of
// docs/arithmetic.md, "Softmax"; in long rows, one a distance instead of one an
// element. Its logarithm from the same sum ("Log-softmax").

#include "qopt/Numerics/Softmax.h"
#include "Arith.h"
#include "SoftmaxRows.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// Fraction bits `r` of the reciprocal `floor(levels 2^(r - shift) / sum)`:
/// with `sum >= 2^23` it fits 32 bits, and `E <= 2^23` times its error stays
/// below 2^-16, or 2^-2 for the most levels, 2^30.
int64_t countReciprocalBits(qint::SoftmaxOp op) {
  const uint64_t inverse = op.getLevels() >> op.getLevelShift();
  return 39 - std::max<int64_t>(0, llvm::bit_width(inverse) - 16);
}

/// Clamps, converts and stores a scalar result.
void storeScalar(KernelBuilder &k, Value to, Value position, Value value,
                 const OutputType &output) {
  Value q = k.clampS(value, output.clampMin, output.clampMax);
  q = k.truncate(q, k.elementType(output.kind));
  if (output.storageBias)
    q = xorI(k, q, 128);
  k.store(to, position, q);
}

/// The distances from 0 on that hold all whose result is not 0 in some row: a
/// row's sum is 2^23 or more.
int64_t countNonzero(qint::SoftmaxOp op) {
  ArrayRef<int32_t> table = op.getExpTable();
  int64_t count = table.size(), levels = op.getLevels();
  int64_t half = int64_t(1) << (22 + op.getLevelShift());
  while (count > 0 && levels * table[count - 1] < half)
    --count;
  return count;
}

/// Whether the results of all distances are fewer quotients than those of all
/// elements, and can be looked up.
bool looksResultsUp(const Isa &isa, const Rows &rows, qint::SoftmaxOp op) {
  return isa.hasVbmi && rows.isContiguous() && op.getExpTable().size() == 256 &&
         rows.length() >= countNonzero(op) + isa.bytes();
}

class SoftmaxBody {
public:
  /// `args`: input, result, exponentials and, where results are looked up,
  /// the exponentials as i32.
  SoftmaxBody(KernelBuilder &k, qint::SoftmaxOp op, const Rows &rows,
              const View &in, const View &out, ValueRange args)
      : k(k), rows(rows), levels(op.getLevels()),
        levelShift(op.getLevelShift()), reciprocalBits(countReciprocalBits(op)),
        nonzero(countNonzero(op)), to(args[1]),
        exponentials(args.size() > 3 ? args[3] : Value()),
        sums(k, in, rows, args[0], args[2]) {
    output.kind = out.kind;
    output.storageBias = out.storageBias;
    output.zeroPoint = op.getZeroPoint();
    output.clampMin = out.kind == ElementKind::I8 ? -128 : -32768;
    output.clampMax = -output.clampMin - 1;
  }

  void emit() {
    rows.run(k, [&](Value rowIn, Value rowOut) {
      if (rows.isContiguous())
        vectorRow(rowIn, rowOut);
      else
        scalarRow(rowIn, rowOut);
    });
  }

private:
  /// `floor((2 levels E + sum) / (2 sum))` from the reciprocal, corrected;
  /// `sum` is still to be multiplied by `2^levelShift`.
  Value quotient(Value entry, Value sum, Value reciprocal) {
    Value e = k.extendU(entry, k.i64());
    Value estimate =
        addI(k, mulI(k, e, reciprocal), int64_t(1) << (reciprocalBits - 1));
    Value y = shiftRightU(k, estimate, reciprocalBits);
    // The estimate is at most one too small.
    Value rest = subI(k, mulI(k, e, levels), shiftSum(mulI(k, y, sum)));
    Value isSmall = compare(k, arith::CmpIPredicate::sge, shiftLeft(k, rest, 1),
                            shiftSum(sum));
    y = select(k, isSmall, addI(k, y, 1), y);
    return k.truncate(y, k.i32());
  }

  Value shiftSum(Value sum) {
    return levelShift ? shiftLeft(k, sum, levelShift) : sum;
  }

  void vectorRow(Value rowIn, Value rowOut) {
    Value maximum = sums.rowMaximum(rowIn);
    Value sum = sums.rowSum(rowIn, maximum);
    Value scaled = k.constant(k.i64(), levels << (reciprocalBits - levelShift));
    Value reciprocal = arith::DivUIOp::create(k.b, k.loc, scaled, sum);
    int64_t lanes = k.isa.lanes();
    // Masks tell the multiplier that 32 bits are enough.
    Value reciprocals =
        andI(k, k.splat(reciprocal, lanes), int64_t(0xffffffff));
    Value total = k.splat(sum, lanes);
    if (rows.length() < 512)
      total = andI(k, total, int64_t(0xffffffff));
    if (exponentials)
      return lookUpRow(rowIn, rowOut, maximum,
                       resultTables(total, reciprocals));
    sums.chunks({}, [&](Value index, int64_t count, ValueRange) {
      Value distance = sums.distances(rowIn, maximum, index, count);
      WideLanes values;
      for (Value entry : sums.entries(distance, count))
        values.push_back(
            addI(k, quotient(entry, total, reciprocals), output.zeroPoint));
      Value position = k.add(rowOut, k.mul(index, byteWidth(output.kind)));
      storeLanes(k, to, position, narrow(k, values, output, sums.order()),
                 count);
      return SmallVector<Value>();
    });
  }

  /// The results of all distances as in memory: a table for each of their
  /// bytes.
  SmallVector<Value, 2> resultTables(Value total, Value reciprocals) {
    SmallVector<SmallVector<Value>, 2> parts(byteWidth(output.kind));
    auto type = k.vec(k.isa.lanes(), k.i32());
    for (int64_t first = 0; first < 256; first += sums.chunk()) {
      WideLanes values;
      for (int64_t part = 0; part < 4; ++part) {
        int64_t distance = first + part * k.isa.lanes();
        Value y = k.constant(type, 0);
        if (distance < nonzero)
          y = quotient(k.load(exponentials, k.index(4 * distance), type), total,
                       reciprocals);
        values.push_back(addI(k, y, output.zeroPoint));
      }
      SmallVector<Value, 2> narrowed =
          narrow(k, values, output, LaneOrder::Natural);
      if (parts.size() == 1) {
        parts[0].push_back(narrowed[0]);
        continue;
      }
      Value words = k.concat(narrowed[0], narrowed[1]);
      parts[0].push_back(k.truncate(words, k.i8()));
      parts[1].push_back(k.truncate(shiftRightU(k, words, 8), k.i8()));
    }
    SmallVector<Value, 2> tables;
    for (ArrayRef<Value> part : parts)
      tables.push_back(
          k.concat(k.concat(part[0], part[1]), k.concat(part[2], part[3])));
    return tables;
  }

  void lookUpRow(Value rowIn, Value rowOut, Value maximum,
                 ArrayRef<Value> tables) {
    sums.chunks({}, [&](Value index, int64_t count, ValueRange) {
      Value distance = sums.distances(rowIn, maximum, index, count);
      SmallVector<Value, 2> vectors;
      for (Value table : tables)
        vectors.push_back(qint::LookupOp::create(k.b, k.loc, distance.getType(),
                                                 table, distance));
      if (vectors.size() == 2) {
        int64_t lanes = sums.chunk();
        SmallVector<int64_t> order;
        for (int64_t lane = 0; lane < lanes; ++lane)
          order.append({lane, lanes + lane});
        Value words =
            k.bitcast(k.shuffle(vectors[0], vectors[1], order), k.i16());
        vectors = {k.slice(words, 0, lanes / 2),
                   k.slice(words, lanes / 2, lanes / 2)};
      }
      Value position = k.add(rowOut, k.mul(index, byteWidth(output.kind)));
      storeLanes(k, to, position, vectors, count);
      return SmallVector<Value>();
    });
  }

  void scalarRow(Value rowIn, Value rowOut) {
    Value maximum = sums.scalarMaximum(rowIn);
    Value sum = shiftSum(sums.scalarSum(rowIn, maximum));
    k.loop(0, rows.length(), 1, [&](Value i) {
      Value e = sums.scalarEntry(sums.scalarDistance(rowIn, maximum, i));
      Value numerator = addI(k, mulI(k, e, 2 * levels), sum);
      Value y =
          arith::DivUIOp::create(k.b, k.loc, numerator, shiftLeft(k, sum, 1));
      storeScalar(k, to, k.add(rowOut, k.mul(i, rows.outStep())),
                  addI(k, y, output.zeroPoint), output);
    });
  }

  KernelBuilder &k;
  const Rows &rows;
  int64_t levels, levelShift, reciprocalBits, nonzero;
  Value to, exponentials;
  SoftmaxRows sums;
  OutputType output;
};

class LogSoftmaxBody {
public:
  LogSoftmaxBody(KernelBuilder &k, qint::LogSoftmaxOp op, const Rows &rows,
                 const View &in, const View &out, ValueRange args)
      : k(k), rows(rows), requant(op.getRequant()), to(args[1]), logs(args[3]),
        sums(k, in, rows, args[0], args[2]),
        output(OutputType::of(op.getRequant(), out)),
        isWide(in.kind == ElementKind::I16) {}

  void emit() {
    rows.run(k, [&](Value rowIn, Value rowOut) {
      if (rows.isContiguous())
        vectorRow(rowIn, rowOut);
      else
        scalarRow(rowIn, rowOut);
    });
  }

private:
  /// `L` of a sum: an entry of the table and two terms of a series.
  Value logOfSum(Value sum) {
    Value value = sum, top = k.constant(k.i64(), 62);
    for (int step : {32, 16, 8, 4, 2, 1}) {
      Value isSmall = compare(k, arith::CmpIPredicate::slt, value,
                              k.constant(k.i64(), int64_t(1) << (63 - step)));
      value = select(k, isSmall, shiftLeft(k, value, step), value);
      top = select(k, isSmall, subI(k, top, step), top);
    }
    Value rest = andI(k, shiftRightU(k, value, 30), int64_t(0xffffffff));
    Value index = shiftRightU(k, rest, 24);
    Value at =
        arith::IndexCastUIOp::create(k.b, k.loc, k.b.getIndexType(), index);
    Value entry = k.extendU(k.load(logs, k.mul(at, 4), k.i32()), k.i64());
    Value u = arith::DivUIOp::create(k.b, k.loc,
                                     shiftLeft(k, andI(k, rest, 0xffffff), 6),
                                     addI(k, index, 256));
    Value part = subI(k, u, shiftRightU(k, mulI(k, u, u), 31));
    Value whole = mulI(k, subI(k, top, 23),
                       static_cast<int64_t>(numerics::getLogTable()[256]));
    return addI(k, addI(k, whole, entry), part);
  }

  /// What all elements of a row have in common, in the type of its sums.
  Value scaledLog(Value sum) {
    int64_t shift = requant.getShift()[1];
    Value scaled = mulI(k, logOfSum(sum), requant.getMultiplier()[1]);
    scaled = addI(k, scaled, int64_t(1) << (shift - 1));
    scaled = shiftRight(k, scaled, shift);
    return isWide ? scaled : k.truncate(scaled, k.i32());
  }

  /// The result, not yet clamped, of i32 distances; `base` is half a step less
  /// the row's logarithm.
  Value finish(Value distance, Value base) {
    // Widened as a signed number.
    if (isWide)
      distance = k.extendU(andI(k, distance, 0xffff), k.i64());
    Value acc = subI(k, base, mulI(k, distance, requant.getMultiplier()[0]));
    acc = addI(k, shiftRight(k, acc, requant.getShift()[0]), output.zeroPoint);
    if (!isWide)
      return acc;
    return k.truncate(k.clampS(acc, output.clampMin, output.clampMax), k.i32());
  }

  Value baseOf(Value sum) {
    int64_t half = int64_t(1) << (requant.getShift()[0] - 1);
    Value log = scaledLog(sum);
    return subI(k, k.constant(log.getType(), half), log);
  }

  void vectorRow(Value rowIn, Value rowOut) {
    Value maximum = sums.rowMaximum(rowIn);
    Value base = k.splat(baseOf(sums.rowSum(rowIn, maximum)), k.isa.lanes());
    sums.chunks({}, [&](Value index, int64_t count, ValueRange) {
      Value distance = sums.distances(rowIn, maximum, index, count);
      WideLanes values;
      for (Value part : widen(k, distance, LaneOrder::Natural))
        values.push_back(finish(part, base));
      Value position = k.add(rowOut, k.mul(index, byteWidth(output.kind)));
      storeLanes(k, to, position, narrow(k, values, output, LaneOrder::Natural),
                 count);
      return SmallVector<Value>();
    });
  }

  void scalarRow(Value rowIn, Value rowOut) {
    Value maximum = sums.scalarMaximum(rowIn);
    Value base = baseOf(sums.scalarSum(rowIn, maximum));
    k.loop(0, rows.length(), 1, [&](Value i) {
      storeScalar(k, to, k.add(rowOut, k.mul(i, rows.outStep())),
                  finish(sums.scalarDistance(rowIn, maximum, i), base), output);
    });
  }

  KernelBuilder &k;
  const Rows &rows;
  qint::RequantAttr requant;
  Value to, logs;
  SoftmaxRows sums;
  OutputType output;
  bool isWide;
};

} // namespace

LogicalResult emit(KernelContext &context, qint::SoftmaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  Rows rows(in[0], out[0], op.getAxis());
  SmallVector<uint8_t> bytes =
      exponentialBytes(context.isa, rows, op.getExpTable());
  std::string params;
  llvm::raw_string_ostream(params)
      << op.getAxis() << " l" << op.getLevels() << '>' << op.getLevelShift()
      << 'z' << op.getZeroPoint() << 'n' << countNonzero(op);
  SmallVector<KernelArg> args = {
      KernelArg::read(in[0]), KernelArg::write(out[0]),
      KernelArg::constant(context.constants.append(bytes), bytes.size(),
                          /*mayOverRead=*/false)};
  if (looksResultsUp(context.isa, rows, op)) {
    ArrayRef<int32_t> table = op.getExpTable();
    args.push_back(KernelArg::constant(context.constants.appendValues(table),
                                       4 * table.size(),
                                       /*mayOverRead=*/false));
  }
  context.emitKernel(op.getLoc(), "softmax", params, args,
                     [&](KernelBuilder &k, ValueRange args) {
                       SoftmaxBody(k, op, rows, in[0], out[0], args).emit();
                     });
  return success();
}

LogicalResult emit(KernelContext &context, qint::LogSoftmaxOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  Rows rows(in[0], out[0], op.getAxis());
  SmallVector<uint8_t> bytes =
      exponentialBytes(context.isa, rows, op.getExpTable());
  ArrayRef<uint32_t> logs = numerics::getLogTable();
  std::string params;
  llvm::raw_string_ostream(params) << op.getAxis() << ' ' << op.getRequant();
  context.emitKernel(
      op.getLoc(), "log_softmax", params,
      {KernelArg::read(in[0]), KernelArg::write(out[0]),
       KernelArg::constant(context.constants.append(bytes), bytes.size(),
                           /*mayOverRead=*/false),
       KernelArg::constant(context.constants.appendValues(logs),
                           4 * logs.size(), /*mayOverRead=*/false)},
      [&](KernelBuilder &k, ValueRange args) {
        LogSoftmaxBody(k, op, rows, in[0], out[0], args).emit();
      });
  return success();
}

} // namespace mlir::qopt::codegen
