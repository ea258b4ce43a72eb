// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates ops whose operands are all constants.

#include "SimplifyPatterns.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

using Values = SmallVector<float>;

/// Results of elementwise ops larger than this stay in the graph.
constexpr int64_t elementwiseLimit = 1 << 20;

SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t axis = static_cast<int64_t>(shape.size()) - 2; axis >= 0; --axis)
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/// Calls `visit(linear index, offset)` for every index of `shape` in row-major
/// order; `offset` is the index times `strides`.
void forEachIndex(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides,
                  llvm::function_ref<void(int64_t, int64_t)> visit) {
  SmallVector<int64_t> index(shape.size(), 0);
  int64_t count = ShapedType::getNumElements(shape);
  int64_t offset = 0;
  for (int64_t linear = 0; linear < count; ++linear) {
    visit(linear, offset);
    for (int64_t axis = static_cast<int64_t>(shape.size()) - 1; axis >= 0;
         --axis) {
      offset += strides[axis];
      if (++index[axis] < shape[axis])
        break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// Strides that read an operand of `shape` broadcast to `result`.
SmallVector<int64_t> getBroadcastStrides(ArrayRef<int64_t> shape,
                                         ArrayRef<int64_t> result) {
  SmallVector<int64_t> strides = getStrides(shape);
  for (auto [stride, size] : llvm::zip(strides, shape))
    if (size == 1)
      stride = 0;
  strides.insert(strides.begin(), result.size() - shape.size(), 0);
  return strides;
}

ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Values evaluate(TransposeOp op, ArrayRef<Values> inputs) {
  SmallVector<int64_t> inputStrides = getStrides(getShape(op.getInput()));
  SmallVector<int64_t> strides;
  for (int64_t axis : op.getPermutation())
    strides.push_back(inputStrides[axis]);
  Values result(inputs.front().size());
  forEachIndex(getShape(op.getResult()), strides,
               [&](int64_t linear, int64_t offset) {
                 result[linear] = inputs.front()[offset];
               });
  return result;
}

Values evaluate(PadOp op, ArrayRef<Values> inputs) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  Values result(ShapedType::getNumElements(shape),
                op.getValue().convertToFloat());
  SmallVector<int64_t> strides = getStrides(shape);
  int64_t start = 0;
  for (auto [axis, stride] : llvm::enumerate(strides))
    start += op.getPads()[axis] * stride;
  forEachIndex(getShape(op.getInput()), strides,
               [&](int64_t linear, int64_t offset) {
                 result[start + offset] = inputs.front()[linear];
               });
  return result;
}

Values evaluate(ConcatOp op, ArrayRef<Values> inputs) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  SmallVector<int64_t> strides = getStrides(shape);
  Values result(ShapedType::getNumElements(shape));
  int64_t start = 0;
  for (auto [number, operand] : llvm::enumerate(op.getInputs())) {
    const Values &values = inputs[number];
    forEachIndex(getShape(operand), strides,
                 [&](int64_t linear, int64_t offset) {
                   result[start + offset] = values[linear];
                 });
    start += getShape(operand)[op.getAxis()] * strides[op.getAxis()];
  }
  return result;
}

Values evaluate(SliceOp op, ArrayRef<Values> inputs) {
  SmallVector<int64_t> strides = getStrides(getShape(op.getInput()));
  int64_t start = 0;
  for (auto [axis, stride] : llvm::enumerate(strides)) {
    start += op.getStarts()[axis] * stride;
    stride *= op.getSteps()[axis];
  }
  ArrayRef<int64_t> shape = getShape(op.getResult());
  Values result(ShapedType::getNumElements(shape));
  forEachIndex(shape, strides, [&](int64_t linear, int64_t offset) {
    result[linear] = inputs.front()[start + offset];
  });
  return result;
}

Values evaluate(GatherOp op, ArrayRef<Values> inputs) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  int64_t axis = op.getAxis(), size = getShape(op.getInput())[axis];
  int64_t inner = ShapedType::getNumElements(shape.drop_front(axis + 1));
  Values result(ShapedType::getNumElements(shape));
  for (int64_t i = 0, e = result.size(); i < e; ++i) {
    int64_t row = i / inner, outer = row / shape[axis];
    int64_t index = op.getIndices()[row % shape[axis]];
    result[i] = inputs.front()[(outer * size + index) * inner + i % inner];
  }
  return result;
}

Values evaluate(UnaryOp op, ArrayRef<Values> inputs) {
  Values result;
  SmallVector<numerics::ScalarFunction> chain = op.getChain();
  for (float value : inputs.front())
    result.push_back(static_cast<float>(numerics::evaluate(chain, value)));
  return result;
}

/// `combine` in double, one rounding at the end.
template <typename OpT, typename Combine>
Values evaluateBinary(OpT op, ArrayRef<Values> inputs, Combine combine) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  Values result(ShapedType::getNumElements(shape));
  SmallVector<double> lhs(result.size());
  forEachIndex(
      shape, getBroadcastStrides(getShape(op.getLhs()), shape),
      [&](int64_t linear, int64_t offset) { lhs[linear] = inputs[0][offset]; });
  std::optional<FnAttr> activation = op.getActivation();
  forEachIndex(shape, getBroadcastStrides(getShape(op.getRhs()), shape),
               [&](int64_t linear, int64_t offset) {
                 double value = combine(lhs[linear], inputs[1][offset]);
                 result[linear] = static_cast<float>(
                     activation ? activation->evaluate(value) : value);
               });
  return result;
}

Values evaluate(AddOp op, ArrayRef<Values> inputs) {
  return evaluateBinary(op, inputs, std::plus<double>());
}
Values evaluate(SubOp op, ArrayRef<Values> inputs) {
  return evaluateBinary(op, inputs, std::minus<double>());
}
Values evaluate(MulOp op, ArrayRef<Values> inputs) {
  return evaluateBinary(op, inputs, std::multiplies<double>());
}

/// op(constants) -> constant
template <typename OpT> struct EvaluateConstants final : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    if (!llvm::all_of(op->getOperands(), isConstantF32))
      return rewriter.notifyMatchFailure(op, "has an operand that varies");
    auto type = cast<RankedTensorType>(op.getResult().getType());
    if (op.getScaleRule() != ScaleRule::Shared &&
        type.getNumElements() > elementwiseLimit)
      return rewriter.notifyMatchFailure(op, "result is large");
    SmallVector<Values> inputs;
    for (Value operand : op->getOperands())
      inputs.push_back(*getConstantF32(operand));
    rewriter.replaceOp(op, createConstantF32(rewriter, op.getLoc(), type,
                                             evaluate(op, inputs)));
    return success();
  }
};

} // namespace

void mlir::qopt::populateConstantPatterns(RewritePatternSet &patterns) {
  patterns.add<EvaluateConstants<TransposeOp>, EvaluateConstants<PadOp>,
               EvaluateConstants<ConcatOp>, EvaluateConstants<SliceOp>,
               EvaluateConstants<GatherOp>, EvaluateConstants<UnaryOp>,
               EvaluateConstants<AddOp>, EvaluateConstants<SubOp>,
               EvaluateConstants<MulOp>>(patterns.getContext());
}
