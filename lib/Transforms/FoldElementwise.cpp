// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops: identities go, differences become sums, scalar constants
// become affine functions.

#include "Names.h"
#include "SimplifyPatterns.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

bool isIdentity(FnAttr function) {
  switch (function.getFunction()) {
  case Function::Affine:
    return function.getParams() == ArrayRef<double>({1.0, 0.0});
  case Function::LeakyRelu:
    return function.getParams() == ArrayRef<double>({1.0});
  case Function::Clip:
    return function.getClampMin() == -std::numeric_limits<double>::infinity() &&
           function.getClampMax() == std::numeric_limits<double>::infinity();
  default:
    return false;
  }
}

/// unary(x) [f, identity, g] -> unary(x) [f, g]; unary(x) [identity] -> x
struct DropIdentities final : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Attribute> functions;
    for (Attribute function : op.getFunctions())
      if (!isIdentity(cast<FnAttr>(function)))
        functions.push_back(function);
    if (functions.size() == op.getFunctions().size())
      return rewriter.notifyMatchFailure(op, "no function is the identity");
    if (functions.empty()) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    rewriter.modifyOpInPlace(
        op, [&] { op.setFunctionsAttr(rewriter.getArrayAttr(functions)); });
    return success();
  }
};

/// sub(x, c) -> add(x, -c)
struct SubConstantToAdd final : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<SmallVector<float>> values = getConstantF32(op.getRhs());
    if (!values)
      return rewriter.notifyMatchFailure(op, "subtracts no constant");
    for (float &value : *values)
      value = -value;
    Value negated = createConstantF32(
        rewriter, op.getRhs().getLoc(),
        cast<RankedTensorType>(op.getRhs().getType()), *values);
    auto add = AddOp::create(rewriter, op.getLoc(), op.getType(), op.getLhs(),
                             negated, op.getActivationAttr());
    takeValueName(op, add);
    rewriter.replaceOp(op, add);
    return success();
  }
};

/// The affine function that `op` is of its other operand when one operand is
/// the constant `value`.
FnAttr getAffine(Operation *op, bool constantIsLhs, double value) {
  double scale = isa<MulOp>(op) ? value : 1;
  double shift = isa<MulOp>(op) ? 0 : value;
  if (isa<SubOp>(op))
    (constantIsLhs ? scale : shift) *= -1;
  return FnAttr::get(op->getContext(), Function::Affine, {scale, shift});
}

/// add(x, scalar) -> unary(x) [affine]; sub and mul alike
template <typename OpT> struct ScalarToAffine final : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    for (bool constantIsLhs : {false, true}) {
      Value constant = constantIsLhs ? op.getLhs() : op.getRhs();
      Value input = constantIsLhs ? op.getRhs() : op.getLhs();
      if (cast<RankedTensorType>(constant.getType()).getNumElements() != 1 ||
          input.getType() != op.getType())
        continue;
      std::optional<SmallVector<float>> value = getConstantF32(constant);
      if (!value)
        continue;
      SmallVector<Attribute> functions{
          getAffine(op, constantIsLhs, (*value)[0])};
      if (FnAttr activation = op.getActivationAttr())
        functions.push_back(activation);
      auto unary = UnaryOp::create(rewriter, op.getLoc(), op.getType(), input,
                                   rewriter.getArrayAttr(functions));
      takeValueName(op, unary);
      rewriter.replaceOp(op, unary);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a scalar constant");
  }
};

/// add(x, 0) -> x; mul(x, 1) -> x, for constants of any shape that leave x's
template <typename OpT>
struct DropNeutralOperand final : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    float neutral = isa<MulOp>(op) ? 1.0f : 0.0f;
    if (op.getActivation())
      return rewriter.notifyMatchFailure(op, "has an activation");
    for (auto [input, constant] : {std::pair(op.getLhs(), op.getRhs()),
                                   std::pair(op.getRhs(), op.getLhs())}) {
      if (input.getType() != op.getType() || !isConstantF32(constant))
        continue;
      if (!llvm::all_of(*getConstantF32(constant),
                        [&](float value) { return value == neutral; }))
        continue;
      rewriter.replaceOp(op, input);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is neutral");
  }
};

} // namespace

void mlir::qopt::populateElementwisePatterns(RewritePatternSet &patterns) {
  patterns.add<DropIdentities, SubConstantToAdd, ScalarToAffine<AddOp>,
               ScalarToAffine<SubOp>, ScalarToAffine<MulOp>,
               DropNeutralOperand<AddOp>, DropNeutralOperand<MulOp>>(
      patterns.getContext());
}
