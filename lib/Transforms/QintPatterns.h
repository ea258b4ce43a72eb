// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the pattern families of qopt-rewrite-to-qint share.
#pragma once

#include "Names.h"
#include "mlir/Transforms/DialectConversion.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/Multipliers.h"
#include "qopt/Numerics/QuantParams.h"
#include "llvm/Support/Error.h"

namespace mlir::qopt {

/// Why ops could not be rewritten, in the order found.
using Refusals = SmallVector<std::pair<Operation *, std::string>>;

/// The scale and zero point of a per-tensor quantized value; nothing for
/// another type.
std::optional<numerics::QuantParams> getTensorParams(Value value);

/// The parameters of an op's operands, weight and bias left out, and of its
/// result.
struct ValueParams {
  SmallVector<numerics::QuantParams> inputs;
  numerics::QuantParams result;
};

/// Nothing where one of them is not quantized per tensor.
std::optional<ValueParams> getValueParams(Operation *op);

/// Of the type that holds the integers.
inline int getBits(const numerics::QuantParams &params) {
  return params.qmax > 127 ? 16 : 8;
}

/// The largest `|q - z|`.
int64_t getMagnitude(const numerics::QuantParams &params);

/// `value` with the nine digits that tell float32 scales apart.
std::string formatScale(double value);

/// The text of an error without its code and help.
std::string getErrorMessage(llvm::Error error);

/// The result's side of a requantization: its parameters and the clamp of its
/// type, narrowed by a fused activation (docs/arithmetic.md, "Quantized
/// values").
struct ResultForm {
  numerics::QuantParams params;
  int32_t clampMin;
  int32_t clampMax;

  ResultForm(const numerics::QuantParams &params, FnAttr activation);

  qint::RequantAttr getRequant(MLIRContext *context,
                               ArrayRef<int32_t> multipliers,
                               ArrayRef<int8_t> shifts) const;
  qint::RequantAttr getRequant(MLIRContext *context,
                               const numerics::Multipliers &form) const {
    return getRequant(context, form.multiplier, form.shift);
  }
};

/// Moves the `qopt.rounding` of `from` into the requantization of `to`, its
/// integer form, where that meets ties often enough to matter.
void takeRounding(Operation *from, Operation *to);

/// Base of the patterns: types are known before any is rewritten, refusals are
/// collected.
template <typename OpT> struct QintPattern : OpConversionPattern<OpT> {
  using OpAdaptor = typename OpConversionPattern<OpT>::OpAdaptor;

  QintPattern(const TypeConverter &converter, MLIRContext *context,
              Refusals &refusals)
      : OpConversionPattern<OpT>(converter, context), refusals(refusals) {}

  LogicalResult refuse(OpT op, PatternRewriter &rewriter,
                       const Twine &reason) const {
    refusals.push_back({op, reason.str()});
    return rewriter.notifyMatchFailure(op, reason);
  }
  LogicalResult refuse(OpT op, PatternRewriter &rewriter,
                       llvm::Error error) const {
    return refuse(op, rewriter, getErrorMessage(std::move(error)));
  }

  RankedTensorType getResultType(OpT op) const {
    return cast<RankedTensorType>(
        this->getTypeConverter()->convertType(op->getResult(0).getType()));
  }

  /// Replaces `op`, keeping the name of its value.
  LogicalResult replace(OpT op, PatternRewriter &rewriter,
                        Operation *replacement) const {
    replacement->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    takeRounding(op, replacement);
    rewriter.replaceOp(op, replacement);
    return success();
  }

private:
  Refusals &refusals;
};

/// Base of the patterns of ops whose values are quantized per tensor, which is
/// checked here: `build` makes the integer op or says why there is none.
template <typename OpT> struct TensorPattern : QintPattern<OpT> {
  using QintPattern<OpT>::QintPattern;
  using OpAdaptor = typename QintPattern<OpT>::OpAdaptor;

  LogicalResult
  matchAndRewrite(OpT op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    std::optional<ValueParams> params = getValueParams(op);
    if (!params)
      return this->refuse(op, rewriter,
                          "operand or result is not quantized per tensor");
    llvm::Expected<Operation *> replacement =
        build(op, adaptor, *params, rewriter);
    if (!replacement)
      return this->refuse(op, rewriter, replacement.takeError());
    return this->replace(op, rewriter, *replacement);
  }

  virtual llvm::Expected<Operation *>
  build(OpT op, OpAdaptor adaptor, const ValueParams &params,
        PatternRewriter &rewriter) const = 0;
};

/// conv, gemm.
void populateQintWeightPatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns,
                                Refusals &refusals);
/// add, sub, mul, unary, requantize, softmax.
void populateQintElementwisePatterns(const TypeConverter &converter,
                                     RewritePatternSet &patterns,
                                     Refusals &refusals);
/// average pool, mean.
void populateQintReductionPatterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns,
                                   Refusals &refusals);
/// Normalizations, log-softmax, norms, positions of extremes.
void populateQintNormPatterns(const TypeConverter &converter,
                              RewritePatternSet &patterns, Refusals &refusals);
/// Constants, ops that move values, interpolation.
void populateQintMovePatterns(const TypeConverter &converter,
                              RewritePatternSet &patterns, Refusals &refusals);

} // namespace mlir::qopt
