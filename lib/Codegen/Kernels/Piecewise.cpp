// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of 16-bit values by quadratic pieces (docs/arithmetic.md,
// "Piecewise table"): in 16-bit lanes where the ISA keeps the pieces in
// registers, else element by element in 32 bits.

#include "Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::qopt::codegen {
namespace {

/// Where the pieces lie and what kernels bake in.
struct Pieces {
  int64_t segments;
  int fractionBits;
  ElementKind out;
  int32_t clampMin, clampMax, storageBias;
  /// The sum of base and polynomial may leave 16 bits only where the clamp
  /// takes it back: a result of 8 bits, base within 16.
  bool isShort;

  Pieces(qint::PiecewiseOp op, const View &to)
      : segments(op.getSegments()), fractionBits(op.getFractionBits()),
        out(to.kind), clampMin(op.getClampMin()), clampMax(op.getClampMax()),
        storageBias(to.storageBias),
        isShort(to.kind == ElementKind::I8 &&
                llvm::all_of(op.getBase(), [](int32_t base) {
                  return llvm::isInt<16>(base);
                })) {}

  int segmentBits() const { return llvm::Log2_64(segments); }
  std::string key() const {
    std::string text;
    llvm::raw_string_ostream(text)
        << segments << 'f' << fractionBits << stringifyElementKind(out) << '['
        << clampMin << ',' << clampMax << "]+" << storageBias
        << (isShort ? "s" : "");
    return text;
  }
};

/// The planes of the constant, each of one i16 a segment in the order of `x`'s
/// top bits as unsigned: whole steps of the base (all of it if short), its
/// fraction, slope, curve.
enum Plane { Base, Rest, Slope, Curve, NumPlanes };

SmallVector<uint8_t> planeBytes(qint::PiecewiseOp op, const Pieces &pieces) {
  SmallVector<uint8_t> bytes;
  auto append = [&](llvm::function_ref<int32_t(int64_t)> valueOf) {
    for (int64_t i = 0; i < pieces.segments; ++i) {
      int32_t value = valueOf(i ^ (pieces.segments / 2));
      bytes.push_back(static_cast<uint8_t>(value));
      bytes.push_back(static_cast<uint8_t>(value >> 8));
    }
  };
  int bits = pieces.fractionBits;
  append([&](int64_t i) {
    return pieces.isShort ? op.getBase()[i] : op.getBase()[i] >> bits;
  });
  append([&](int64_t i) { return op.getBase()[i] & ((1 << bits) - 1); });
  append([&](int64_t i) { return op.getSlope()[i]; });
  append([&](int64_t i) { return op.getCurve()[i]; });
  return bytes;
}

/// Result vectors are at most a register wide.
class VectorBody {
public:
  VectorBody(KernelBuilder &k, const Pieces &pieces, Value memory)
      : k(k), pieces(pieces) {
    for (int64_t plane = 0; plane < NumPlanes; ++plane)
      tables[plane] = k.load(memory, k.index(2 * plane * pieces.segments),
                             k.vec(pieces.segments, k.i16()));
  }

  /// Words whose value is the result but for the clamp.
  Value evaluate(Value x) {
    int bits = pieces.segmentBits();
    Value index = shiftRightU(k, x, 16 - bits);
    Value d = xorI(k, shiftLeft(k, x, bits), -32768);
    Value slope = addI(k, lookup(Slope, index), round(lookup(Curve, index), d));
    Value product = round(slope, d);
    Value base = lookup(Base, index);
    if (pieces.isShort)
      return shiftRight(k, addSaturating(base, product), pieces.fractionBits);
    Value rest = addI(k, lookup(Rest, index), product);
    return addSaturating(base, shiftRight(k, rest, pieces.fractionBits));
  }

private:
  Value lookup(Plane plane, Value index) {
    return qint::LookupOp::create(k.b, k.loc, index.getType(), tables[plane],
                                  index);
  }
  Value round(Value a, Value b) {
    return qint::MulRoundOp::create(k.b, k.loc, a.getType(), a, b);
  }
  Value addSaturating(Value a, Value b) {
    return LLVM::SAddSat::create(k.b, k.loc, a.getType(), a, b);
  }

  KernelBuilder &k;
  const Pieces &pieces;
  Value tables[NumPlanes];
};

/// Clamps what saturates at its type already.
Value clampFurther(KernelBuilder &k, Value value, const Pieces &pieces) {
  int64_t top = pieces.out == ElementKind::I8 ? INT8_MAX : INT16_MAX;
  if (pieces.clampMin > -top - 1)
    value = maxS(k, value, pieces.clampMin);
  return pieces.clampMax < top ? minS(k, value, pieces.clampMax) : value;
}

/// The halves of 64 bits that packing leaves interleaved, in order.
Value packInOrder(KernelBuilder &k, Value low, Value high) {
  Value bytes = pack(k, low, high);
  int64_t quads = cast<VectorType>(bytes.getType()).getNumElements() / 8;
  SmallVector<int64_t> order;
  for (int64_t odd : {0, 1})
    for (int64_t i = 0; i < quads / 2; ++i)
      order.push_back(2 * i + odd);
  Value units = k.bitcast(bytes, k.i64());
  return k.bitcast(k.shuffle(units, units, order), k.i8());
}

void emitVectors(KernelBuilder &k, const ElementwiseNest &nest, ValueRange args,
                 const Pieces &pieces) {
  VectorBody body(k, pieces, args[2]);
  int64_t lanes = k.isa.bytes() / 2;
  nest.run(k, args, [&](const Chunk &chunk) {
    Value x = nest.load(k, chunk, 1, 2 * lanes);
    SmallVector<Value, 2> words = {body.evaluate(k.slice(x, 0, lanes)),
                                   body.evaluate(k.slice(x, lanes, lanes))};
    if (pieces.out == ElementKind::I16) {
      for (Value &word : words)
        word = clampFurther(k, word, pieces);
      return storeLanes(k, chunk.memories[0], chunk.positions[0], words,
                        chunk.count);
    }
    Value bytes = clampFurther(k, packInOrder(k, words[0], words[1]), pieces);
    if (pieces.storageBias)
      bytes = xorI(k, bytes, 128);
    nest.store(k, chunk, bytes);
  });
}

/// One element in 32 bits.
Value evaluateScalar(KernelBuilder &k, const Pieces &pieces, Value memory,
                     Value x) {
  int bits = pieces.segmentBits();
  Value index = arith::IndexCastUIOp::create(k.b, k.loc, k.b.getIndexType(),
                                             shiftRightU(k, x, 16 - bits));
  auto lookup = [&](Plane plane) {
    Value position = k.add(k.mul(index, 2), 2 * plane * pieces.segments);
    return k.extendS(k.load(memory, position, k.i16()), k.i32());
  };
  auto round = [&](Value product) {
    return shiftRight(k, addI(k, product, 1 << 14), 15);
  };
  Value d = k.extendS(xorI(k, shiftLeft(k, x, bits), -32768), k.i32());
  Value slope = addI(k, lookup(Slope), round(mulI(k, lookup(Curve), d)));
  Value product = round(mulI(k, slope, d));
  Value y;
  if (pieces.isShort) {
    y = shiftRight(k, addI(k, lookup(Base), product), pieces.fractionBits);
  } else {
    Value rest = addI(k, lookup(Rest), product);
    y = addI(k, lookup(Base), shiftRight(k, rest, pieces.fractionBits));
  }
  y = k.truncate(k.clampS(y, pieces.clampMin, pieces.clampMax),
                 k.elementType(pieces.out));
  return pieces.storageBias ? xorI(k, y, 128) : y;
}

void emitScalars(KernelBuilder &k, const ElementwiseNest &nest, ValueRange args,
                 const Pieces &pieces) {
  nest.run(k, args, [&](const Chunk &chunk) {
    for (int64_t i = 0; i < chunk.count; ++i) {
      Value x =
          k.load(chunk.memories[1], k.add(chunk.positions[1], 2 * i), k.i16());
      k.store(chunk.memories[0],
              k.add(chunk.positions[0], i * byteWidth(pieces.out)),
              evaluateScalar(k, pieces, args[2], x));
    }
  });
}

} // namespace

LogicalResult emit(KernelContext &context, qint::PiecewiseOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  Pieces pieces(op, out[0]);
  std::vector<NestOperand> operands = {
      NestOperand::of(out[0], out[0].shape, true),
      NestOperand::of(in[0], out[0].shape)};
  bool inRegisters = context.isa.hasVbmi;
  ElementwiseNest nest(out[0].shape, operands,
                       inRegisters ? context.isa.bytes() : 4);
  SmallVector<KernelArg> args = nest.args();
  SmallVector<uint8_t> bytes = planeBytes(op, pieces);
  args.push_back(KernelArg::constant(context.constants.append(bytes),
                                     bytes.size(), /*mayOverRead=*/false));
  context.emitKernel(op.getLoc(), "piecewise", nest.key() + pieces.key(), args,
                     [&](KernelBuilder &k, ValueRange values) {
                       if (inRegisters)
                         emitVectors(k, nest, values, pieces);
                       else
                         emitScalars(k, nest, values, pieces);
                     });
  return success();
}

} // namespace mlir::qopt::codegen
