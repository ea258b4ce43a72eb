// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes products and sums behind a normalization into its factors.

#include "Names.h"
#include "NormalizationPatterns.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

namespace {

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
      SmallVector<int64_t> shape(shapeOf(constant));
      shape.insert(shape.begin(), shapeOf(value).size() - shape.size(), 1);
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
    int64_t rank = shapeOf(op.getInput()).size();
    rewriter.modifyOpInPlace(norm, [&] {
      scaleBy(norm, getSplatFactor(rewriter, rank, first.getParams()[0]));
      moveBy(norm, getSplatFactor(rewriter, rank, first.getParams()[1]));
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

//===----------------------------------------------------------------------===//
// Factors behind a reshape
//===----------------------------------------------------------------------===//

/// The coarsest shape whose axes, taken together, are the axes of two shapes of
/// as many elements. `first[i]`, `second[i]` are those of axis `i`; axes of
/// length one have none.
struct Refinement {
  SmallVector<int64_t> shape;
  SmallVector<SmallVector<int64_t>> first, second;

  static std::optional<Refinement> get(ArrayRef<int64_t> a,
                                       ArrayRef<int64_t> b);

  /// `shape` of a constant of the first (second) shape: `parts` of it.
  SmallVector<int64_t> split(ArrayRef<int64_t> constant,
                             ArrayRef<SmallVector<int64_t>> parts) const {
    SmallVector<int64_t> result(shape.size(), 1);
    for (auto [size, axes] : llvm::zip_equal(constant, parts))
      for (int64_t axis : axes)
        result[axis] = size == 1 ? 1 : shape[axis];
    return result;
  }
};

std::optional<Refinement> Refinement::get(ArrayRef<int64_t> a,
                                          ArrayRef<int64_t> b) {
  Refinement result;
  result.first.resize(a.size());
  result.second.resize(b.size());
  size_t i = 0, j = 0;
  // What is left of the axes `i` and `j`.
  int64_t restA = 1, restB = 1;
  for (;;) {
    for (; restA == 1 && i < a.size(); ++i)
      restA = a[i];
    for (; restB == 1 && j < b.size(); ++j)
      restB = b[j];
    int64_t size = std::min(restA, restB);
    if (size < 1 || restA % size != 0 || restB % size != 0)
      return std::nullopt;
    if (size == 1)
      break;
    result.first[i - 1].push_back(result.shape.size());
    result.second[j - 1].push_back(result.shape.size());
    result.shape.push_back(size);
    restA /= size;
    restB /= size;
  }
  return restA == 1 && restB == 1 ? std::optional(result) : std::nullopt;
}

DenseElementsAttr splitFactor(DenseElementsAttr factor,
                              const Refinement &refinement) {
  return factor ? factor.reshape(factor.getType().clone(refinement.split(
                      factor.getType().getShape(), refinement.first)))
                : factor;
}

/// mul(reshape(layer_norm(x)), c) -> reshape(mul(layer_norm(reshape(x)), c)),
/// in a shape that has the axes of both; add alike. Groups of channels are
/// normalized like this.
template <typename OpT> struct FactorBeforeReshape : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    for (auto [value, constant] : {std::pair(op.getLhs(), op.getRhs()),
                                   std::pair(op.getRhs(), op.getLhs())}) {
      auto reshape = value.template getDefiningOp<ReshapeOp>();
      if (!reshape || !reshape->hasOneUse() || value.getType() != op.getType())
        continue;
      LayerNormOp norm = getOpenNorm(reshape.getInput());
      if (norm && isConstantF32(constant) &&
          succeeded(rewrite(op, norm, constant, rewriter)))
        return success();
    }
    return rewriter.notifyMatchFailure(op, "no constant behind a norm");
  }

private:
  static LogicalResult rewrite(OpT op, LayerNormOp norm, Value constant,
                               PatternRewriter &rewriter) {
    auto refinement = Refinement::get(shapeOf(norm), shapeOf(op));
    if (!refinement)
      return rewriter.notifyMatchFailure(op, "the shapes have no common axes");
    SmallVector<int64_t> axes;
    for (int64_t axis : norm.getAxes())
      llvm::append_range(axes, refinement->first[axis]);
    if (axes.empty())
      return rewriter.notifyMatchFailure(norm, "rows of one element");
    SmallVector<int64_t> shape(shapeOf(constant));
    shape.insert(shape.begin(), shapeOf(op).size() - shape.size(), 1);
    auto type = norm.getType().clone(refinement->shape);
    Value input =
        ReshapeOp::create(rewriter, norm.getLoc(), type, norm.getInput());
    auto regrouped = LayerNormOp::create(
        rewriter, norm.getLoc(), type, input,
        rewriter.getDenseI64ArrayAttr(axes), norm.getEpsilonAttr(),
        norm.getCenterAttr(), norm.getPowerAttr(),
        splitFactor(norm.getGammaAttr(), *refinement),
        splitFactor(norm.getBetaAttr(), *refinement), FnAttr());
    ConstantOp factor = createConstantF32(
        rewriter, op.getLoc(),
        type.clone(refinement->split(shape, refinement->second)),
        *getConstantF32(constant));
    auto result = OpT::create(rewriter, op.getLoc(), type, regrouped, factor,
                              op.getActivationAttr());
    takeValueName(op, result);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), result);
    return success();
  }
};

} // namespace

void mlir::qopt::populateFactorPatterns(RewritePatternSet &patterns) {
  patterns.add<AbsorbConstant<MulOp>, AbsorbConstant<AddOp>, AbsorbAffine,
               FactorBeforeReshape<MulOp>, FactorBeforeReshape<AddOp>>(
      patterns.getContext());
}
