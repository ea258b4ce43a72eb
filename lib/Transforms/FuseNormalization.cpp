// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognizes normalizations that exporters write out in means, squares and
// roots, and takes the products and sums behind them into their factors.

#include "Names.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/IR/Shapes.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"
#include <cmath>

namespace mlir::qopt {
#define GEN_PASS_DEF_FUSENORMALIZATION
#include "qopt/Transforms/Passes.h.inc"

namespace {

//===----------------------------------------------------------------------===//
// What exporters write
//===----------------------------------------------------------------------===//

RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The input of a reduction of `value`'s op, whose reduced axes have stayed
/// with length one or were put back by a reshape; null for another op.
template <typename ReduceOp> ReduceOp matchReduction(Value value) {
  auto shape = typeOf(value).getShape();
  if (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getInput();
  auto op = value.getDefiningOp<ReduceOp>();
  if (!op)
    return nullptr;
  auto kept = reduceShape(typeOf(op.getInput()).getShape(), op.getAxes(),
                          /*keepDims=*/true);
  return kept && ArrayRef(*kept) == shape ? op : nullptr;
}

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
      if (auto mean = matchReduction<ReduceMeanOp>(sub.getRhs());
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
      spread.factor *= typeOf(squares).getDimSize(axis);
  spread.of = Centered::of(squares);
  return spread;
}

/// `mean(x^2) - mean(x)^2` where that is how a variance is written.
std::optional<Spread> matchVariance(Value value) {
  auto sub = value.getDefiningOp<SubOp>();
  if (!sub)
    return matchMeanSquare(value);
  std::optional<Spread> spread = matchMeanSquare(sub.getLhs());
  Value mean = matchSquare(sub.getRhs());
  if (!spread || !mean || !spread->of.axes.empty())
    return std::nullopt;
  auto reduction = matchReduction<ReduceMeanOp>(mean);
  if (!reduction || reduction.getInput() != spread->of.input ||
      reduction.getAxes() != ArrayRef<int64_t>(spread->axes))
    return std::nullopt;
  spread->of.axes = spread->axes;
  return spread;
}

/// The functions that make `value` of `value` on return.
SmallVector<FnAttr> stripFunctions(Value &value) {
  SmallVector<FnAttr> functions;
  while (auto unary = value.getDefiningOp<UnaryOp>()) {
    auto own = llvm::to_vector(unary.getFunctions().getAsRange<FnAttr>());
    functions.insert(functions.begin(), own.begin(), own.end());
    value = unary.getInput();
  }
  return functions;
}

/// Whether `functions` are a root, inverted if `isInverse`.
bool isRoot(ArrayRef<FnAttr> functions, bool isInverse) {
  double exponent = 1;
  for (FnAttr function : functions) {
    switch (function.getFunction()) {
    case Function::Sqrt:
      exponent /= 2;
      break;
    case Function::Reciprocal:
      exponent = -exponent;
      break;
    case Function::Pow:
      exponent *= function.getParams()[0];
      break;
    default:
      return false;
    }
  }
  return exponent == (isInverse ? -0.5 : 0.5);
}

/// The deviation that `value`, or its inverse, is.
std::optional<Spread> matchDeviation(Value value, bool isInverse) {
  SmallVector<FnAttr> functions = stripFunctions(value);
  double factor = 1, addend = 0;
  ArrayRef<FnAttr> rest = functions;
  if (!rest.empty() && rest.front().getFunction() == Function::Affine) {
    factor = rest.front().getParams()[0];
    addend = rest.front().getParams()[1];
    rest = rest.drop_front();
  }
  if (!isRoot(rest, isInverse) || !(factor > 0) || !(addend >= 0))
    return std::nullopt;
  std::optional<Spread> spread = matchVariance(value);
  if (!spread)
    return std::nullopt;
  spread->factor *= factor;
  spread->addend = addend;
  return spread;
}

DenseElementsAttr splat(Builder &builder, int64_t rank, double value) {
  auto type = RankedTensorType::get(SmallVector<int64_t>(rank, 1),
                                    builder.getF32Type());
  return DenseElementsAttr::get(type, static_cast<float>(value));
}

/// `numerator / deviation` as a normalization; null where they do not belong
/// together.
Operation *createNormalization(Operation *op, Value numerator,
                               const Spread &spread,
                               PatternRewriter &rewriter) {
  if (Centered::of(numerator) == spread.of &&
      (spread.of.axes.empty() || spread.of.axes == spread.axes))
    numerator = spread.of.input;
  else if (numerator != spread.of.input || !spread.of.axes.empty())
    return nullptr;
  if (numerator.getType() != op->getResult(0).getType())
    return nullptr;
  DenseElementsAttr gamma;
  if (spread.factor != 1)
    gamma = splat(rewriter, typeOf(numerator).getRank(),
                  1 / std::sqrt(spread.factor));
  return LayerNormOp::create(
      rewriter, op->getLoc(), numerator.getType(), numerator,
      rewriter.getDenseI64ArrayAttr(spread.axes),
      rewriter.getF64FloatAttr(spread.addend / spread.factor),
      rewriter.getBoolAttr(!spread.of.axes.empty()),
      rewriter.getI64IntegerAttr(2), gamma, DenseElementsAttr(),
      cast<FusesActivationInterface>(op).getFusedActivation());
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
    Operation *norm = createNormalization(op, op.getLhs(), *spread, rewriter);
    if (!norm)
      return rewriter.notifyMatchFailure(op, "divides something else");
    takeValueName(op, norm);
    rewriter.replaceOp(op, norm);
    return success();
  }
};

/// mul(d, 1 / deviation) -> layer_norm
struct ProductToNorm final : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [numerator, inverse] : {std::pair(op.getLhs(), op.getRhs()),
                                      std::pair(op.getRhs(), op.getLhs())}) {
      std::optional<Spread> spread =
          matchDeviation(inverse, /*isInverse=*/true);
      if (!spread)
        continue;
      if (Operation *norm =
              createNormalization(op, numerator, *spread, rewriter)) {
        takeValueName(op, norm);
        rewriter.replaceOp(op, norm);
        return success();
      }
    }
    return rewriter.notifyMatchFailure(op,
                                       "no operand is an inverse deviation");
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
        !llvm::all_of(functions, isGuard))
      return rewriter.notifyMatchFailure(op, "divides by no norm of its own");
    constexpr bool isL1 = std::is_same_v<ReduceOp, ReduceL1Op>;
    double count = 1;
    for (int64_t axis : norm.getAxes())
      count *= typeOf(op.getLhs()).getDimSize(axis);
    auto result = LayerNormOp::create(
        rewriter, op.getLoc(), op.getType(), op.getLhs(), norm.getAxesAttr(),
        rewriter.getF64FloatAttr(0), rewriter.getBoolAttr(false),
        rewriter.getI64IntegerAttr(isL1 ? 1 : 2),
        splat(rewriter, typeOf(op.getLhs()).getRank(),
              1 / (isL1 ? count : std::sqrt(count))),
        DenseElementsAttr(), op.getActivationAttr());
    takeValueName(op, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

/// `values` of `shape`, repeated to `result`.
SmallVector<float> broadcast(ArrayRef<float> values, ArrayRef<int64_t> shape,
                             ArrayRef<int64_t> result) {
  SmallVector<int64_t> strides = rowMajorStrides(shape);
  SmallVector<float> repeated(*countElements(result));
  for (auto [index, value] : llvm::enumerate(repeated)) {
    int64_t rest = index, position = 0;
    for (int64_t axis = result.size(); axis-- > 0; rest /= result[axis])
      position += shape[axis] == 1 ? 0 : rest % result[axis] * strides[axis];
    value = values[position];
  }
  return repeated;
}

/// `combine(a, b)` of factors that broadcast; `rest` stands for a missing `a`.
DenseElementsAttr combine(DenseElementsAttr a, float rest, DenseElementsAttr b,
                          llvm::function_ref<float(float, float)> function) {
  if (!a)
    a = DenseElementsAttr::get(
        RankedTensorType::get(SmallVector<int64_t>(b.getType().getRank(), 1),
                              b.getElementType()),
        rest);
  SmallVector<int64_t> shape;
  for (auto [x, y] : llvm::zip(a.getType().getShape(), b.getType().getShape()))
    shape.push_back(std::max(x, y));
  SmallVector<float> left = broadcast(llvm::to_vector(a.getValues<float>()),
                                      a.getType().getShape(), shape);
  SmallVector<float> right = broadcast(llvm::to_vector(b.getValues<float>()),
                                       b.getType().getShape(), shape);
  for (auto [x, y] : llvm::zip(left, right))
    x = function(x, y);
  return DenseElementsAttr::get(
      RankedTensorType::get(shape, b.getElementType()), ArrayRef<float>(left));
}

/// The normalization behind `value` if its factors may change.
LayerNormOp getOpenNorm(Value value) {
  auto norm = value.getDefiningOp<LayerNormOp>();
  return norm && norm->hasOneUse() && !norm.getActivation() ? norm
                                                            : LayerNormOp();
}

void scaleBy(LayerNormOp norm, DenseElementsAttr factor) {
  auto multiply = [](float a, float b) { return a * b; };
  norm.setGammaAttr(combine(norm.getGammaAttr(), 1, factor, multiply));
  if (norm.getBetaAttr())
    norm.setBetaAttr(combine(norm.getBetaAttr(), 0, factor, multiply));
}

void moveBy(LayerNormOp norm, DenseElementsAttr addend) {
  norm.setBetaAttr(combine(norm.getBetaAttr(), 0, addend,
                           [](float a, float b) { return a + b; }));
}

/// mul(layer_norm(x), c) -> layer_norm(x) {gamma = c}; add alike
template <typename OpT> struct AbsorbConstant final : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    for (auto [value, constant] : {std::pair(op.getLhs(), op.getRhs()),
                                   std::pair(op.getRhs(), op.getLhs())}) {
      LayerNormOp norm = getOpenNorm(value);
      std::optional<SmallVector<float>> values = getConstantF32(constant);
      if (!norm || !values || value.getType() != op.getType() ||
          !llvm::all_of(*values, [](float v) { return std::isfinite(v); }))
        continue;
      SmallVector<int64_t> shape(typeOf(constant).getShape());
      shape.insert(shape.begin(), typeOf(value).getRank() - shape.size(), 1);
      auto factors = DenseElementsAttr::get(
          RankedTensorType::get(shape, rewriter.getF32Type()),
          ArrayRef<float>(*values));
      rewriter.modifyOpInPlace(norm, [&] {
        std::is_same_v<OpT, MulOp> ? scaleBy(norm, factors)
                                   : moveBy(norm, factors);
        norm.setActivationAttr(op.getActivationAttr());
        takeValueName(op, norm);
      });
      rewriter.replaceOp(op, norm);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no constant behind a norm");
  }
};

/// unary(layer_norm(x)) [affine, f] -> unary(layer_norm(x) {...}) [f]
struct AbsorbAffine final : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    LayerNormOp norm = getOpenNorm(op.getInput());
    ArrayRef<Attribute> functions = op.getFunctions().getValue();
    auto first = cast<FnAttr>(functions.front());
    if (!norm || first.getFunction() != Function::Affine)
      return rewriter.notifyMatchFailure(op, "no affine function of a norm");
    int64_t rank = typeOf(op.getInput()).getRank();
    rewriter.modifyOpInPlace(norm, [&] {
      scaleBy(norm, splat(rewriter, rank, first.getParams()[0]));
      moveBy(norm, splat(rewriter, rank, first.getParams()[1]));
      if (functions.size() == 1)
        takeValueName(op, norm);
      else
        dropValueName(norm);
    });
    if (functions.size() == 1)
      rewriter.replaceOp(op, norm);
    else
      rewriter.modifyOpInPlace(op, [&] {
        op.setFunctionsAttr(rewriter.getArrayAttr(functions.drop_front()));
      });
    return success();
  }
};

struct FuseNormalization final
    : impl::FuseNormalizationBase<FuseNormalization> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<QuotientToNorm, ProductToNorm, QuotientByNorm<ReduceL1Op>,
                 QuotientByNorm<ReduceL2Op>, AbsorbConstant<MulOp>,
                 AbsorbConstant<AddOp>, AbsorbAffine>(&getContext());
    // A normalization that stays written out is as right.
    (void)applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace mlir::qopt
