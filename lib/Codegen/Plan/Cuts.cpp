// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts are the same step on smaller views.

#include "Cuts.h"
#include "qopt/Codegen/Plan/Geometry.h"
#include "qopt/IR/Qint.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::qopt::codegen {

/// What a core does in a nanosecond with AVX512-VNNI: multiply-accumulates of
/// products, of single rows from L2 and of depthwise convolutions, and elements
/// of anything else. Slower code gains more from threads than this says.
static constexpr double productRate = 300, rowRate = 60, depthwiseRate = 60,
                        elementRate = 20;

/// Vectors of channels that a product's tile works on at once.
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
  if (g.groups == 1)
    cuts.push_back(channelsOf(out, 1));
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

/// Elements with the same index: outer axes first; what lies next to each other
/// last, in pieces that are worth a vector.
static SmallVector<Cut> cutsOfElements(const View &out) {
  SmallVector<Cut> cuts;
  bool isImage = out.rank() == 4 && out.strides[1] == 1;
  int64_t inner = isImage ? 1 : out.rank() - 1;
  for (int64_t axis = 0; axis < out.rank(); ++axis)
    if (axis != inner)
      cuts.push_back(sameIndices(out, axis));
  if (out.rank() > 0) {
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

static SmallVector<Cut> allCutsOf(const Step &step) {
  if (step.kind == Step::Kind::Copy)
    return cutsOfElements(step.out[0]);
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
          qint::RequantizeOp, qint::MaxOp, qint::MinOp>(step.op))
    return cutsOfElements(step.out[0]);
  return {};
}

SmallVector<Cut> cutsOf(const Step &step) {
  SmallVector<Cut> cuts = allCutsOf(step);
  for (Cut &cut : cuts)
    while (cut.multiple > 16 && cut.size < 2 * cut.multiple)
      cut.multiple /= 2;
  llvm::erase_if(cuts,
                 [](const Cut &cut) { return cut.size < 2 * cut.multiple; });
  return cuts;
}

/// Where part `part` of `parts` begins.
static int64_t beginOf(const Cut &cut, int64_t part, int64_t parts) {
  int64_t units = llvm::divideCeil(cut.size, cut.multiple);
  int64_t before = llvm::divideCeil(units * part, parts);
  return std::min(cut.size, before * cut.multiple);
}

double longestShare(const Cut &cut, int64_t parts) {
  int64_t longest = 0;
  for (int64_t part = 0; part < parts; ++part)
    longest = std::max(longest, beginOf(cut, part + 1, parts) -
                                    beginOf(cut, part, parts));
  return double(longest) / double(cut.size);
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
    piece.firstChannel = cut.ofChannels ? begin : 0;
    result.push_back(std::move(piece));
  }
  return result;
}

double costOf(const Step &step) {
  auto elements = [](ArrayRef<View> views) {
    int64_t most = 0;
    for (const View &view : views)
      if (view.buffer >= 0)
        most = std::max(most, view.numElements());
    return double(most);
  };
  if (step.kind == Step::Kind::HaloFill)
    return (step.out[0].spanElements() - step.out[0].numElements()) /
           elementRate;
  if (step.kind == Step::Kind::Op)
    if (auto g = convGeometry(step.op))
      return g->macs() / (g->isDepthwise() ? depthwiseRate : productRate);
  if (auto gemm = dyn_cast_or_null<qint::GemmOp>(step.op)) {
    int64_t length = gemm.getInput().getType().getShape().back();
    int64_t channels = step.out[0].shape.back();
    int64_t rows = step.out[0].numElements() / channels;
    return double(length * channels) *
           std::max(1 / rowRate, rows / productRate);
  }
  return std::max(elements(step.in), elements(step.out)) / elementRate;
}

} // namespace mlir::qopt::codegen
