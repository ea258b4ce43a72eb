// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a depthwise convolution is computed by dot products: taps of four input
// rows of bytes, or two of words, in one dword of each channel, several output
// rows from the same dwords.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"

namespace mlir::qopt::codegen {

/// Shapes and parameters of a depthwise convolution.
struct DepthwiseShape {
  int64_t channels = 0;
  std::array<int64_t, 2> kernel{}, strides{}, dilations{}, pads{};

  /// `channels` may be fewer than those of `op`.
  template <typename Op> static DepthwiseShape of(Op op, int64_t channels) {
    auto weight = cast<ShapedType>(op.getWeight().getType()).getShape();
    DepthwiseShape shape;
    shape.channels = channels;
    for (int axis = 0; axis < 2; ++axis) {
      shape.kernel[axis] = weight[axis + 2];
      shape.strides[axis] = op.getStrides()[axis];
      shape.dilations[axis] = op.getDilations()[axis];
      shape.pads[axis] = op.getPads()[axis];
    }
    return shape;
  }
  int64_t taps() const { return kernel[0] * kernel[1]; }
  std::string key() const;
};

/// Integer weights less their zero points, biases with the input's zero point
/// folded in.
struct DepthwiseData {
  /// Of the op's channels, the one that is channel 0 here.
  int64_t firstChannel = 0;
  std::vector<int32_t> weights;
  std::vector<int32_t> bias;
  /// Largest magnitude that an accumulator can reach.
  int64_t bound = 0;

  /// `registerBias` is what input values in registers exceed their logical
  /// value by. Of `channels` channels from `firstChannel` on. Fails with an
  /// error at `op` if an operand is no constant.
  static FailureOr<DepthwiseData> of(qint::ConvOp op, ElementKind inputKind,
                                     int64_t registerBias, int64_t firstChannel,
                                     int64_t channels);
  int32_t weight(const DepthwiseShape &shape, int64_t channel, int64_t row,
                 int64_t column) const {
    return weights[(channel * shape.kernel[0] + row) * shape.kernel[1] +
                   column];
  }
};

/// What a dot product takes: four bytes or two words.
struct DepthwiseLanes {
  /// The input is words.
  bool fromWords = false;
  /// Words are multiplied, of the input or widened from its bytes.
  bool areWords = false;

  int64_t group() const { return areWords ? 2 : 4; }
  /// Shuffles that make the dwords of one group and column.
  int64_t shuffles() const { return areWords && fromWords ? 4 : 8; }
};

/// Rows and registers of the dot-product scheme.
struct DepthwisePlan {
  /// Output rows computed together.
  int64_t rows = 1;
  /// Input rows that a dword holds: four bytes or two words.
  int64_t group = 4;
  /// Groups of so many input rows.
  int64_t quads = 1;
  /// Columns stay in registers for the next output column.
  bool slides = false;

  static DepthwisePlan choose(const DepthwiseShape &shape, const Isa &isa,
                              int64_t outRows, const DepthwiseLanes &lanes);
  /// The kernel row that input row `group * quad + j` is for output row `row`,
  /// or -1.
  int64_t kernelRow(const DepthwiseShape &shape, int64_t row, int64_t quad,
                    int64_t j) const;
  bool uses(const DepthwiseShape &shape, int64_t row, int64_t quad) const;
  /// Input rows that `rows` output rows need.
  int64_t inputRows(const DepthwiseShape &shape, int64_t rows) const;
  /// Input rows between neighbours in a group.
  int64_t rowStep(const DepthwiseShape &shape) const {
    return rows == 1 ? shape.dilations[0] : 1;
  }
};

/// Any strides, 8 or 16-bit inputs.
void emitTapByTap(KernelContext &context, qint::ConvOp op,
                  const DepthwiseShape &shape, const DepthwiseData &data,
                  const View &in, const View &out);

} // namespace mlir::qopt::codegen
