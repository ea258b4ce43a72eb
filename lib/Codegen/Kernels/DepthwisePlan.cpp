// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choice of rows and registers for depthwise convolutions.

#include "DepthwisePlan.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {

std::string DepthwiseShape::key() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << channels;
  for (const auto &pair : {kernel, strides, dilations, pads})
    out << ';' << pair[0] << ',' << pair[1];
  return text;
}

FailureOr<DepthwiseData>
DepthwiseData::of(qint::ConvOp op, ElementKind inputKind, int64_t registerBias,
                  int64_t firstChannel, int64_t channels) {
  FailureOr<ConstantData> weight = readConstant(op.getWeight());
  if (failed(weight))
    return op.emitOpError("expects a constant weight");
  ConstantData bias;
  if (op.getBias()) {
    FailureOr<ConstantData> data = readConstant(op.getBias());
    if (failed(data))
      return op.emitOpError("expects a constant bias");
    bias = std::move(*data);
  }
  ArrayRef<int32_t> zeros = op.getWeightZeroPoints();
  int64_t taps = weight->numElements() / weight->shape[0];
  int64_t inputZero = op.getInputZeroPoint();
  int64_t top = inputKind == ElementKind::I8 ? 127 : 32767;
  int64_t magnitude = std::max(top - inputZero, inputZero + top + 1);

  DepthwiseData data;
  data.firstChannel = firstChannel;
  for (int64_t c = firstChannel; c < firstChannel + channels; ++c) {
    int64_t zero = zeros.empty() ? 0 : zeros[zeros.size() == 1 ? 0 : c];
    int64_t start = op.getBias() ? bias.intAt(c) : 0;
    int64_t sum = 0, absolute = 0;
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t w = weight->intAt(c * taps + tap) - zero;
      data.weights.push_back(w);
      sum += w;
      absolute += std::abs(w);
    }
    data.bound = std::max(data.bound, std::abs(start) + absolute * magnitude);
    data.bias.push_back(static_cast<int32_t>(
        static_cast<uint32_t>(start - (inputZero + registerBias) * sum)));
  }
  // The contract has every accumulator inside int32.
  data.bound = std::min<int64_t>(data.bound, INT32_MAX);
  return data;
}

int64_t DepthwisePlan::inputRows(const DepthwiseShape &shape,
                                 int64_t rows) const {
  return (rows - 1) * shape.strides[0] + shape.kernel[0];
}

int64_t DepthwisePlan::kernelRow(const DepthwiseShape &shape, int64_t row,
                                 int64_t quad, int64_t j) const {
  int64_t kernelRow = group * quad + j - row * shape.strides[0];
  return kernelRow >= 0 && kernelRow < shape.kernel[0] ? kernelRow : -1;
}

bool DepthwisePlan::uses(const DepthwiseShape &shape, int64_t row,
                         int64_t quad) const {
  for (int64_t j = 0; j < group; ++j)
    if (kernelRow(shape, row, quad, j) >= 0)
      return true;
  return false;
}

/// Instructions for one output row of one column, shuffles and dot products.
static double cost(const DepthwisePlan &plan, const DepthwiseShape &shape,
                   const DepthwiseLanes &lanes) {
  int64_t dots = 0;
  for (int64_t row = 0; row < plan.rows; ++row)
    for (int64_t quad = 0; quad < plan.quads; ++quad)
      if (plan.uses(shape, row, quad))
        dots += 4 * shape.kernel[1];
  int64_t columns = plan.slides ? std::min(shape.strides[1], shape.kernel[1])
                                : shape.kernel[1];
  return double(lanes.shuffles() * plan.quads * columns + dots) / plan.rows;
}

DepthwisePlan DepthwisePlan::choose(const DepthwiseShape &shape, const Isa &isa,
                                    int64_t outRows,
                                    const DepthwiseLanes &lanes) {
  DepthwisePlan best;
  double bestCost = 0;
  int64_t maxRows = shape.dilations[0] == 1 ? std::min<int64_t>(4, outRows) : 1;
  for (int64_t rows = 1; rows <= maxRows; ++rows) {
    for (bool slides : {false, true}) {
      DepthwisePlan plan;
      plan.rows = rows;
      plan.slides = slides;
      plan.group = lanes.group();
      plan.quads = llvm::divideCeil(plan.inputRows(shape, rows), plan.group);
      if (slides && (shape.dilations[1] != 1 || shape.kernel[1] == 1))
        continue;
      // Accumulators and what of the columns is live, with a few to spare.
      int64_t columns = slides ? shape.kernel[1] * plan.quads : 1;
      int64_t live = 4 * (rows + columns) +
                     (lanes.areWords ? 0 : isa.dotScratchPerActivation() * 4) +
                     4;
      bool isFirst = rows == 1 && !slides;
      if (!isFirst && live > isa.registers())
        continue;
      double planCost = cost(plan, shape, lanes);
      if (isFirst || planCost < bestCost) {
        best = plan;
        bestCost = planCost;
      }
    }
  }
  return best;
}

} // namespace mlir::qopt::codegen
