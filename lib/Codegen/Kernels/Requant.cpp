// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Widening, rescaling with one rounding, packing. Every form computes the same
// numbers; which one is used follows from bounds known at compile time.

#include "qopt/Codegen/Kernels/Requant.h"
#include "Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {
namespace {

int64_t lanesOf(Value vector) {
  return cast<VectorType>(vector.getType()).getNumElements();
}

Value mulHigh(KernelBuilder &k, Value a, Value b) {
  return qint::MulHighOp::create(k.b, k.loc, a.getType(), a, b);
}

Value addSaturating(KernelBuilder &k, Value a, int64_t constant) {
  return LLVM::SAddSat::create(k.b, k.loc, a.getType(), a,
                               k.constant(a.getType(), constant));
}

/// `floor((words + 2^(fraction-1)) / 2^fraction)` in one instruction.
Value roundWords(KernelBuilder &k, Value words, int fraction) {
  Value factor = k.constant(words.getType(), int64_t(1) << (15 - fraction));
  return qint::MulRoundOp::create(k.b, k.loc, words.getType(), words, factor);
}

/// What a form of rescaling needs beside the accumulators.
struct Form {
  const Rescale &rescale;
  const RescaleLanes &lanes;

  Value multiplier(KernelBuilder &k, unsigned part, Type type) const {
    if (!lanes.multipliers.empty())
      return lanes.multipliers[part];
    return k.constant(type, rescale.maxMultiplier);
  }
};

/// Left shift of the accumulator for which the high half of the product is
/// `floor(acc M / 2^(32 - shift))` and at least one fraction bit remains; -1 if
/// the accumulator has no room.
int highShift(const Rescale &rescale) {
  int shift = std::max(0, 33 - rescale.minShift);
  if (rescale.rounding != qint::Rounding::HalfUp || shift > 30)
    return -1;
  return rescale.bound < (int64_t(1) << (31 - shift)) ? shift : -1;
}

/// `floor(acc M 2^left / 2^32)`.
Value highProduct(KernelBuilder &k, const Form &form, Value acc, unsigned part,
                  int left) {
  if (left)
    acc = shiftLeft(k, acc, left);
  return mulHigh(k, acc, form.multiplier(k, part, acc.getType()));
}

/// The last fraction bits rounded away in i32.
Value roundFraction(KernelBuilder &k, const Form &form, Value high,
                    unsigned part, int left) {
  if (form.lanes.shifts.empty()) {
    int fraction = form.rescale.minShift + left - 32;
    high = addI(k, high, int64_t(1) << (fraction - 1));
    return shiftRight(k, high, fraction);
  }
  Value shift = form.lanes.shifts[part];
  Value one = k.constant(high.getType(), 1);
  Value half = shiftLeft(k, one, subI(k, shift, 33 - left));
  return shiftRight(k, addI(k, high, half), subI(k, shift, 32 - left));
}

/// The whole product in i64.
Value roundWide(KernelBuilder &k, const Form &form, Value acc, unsigned part) {
  const Rescale &rescale = form.rescale;
  Value product =
      mulI(k, k.extendS(acc, k.i64()),
           k.extendS(form.multiplier(k, part, acc.getType()), k.i64()));
  Type type = product.getType();
  Value one = k.constant(type, 1), shift, half;
  if (form.lanes.shifts.empty()) {
    shift = k.constant(type, rescale.minShift);
    half = k.constant(type, int64_t(1) << (rescale.minShift - 1));
  } else {
    shift = k.extendU(form.lanes.shifts[part], k.i64());
    half = shiftLeft(k, one, subI(k, shift, 1));
  }
  if (rescale.rounding == qint::Rounding::HalfEven) {
    if (rescale.averageParity && rescale.minShift > 16) {
      int excess = rescale.minShift - 16;
      product =
          shiftRight(k, addI(k, product, int64_t(1) << (excess - 1)), excess);
      shift = k.constant(type, 16);
      half = k.constant(type, 1 << 15);
    }
    Value odd = andI(k, shiftRight(k, product, shift), 1);
    if (rescale.averageParity.value_or(false))
      odd = xorI(k, odd, 1);
    half = addI(k, subI(k, half, 1), odd);
  }
  Value result = shiftRight(k, addI(k, product, half), shift);
  __int128 largest =
      static_cast<__int128>(rescale.bound) * rescale.maxMultiplier >>
      rescale.minShift;
  if (largest >= (int64_t(1) << 30))
    result = k.clampS(result, -(int64_t(1) << 30), int64_t(1) << 30);
  return k.truncate(result, k.i32());
}

/// Bytes that were packed from two vectors of words into their order: blocks of
/// 128 bits hold eight elements of either.
Value joinHalves(KernelBuilder &k, Value bytes) {
  int64_t units = lanesOf(bytes) / 8;
  SmallVector<int64_t> order;
  for (int64_t half : {0, 1})
    for (int64_t unit = half; unit < units; unit += 2)
      order.push_back(unit);
  Value wide = k.bitcast(bytes, k.i64());
  return k.bitcast(k.shuffle(wide, wide, order), k.i8());
}

/// Bytes in element order from four vectors of i32 in blocked order, each with
/// `fraction` bits (1 to 7) still to round away. Saturating to i16 on the way
/// changes nothing: what saturates ends at the clamp anyway.
Value packFractions(KernelBuilder &k, ArrayRef<Value> high, int fraction,
                    const OutputType &output) {
  bool isUnsigned = output.storageBias == 128;
  int64_t zero = output.zeroPoint + (isUnsigned ? 128 : 0);
  int64_t offset = (zero << fraction) + (int64_t(1) << (fraction - 1));
  SmallVector<Value, 2> words;
  for (unsigned pair = 0; pair < 2; ++pair) {
    Value word = pack(k, high[2 * pair], high[2 * pair + 1]);
    words.push_back(
        zero == 0 ? roundWords(k, word, fraction)
                  : shiftRight(k, addSaturating(k, word, offset), fraction));
  }
  Value bytes = pack(k, words[0], words[1], isUnsigned);
  int64_t low = output.clampMin, top = output.clampMax;
  if (isUnsigned) {
    if (low > -128)
      bytes = maxU(k, bytes, low + 128);
    return top < 127 ? minU(k, bytes, top + 128) : bytes;
  }
  if (low > -128)
    bytes = maxS(k, bytes, low);
  return top < 127 ? minS(k, bytes, top) : bytes;
}

/// i16 vectors in element order from blocked i32 vectors.
SmallVector<Value, 2> packWords(KernelBuilder &k, ArrayRef<Value> values) {
  Value even = pack(k, values[0], values[1]);
  Value odd = pack(k, values[2], values[3]);
  int64_t lanes = lanesOf(even), blocks = lanes / 8;
  SmallVector<Value, 2> result;
  for (int64_t half = 0; half < 2; ++half) {
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < blocks; ++i) {
      int64_t block = half * blocks + i;
      for (int64_t lane = 0; lane < 8; ++lane)
        order.push_back((block % 2) * lanes + block / 2 * 8 + lane);
    }
    result.push_back(k.shuffle(even, odd, order));
  }
  return result;
}

} // namespace

Value interleave(KernelBuilder &k, Value a, Value b, bool upper) {
  int64_t lanes = lanesOf(a);
  int64_t block = 128 / cast<VectorType>(a.getType()).getElementTypeBitWidth();
  SmallVector<int64_t> order;
  for (int64_t first = upper ? block / 2 : 0; first < lanes; first += block)
    for (int64_t i = 0; i < block / 2; ++i) {
      order.push_back(first + i);
      order.push_back(lanes + first + i);
    }
  return k.shuffle(a, b, order);
}

Value pack(KernelBuilder &k, Value a, Value b, bool isUnsigned) {
  bool isWord = cast<VectorType>(a.getType()).getElementType().isInteger(32);
  Type type = k.vec(2 * lanesOf(a), isWord ? k.i16() : k.i8());
  return qint::PackOp::create(k.b, k.loc, type, a, b, isUnsigned);
}

WideLanes wordPairs(KernelBuilder &k, Value a, Value b) {
  WideLanes result;
  Value zero = k.constant(a.getType(), 0);
  for (bool upper : {false, true}) {
    Value bytes = interleave(k, a, b, upper);
    for (bool upperPairs : {false, true})
      result.push_back(
          k.bitcast(interleave(k, bytes, zero, upperPairs), k.i16()));
  }
  return result;
}

WideLanes widen(KernelBuilder &k, Value vector, LaneOrder order) {
  WideLanes result;
  bool isByte =
      cast<VectorType>(vector.getType()).getElementType().isInteger(8);
  if (order == LaneOrder::Blocked) {
    Value zero = k.constant(vector.getType(), 0);
    for (bool upper : {false, true}) {
      Value words = k.bitcast(interleave(k, vector, zero, upper), k.i16());
      Value zeroWords = k.constant(words.getType(), 0);
      for (bool upperWords : {false, true})
        result.push_back(
            k.bitcast(interleave(k, words, zeroWords, upperWords), k.i32()));
    }
    return result;
  }
  int64_t lanes = k.isa.lanes();
  for (int64_t part = 0; part < 4; ++part) {
    Value piece = k.slice(vector, part * lanes, lanes);
    result.push_back(isByte ? k.extendU(piece, k.i32())
                            : k.extendS(piece, k.i32()));
  }
  return result;
}

OutputType OutputType::of(qint::RequantAttr requant, const View &view) {
  return {view.kind, requant.getClampMin(), requant.getClampMax(),
          requant.getZeroPoint(), view.storageBias};
}

std::string OutputType::key() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << stringifyElementKind(kind) << '[' << clampMin << ',' << clampMax
      << "]z" << zeroPoint << '+' << storageBias;
  return text;
}

Rescale Rescale::of(qint::RequantAttr requant, int64_t bound, int64_t first,
                    int64_t count) {
  int64_t entries =
      std::max(requant.getMultiplier().size(), requant.getShift().size());
  if (count == 0)
    count = entries - first;
  Rescale rescale;
  rescale.bound = bound;
  rescale.rounding = requant.getRounding();
  for (int64_t i = first; i < first + count; ++i) {
    int64_t multiplier = requant.getMultiplierFor(i);
    int32_t shift = requant.getShiftFor(i);
    bool isFirst = i == first;
    rescale.minMultiplier =
        isFirst ? multiplier : std::min(rescale.minMultiplier, multiplier);
    rescale.maxMultiplier =
        isFirst ? multiplier : std::max(rescale.maxMultiplier, multiplier);
    rescale.minShift = isFirst ? shift : std::min(rescale.minShift, shift);
    rescale.maxShift = isFirst ? shift : std::max(rescale.maxShift, shift);
  }
  return rescale;
}

std::string Rescale::key() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << 'b' << bound << 'm' << minMultiplier << '-' << maxMultiplier << 's'
      << minShift << '-' << maxShift
      << (rounding == qint::Rounding::HalfEven ? "even" : "");
  if (averageParity)
    out << 'z' << int(*averageParity);
  return text;
}

SmallVector<Value, 2> requantize(KernelBuilder &k, ArrayRef<Value> acc,
                                 const Rescale &rescale,
                                 const RescaleLanes &lanes,
                                 const OutputType &output, LaneOrder order) {
  Form form{rescale, lanes};
  int left = highShift(rescale);
  SmallVector<Value, 4> values;
  for (auto [part, value] : llvm::enumerate(acc))
    values.push_back(left >= 0 ? highProduct(k, form, value, part, left)
                               : roundWide(k, form, value, part));
  int fraction = rescale.minShift + left - 32;
  if (left >= 0) {
    if (output.kind == ElementKind::I8 && order != LaneOrder::Natural &&
        lanes.shifts.empty() && fraction <= 7) {
      Value bytes = packFractions(k, values, fraction, output);
      return {order == LaneOrder::Halves ? joinHalves(k, bytes) : bytes};
    }
    for (auto [part, value] : llvm::enumerate(values))
      value = roundFraction(k, form, value, part, left);
  }
  if (output.zeroPoint)
    for (Value &value : values)
      value = addI(k, value, output.zeroPoint);
  return narrow(k, values, output, order);
}

SmallVector<Value, 2> narrow(KernelBuilder &k, ArrayRef<Value> values,
                             const OutputType &output, LaneOrder order) {
  bool isByte = output.kind == ElementKind::I8;
  if (order == LaneOrder::Natural) {
    SmallVector<Value, 4> parts;
    for (Value value : values)
      parts.push_back(
          k.truncate(k.clampS(value, output.clampMin, output.clampMax),
                     isByte ? k.i8() : k.i16()));
    SmallVector<Value, 2> result = {k.concat(parts[0], parts[1]),
                                    k.concat(parts[2], parts[3])};
    if (!isByte)
      return result;
    Value bytes = k.concat(result[0], result[1]);
    return {output.storageBias ? xorI(k, bytes, 128) : bytes};
  }
  int64_t typeMin = isByte ? -128 : -32768, typeMax = -typeMin - 1;
  SmallVector<Value, 2> result;
  if (isByte)
    result = {
        pack(k, pack(k, values[0], values[1]), pack(k, values[2], values[3]))};
  else if (order == LaneOrder::Halves)
    result = {pack(k, values[0], values[1]), pack(k, values[2], values[3])};
  else
    result = packWords(k, values);
  if (isByte && order == LaneOrder::Halves)
    result[0] = joinHalves(k, result[0]);
  for (Value &vector : result) {
    if (output.clampMin > typeMin)
      vector = maxS(k, vector, output.clampMin);
    if (output.clampMax < typeMax)
      vector = minS(k, vector, output.clampMax);
    if (output.storageBias)
      vector = xorI(k, vector, 128);
  }
  return result;
}

void storeLanes(KernelBuilder &k, Value memory, Value position,
                ArrayRef<Value> vectors, int64_t count) {
  for (Value vector : vectors) {
    if (count <= 0)
      return;
    int64_t lanes = lanesOf(vector);
    int64_t width =
        cast<VectorType>(vector.getType()).getElementTypeBitWidth() / 8;
    k.storeTail(memory, position, vector, std::min(count, lanes));
    position = k.add(position, lanes * width);
    count -= lanes;
  }
}

} // namespace mlir::qopt::codegen
