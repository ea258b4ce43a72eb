// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The boundary of the quantized level to and from the upstream quant dialect.

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Interop/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_CONVERTQOPTTOQUANT
#define GEN_PASS_DEF_CONVERTQUANTTOQOPT
#include "qopt/Interop/Passes.h.inc"

namespace {

/// quantize -> qcast; dequantize -> dcast
template <typename From, typename To>
struct ConvertToQuant final : OpRewritePattern<From> {
  using OpRewritePattern<From>::OpRewritePattern;

  LogicalResult matchAndRewrite(From op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<To>(op, op.getType(), op.getInput());
    return success();
  }
};

/// True for a tensor that qopt's boundary ops take: static, f32 or quantized
/// per tensor with parameters that verify.
bool isBoundaryType(Location loc, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return false;
  if (tensor.getElementType().isF32())
    return true;
  if (!isQuantized(tensor) || isPerAxis(tensor))
    return false;
  // Not this conversion's error: a type that does not verify stays upstream's.
  ScopedDiagnosticHandler ignore(type.getContext(),
                                 [](Diagnostic &) { return success(); });
  return succeeded(
      verifyQuantType([&] { return mlir::emitError(loc); }, tensor));
}

/// qcast -> quantize; dcast -> dequantize
template <typename From, typename To>
struct ConvertFromQuant final : OpRewritePattern<From> {
  using OpRewritePattern<From>::OpRewritePattern;

  LogicalResult matchAndRewrite(From op,
                                PatternRewriter &rewriter) const override {
    if (!isBoundaryType(op.getLoc(), op.getInput().getType()) ||
        !isBoundaryType(op.getLoc(), op.getType()))
      return rewriter.notifyMatchFailure(op, "types are not qopt's");
    rewriter.replaceOpWithNewOp<To>(op, op.getType(), op.getInput());
    return success();
  }
};

struct ConvertQoptToQuant final
    : impl::ConvertQoptToQuantBase<ConvertQoptToQuant> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvertToQuant<QuantizeOp, quant::QuantizeCastOp>,
                 ConvertToQuant<DequantizeOp, quant::DequantizeCastOp>>(
        &getContext());
    // A walk and no greedy driver: that one folds `dcast(qcast(x))` to `x`,
    // which rounds no more.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

struct ConvertQuantToQopt final
    : impl::ConvertQuantToQoptBase<ConvertQuantToQopt> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvertFromQuant<quant::QuantizeCastOp, QuantizeOp>,
                 ConvertFromQuant<quant::DequantizeCastOp, DequantizeOp>>(
        &getContext());
    // A walk and no greedy driver: that one folds `dcast(qcast(x))` to `x`,
    // which rounds no more.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace mlir::qopt
