// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognizes softmax and its logarithm where they are written out in
// exponentials and sums. Written out, nothing says that only differences of
// logits matter, and small exponentials have no bits.

#include "Names.h"
#include "NormalizationPatterns.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// `x` of `f(x)`, reshapes left out; null for another expression.
Value matchFunction(Value value, Function function) {
  SmallVector<FnAttr> functions = stripFunctions(value);
  return functions.size() == 1 && functions[0].getFunction() == function
             ? value
             : Value();
}

/// A difference `lhs - rhs` without activation.
SubOp matchDifference(Value value) {
  auto sub = value.getDefiningOp<SubOp>();
  return sub && !sub.getActivation() ? sub : SubOp();
}

/// Whether both are one value, or the difference of the same two.
bool isSame(Value a, Value b) {
  SubOp first = matchDifference(a), second = matchDifference(b);
  return a == b || (first && second && first.getLhs() == second.getLhs() &&
                    first.getRhs() == second.getRhs());
}

/// The logits `x` of `sum(exp(x))`, and its axes.
struct ExponentSum {
  Value logits;
  SmallVector<int64_t> axes;
};

std::optional<ExponentSum> matchExponentSum(Value value) {
  auto sum = matchReduction<ReduceSumOp>(value);
  auto exp = sum ? sum.getInput().getDefiningOp<UnaryOp>() : UnaryOp();
  Value logits = exp ? matchFunction(sum.getInput(), Function::Exp) : Value();
  if (!logits || logits != exp.getInput())
    return std::nullopt;
  return ExponentSum{logits, llvm::to_vector(sum.getAxes())};
}

/// `x` of differences `x - m` whose `m` is one value a row: the same softmax.
Value stripOffsets(Value value, ArrayRef<int64_t> axes) {
  while (SubOp sub = matchDifference(value)) {
    ArrayRef<int64_t> shape = shapeOf(value), offset = shapeOf(sub.getRhs());
    int64_t missing = shape.size() - offset.size();
    if (sub.getLhs().getType() != value.getType() ||
        llvm::any_of(axes, [&](int64_t axis) {
          return axis >= missing && offset[axis - missing] != 1;
        }))
      break;
    value = sub.getLhs();
  }
  return value;
}

/// `OpT` of `logits` along `axes`, of which all that are longer than one lie
/// side by side; null where they do not.
template <typename OpT>
Value createRows(Operation *op, Value logits, ArrayRef<int64_t> axes,
                 PatternRewriter &rewriter) {
  SmallVector<int64_t> longer, shape(shapeOf(logits)), flat;
  for (int64_t axis : axes)
    if (shape[axis] != 1)
      longer.push_back(axis);
  int64_t first = longer.empty() ? axes.front() : longer.front();
  int64_t last = longer.empty() ? first : longer.back();
  for (int64_t axis = first; axis <= last; ++axis)
    if (shape[axis] != 1 && !llvm::is_contained(axes, axis))
      return Value();
  logits = stripOffsets(logits, axes);
  auto type = cast<RankedTensorType>(logits.getType());
  if (first != last) {
    flat.append(shape.begin(), shape.begin() + first);
    flat.push_back(
        *countElements(ArrayRef(shape).slice(first, last - first + 1)));
    flat.append(shape.begin() + last + 1, shape.end());
    type = type.clone(flat);
    logits = ReshapeOp::create(rewriter, op->getLoc(), type, logits);
  }
  auto rows = OpT::create(rewriter, op->getLoc(), type, logits, first);
  takeValueName(op, rows);
  if (first == last)
    return rows;
  return ReshapeOp::create(rewriter, op->getLoc(), op->getResult(0).getType(),
                           rows);
}

/// Replaces `op`, whose activation would be lost, by `OpT` of the logits.
template <typename OpT>
LogicalResult replaceByRows(Operation *op, const ExponentSum &sum,
                            PatternRewriter &rewriter) {
  auto fuses = dyn_cast<FusesActivationInterface>(op);
  if (fuses && fuses.getFusedActivation())
    return rewriter.notifyMatchFailure(op, "has an activation");
  if (sum.logits.getType() != op->getResult(0).getType())
    return rewriter.notifyMatchFailure(op, "has another shape");
  Value rows = createRows<OpT>(op, sum.logits, sum.axes, rewriter);
  if (!rows)
    return rewriter.notifyMatchFailure(op, "rows are no neighbouring axes");
  rewriter.replaceOp(op, rows);
  return success();
}

/// div(exp(x), sum(exp(x))) -> softmax(x)
struct QuotientToSoftmax final : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    Value logits = matchFunction(op.getLhs(), Function::Exp);
    std::optional<ExponentSum> sum = matchExponentSum(op.getRhs());
    if (!logits || !sum || !isSame(logits, sum->logits) ||
        !broadcastsAlong(op.getRhs(), op.getLhs(), sum->axes))
      return rewriter.notifyMatchFailure(op, "divides by no sum of its own");
    return replaceByRows<SoftmaxOp>(op, *sum, rewriter);
  }
};

/// mul(exp(x), 1 / sum(exp(x))) -> softmax(x)
struct ProductToSoftmax final : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [exponentials, inverse] : {std::pair(op.getLhs(), op.getRhs()),
                                         std::pair(op.getRhs(), op.getLhs())}) {
      Value divisor = inverse;
      SmallVector<FnAttr> functions = stripFunctions(divisor);
      Value logits = matchFunction(exponentials, Function::Exp);
      std::optional<ExponentSum> sum = matchExponentSum(divisor);
      if (logits && sum && isPower(functions, -1) &&
          isSame(logits, sum->logits) &&
          broadcastsAlong(inverse, exponentials, sum->axes))
        return replaceByRows<SoftmaxOp>(op, *sum, rewriter);
    }
    return rewriter.notifyMatchFailure(op, "no inverse of its own sum");
  }
};

/// sub(x, log(sum(exp(x)))) -> log_softmax(x); sub(x, add(m, log(sum(exp(x -
/// m))))) -> log_softmax(x)
struct DifferenceToLogSoftmax final : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    if (auto sum = matchLogarithm(op.getLhs(), op.getRhs()))
      return replaceByRows<LogSoftmaxOp>(op, *sum, rewriter);
    auto add = op.getRhs().getDefiningOp<AddOp>();
    if (add && !add.getActivation())
      for (auto [offset, logarithm] : {std::pair(add.getLhs(), add.getRhs()),
                                       std::pair(add.getRhs(), add.getLhs())})
        if (auto sum = matchShifted(op.getLhs(), offset, logarithm))
          return replaceByRows<LogSoftmaxOp>(op, *sum, rewriter);
    return rewriter.notifyMatchFailure(op, "no logarithm of its own sum");
  }

private:
  static std::optional<ExponentSum> matchSum(Value x, Value logarithm) {
    Value inner = matchFunction(logarithm, Function::Log);
    auto sum = inner ? matchExponentSum(inner) : std::nullopt;
    return sum && broadcastsAlong(logarithm, x, sum->axes) ? sum : std::nullopt;
  }

  /// `logarithm` is that of `sum(exp(x))`.
  static std::optional<ExponentSum> matchLogarithm(Value x, Value logarithm) {
    auto sum = matchSum(x, logarithm);
    return sum && isSame(x, sum->logits) ? sum : std::nullopt;
  }

  /// `logarithm` is that of `sum(exp(x - offset))`.
  static std::optional<ExponentSum> matchShifted(Value x, Value offset,
                                                 Value logarithm) {
    auto sum = matchSum(x, logarithm);
    SubOp logits = sum ? matchDifference(sum->logits) : SubOp();
    bool isShifted = logits && logits.getLhs() == x &&
                     logits.getRhs() == offset &&
                     offset.getType() == logarithm.getType();
    return isShifted ? sum : std::nullopt;
  }
};

/// unary(softmax(x)) [log, f] -> unary(log_softmax(x)) [f]
struct LogOfSoftmax final : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    auto softmax = op.getInput().getDefiningOp<SoftmaxOp>();
    ArrayRef<Attribute> functions = op.getFunctions().getValue();
    if (!softmax || cast<FnAttr>(functions[0]).getFunction() != Function::Log)
      return rewriter.notifyMatchFailure(op, "is no logarithm of softmax");
    auto result = LogSoftmaxOp::create(rewriter, op.getLoc(), op.getType(),
                                       softmax.getInput(), softmax.getAxis());
    if (functions.size() == 1) {
      takeValueName(op, result);
      rewriter.replaceOp(op, result);
    } else {
      rewriter.modifyOpInPlace(op, [&] {
        op.getInputMutable().assign(result);
        op.setFunctionsAttr(rewriter.getArrayAttr(functions.drop_front()));
      });
    }
    return success();
  }
};

} // namespace

void mlir::qopt::populateSoftmaxPatterns(RewritePatternSet &patterns) {
  patterns.add<QuotientToSoftmax, ProductToSoftmax, DifferenceToLogSoftmax,
               LogOfSoftmax>(patterns.getContext());
}
