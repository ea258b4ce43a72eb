// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognizes normalizations that exporters write out in means, squares and
// roots.

#include "Names.h"
#include "NormalizationPatterns.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// `x` of `x^2`; null for another expression.
Value matchSquare(Value value) {
  if (auto mul = value.getDefiningOp<MulOp>())
    return mul.getLhs() == mul.getRhs() && !mul.getActivation() ? mul.getLhs()
                                                                : Value();
  auto unary = value.getDefiningOp<UnaryOp>();
  if (!unary || unary.getFunctions().size() != 1)
    return Value();
  auto function = cast<FnAttr>(unary.getFunctions()[0]);
  bool isSquare =
      function.getFunction() == Function::Pow && function.getParams()[0] == 2;
  return isSquare ? unary.getInput() : Value();
}

/// A tensor with its mean over axes taken off, or (without axes) as it is.
struct Centered {
  Value input;
  SmallVector<int64_t> axes;

  bool operator==(const Centered &other) const {
    return input == other.input && axes == other.axes;
  }

  static Centered of(Value value) {
    if (auto sub = value.getDefiningOp<SubOp>(); sub && !sub.getActivation())
      if (auto mean = matchKeptReduction<ReduceMeanOp>(sub.getRhs());
          mean && mean.getInput() == sub.getLhs())
        return {sub.getLhs(), llvm::to_vector(mean.getAxes())};
    return {value, {}};
  }
};

/// `factor mean(d^2) + addend`, `d` being `of`.
struct Spread {
  Centered of;
  SmallVector<int64_t> axes;
  double factor = 1;
  double addend = 0;
};

/// The mean, or sum, of squares.
std::optional<Spread> matchMeanSquare(Value value) {
  Spread spread;
  Value squares;
  if (auto mean = matchReduction<ReduceMeanOp>(value)) {
    squares = matchSquare(mean.getInput());
    spread.axes = llvm::to_vector(mean.getAxes());
  } else if (auto sum = matchReduction<ReduceSumOp>(value)) {
    squares = matchSquare(sum.getInput());
    spread.axes = llvm::to_vector(sum.getAxes());
  } else if (auto sum = matchReduction<ReduceSumSquareOp>(value)) {
    squares = sum.getInput();
    spread.axes = llvm::to_vector(sum.getAxes());
  }
  if (!squares)
    return std::nullopt;
  if (!matchReduction<ReduceMeanOp>(value))
    for (int64_t axis : spread.axes)
      spread.factor *= shapeOf(squares)[axis];
  spread.of = Centered::of(squares);
  return spread;
}

/// `mean(x^2) - mean(x)^2`.
std::optional<Spread> matchDifferenceOfSquares(SubOp sub) {
  std::optional<Spread> spread = matchMeanSquare(sub.getLhs());
  Value mean = matchSquare(sub.getRhs());
  if (!spread || spread->factor != 1 || !spread->of.axes.empty() || !mean ||
      sub.getLhs().getType() != sub.getRhs().getType())
    return std::nullopt;
  auto reduction = matchReduction<ReduceMeanOp>(mean);
  if (!reduction || reduction.getInput() != spread->of.input ||
      reduction.getAxes() != ArrayRef<int64_t>(spread->axes))
    return std::nullopt;
  spread->of.axes = spread->axes;
  return spread;
}

std::optional<Spread> matchVariance(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  if (auto sub = value.getDefiningOp<SubOp>())
    return matchDifferenceOfSquares(sub);
  return matchMeanSquare(value);
}

/// Whether no variance is changed by `function`: rounding may have made it
/// negative, says who writes this.
bool isGuardOfVariance(FnAttr function) {
  return function.getFunction() == Function::Relu ||
         (function.getFunction() == Function::Clip &&
          function.getClampMin() == 0 && std::isinf(function.getClampMax()));
}

/// The deviation that `value`, or its inverse, is, along axes that it
/// broadcasts along.
std::optional<Spread> matchDeviation(Value value, bool isInverse) {
  Value rows = value;
  SmallVector<FnAttr> functions = stripFunctions(rows);
  double factor = 1, addend = 0;
  ArrayRef<FnAttr> rest = functions;
  while (!rest.empty() && isGuardOfVariance(rest.front()))
    rest = rest.drop_front();
  if (!rest.empty() && rest.front().getFunction() == Function::Affine) {
    factor = rest.front().getParams()[0];
    addend = rest.front().getParams()[1];
    rest = rest.drop_front();
  }
  if (!isPower(rest, isInverse ? -0.5 : 0.5) || !(factor > 0) || !(addend >= 0))
    return std::nullopt;
  std::optional<Spread> spread = matchVariance(rows);
  if (!spread || !broadcastsAlong(value, spread->of.input, spread->axes))
    return std::nullopt;
  spread->factor *= factor;
  spread->addend = addend;
  return spread;
}

/// `mul(1 / deviation, factor)` or, without a factor, `1 / deviation`.
struct Inverse {
  Spread spread;
  Value factor;
};

std::optional<Inverse> matchInverse(Value value) {
  if (std::optional<Spread> spread = matchDeviation(value, /*isInverse=*/true))
    return Inverse{*spread, Value()};
  auto mul = value.getDefiningOp<MulOp>();
  if (!mul || mul.getActivation())
    return std::nullopt;
  for (auto [inverse, factor] : {std::pair(mul.getLhs(), mul.getRhs()),
                                 std::pair(mul.getRhs(), mul.getLhs())})
    if (isConstantF32(factor))
      if (std::optional<Spread> spread =
              matchDeviation(inverse, /*isInverse=*/true))
        return Inverse{*spread, factor};
  return std::nullopt;
}

/// `x / deviation`, `x` less its mean where the deviation is from the mean.
Value createNormalization(Location loc, Value x, const Spread &spread,
                          FnAttr activation, PatternRewriter &rewriter) {
  DenseElementsAttr gamma;
  if (spread.factor != 1)
    gamma = getSplatFactor(rewriter, shapeOf(x).size(),
                           1 / std::sqrt(spread.factor));
  return LayerNormOp::create(
      rewriter, loc, x.getType(), x, rewriter.getDenseI64ArrayAttr(spread.axes),
      rewriter.getF64FloatAttr(spread.addend / spread.factor),
      rewriter.getBoolAttr(!spread.of.axes.empty()),
      rewriter.getI64IntegerAttr(2), gamma, DenseElementsAttr(), activation);
}

/// `x` where `numerator / deviation` is the normalization of `x`; else null.
Value matchNumerator(Value numerator, const Spread &spread) {
  if (!spread.of.axes.empty() && spread.of.axes != spread.axes)
    return Value();
  return Centered::of(numerator) == spread.of ? spread.of.input : Value();
}

/// div(d, deviation) -> layer_norm
struct QuotientToNorm final : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Spread> spread =
        matchDeviation(op.getRhs(), /*isInverse=*/false);
    if (!spread)
      return rewriter.notifyMatchFailure(op, "divisor is no deviation");
    Value x = matchNumerator(op.getLhs(), *spread);
    if (!x || x.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "divides something else");
    Value norm = createNormalization(op.getLoc(), x, *spread,
                                     op.getActivationAttr(), rewriter);
    takeValueName(op, norm.getDefiningOp());
    rewriter.replaceOp(op, norm);
    return success();
  }
};

/// mul(d, 1 / deviation) -> layer_norm; mul(d, mul(1 / deviation, c)) ->
/// mul(layer_norm, c)
struct ProductToNorm final : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [numerator, factor] : {std::pair(op.getLhs(), op.getRhs()),
                                     std::pair(op.getRhs(), op.getLhs())}) {
      std::optional<Inverse> inverse = matchInverse(factor);
      Value x = inverse ? matchNumerator(numerator, inverse->spread) : Value();
      if (!x || x.getType() != op.getType())
        continue;
      Value y = createNormalization(
          op.getLoc(), x, inverse->spread,
          inverse->factor ? FnAttr() : op.getActivationAttr(), rewriter);
      if (inverse->factor)
        y = MulOp::create(rewriter, op.getLoc(), y.getType(), y,
                          inverse->factor, op.getActivationAttr());
      takeValueName(op, y.getDefiningOp());
      rewriter.replaceOp(op, y);
      return success();
    }
    return rewriter.notifyMatchFailure(op,
                                       "no operand is an inverse deviation");
  }
};

/// `lhs` and `rhs` of a product without activation, in both orders.
SmallVector<std::pair<Value, Value>, 2> matchProduct(Value value) {
  auto mul = value.getDefiningOp<MulOp>();
  if (!mul || mul.getActivation())
    return {};
  return {{mul.getLhs(), mul.getRhs()}, {mul.getRhs(), mul.getLhs()}};
}

/// `x inverse - mean(x) inverse` of its two products, normalized, as Keras
/// writes it; null for other products.
Value createDistributed(Value product, Value shift, PatternRewriter &rewriter) {
  for (auto [x, factor] : matchProduct(product))
    for (auto [mean, sameFactor] : matchProduct(shift)) {
      auto reduction = matchKeptReduction<ReduceMeanOp>(mean);
      if (factor != sameFactor || !reduction || reduction.getInput() != x ||
          x.getType() != product.getType())
        continue;
      std::optional<Inverse> inverse = matchInverse(factor);
      if (!inverse || inverse->spread.axes != reduction.getAxes() ||
          !(inverse->spread.of == Centered{x, inverse->spread.axes}))
        continue;
      Value y = createNormalization(product.getLoc(), x, inverse->spread,
                                    FnAttr(), rewriter);
      if (inverse->factor)
        y = MulOp::create(rewriter, product.getLoc(), y.getType(), y,
                          inverse->factor, FnAttr());
      return y;
    }
  return Value();
}

/// sub(mul(x, i), mul(mean(x), i)) -> layer_norm, `i` being 1 / deviation
struct DifferenceToNorm final : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getActivation())
      return rewriter.notifyMatchFailure(op, "has an activation");
    Value y = createDistributed(op.getLhs(), op.getRhs(), rewriter);
    if (!y || y.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "is no distributed product");
    takeValueName(op, y.getDefiningOp());
    rewriter.replaceOp(op, y);
    return success();
  }
};

/// add(mul(x, i), sub(b, mul(mean(x), i))) -> add(layer_norm, b)
struct SumToNorm final : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [product, rest] : {std::pair(op.getLhs(), op.getRhs()),
                                 std::pair(op.getRhs(), op.getLhs())}) {
      auto sub = rest.getDefiningOp<SubOp>();
      if (!sub || sub.getActivation())
        continue;
      Value y = createDistributed(product, sub.getRhs(), rewriter);
      if (!y || y.getType() != op.getType())
        continue;
      auto sum = AddOp::create(rewriter, op.getLoc(), op.getType(), y,
                               sub.getLhs(), op.getActivationAttr());
      takeValueName(op, sum);
      rewriter.replaceOp(op, sum);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "is no distributed product");
  }
};

/// div(x, reduce_l2(x)) -> layer_norm; reduce_l1 alike
template <typename ReduceOp>
struct QuotientByNorm final : OpRewritePattern<DivOp> {
  using OpRewritePattern<DivOp>::OpRewritePattern;

  /// A bound that keeps the divisor from 0 changes nothing else.
  static bool isGuard(FnAttr function) {
    return function.getFunction() == Function::Clip &&
           function.getClampMin() <= 1e-6 && std::isinf(function.getClampMax());
  }

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    Value divisor = op.getRhs();
    SmallVector<FnAttr> functions = stripFunctions(divisor);
    auto norm = matchReduction<ReduceOp>(divisor);
    if (!norm || norm.getInput() != op.getLhs() ||
        op.getType() != op.getLhs().getType() ||
        !broadcastsAlong(op.getRhs(), norm.getInput(), norm.getAxes()) ||
        !llvm::all_of(functions, isGuard))
      return rewriter.notifyMatchFailure(op, "divides by no norm of its own");
    constexpr bool isL1 = std::is_same_v<ReduceOp, ReduceL1Op>;
    double count = 1;
    for (int64_t axis : norm.getAxes())
      count *= shapeOf(op.getLhs())[axis];
    auto result = LayerNormOp::create(
        rewriter, op.getLoc(), op.getType(), op.getLhs(), norm.getAxesAttr(),
        rewriter.getF64FloatAttr(0), rewriter.getBoolAttr(false),
        rewriter.getI64IntegerAttr(isL1 ? 1 : 2),
        getSplatFactor(rewriter, shapeOf(op.getLhs()).size(),
                       1 / (isL1 ? count : std::sqrt(count))),
        DenseElementsAttr(), op.getActivationAttr());
    takeValueName(op, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// mean(x^2) - mean(x)^2 -> mean((x - mean(x))^2)
struct VarianceOfDifferences final : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Spread> spread = matchDifferenceOfSquares(op);
    if (!spread || op.getActivation())
      return rewriter.notifyMatchFailure(op, "is no variance");
    Value x = spread->of.input;
    bool isKept = shapeOf(op).size() == shapeOf(x).size();
    auto shape = reduceShape(shapeOf(x), spread->axes, isKept);
    if (!shape || ArrayRef(*shape) != shapeOf(op))
      return rewriter.notifyMatchFailure(op, "has another shape");
    auto kept = reduceShape(shapeOf(x), spread->axes, /*keepDims=*/true);
    auto keptType = RankedTensorType::get(*kept, rewriter.getF32Type());
    Value mean = ReduceMeanOp::create(rewriter, op.getLoc(), keptType, x,
                                      spread->axes, /*keep_dims=*/true);
    Value difference =
        SubOp::create(rewriter, op.getLoc(), x.getType(), x, mean, FnAttr());
    Value sum = ReduceSumSquareOp::create(rewriter, op.getLoc(), op.getType(),
                                          difference, spread->axes, isKept);
    double count = 1;
    for (int64_t axis : spread->axes)
      count *= shapeOf(x)[axis];
    auto share = FnAttr::get(getContext(), Function::Affine, {1 / count, 0});
    auto variance =
        UnaryOp::create(rewriter, op.getLoc(), op.getType(), sum,
                        rewriter.getArrayAttr(ArrayRef<Attribute>(share)));
    takeValueName(op, variance);
    rewriter.replaceOp(op, variance);
    return success();
  }
};

} // namespace

DenseElementsAttr mlir::qopt::getSplatFactor(Builder &builder, int64_t rank,
                                             double value) {
  auto type = RankedTensorType::get(SmallVector<int64_t>(rank, 1),
                                    builder.getF32Type());
  return DenseElementsAttr::get(type, static_cast<float>(value));
}

SmallVector<FnAttr> mlir::qopt::stripFunctions(Value &value) {
  SmallVector<FnAttr> functions;
  for (;;) {
    if (auto reshape = value.getDefiningOp<ReshapeOp>()) {
      value = reshape.getInput();
      continue;
    }
    auto unary = value.getDefiningOp<UnaryOp>();
    if (!unary)
      return functions;
    auto own = llvm::to_vector(unary.getFunctions().getAsRange<FnAttr>());
    functions.insert(functions.begin(), own.begin(), own.end());
    value = unary.getInput();
  }
}

bool mlir::qopt::isPower(ArrayRef<FnAttr> functions, double exponent) {
  double own = 1;
  for (FnAttr function : functions) {
    switch (function.getFunction()) {
    case Function::Sqrt:
      own /= 2;
      break;
    case Function::Reciprocal:
      own = -own;
      break;
    case Function::Pow:
      own *= function.getParams()[0];
      break;
    default:
      return false;
    }
  }
  return own == exponent;
}

void mlir::qopt::populateDeviationPatterns(RewritePatternSet &patterns) {
  patterns.add<QuotientToNorm, ProductToNorm, DifferenceToNorm, SumToNorm,
               QuotientByNorm<ReduceL1Op>, QuotientByNorm<ReduceL2Op>>(
      patterns.getContext());
}

void mlir::qopt::populateVariancePatterns(RewritePatternSet &patterns) {
  patterns.add<VarianceOfDifferences>(patterns.getContext());
}
