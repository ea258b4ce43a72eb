// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qint vector ops in arith and vector ops alone: what every target falls
// back on, and what the scalar target consists of.

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/IR/Qint.h"

namespace mlir::qopt::codegen {
namespace {

VectorType vectorOf(int64_t lanes, Type element) {
  return VectorType::get({lanes}, element);
}

int64_t lanesOf(Value value) {
  return cast<VectorType>(value.getType()).getNumElements();
}

Value splatI32(OpBuilder &b, Location loc, Type type, int64_t value) {
  auto attr = DenseElementsAttr::get(cast<VectorType>(type),
                                     Attribute(b.getI32IntegerAttr(value)));
  return arith::ConstantOp::create(b, loc, attr);
}

/// Bits `[first, first + width)` of every i32 lane of `words`.
Value field(OpBuilder &b, Location loc, Value words, int64_t first,
            int64_t width, bool isSigned) {
  Type type = words.getType();
  int64_t above = 32 - first - width;
  if (above != 0)
    words = arith::ShLIOp::create(b, loc, words, splatI32(b, loc, type, above));
  Value down = splatI32(b, loc, type, 32 - width);
  if (isSigned)
    return arith::ShRSIOp::create(b, loc, words, down);
  return arith::ShRUIOp::create(b, loc, words, down);
}

/// acc + sum over the `width`-bit fields of a's and c's i32 lanes. The fields
/// fit 16 bits, which compilers for most targets make use of.
Value sumOfProducts(OpBuilder &b, Location loc, Value acc, Value a, Value c,
                    int64_t width, bool isSignedA) {
  Type type = acc.getType();
  a = vector::BitCastOp::create(b, loc, type, a);
  c = vector::BitCastOp::create(b, loc, type, c);
  for (int64_t first = 0; first < 32; first += width) {
    Value product =
        arith::MulIOp::create(b, loc, field(b, loc, a, first, width, isSignedA),
                              field(b, loc, c, first, width, true));
    acc = arith::AddIOp::create(b, loc, acc, product);
  }
  return acc;
}

/// dot4 -> bit fields and multiplications.
struct ExpandDot4 final : OpRewritePattern<qint::Dot4Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::Dot4Op op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, sumOfProducts(rewriter, op.getLoc(), op.getAcc(),
                                         op.getU(), op.getS(), 8, false));
    return success();
  }
};

/// dot2 -> bit fields and multiplications.
struct ExpandDot2 final : OpRewritePattern<qint::Dot2Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::Dot2Op op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, sumOfProducts(rewriter, op.getLoc(), op.getAcc(),
                                         op.getA(), op.getB(), 16, true));
    return success();
  }
};

/// mul_high -> the high half of an extended product.
struct ExpandMulHigh final : OpRewritePattern<qint::MulHighOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::MulHighOp op,
                                PatternRewriter &rewriter) const override {
    auto product = arith::MulSIExtendedOp::create(rewriter, op.getLoc(),
                                                  op.getLhs(), op.getRhs());
    rewriter.replaceOp(op, product.getHigh());
    return success();
  }
};

/// mul_round -> a 32-bit product, rounded and shifted.
struct ExpandMulRound final : OpRewritePattern<qint::MulRoundOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::MulRoundOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto wide = vectorOf(lanesOf(op.getLhs()), rewriter.getIntegerType(32));
    Value a = arith::ExtSIOp::create(rewriter, loc, wide, op.getLhs());
    Value c = arith::ExtSIOp::create(rewriter, loc, wide, op.getRhs());
    Value product = arith::MulIOp::create(rewriter, loc, a, c);
    Value sum = arith::AddIOp::create(rewriter, loc, product,
                                      splatI32(rewriter, loc, wide, 1 << 14));
    Value shifted = arith::ShRSIOp::create(rewriter, loc, sum,
                                           splatI32(rewriter, loc, wide, 15));
    rewriter.replaceOpWithNewOp<arith::TruncIOp>(op, op.getType(), shifted);
    return success();
  }
};

/// pack -> shuffle by blocks, clamp, truncate.
struct ExpandPack final : OpRewritePattern<qint::PackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::PackOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto in = cast<VectorType>(op.getLhs().getType());
    auto out = cast<VectorType>(op.getResult().getType());
    int64_t lanes = in.getNumElements();
    int64_t width = out.getElementTypeBitWidth();
    int64_t block = 64 / width;
    SmallVector<int64_t> order;
    for (int64_t first = 0; first < lanes; first += block)
      for (int64_t base : {first, lanes + first})
        for (int64_t lane = 0; lane < block; ++lane)
          order.push_back(base + lane);
    Value both = vector::ShuffleOp::create(rewriter, loc, op.getLhs(),
                                           op.getRhs(), order);
    int64_t low = op.getIsUnsigned() ? 0 : -(int64_t(1) << (width - 1));
    int64_t high = (int64_t(1) << (op.getIsUnsigned() ? width : width - 1)) - 1;
    auto bound = [&](int64_t value) -> Value {
      auto type = cast<VectorType>(both.getType());
      auto attr = DenseElementsAttr::get(
          type,
          Attribute(rewriter.getIntegerAttr(type.getElementType(), value)));
      return arith::ConstantOp::create(rewriter, loc, attr);
    };
    both = arith::MaxSIOp::create(rewriter, loc, both, bound(low));
    both = arith::MinSIOp::create(rewriter, loc, both, bound(high));
    rewriter.replaceOpWithNewOp<arith::TruncIOp>(op, out, both);
    return success();
  }
};

/// lookup -> one extract from the table a lane.
struct ExpandLookup final : OpRewritePattern<qint::LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::LookupOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value result = op.getIndex();
    for (int64_t lane = 0; lane < lanesOf(op.getIndex()); ++lane) {
      Value byte = vector::ExtractOp::create(rewriter, loc, op.getIndex(),
                                             ArrayRef<int64_t>{lane});
      Value position = arith::IndexCastUIOp::create(
          rewriter, loc, rewriter.getIndexType(), byte);
      Value entry = vector::ExtractOp::create(rewriter, loc, op.getTable(),
                                              OpFoldResult(position));
      result = vector::InsertOp::create(rewriter, loc, entry, result,
                                        ArrayRef<int64_t>{lane});
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void populateGenericPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandDot4, ExpandDot2, ExpandMulHigh, ExpandMulRound,
               ExpandPack, ExpandLookup>(patterns.getContext(),
                                         PatternBenefit(1));
}

} // namespace mlir::qopt::codegen
