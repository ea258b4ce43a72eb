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

/// Lanes `first, first + step, ...` of `vector`.
Value stridedLanes(OpBuilder &b, Location loc, Value vector, int64_t first,
                   int64_t step) {
  SmallVector<int64_t> lanes;
  for (int64_t lane = first; lane < lanesOf(vector); lane += step)
    lanes.push_back(lane);
  return vector::ShuffleOp::create(b, loc, vector, vector, lanes);
}

/// acc + sum_j a[step i + j] * c[step i + j] over operands widened to i32.
Value sumOfProducts(OpBuilder &b, Location loc, Value acc, Value a, Value c,
                    int64_t step) {
  Value products = arith::MulIOp::create(b, loc, a, c);
  for (int64_t j = 0; j < step; ++j)
    acc = arith::AddIOp::create(b, loc, acc,
                                stridedLanes(b, loc, products, j, step));
  return acc;
}

/// dot4 -> widening multiplies.
struct ExpandDot4 final : OpRewritePattern<qint::Dot4Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::Dot4Op op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto wide = vectorOf(lanesOf(op.getU()), rewriter.getIntegerType(32));
    Value u = arith::ExtUIOp::create(rewriter, loc, wide, op.getU());
    Value s = arith::ExtSIOp::create(rewriter, loc, wide, op.getS());
    rewriter.replaceOp(op, sumOfProducts(rewriter, loc, op.getAcc(), u, s, 4));
    return success();
  }
};

/// dot2 -> widening multiplies.
struct ExpandDot2 final : OpRewritePattern<qint::Dot2Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(qint::Dot2Op op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto wide = vectorOf(lanesOf(op.getA()), rewriter.getIntegerType(32));
    Value a = arith::ExtSIOp::create(rewriter, loc, wide, op.getA());
    Value c = arith::ExtSIOp::create(rewriter, loc, wide, op.getB());
    rewriter.replaceOp(op, sumOfProducts(rewriter, loc, op.getAcc(), a, c, 2));
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
    auto constant = [&](int64_t value) -> Value {
      auto attr = DenseElementsAttr::get(
          wide, Attribute(rewriter.getI32IntegerAttr(value)));
      return arith::ConstantOp::create(rewriter, loc, attr);
    };
    Value a = arith::ExtSIOp::create(rewriter, loc, wide, op.getLhs());
    Value c = arith::ExtSIOp::create(rewriter, loc, wide, op.getRhs());
    Value product = arith::MulIOp::create(rewriter, loc, a, c);
    Value sum =
        arith::AddIOp::create(rewriter, loc, product, constant(1 << 14));
    Value shifted = arith::ShRSIOp::create(rewriter, loc, sum, constant(15));
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
