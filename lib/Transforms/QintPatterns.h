// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the pattern families of qopt-rewrite-to-qint share.
#pragma once

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
};

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
    return refuse(op, rewriter, getMessage(std::move(error)));
  }

  RankedTensorType getResultType(OpT op) const {
    return cast<RankedTensorType>(
        this->getTypeConverter()->convertType(op->getResult(0).getType()));
  }

  /// Replaces `op`, keeping the name of its value.
  LogicalResult replace(OpT op, PatternRewriter &rewriter,
                        Operation *replacement) const {
    replacement->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.replaceOp(op, replacement);
    return success();
  }

  static std::string getMessage(llvm::Error error);

private:
  Refusals &refusals;
};

/// `value` with the nine digits that tell float32 scales apart.
std::string formatScale(double value);

/// The text of an error without its code and help.
std::string getErrorMessage(llvm::Error error);

template <typename OpT>
std::string QintPattern<OpT>::getMessage(llvm::Error error) {
  return getErrorMessage(std::move(error));
}

/// conv, gemm.
void populateQintWeightPatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns,
                                Refusals &refusals);
/// add, sub, mul, unary, requantize, softmax, pools and means.
void populateQintElementwisePatterns(const TypeConverter &converter,
                                     RewritePatternSet &patterns,
                                     Refusals &refusals);
/// average pool, mean.
void populateQintReductionPatterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns,
                                   Refusals &refusals);
/// Constants and ops that move values.
void populateQintMovePatterns(const TypeConverter &converter,
                              RewritePatternSet &patterns, Refusals &refusals);

} // namespace mlir::qopt
