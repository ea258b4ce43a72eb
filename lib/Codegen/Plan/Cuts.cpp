// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts are the same step on smaller views.

#include "Cuts.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Plan/Geometry.h"
#include "qopt/IR/Qint.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::qopt::codegen {

/// What a core does in a nanosecond with AVX512-VNNI: multiply-accumulates of
/// products and depthwise convolutions, bytes of weights from the cache that
/// cores share, elements that are moved or looked up, and that are computed.
/// Slower code gains more from threads than this says.
static constexpr double productRate = 300, depthwiseRate = 60, weightRate = 40,
                        moveRate = 25, elementRate = 11;

/// Channels that a product's tile works on at once, and elements of a vector.
static constexpr int64_t panelChannels = 64;

/// Indices `[begin, begin + count)` of `axis`. What lies around them is rows of
/// other parts, or a halo that is there already.
static View rowsOf(View view, int64_t axis, int64_t begin, int64_t count) {
  view.offset += begin * view.strides[axis];
  view.shape[axis] = count;
  return view;
}

/// Operands with the same indices as the result; those that are broadcast along
/// the axis as they are.
static Cut sameIndices(const View &out, int64_t axis) {
  Cut cut;
  cut.axis = axis;
  cut.size = out.shape[axis];
  cut.operand = [rank = out.rank(), axis](const View &view, int64_t begin,
                                          int64_t count) {
    int64_t own = axis - (rank - view.rank());
    return own < 0 || view.shape[own] == 1 ? view
                                           : rowsOf(view, own, begin, count);
  };
  return cut;
}

/// The whole input for some of the result's channels.
static Cut channelsOf(const View &out, int64_t axis) {
  Cut cut;
  cut.axis = axis;
  cut.size = out.shape[axis];
  cut.multiple = panelChannels;
  cut.ofChannels = true;
  cut.operand = [](const View &view, int64_t, int64_t) { return view; };
  return cut;
}

/// Rows of a convolution read the rows under their windows.
static SmallVector<Cut> cutsOfConv(qint::ConvOp op, const View &out) {
  ConvGeometry g = *convGeometry(op);
  SmallVector<Cut> cuts;
  if (g.batch > 1)
    cuts.push_back(sameIndices(out, 0));
  // The last part's first window must begin at a row of the input.
  if ((g.outH - 1) * g.strideH < g.inH) {
    Cut rows = sameIndices(out, 2);
    rows.operand = [g](const View &in, int64_t begin, int64_t count) {
      int64_t first = begin * g.strideH;
      int64_t needed = (count - 1) * g.strideH + (g.kernelH - 1) * g.dilationH +
                       1 - g.padTop;
      return rowsOf(in, 2, first,
                    std::clamp<int64_t>(needed, 1, in.shape[2] - first));
    };
    cuts.push_back(rows);
  }
  if (g.groups == 1) {
    cuts.push_back(channelsOf(out, 1));
  } else if (g.isDepthwise() &&
             op.getWeight().getType().getElementType().isInteger(8)) {
    Cut channels = sameIndices(out, 1);
    channels.multiple = panelChannels;
    channels.ofChannels = true;
    cuts.push_back(channels);
  }
  return cuts;
}

static SmallVector<Cut> cutsOfGemm(const View &in, const View &out) {
  // A flattened image has its rows in front.
  int64_t rows = in.rank() != out.rank() ? 1 : out.rank() - 1;
  SmallVector<Cut> cuts;
  for (int64_t axis = 0; axis < rows; ++axis)
    cuts.push_back(sameIndices(out, axis));
  cuts.push_back(channelsOf(out, out.rank() - 1));
  return cuts;
}

/// Elements with the same index along all axes but `wholeAxes`: outer axes
/// first; what lies next to each other last, in pieces that are worth a vector.
static SmallVector<Cut> cutsOfElements(const View &out,
                                       ArrayRef<int64_t> wholeAxes = {}) {
  SmallVector<Cut> cuts;
  bool isImage = out.rank() == 4 && out.strides[1] == 1;
  int64_t inner = isImage ? 1 : out.rank() - 1;
  auto isWhole = [&](int64_t axis) {
    return llvm::is_contained(wholeAxes, axis);
  };
  for (int64_t axis = 0; axis < out.rank(); ++axis)
    if (axis != inner && !isWhole(axis))
      cuts.push_back(sameIndices(out, axis));
  if (out.rank() > 0 && !isWhole(inner)) {
    cuts.push_back(sameIndices(out, inner));
    cuts.back().multiple = panelChannels;
  }
  return cuts;
}

/// Means of images: by channels, if each part has whole cache lines of them.
static SmallVector<Cut> cutsOfMean(qint::ReduceMeanOp op, const View &in,
                                   const View &out) {
  if (in.rank() != 4 || !op.getKeepDims() ||
      llvm::is_contained(op.getAxes(), 1) || out.rank() != 4 ||
      out.shape[1] < 2 * panelChannels)
    return {};
  Cut cut = sameIndices(out, 1);
  cut.multiple = panelChannels;
  return {cut};
}

/// Rows on their own; factors are those of the whole op.
static SmallVector<Cut> cutsOfNorm(qint::LayerNormOp op, const View &out) {
  SmallVector<int64_t> wholeAxes(op.getAxes());
  for (DenseElementsAttr factors : {op.getGammaAttr(), op.getBetaAttr()}) {
    if (!factors)
      continue;
    ArrayRef<int64_t> shape = factors.getType().getShape();
    for (auto [axis, size] : llvm::enumerate(shape))
      if (size != 1)
        wholeAxes.push_back(out.rank() - shape.size() + axis);
  }
  return cutsOfElements(out, wholeAxes);
}

/// Sums of groups of rows: each with the rows that it stands for.
static Cut cutOfRowSums(const View &in, const View &out) {
  Cut cut = sameIndices(out, 0);
  cut.operand = [rows = in.shape[2] / out.shape[0]](
                    const View &view, int64_t begin, int64_t count) {
    return rowsOf(view, 2, begin * rows, count * rows);
  };
  return cut;
}

static SmallVector<Cut> allCutsOf(const Step &step) {
  // Those of what writes and reads inside.
  if (step.kind == Step::Kind::HaloFill)
    return cutsOfElements(step.out[0], /*wholeAxes=*/{3});
  if (step.kind == Step::Kind::Copy)
    return cutsOfElements(step.out[0]);
  if (step.kind == Step::Kind::RowSums)
    return {cutOfRowSums(step.in[0], step.out[0])};
  if (step.kind != Step::Kind::Op || step.out.size() != 1)
    return {};
  if (auto conv = dyn_cast<qint::ConvOp>(step.op))
    return cutsOfConv(conv, step.out[0]);
  if (isa<qint::GemmOp>(step.op))
    return cutsOfGemm(step.in[0], step.out[0]);
  if (auto mean = dyn_cast<qint::ReduceMeanOp>(step.op))
    return cutsOfMean(mean, step.in[0], step.out[0]);
  if (isa<qint::MaxPoolOp, qint::AvgPoolOp>(step.op)) {
    Cut cut = sameIndices(step.out[0], 1);
    cut.multiple = panelChannels;
    return {cut};
  }
  if (isa<qint::TableOp, qint::PiecewiseOp, qint::AddOp, qint::MulOp,
          qint::RequantizeOp, qint::MaxOp, qint::MinOp, qint::DivOp>(step.op))
    return cutsOfElements(step.out[0]);
  if (isa<qint::SoftmaxOp, qint::LogSoftmaxOp, qint::GatherOp>(step.op))
    return cutsOfElements(step.out[0],
                          step.op->getAttrOfType<IntegerAttr>("axis").getInt());
  if (auto norm = dyn_cast<qint::LayerNormOp>(step.op))
    return cutsOfNorm(norm, step.out[0]);
  if (isa<qint::InterpolateOp>(step.op))
    return cutsOfElements(step.out[0], {2, 3});
  return {};
}

/// Where part `part` of `parts` begins.
static int64_t beginOf(const Cut &cut, int64_t part, int64_t parts) {
  int64_t units = llvm::divideCeil(cut.size, cut.multiple);
  int64_t before = llvm::divideCeil(units * part, parts);
  return std::min(cut.size, before * cut.multiple);
}

static int64_t longestPart(const Cut &cut, int64_t parts) {
  int64_t longest = 0;
  for (int64_t part = 0; part < parts; ++part)
    longest = std::max(longest, beginOf(cut, part + 1, parts) -
                                    beginOf(cut, part, parts));
  return longest;
}

/// Makes parts more equal where that gains more than narrower vectors cost.
static void chooseMultiple(Cut &cut, int64_t parts) {
  constexpr double narrowerCost = 1.05;
  Cut best = cut;
  for (double penalty = narrowerCost; cut.multiple > 16;
       penalty *= narrowerCost) {
    cut.multiple /= 2;
    if (penalty * longestPart(cut, parts) < longestPart(best, parts))
      best = cut;
  }
  cut = best;
}

SmallVector<Cut> cutsOf(const Step &step, int64_t parts) {
  SmallVector<Cut> cuts = allCutsOf(step);
  for (Cut &cut : cuts)
    chooseMultiple(cut, parts);
  llvm::erase_if(cuts,
                 [](const Cut &cut) { return cut.size < 2 * cut.multiple; });
  return cuts;
}

std::vector<Step> cutStep(const Step &step, const Cut &cut, int64_t parts) {
  std::vector<Step> result;
  for (int64_t part = 0; part < parts; ++part) {
    int64_t begin = beginOf(cut, part, parts);
    int64_t count = beginOf(cut, part + 1, parts) - begin;
    if (count == 0)
      continue;
    Step piece = step;
    for (View &view : piece.in)
      if (view.buffer >= 0)
        view = cut.operand(view, begin, count);
    piece.out[0] = rowsOf(step.out[0], cut.axis, begin, count);
    if (step.kind == Step::Kind::HaloFill && cut.axis == 2) {
      Halo &halo = piece.out[0].halo;
      halo.top = begin == 0 ? halo.top : 0;
      halo.bottom = begin + count == cut.size ? halo.bottom : 0;
    }
    piece.firstChannel = cut.ofChannels ? begin : 0;
    result.push_back(std::move(piece));
  }
  return result;
}

/// Elements with the last vector of each row of neighbours filled up.
static double elementsOf(const View &view) {
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < view.rank(); ++axis)
    if (view.shape[axis] != 1)
      axes.push_back(axis);
  llvm::sort(axes, [&](int64_t a, int64_t b) {
    return view.strides[a] < view.strides[b];
  });
  int64_t row = 1;
  for (int64_t axis : axes) {
    if (view.strides[axis] != row)
      break;
    row *= view.shape[axis];
  }
  return double(view.numElements()) / row * llvm::alignTo(row, panelChannels);
}

static double weightBytesOf(Operation *op) {
  auto type = cast<ShapedType>(op->getOperand(1).getType());
  return double(type.getNumElements()) * type.getElementTypeBitWidth() / 8;
}

double costOf(const Step &step) {
  const View &out = step.out[0];
  if (step.kind == Step::Kind::HaloFill) {
    double pixels = (out.halo.top + out.shape[2] + out.halo.bottom) *
                    (out.halo.left + out.shape[3] + out.halo.right);
    return (pixels * out.shape[0] * out.shape[1] - out.numElements()) /
           moveRate;
  }
  if (step.kind == Step::Kind::Op && isa<qint::ConvOp, qint::GemmOp>(step.op)) {
    auto type = cast<ShapedType>(step.op->getResult(0).getType());
    auto g = convGeometry(step.op);
    double share = double(out.numElements()) / type.getNumElements();
    int64_t axis = g ? 1 : type.getRank() - 1;
    double channels = double(out.shape[axis]) / type.getDimSize(axis);
    double rate = g && g->isDepthwise() ? depthwiseRate : productRate;
    return macsOf(step.op) * share / rate +
           weightBytesOf(step.op) * channels / weightRate;
  }
  double most = 0;
  for (const auto &views : {ArrayRef<View>(step.in), ArrayRef<View>(step.out)})
    for (const View &view : views)
      if (view.buffer >= 0)
        most = std::max(most, elementsOf(view));
  bool isMove = step.kind != Step::Kind::Op || isa<qint::TableOp>(step.op);
  return most / (isMove ? moveRate : elementRate);
}

} // namespace mlir::qopt::codegen
