// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One step as several that work on rows of its result. Each part is the same
// step on smaller views, so every element is computed as before.

#include "qopt/Codegen/Plan/Partition.h"
#include "qopt/Codegen/Plan/Geometry.h"
#include "qopt/IR/Qint.h"
#include "llvm/ADT/STLExtras.h"

namespace mlir::qopt::codegen {

/// Below these a part is not worth waking a thread for: about 2 us of dot
/// products, or of moving bytes.
static constexpr int64_t minMacs = 1 << 19;
static constexpr int64_t minElements = 1 << 15;

/// Indices `[begin, begin + count)` of `axis`. What lies around them is rows of
/// other parts, or a halo that is there already.
static View rowsOf(View view, int64_t axis, int64_t begin, int64_t count) {
  view.offset += begin * view.strides[axis];
  view.shape[axis] = count;
  return view;
}

namespace {
/// How a step is cut.
struct Cut {
  /// Of the result.
  int64_t axis = 0;
  /// Rows of a part come in multiples of this, where there are enough.
  int64_t multiple = 1;
  int64_t macs = 0;
  /// The operand that `begin` to `begin + count` of the result need.
  std::function<View(const View &in, int64_t begin, int64_t count)> operand;
};
} // namespace

/// The longest axis of `shape` before `end`.
static int64_t longestAxis(ArrayRef<int64_t> shape, int64_t end) {
  return std::max_element(shape.begin(), shape.begin() + end) - shape.begin();
}

/// Rows of a convolution read the rows under their windows.
static std::optional<Cut> cutConv(const ConvGeometry &g) {
  Cut cut;
  cut.macs = g.macs();
  cut.axis = g.batch >= g.outH ? 0 : 2;
  // Depthwise kernels compute up to four rows together.
  cut.multiple = cut.axis == 2 && g.isDepthwise() ? 2 : 1;
  cut.operand = [g, axis = cut.axis](const View &in, int64_t begin,
                                     int64_t count) {
    if (axis == 0)
      return rowsOf(in, 0, begin, count);
    int64_t first = begin * g.strideH;
    int64_t needed =
        (count - 1) * g.strideH + (g.kernelH - 1) * g.dilationH + 1 - g.padTop;
    return rowsOf(in, 2, first,
                  std::clamp<int64_t>(needed, 1, in.shape[2] - first));
  };
  // The last part's first window must begin at a row of the input.
  return (g.outH - 1) * g.strideH < g.inH ? std::optional(cut) : std::nullopt;
}

static std::optional<Cut> cutGemm(qint::GemmOp op, const View &in,
                                  const View &out) {
  // A flattened image has its rows in front.
  bool isFlattened = in.rank() != out.rank();
  if (out.rank() < 2)
    return std::nullopt;
  Cut cut;
  cut.axis = isFlattened ? 0 : longestAxis(out.shape, out.rank() - 1);
  cut.macs = out.numElements() *
             cast<ShapedType>(op.getInput().getType()).getShape().back();
  cut.operand = [axis = cut.axis](const View &view, int64_t begin,
                                  int64_t count) {
    return rowsOf(view, axis, begin, count);
  };
  return cut;
}

/// Elements with the same index, broadcast operands as they are.
static std::optional<Cut> cutElements(const View &out) {
  if (out.rank() == 0)
    return std::nullopt;
  Cut cut;
  // Channels lie next to each other in images, the last axis else.
  bool isImage = out.rank() == 4 && out.strides[1] == 1;
  int64_t inner = isImage ? 1 : out.rank() - 1;
  SmallVector<int64_t> shape(out.shape.begin(), out.shape.end());
  if (out.rank() > 1)
    shape[inner] = 0;
  cut.axis = longestAxis(shape, out.rank());
  cut.operand = [rank = out.rank(), axis = cut.axis](
                    const View &view, int64_t begin, int64_t count) {
    int64_t own = axis - (rank - view.rank());
    return own < 0 || view.shape[own] == 1 ? view
                                           : rowsOf(view, own, begin, count);
  };
  return cut;
}

static std::optional<Cut> cutOf(const Step &step) {
  if (step.kind == Step::Kind::Copy)
    return cutElements(step.out[0]);
  if (step.kind != Step::Kind::Op)
    return std::nullopt;
  if (isa<qint::ConvOp>(step.op))
    return cutConv(*convGeometry(step.op));
  if (auto gemm = dyn_cast<qint::GemmOp>(step.op))
    return cutGemm(gemm, step.in[0], step.out[0]);
  if (isa<qint::TableOp, qint::PiecewiseOp, qint::AddOp, qint::MulOp,
          qint::RequantizeOp, qint::MaxOp, qint::MinOp>(step.op))
    return cutElements(step.out[0]);
  return std::nullopt;
}

std::vector<Step> partitionStep(const Step &step, int64_t parts,
                                bool evenIfSmall) {
  std::optional<Cut> cut = cutOf(step);
  if (!cut)
    return {step};
  const View &out = step.out[0];
  const int64_t rows = out.shape[cut->axis];
  const int64_t work =
      cut->macs ? cut->macs / minMacs : out.numElements() / minElements;
  parts = std::min(parts, evenIfSmall ? rows : std::min(work, rows));
  if (parts < 2)
    return {step};
  std::vector<Step> result;
  int64_t begin = 0;
  for (int64_t part = 1; part <= parts; ++part) {
    int64_t end = rows * part / parts;
    if (part < parts)
      end = std::max(begin + 1, end / cut->multiple * cut->multiple);
    if (end <= begin)
      continue;
    Step piece = step;
    for (View &view : piece.in)
      if (view.buffer >= 0)
        view = cut->operand(view, begin, end - begin);
    piece.out[0] = rowsOf(out, cut->axis, begin, end - begin);
    result.push_back(std::move(piece));
    begin = end;
  }
  return result;
}

} // namespace mlir::qopt::codegen
