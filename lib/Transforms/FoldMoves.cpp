// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transposes that move nothing, pads that a reader can do itself, slices and
// gathers of one another, sums of squeezed images. Chains of reshapes and
// transposes merge by the folders of the dialect.

#include "Names.h"
#include "Scales.h"
#include "SimplifyPatterns.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// True where the axes that are longer than one keep their order.
bool keepsOrder(TransposeOp op) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op.getInput().getType()).getShape();
  SmallVector<int64_t> longAxes;
  for (int64_t axis : op.getPermutation())
    if (shape[axis] != 1)
      longAxes.push_back(axis);
  return llvm::is_sorted(longAxes);
}

/// transpose(x) that moves only axes of length one -> reshape(x)
struct TransposeToReshape final : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    if (!keepsOrder(op))
      return rewriter.notifyMatchFailure(op, "elements change their order");
    auto reshape =
        ReshapeOp::create(rewriter, op.getLoc(), op.getType(), op.getInput());
    takeValueName(op, reshape);
    rewriter.replaceOp(op, reshape);
    return success();
  }
};

/// Adds `pad`'s rows and columns to the `pads` of `op`, which then reads what
/// `pad` read.
template <typename OpT>
void absorbPad(PatternRewriter &rewriter, OpT op, PadOp pad,
               ArrayRef<int64_t> pads) {
  SmallVector<int64_t> sum(op.getPads());
  for (auto [total, more] : llvm::zip(sum, pads))
    total += more;
  rewriter.modifyOpInPlace(op, [&] {
    op.setPads(sum);
    op.getInputMutable().assign(pad.getInput());
  });
}

/// conv(pad(x, 0)) -> conv(x) with larger `pads`
struct PadIntoConv final : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<PadOp>();
    if (!pad)
      return rewriter.notifyMatchFailure(op, "input is no pad");
    if (!pad.getValue().isZero())
      return rewriter.notifyMatchFailure(pad, "pads with another value");
    auto pads = getImagePads(pad);
    if (!pads)
      return rewriter.notifyMatchFailure(pad, "pads batch or channels");
    absorbPad(rewriter, op, pad, *pads);
    return success();
  }
};

/// True where no element of `value` can be below zero.
bool isNonNegative(Value value) {
  Operation *op = value.getDefiningOp();
  FnAttr clamp;
  if (auto fuses = dyn_cast_or_null<FusesActivationInterface>(op))
    clamp = fuses.getFusedActivation();
  if (auto unary = dyn_cast_or_null<UnaryOp>(op))
    clamp = cast<FnAttr>(unary.getFunctions().getValue().back());
  return clamp && clamp.isClamp() && clamp.getClampMin() >= 0;
}

/// True where every window of `op` with `pads` covers an input element.
bool windowsTouchInput(MaxPoolOp op, ArrayRef<int64_t> inputShape,
                       ArrayRef<int64_t> pads) {
  ArrayRef<int64_t> result = cast<RankedTensorType>(op.getType()).getShape();
  for (int axis : {0, 1}) {
    int64_t size = inputShape[axis + 2];
    for (int64_t index = 0; index < result[axis + 2]; ++index) {
      bool touches = false;
      for (int64_t tap = 0; tap < op.getKernel()[axis]; ++tap) {
        int64_t position = index * op.getStrides()[axis] - pads[axis] +
                           tap * op.getDilations()[axis];
        touches |= position >= 0 && position < size;
      }
      if (!touches)
        return false;
    }
  }
  return true;
}

/// max_pool(pad(x, 0)) -> max_pool(x) with larger `pads`, for x >= 0
struct PadIntoMaxPool final : OpRewritePattern<MaxPoolOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MaxPoolOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<PadOp>();
    if (!pad)
      return rewriter.notifyMatchFailure(op, "input is no pad");
    if (!pad.getValue().isZero())
      return rewriter.notifyMatchFailure(pad, "pads with another value");
    auto pads = getImagePads(pad);
    if (!pads)
      return rewriter.notifyMatchFailure(pad, "pads batch or channels");
    // The op's own padding is absent; a zero is the same only where no element
    // is smaller.
    if (!isNonNegative(pad.getInput()))
      return rewriter.notifyMatchFailure(pad, "input may be negative");
    SmallVector<int64_t> sum(*pads);
    for (auto [total, own] : llvm::zip(sum, op.getPads()))
      total += own;
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(pad.getInput().getType()).getShape();
    if (!windowsTouchInput(op, shape, sum))
      return rewriter.notifyMatchFailure(op, "a window lies in the padding");
    absorbPad(rewriter, op, pad, *pads);
    return success();
  }
};

/// slice(slice(x)) -> slice(x)
struct SliceOfSlice final : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<SliceOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "input is no slice");
    SmallVector<int64_t> starts, steps;
    for (auto [start, step, innerStart, innerStep] :
         llvm::zip(op.getStarts(), op.getSteps(), inner.getStarts(),
                   inner.getSteps())) {
      starts.push_back(innerStart + start * innerStep);
      steps.push_back(step * innerStep);
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.setStarts(starts);
      op.setSteps(steps);
      op.getInputMutable().assign(inner.getInput());
    });
    return success();
  }
};

/// slice(concat(a, b)) that lies inside a -> slice(a)
struct SliceOfConcat final : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    auto concat = op.getInput().getDefiningOp<ConcatOp>();
    if (!concat)
      return rewriter.notifyMatchFailure(op, "input is no concat");
    int64_t axis = concat.getAxis(), start = op.getStarts()[axis];
    int64_t count = cast<RankedTensorType>(op.getType()).getDimSize(axis);
    int64_t last = start + (count - 1) * op.getSteps()[axis];
    for (Value part : concat.getInputs()) {
      int64_t size = cast<RankedTensorType>(part.getType()).getDimSize(axis);
      if (start >= 0 && start < size && last < size) {
        SmallVector<int64_t> starts(op.getStarts());
        starts[axis] = start;
        rewriter.modifyOpInPlace(op, [&] {
          op.setStarts(starts);
          op.getInputMutable().assign(part);
        });
        return success();
      }
      start -= size;
      last -= size;
    }
    return rewriter.notifyMatchFailure(op, "takes from several operands");
  }
};

/// gather(gather(x)) along one axis -> gather(x)
struct GatherOfGather final : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<GatherOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "input is no gather");
    if (inner.getAxis() != op.getAxis())
      return rewriter.notifyMatchFailure(op, "gathers along another axis");
    SmallVector<int64_t> indices;
    for (int64_t index : op.getIndices())
      indices.push_back(inner.getIndices()[index]);
    rewriter.modifyOpInPlace(op, [&] {
      op.setIndices(indices);
      op.getInputMutable().assign(inner.getInput());
    });
    return success();
  }
};

/// The reshape behind `value` if all it does is to take axes of length one out
/// of an image, as a convolution over one axis ends.
ReshapeOp getSqueezedImage(Value value) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  if (!reshape)
    return nullptr;
  auto withoutOnes = [](Value tensor) {
    SmallVector<int64_t> shape;
    for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape())
      if (size != 1)
        shape.push_back(size);
    return shape;
  };
  Value image = reshape.getInput();
  auto type = cast<RankedTensorType>(image.getType());
  if (type.getRank() != 4 ||
      cast<RankedTensorType>(value.getType()).getRank() >= 4 ||
      withoutOnes(image) != withoutOnes(value))
    return nullptr;
  return reshape;
}

/// add(reshape(a), reshape(b)) -> reshape(add(a, b)), where a and b are images
/// of one shape: what lies between convolutions over one axis keeps their
/// layout.
template <typename OpT> struct BeforeSqueeze final : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    IRMapping mapping;
    Type image;
    for (Value operand : op->getOperands()) {
      ReshapeOp reshape = getSqueezedImage(operand);
      if (!reshape || operand.getType() != op.getType())
        return rewriter.notifyMatchFailure(op, "an operand is no image");
      if (image && image != reshape.getInput().getType())
        return rewriter.notifyMatchFailure(op, "images of several shapes");
      image = reshape.getInput().getType();
      mapping.map(operand, reshape.getInput());
    }
    Operation *copy = rewriter.clone(*op, mapping);
    copy->getResult(0).setType(image);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(),
                                           copy->getResult(0));
    return success();
  }
};

} // namespace

std::optional<SmallVector<int64_t>> mlir::qopt::getImagePads(PadOp op) {
  ArrayRef<int64_t> pads = op.getPads();
  if (pads.size() != 8 || pads[0] || pads[1] || pads[4] || pads[5])
    return std::nullopt;
  return SmallVector<int64_t>{pads[2], pads[3], pads[6], pads[7]};
}

void mlir::qopt::populateMovePatterns(RewritePatternSet &patterns) {
  patterns
      .add<TransposeToReshape, PadIntoConv, PadIntoMaxPool, SliceOfSlice,
           SliceOfConcat, GatherOfGather, BeforeSqueeze<AddOp>,
           BeforeSqueeze<SubOp>, BeforeSqueeze<MulOp>, BeforeSqueeze<UnaryOp>>(
          patterns.getContext());
}
