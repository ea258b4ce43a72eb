// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qint vector ops as x86 instructions: AVX2, AVX-VNNI, AVX512-VNNI, VBMI.

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/IR/Qint.h"

namespace mlir::qopt::codegen {
namespace {

int64_t bitsOf(Value value) {
  auto type = cast<VectorType>(value.getType());
  return type.getNumElements() * type.getElementTypeBitWidth();
}

Value callIntrinsic(OpBuilder &b, Location loc, StringRef name, Type result,
                    ValueRange args) {
  return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name),
                                       args)
      .getResult(0);
}

Value splatConstant(OpBuilder &b, Location loc, Type type, int64_t value) {
  auto vector = cast<VectorType>(type);
  unsigned width = vector.getElementTypeBitWidth();
  auto attr =
      DenseElementsAttr::get(vector, llvm::APInt(64, value).trunc(width));
  return arith::ConstantOp::create(b, loc, attr);
}

/// The name for the width of `bits`, or an empty string: 128, 256, 512.
StringRef byWidth(int64_t bits, StringRef w128, StringRef w256,
                  StringRef w512) {
  return bits == 128 ? w128 : bits == 256 ? w256 : bits == 512 ? w512 : "";
}

/// A pattern that looks at the instruction set.
template <typename OpTy> struct X86Pattern : OpRewritePattern<OpTy> {
  X86Pattern(MLIRContext *context, const Isa &isa)
      : OpRewritePattern<OpTy>(context, PatternBenefit(2)), isa(isa) {}

  /// Vectors of `bits` are registers here.
  bool isRegister(int64_t bits) const {
    return bits == 128 || bits == 256 ||
           (bits == 512 && isa.kind == IsaKind::AVX512VNNI);
  }
  bool hasVnni() const {
    return isa.kind == IsaKind::AVXVNNI || isa.kind == IsaKind::AVX512VNNI;
  }

  const Isa isa;
};

Value pmaddwd(OpBuilder &b, Location loc, VectorType type, Value x, Value y) {
  StringRef name =
      byWidth(bitsOf(x), "llvm.x86.sse2.pmadd.wd", "llvm.x86.avx2.pmadd.wd",
              "llvm.x86.avx512.pmaddw.d.512");
  return callIntrinsic(b, loc, name, type, {x, y});
}

/// dot4 -> vpdpbusd, or two exact vpmaddwd over even and odd bytes.
struct LowerDot4 final : X86Pattern<qint::Dot4Op> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::Dot4Op op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t bits = bitsOf(op.getU());
    if (!isRegister(bits))
      return rewriter.notifyMatchFailure(op, "vector is not a register");
    auto type = cast<VectorType>(op.getAcc().getType());
    if (hasVnni()) {
      StringRef name = byWidth(bits, "llvm.x86.avx512.vpdpbusd.128",
                               "llvm.x86.avx512.vpdpbusd.256",
                               "llvm.x86.avx512.vpdpbusd.512");
      rewriter.replaceOp(op,
                         callIntrinsic(rewriter, loc, name, type,
                                       {op.getAcc(), op.getU(), op.getS()}));
      return success();
    }
    // vpmaddubsw would saturate: 255 * 127 * 2 does not fit i16. Widening the
    // even and the odd bytes in place is exact; equal operands of several
    // dots share it.
    auto half = VectorType::get({bits / 16}, rewriter.getIntegerType(16));
    Value eight = splatConstant(rewriter, loc, half, 8);
    Value u = vector::BitCastOp::create(rewriter, loc, half, op.getU());
    Value s = vector::BitCastOp::create(rewriter, loc, half, op.getS());
    Value uEven = arith::AndIOp::create(
        rewriter, loc, u, splatConstant(rewriter, loc, half, 0xff));
    Value uOdd = arith::ShRUIOp::create(rewriter, loc, u, eight);
    Value sShifted = arith::ShLIOp::create(rewriter, loc, s, eight);
    Value sEven = arith::ShRSIOp::create(rewriter, loc, sShifted, eight);
    Value sOdd = arith::ShRSIOp::create(rewriter, loc, s, eight);
    Value even = pmaddwd(rewriter, loc, type, uEven, sEven);
    Value odd = pmaddwd(rewriter, loc, type, uOdd, sOdd);
    Value sum = arith::AddIOp::create(rewriter, loc, even, odd);
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAcc(), sum);
    return success();
  }
};

/// dot2 -> vpdpwssd, or vpmaddwd and an addition.
struct LowerDot2 final : X86Pattern<qint::Dot2Op> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::Dot2Op op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t bits = bitsOf(op.getA());
    if (!isRegister(bits))
      return rewriter.notifyMatchFailure(op, "vector is not a register");
    auto type = cast<VectorType>(op.getAcc().getType());
    if (hasVnni()) {
      StringRef name = byWidth(bits, "llvm.x86.avx512.vpdpwssd.128",
                               "llvm.x86.avx512.vpdpwssd.256",
                               "llvm.x86.avx512.vpdpwssd.512");
      rewriter.replaceOp(op,
                         callIntrinsic(rewriter, loc, name, type,
                                       {op.getAcc(), op.getA(), op.getB()}));
      return success();
    }
    Value sum = pmaddwd(rewriter, loc, type, op.getA(), op.getB());
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAcc(), sum);
    return success();
  }
};

/// mul_high -> vpmuldq of the even and of the odd lanes, and one merge.
struct LowerMulHigh final : X86Pattern<qint::MulHighOp> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::MulHighOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t bits = bitsOf(op.getLhs());
    if (!isRegister(bits))
      return rewriter.notifyMatchFailure(op, "vector is not a register");
    auto pairs = VectorType::get({bits / 64}, rewriter.getIntegerType(64));
    Value shift = splatConstant(rewriter, loc, pairs, 32);
    auto odd = [&](Value value) -> Value {
      return arith::ShRSIOp::create(
          rewriter, loc, vector::BitCastOp::create(rewriter, loc, pairs, value),
          shift);
    };
    // A shift up and an arithmetic one down say "sign-extend the low half",
    // which the multiplication does by itself.
    auto even = [&](Value value) -> Value {
      Value up = arith::ShLIOp::create(
          rewriter, loc, vector::BitCastOp::create(rewriter, loc, pairs, value),
          shift);
      return arith::ShRSIOp::create(rewriter, loc, up, shift);
    };
    auto multiply = [&](Value a, Value c) -> Value {
      Value product = arith::MulIOp::create(rewriter, loc, a, c);
      return vector::BitCastOp::create(rewriter, loc, op.getType(), product);
    };
    Value low = multiply(even(op.getLhs()), even(op.getRhs()));
    Value high = multiply(odd(op.getLhs()), odd(op.getRhs()));
    int64_t lanes = bits / 32;
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < lanes; lane += 2)
      llvm::append_values(order, lane + 1, lanes + lane + 1);
    rewriter.replaceOpWithNewOp<vector::ShuffleOp>(op, low, high, order);
    return success();
  }
};

/// mul_round -> vpmulhrsw.
struct LowerMulRound final : X86Pattern<qint::MulRoundOp> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::MulRoundOp op,
                                PatternRewriter &rewriter) const override {
    int64_t bits = bitsOf(op.getLhs());
    if (!isRegister(bits))
      return rewriter.notifyMatchFailure(op, "vector is not a register");
    StringRef name =
        byWidth(bits, "llvm.x86.ssse3.pmul.hr.sw.128",
                "llvm.x86.avx2.pmul.hr.sw", "llvm.x86.avx512.pmul.hr.sw.512");
    rewriter.replaceOp(op, callIntrinsic(rewriter, op.getLoc(), name,
                                         op.getType(), op.getOperands()));
    return success();
  }
};

/// pack -> vpackssdw, vpackusdw, vpacksswb, vpackuswb.
struct LowerPack final : X86Pattern<qint::PackOp> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::PackOp op,
                                PatternRewriter &rewriter) const override {
    int64_t bits = bitsOf(op.getLhs());
    if (!isRegister(bits))
      return rewriter.notifyMatchFailure(op, "vector is not a register");
    bool fromWords =
        cast<VectorType>(op.getLhs().getType()).getElementTypeBitWidth() == 16;
    StringRef name;
    if (fromWords && op.getIsUnsigned())
      name = byWidth(bits, "llvm.x86.sse2.packuswb.128",
                     "llvm.x86.avx2.packuswb", "llvm.x86.avx512.packuswb.512");
    else if (fromWords)
      name = byWidth(bits, "llvm.x86.sse2.packsswb.128",
                     "llvm.x86.avx2.packsswb", "llvm.x86.avx512.packsswb.512");
    else if (op.getIsUnsigned())
      name = byWidth(bits, "llvm.x86.sse41.packusdw", "llvm.x86.avx2.packusdw",
                     "llvm.x86.avx512.packusdw.512");
    else
      name = byWidth(bits, "llvm.x86.sse2.packssdw.128",
                     "llvm.x86.avx2.packssdw", "llvm.x86.avx512.packssdw.512");
    rewriter.replaceOp(op, callIntrinsic(rewriter, op.getLoc(), name,
                                         op.getResult().getType(),
                                         {op.getLhs(), op.getRhs()}));
    return success();
  }
};

bool isByte(qint::LookupOp op) {
  return cast<VectorType>(op.getTable().getType()).getElementTypeBitWidth() ==
         8;
}

/// lookup of i16 -> vpermw, vpermi2w, or two of these and a blend.
struct LowerLookupWords final : X86Pattern<qint::LookupOp> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::LookupOp op,
                                PatternRewriter &rewriter) const override {
    if (isByte(op) || !isa.hasVbmi || bitsOf(op.getIndex()) != 512)
      return rewriter.notifyMatchFailure(op, "no word permutes of this width");
    Location loc = op.getLoc();
    Value index = op.getIndex();
    Type type = index.getType();
    SmallVector<Value> parts;
    int64_t entries =
        cast<VectorType>(op.getTable().getType()).getNumElements();
    for (int64_t first = 0; first < entries; first += 32)
      parts.push_back(vector::ExtractStridedSliceOp::create(
          rewriter, loc, op.getTable(), ArrayRef<int64_t>{first},
          ArrayRef<int64_t>{32}, ArrayRef<int64_t>{1}));
    auto permute = [&](Value low, Value high) {
      return callIntrinsic(rewriter, loc, "llvm.x86.avx512.vpermi2var.hi.512",
                           type, {low, index, high});
    };
    if (entries == 32) {
      rewriter.replaceOp(op, callIntrinsic(rewriter, loc,
                                           "llvm.x86.avx512.permvar.hi.512",
                                           type, {parts[0], index}));
      return success();
    }
    Value result = permute(parts[0], parts[1]);
    if (entries == 128) {
      Value isHigh =
          arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::uge, index,
                                splatConstant(rewriter, loc, type, 64));
      result = arith::SelectOp::create(rewriter, loc, isHigh,
                                       permute(parts[2], parts[3]), result);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// lookup of i8 -> two vpermi2b and a blend by the index's top bit.
struct LowerLookup final : X86Pattern<qint::LookupOp> {
  using X86Pattern::X86Pattern;

  LogicalResult matchAndRewrite(qint::LookupOp op,
                                PatternRewriter &rewriter) const override {
    int64_t lanes = bitsOf(op.getIndex()) / 8;
    if (!isByte(op) || !isa.hasVbmi || lanes % 64 != 0)
      return rewriter.notifyMatchFailure(op, "no byte permutes of this width");
    Location loc = op.getLoc();
    SmallVector<Value> quarters;
    for (int64_t quarter = 0; quarter < 4; ++quarter)
      quarters.push_back(part(rewriter, loc, op.getTable(), 64 * quarter));
    Value result;
    for (int64_t first = 0; first < lanes; first += 64) {
      Value index = part(rewriter, loc, op.getIndex(), first);
      Value looked = lookup64(rewriter, loc, quarters, index);
      result = result ? join(rewriter, loc, result, looked) : looked;
    }
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  static Value part(OpBuilder &b, Location loc, Value vector, int64_t first) {
    if (bitsOf(vector) == 512)
      return vector;
    return vector::ExtractStridedSliceOp::create(
        b, loc, vector, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{64},
        ArrayRef<int64_t>{1});
  }
  static Value join(OpBuilder &b, Location loc, Value low, Value high) {
    int64_t lowLanes = bitsOf(low) / 8, total = lowLanes + bitsOf(high) / 8;
    SmallVector<int64_t> order(total);
    for (int64_t lane = 0; lane < total; ++lane)
      order[lane] = lane;
    return vector::ShuffleOp::create(b, loc, low, high, order);
  }
  static Value lookup64(OpBuilder &b, Location loc, ArrayRef<Value> quarters,
                        Value index) {
    Type type = index.getType();
    auto permute = [&](Value low, Value high) {
      return callIntrinsic(b, loc, "llvm.x86.avx512.vpermi2var.qi.512", type,
                           {low, index, high});
    };
    Value low = permute(quarters[0], quarters[1]);
    Value high = permute(quarters[2], quarters[3]);
    Value isHigh = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                         index, splatConstant(b, loc, type, 0));
    return arith::SelectOp::create(b, loc, isHigh, high, low);
  }
};

} // namespace

void populateX86Patterns(const Isa &isa, RewritePatternSet &patterns) {
  patterns.add<LowerDot4, LowerDot2, LowerMulHigh, LowerMulRound, LowerPack,
               LowerLookup, LowerLookupWords>(patterns.getContext(), isa);
}

} // namespace mlir::qopt::codegen
