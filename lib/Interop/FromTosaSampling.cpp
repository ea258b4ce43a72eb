// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: ops whose results lie on a finer or coarser grid than their inputs.

#include "FromTosa.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// One axis of a resize: result position `i` lies at
/// `(i * step + offset) / scale` of the input.
struct SampledAxis {
  int64_t scale, step, offset, input, output;

  int64_t clamp(int64_t index) const {
    return std::clamp<int64_t>(index, 0, input - 1);
  }
  SmallVector<int64_t> nearest() const {
    SmallVector<int64_t> indices;
    for (int64_t i = 0; i < output; ++i)
      indices.push_back(clamp(
          llvm::divideFloorSigned(2 * (i * step + offset) + scale, 2 * scale)));
    return indices;
  }
  /// Two taps for each position.
  void interpolate(SmallVectorImpl<int64_t> &indices,
                   SmallVectorImpl<double> &weights) const {
    for (int64_t i = 0; i < output; ++i) {
      int64_t position = i * step + offset;
      int64_t index = llvm::divideFloorSigned(position, scale);
      double rest = static_cast<double>(position - index * scale) / scale;
      indices.append({clamp(index), clamp(index + 1)});
      weights.append({1 - rest, rest});
    }
  }
};

/// One axis of a transposed convolution with stride `s` as one of stride 1:
/// result position `s * j + phase - top` is `sum_t w[s * t + phase] x[j - t]`.
struct PhasedAxis {
  PhasedAxis(int64_t input, int64_t output, int64_t kernel, int64_t stride,
             int64_t top)
      : stride(stride), kernel(kernel), taps(llvm::divideCeil(kernel, stride)) {
    int64_t first = llvm::divideFloorSigned(-top, stride);
    int64_t last = llvm::divideCeilSigned(output - top, stride);
    skipped = -top - first * stride;
    count = last - first;
    begin = taps - 1 - first;
    end = count - input - begin + taps - 1;
  }
  /// The kernel's index for a phase and a tap of the convolution, or past it.
  int64_t getIndex(int64_t phase, int64_t tap) const {
    return stride * (taps - 1 - tap) + phase;
  }

  int64_t stride, kernel, taps;
  /// Positions of each phase, and pads that give as many.
  int64_t count, begin, end;
  /// Results before the first that is asked for.
  int64_t skipped;
};

} // namespace

LogicalResult TosaReader::convertResize(tosa::ResizeOp op) {
  std::optional<SmallVector<int64_t>> scale = getIntegers(op.getScale());
  std::optional<SmallVector<int64_t>> offset = getIntegers(op.getOffset());
  if (!scale || !offset)
    return refuse(op, "its scale or offset is not constant");
  RankedTensorType type = getType(op.getType(), true);
  Value input = getChannelsFirst(op.getInput());
  ArrayRef<int64_t> from = cast<RankedTensorType>(input.getType()).getShape();
  SampledAxis axes[2];
  for (int64_t i : {0, 1})
    axes[i] = {(*scale)[2 * i], (*scale)[2 * i + 1], (*offset)[i], from[2 + i],
               type.getDimSize(2 + i)};
  if (op.getMode() == tosa::ResizeMode::NEAREST_NEIGHBOR) {
    // Columns first: rows are then copied whole.
    Value columns = createGather(input, 3, axes[1].nearest());
    return finish(
        op, createGather(columns, 2, axes[0].nearest()).getDefiningOp(), true);
  }
  SmallVector<int64_t> indices[2];
  SmallVector<double> weights[2];
  for (int64_t i : {0, 1})
    axes[i].interpolate(indices[i], weights[i]);
  return finish(op,
                InterpolateOp::create(builder, op.getLoc(), type, input,
                                      indices[0], weights[0], indices[1],
                                      weights[1]),
                true);
}

/// Filters of `weight`, of outputs, rows, columns and inputs: for each output
/// one a phase, with inputs first and zeros where the kernel has no more taps.
static SmallVector<float> splitPhases(ArrayRef<float> weight,
                                      ArrayRef<int64_t> shape,
                                      const PhasedAxis &rows,
                                      const PhasedAxis &columns) {
  SmallVector<float> filters;
  auto appendTaps = [&](int64_t output, int64_t input, int64_t p, int64_t q) {
    for (int64_t t = 0; t < rows.taps; ++t)
      for (int64_t u = 0; u < columns.taps; ++u) {
        int64_t row = rows.getIndex(p, t), column = columns.getIndex(q, u);
        int64_t index =
            ((output * shape[1] + row) * shape[2] + column) * shape[3] + input;
        bool inside = row < rows.kernel && column < columns.kernel;
        filters.push_back(inside ? weight[index] : 0.0f);
      }
  };
  for (int64_t output = 0; output < shape[0]; ++output)
    for (int64_t p = 0; p < rows.stride; ++p)
      for (int64_t q = 0; q < columns.stride; ++q)
        for (int64_t input = 0; input < shape[3]; ++input)
          appendTaps(output, input, p, q);
  return filters;
}

/// Results `stride` apart are computed by one filter each; the phases are then
/// put side by side.
LogicalResult TosaReader::convertTransposeConv(tosa::TransposeConv2DOp op) {
  std::optional<SmallVector<float>> weight = getFloats(op.getWeight());
  std::optional<SmallVector<float>> bias = getFloats(op.getBias());
  if (!weight || !bias)
    return refuse(op, "its weight or bias is not constant");
  if (getScalar(op.getInputZp()) != 0.0f || getScalar(op.getWeightZp()) != 0.0f)
    return refuse(op, "it has zero points");
  Location loc = op.getLoc();
  RankedTensorType type = getType(op.getType(), true);
  RankedTensorType inputType = getType(op.getInput().getType(), true);
  ArrayRef<int64_t> from = inputType.getShape();
  // outputs, rows, columns, inputs
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op.getWeight().getType()).getShape();
  int64_t outputs = shape[0], inputs = shape[3];
  PhasedAxis rows(from[2], type.getDimSize(2), shape[1], op.getStride()[0],
                  op.getOutPad()[0]);
  PhasedAxis columns(from[3], type.getDimSize(3), shape[2], op.getStride()[1],
                     op.getOutPad()[2]);
  int64_t phases = rows.stride * columns.stride;

  SmallVector<float> biases;
  for (int64_t filter = 0; filter < outputs * phases; ++filter)
    biases.push_back(bias->size() == 1 ? bias->front()
                                       : (*bias)[filter / phases]);
  auto makeType = [&](ArrayRef<int64_t> sizes) {
    return RankedTensorType::get(sizes, builder.getF32Type());
  };
  Value conv = createConv(
      loc, makeType({from[0], outputs * phases, rows.count, columns.count}),
      op.getInput(), {outputs * phases, inputs, rows.taps, columns.taps},
      splitPhases(*weight, shape, rows, columns), biases, {1, 1},
      {rows.begin, columns.begin, rows.end, columns.end}, {1, 1}, /*groups=*/1);
  Value apart =
      ReshapeOp::create(builder, loc,
                        makeType({from[0], outputs, rows.stride, columns.stride,
                                  rows.count, columns.count}),
                        conv);
  Value ordered =
      TransposeOp::create(builder, loc,
                          makeType({from[0], outputs, rows.count, rows.stride,
                                    columns.count, columns.stride}),
                          apart, SmallVector<int64_t>{0, 1, 4, 2, 5, 3});
  Value joined =
      ReshapeOp::create(builder, loc,
                        makeType({from[0], outputs, rows.count * rows.stride,
                                  columns.count * columns.stride}),
                        ordered);
  return finish(
      op,
      SliceOp::create(builder, loc, type, joined,
                      SmallVector<int64_t>{0, 0, rows.skipped, columns.skipped},
                      SmallVector<int64_t>{1, 1, 1, 1}),
      true);
}
