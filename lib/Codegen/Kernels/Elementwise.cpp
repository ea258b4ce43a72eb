// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer sums, products and rescaling of elements.

#include "Arith.h"
#include "Gate.h"
#include "Operands.h"
#include "Table.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"
#include "qopt/Numerics/Requantize.h"
#include <array>

namespace mlir::qopt::codegen {
namespace {

/// `q - zeroPoint` over all `q` of a kind.
struct Centered {
  int64_t min, max;

  Centered(ElementKind kind, int64_t zeroPoint) {
    int64_t top = kind == ElementKind::I8 ? 127 : 32767;
    min = -top - 1 - zeroPoint;
    max = top - zeroPoint;
  }
  int64_t magnitude() const { return std::max(-min, max); }
};

/// Both operands bytes: they can be widened in blocks.
LaneOrder orderFor(ArrayRef<NestOperand> operands) {
  for (const NestOperand &operand : operands.drop_front())
    if (operand.kind != ElementKind::I8)
      return LaneOrder::Natural;
  return LaneOrder::Blocked;
}

//===----------------------------------------------------------------------===//
// Add
//===----------------------------------------------------------------------===//

/// The sum of two terms before its rounding.
struct SumForm {
  std::array<int64_t, 2> zeroPoints, multipliers;
  int shift = 1;
  bool isHalfEven = false;
  int64_t zeroPoint = 0;
  /// Extremes of the sum.
  int64_t min = 0, max = 0;

  SumForm(qint::AddOp op, ArrayRef<NestOperand> operands) {
    qint::RequantAttr requant = op.getRequant();
    zeroPoints = {op.getLhsZeroPoint(), op.getRhsZeroPoint()};
    shift = requant.getShiftFor(0);
    isHalfEven = requant.getRounding() == qint::Rounding::HalfEven;
    zeroPoint = requant.getZeroPoint();
    for (int i = 0; i < 2; ++i) {
      multipliers[i] = requant.getMultiplierFor(i);
      Centered range(operands[i + 1].kind, zeroPoints[i]);
      int64_t a = range.min * multipliers[i], b = range.max * multipliers[i];
      min += std::min(a, b);
      max += std::max(a, b);
    }
  }

  int64_t half() const { return int64_t(1) << (shift - 1); }
  /// An i32 holds the sum with every constant folded in.
  bool fits32() const {
    if (shift > 30)
      return false;
    int64_t offset = half() + (zeroPoint << shift);
    return std::min(min, min + offset) >= INT32_MIN &&
           std::max(max + half(), max + offset) <= INT32_MAX;
  }
  /// And each multiplier in two 15-bit digits is a pair of i16.
  bool fitsPairs() const {
    for (int64_t multiplier : multipliers)
      if (std::abs(multiplier) >= (int64_t(1) << 30))
        return false;
    return fits32();
  }
};

/// Digit `upper ? m >> bits : m mod 2^bits` of both multipliers, as pairs.
Value digitPairs(KernelBuilder &k, std::array<int64_t, 2> multipliers, int bits,
                 bool upper) {
  SmallVector<int64_t> words;
  for (int64_t lane = 0; lane < 2 * k.isa.lanes(); ++lane) {
    int64_t m = multipliers[lane % 2];
    words.push_back(upper ? m >> bits : m & ((1 << bits) - 1));
  }
  return k.constantVector(k.i16(), words);
}

/// `constant + a M_a + b M_b` modulo 2^32 for a vector of pairs of words below
/// 256.
Value dotPairs(KernelBuilder &k, Value pair, std::array<int64_t, 2> multipliers,
               int64_t constant) {
  Type type = k.vec(k.isa.lanes(), k.i32());
  auto dot = [&](Value acc, Value words, int bits, bool upper) -> Value {
    return qint::Dot2Op::create(k.b, k.loc, type, acc, words,
                                digitPairs(k, multipliers, bits, upper));
  };
  int64_t largest =
      std::max(std::abs(multipliers[0]), std::abs(multipliers[1]));
  Value start = k.constant(type, constant);
  if (multipliers[0] >> 15 == 0 && multipliers[1] >> 15 == 0)
    return dot(start, pair, 15, false);
  // Words below 256 have room for seven bits of the multiplier's weight.
  if (largest < (1 << 22))
    return dot(dot(start, shiftLeft(k, pair, 7), 7, true), pair, 7, false);
  Value high = dot(k.constant(type, constant >> 15), pair, 15, true);
  Value base = orI(k, shiftLeft(k, high, 15), constant & 0x7fff);
  return dot(base, pair, 15, false);
}

/// Rounded sums of two byte vectors, zero point included.
WideLanes addBytes(KernelBuilder &k, Value a, Value b, const SumForm &form) {
  int64_t folded = -(form.zeroPoints[0] + 128) * form.multipliers[0] -
                   (form.zeroPoints[1] + 128) * form.multipliers[1];
  if (!form.isHalfEven)
    folded += form.half() + form.zeroPoint * (int64_t(1) << form.shift);
  WideLanes result;
  for (Value pair : wordPairs(k, a, b)) {
    Value sum = dotPairs(k, pair, form.multipliers,
                         static_cast<int32_t>(static_cast<uint32_t>(folded)));
    if (!form.isHalfEven) {
      result.push_back(shiftRight(k, sum, form.shift));
      continue;
    }
    Value odd = andI(k, shiftRight(k, sum, form.shift), 1);
    Value up = addI(k, addI(k, sum, form.half() - 1), odd);
    result.push_back(addI(k, shiftRight(k, up, form.shift), form.zeroPoint));
  }
  return result;
}

/// The same for operands of any kind, in i32.
WideLanes addWords(KernelBuilder &k, const std::array<WideLanes, 2> &operands,
                   ArrayRef<NestOperand> infos, const SumForm &form) {
  int64_t constant = form.half() + form.zeroPoint * (int64_t(1) << form.shift);
  for (unsigned i = 0; i < 2; ++i)
    constant -= (form.zeroPoints[i] + registerBias(infos[i + 1].kind)) *
                form.multipliers[i];
  WideLanes result;
  for (unsigned part = 0; part < 4; ++part) {
    // Modulo 2^32: the whole sum fits.
    Value sum = addI(k, mulI(k, operands[0][part], form.multipliers[0]),
                     mulI(k, operands[1][part], form.multipliers[1]));
    sum = addI(k, sum, static_cast<int32_t>(static_cast<uint32_t>(constant)));
    result.push_back(shiftRight(k, sum, form.shift));
  }
  return result;
}

/// The same in i64.
WideLanes addWide(KernelBuilder &k, const std::array<WideLanes, 2> &operands,
                  ArrayRef<NestOperand> infos, const SumForm &form) {
  WideLanes result;
  for (unsigned part = 0; part < 4; ++part) {
    Value sum;
    for (unsigned i = 0; i < 2; ++i) {
      int64_t zero = form.zeroPoints[i] + registerBias(infos[i + 1].kind);
      Value value = subI(k, operands[i][part], zero);
      Value term = mulI(k, k.extendS(value, k.i64()), form.multipliers[i]);
      sum = i == 0 ? term : addI(k, sum, term);
    }
    Value half = k.constant(sum.getType(), form.half());
    if (form.isHalfEven)
      half =
          addI(k, subI(k, half, 1), andI(k, shiftRight(k, sum, form.shift), 1));
    Value rounded = shiftRight(k, addI(k, sum, half), form.shift);
    int64_t limit = int64_t(1) << 30;
    if (std::max(-form.min, form.max) >> form.shift >= limit - 1)
      rounded = k.clampS(rounded, -limit, limit);
    result.push_back(addI(k, k.truncate(rounded, k.i32()), form.zeroPoint));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Mul and requantize
//===----------------------------------------------------------------------===//

/// `(a - za) (b - zb)`, in i64 where an i32 cannot hold it.
WideLanes centeredProduct(KernelBuilder &k, const WideLanes &a,
                          const WideLanes &b, int64_t za, int64_t zb,
                          bool isWide) {
  WideLanes result;
  for (auto [x, y] : llvm::zip(a, b)) {
    Value left = subI(k, x, za), right = subI(k, y, zb);
    if (isWide) {
      left = k.extendS(left, k.i64());
      right = k.extendS(right, k.i64());
    }
    result.push_back(mulI(k, left, right));
  }
  return result;
}

/// The dot products of pairs.
WideLanes pairedProduct(KernelBuilder &k, const WideLanes &a,
                        const WideLanes &b) {
  WideLanes result;
  Type type = k.vec(k.isa.lanes(), k.i32());
  for (auto [x, y] : llvm::zip_equal(a, b))
    result.push_back(
        qint::Dot2Op::create(k.b, k.loc, type, k.constant(type, 0), x, y));
  return result;
}

} // namespace

LogicalResult emit(KernelContext &context, qint::AddOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  auto operands = binaryOperands(context, op, in, out[0]);
  if (failed(operands))
    return failure();
  ElementwiseNest nest(out[0].shape, *operands, context.isa.bytes());
  SumForm form(op, *operands);
  LaneOrder order = orderFor(*operands);
  bool isPaired = order == LaneOrder::Blocked && form.fitsPairs();
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  std::string params;
  llvm::raw_string_ostream(params)
      << form.multipliers[0] << ',' << form.multipliers[1] << '>' << form.shift
      << (form.isHalfEven ? "even" : "") << 'z' << form.zeroPoints[0] << ','
      << form.zeroPoints[1] << ' ' << output.key();
  emitNest(context, op.getLoc(), "add", params, nest,
           [&](KernelBuilder &k, const Chunk &chunk) {
             Value a = asUnsigned(k, nest.load(k, chunk, 1, k.isa.bytes()),
                                  (*operands)[1]);
             Value b = asUnsigned(k, nest.load(k, chunk, 2, k.isa.bytes()),
                                  (*operands)[2]);
             WideLanes sums;
             if (isPaired) {
               sums = addBytes(k, a, b, form);
             } else {
               std::array<WideLanes, 2> wide = {widen(k, a, order),
                                                widen(k, b, order)};
               sums = !form.isHalfEven && form.fits32()
                          ? addWords(k, wide, *operands, form)
                          : addWide(k, wide, *operands, form);
             }
             return narrow(k, sums, output, order);
           });
  return success();
}

LogicalResult emit(KernelContext &context, qint::MulOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  auto operands = binaryOperands(context, op, in, out[0]);
  if (failed(operands))
    return failure();
  ElementwiseNest nest(out[0].shape, *operands, context.isa.bytes());
  LaneOrder order = orderFor(*operands);
  ElementKind kindA = (*operands)[1].kind, kindB = (*operands)[2].kind;
  int64_t za = op.getLhsZeroPoint(), zb = op.getRhsZeroPoint();
  int64_t bound =
      Centered(kindA, za).magnitude() * Centered(kindB, zb).magnitude();
  Rescale rescale = Rescale::of(op.getRequant(), bound);
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  bool isPaired = order == LaneOrder::Blocked && fitsPairs(za) && fitsPairs(zb);
  if (isPaired && output.kind == ElementKind::I8 &&
      emitGate(context, op, in, out[0], rescale, output))
    return success();
  std::string params;
  llvm::raw_string_ostream(params)
      << 'z' << za << ',' << zb << ' ' << rescale.key() << ' ' << output.key();
  emitNest(context, op.getLoc(), "mul", params, nest,
           [&](KernelBuilder &k, const Chunk &chunk) {
             Value a = asUnsigned(k, nest.load(k, chunk, 1, k.isa.bytes()),
                                  (*operands)[1]);
             Value b = asUnsigned(k, nest.load(k, chunk, 2, k.isa.bytes()),
                                  (*operands)[2]);
             WideLanes product = isPaired
                                     ? pairedProduct(k, factorPairs(k, a, za),
                                                     centeredPairs(k, b, zb))
                                     : centeredProduct(k, widen(k, a, order),
                                                       widen(k, b, order),
                                                       za + registerBias(kindA),
                                                       zb + registerBias(kindB),
                                                       bound > INT32_MAX);
             return requantize(k, product, rescale, {}, output, order);
           });
  return success();
}

LogicalResult emit(KernelContext &context, qint::RequantizeOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  qint::RequantAttr requant = op.getRequant();
  int64_t zero = op.getInputZeroPoint();
  OutputType output = OutputType::of(requant, out[0]);
  if (in[0].kind == ElementKind::I8) {
    // A function of a byte is a table.
    SmallVector<int16_t> table;
    auto rounding = requant.getRounding() == qint::Rounding::HalfEven
                        ? numerics::Rounding::HalfEven
                        : numerics::Rounding::HalfUp;
    for (int64_t q = -128; q < 128; ++q)
      table.push_back(numerics::requantize(
          q - zero, requant.getMultiplierFor(0), requant.getShiftFor(0),
          output.zeroPoint, output.clampMin, output.clampMax, rounding));
    emitTable(context, op.getLoc(), in[0], out[0], table);
    return success();
  }
  std::vector<NestOperand> operands = {
      NestOperand::of(out[0], out[0].shape, true),
      NestOperand::of(in[0], out[0].shape)};
  ElementwiseNest nest(out[0].shape, operands, context.isa.bytes());
  Rescale rescale =
      Rescale::of(requant, Centered(in[0].kind, zero).magnitude());
  std::string params;
  llvm::raw_string_ostream(params)
      << 'z' << zero << ' ' << rescale.key() << ' ' << output.key();
  emitNest(context, op.getLoc(), "requantize", params, nest,
           [&](KernelBuilder &k, const Chunk &chunk) {
             Value q = nest.load(k, chunk, 1, k.isa.bytes());
             WideLanes acc = widen(k, q, LaneOrder::Natural);
             for (Value &value : acc)
               value = subI(k, value, zero);
             return requantize(k, acc, rescale, {}, output, LaneOrder::Natural);
           });
  return success();
}

} // namespace mlir::qopt::codegen
