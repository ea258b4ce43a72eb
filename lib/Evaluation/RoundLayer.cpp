// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gathers the inputs that weights meet at positions of the output.

#include "RoundLayer.h"
#include "mlir/IR/Threading.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Numerics/RoundWeights.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

std::optional<LayerInputs> LayerInputs::get(Operation &op) {
  LayerInputs inputs;
  if (auto gemm = dyn_cast<GemmOp>(op)) {
    ArrayRef<int64_t> weight = getShape(gemm.getWeight());
    inputs.channels = weight[0];
    inputs.rowSize = weight[1];
    for (int64_t size : getShape(gemm.getInput()).drop_back())
      inputs.positions *= size;
    return inputs;
  }
  auto conv = dyn_cast<ConvOp>(op);
  if (!conv)
    return std::nullopt;
  ArrayRef<int64_t> input = getShape(conv.getInput());
  ArrayRef<int64_t> weight = getShape(conv.getWeight());
  ArrayRef<int64_t> output = getShape(conv.getResult());
  inputs.isConv = true;
  inputs.groups = conv.getGroups();
  inputs.channels = weight[0];
  inputs.inputChannels = input[1];
  inputs.groupChannels = weight[1];
  inputs.rowSize = weight[1] * weight[2] * weight[3];
  inputs.positions = output[0] * output[2] * output[3];
  for (unsigned i : {0, 1}) {
    inputs.inputSize[i] = input[2 + i];
    inputs.outputSize[i] = output[2 + i];
    inputs.kernel[i] = weight[2 + i];
    inputs.strides[i] = conv.getStrides()[i];
    inputs.dilations[i] = conv.getDilations()[i];
    inputs.pads[i] = conv.getPads()[i];
  }
  return inputs;
}

void LayerInputs::gatherConv(ArrayRef<float> sample, size_t group,
                             ArrayRef<size_t> chosen,
                             MutableArrayRef<float> rows) const {
  struct Corner {
    const float *image;
    int64_t y, x;
  };
  const int64_t area = inputSize[0] * inputSize[1];
  SmallVector<Corner> corners;
  for (size_t position : chosen) {
    const int64_t x = position % outputSize[1];
    const int64_t y = position / outputSize[1] % outputSize[0];
    const size_t batch = position / outputSize[1] / outputSize[0];
    corners.push_back(
        {sample.data() + (batch * inputChannels + group * groupChannels) * area,
         y * strides[0] - pads[0], x * strides[1] - pads[1]});
  }
  size_t k = 0;
  for (size_t channel = 0; channel < groupChannels; ++channel)
    for (int64_t tapY = 0; tapY < kernel[0]; ++tapY)
      for (int64_t tapX = 0; tapX < kernel[1]; ++tapX, ++k)
        for (auto [row, corner] : llvm::enumerate(corners)) {
          const int64_t y = corner.y + tapY * dilations[0];
          const int64_t x = corner.x + tapX * dilations[1];
          const bool inside =
              y >= 0 && y < inputSize[0] && x >= 0 && x < inputSize[1];
          rows[row * rowSize + k] =
              inside ? corner.image[channel * area + y * inputSize[1] + x]
                     : 0.0f;
        }
}

void LayerInputs::gather(ArrayRef<float> sample, size_t group, size_t count,
                         uint32_t turn, MutableArrayRef<float> rows) const {
  const uint64_t offset = (uint64_t(turn) * positions) >> 32;
  SmallVector<size_t> chosen;
  for (size_t i = 0; i < count; ++i)
    chosen.push_back((i * positions + offset) / count);
  if (isConv)
    return gatherConv(sample, group, chosen, rows);
  for (auto [row, position] : llvm::enumerate(chosen))
    llvm::copy(sample.slice(position * rowSize, rowSize),
               rows.begin() + row * rowSize);
}

/// Positions of one sample.
static size_t countShare(const LayerInputs &inputs, size_t samples,
                         uint64_t maxPositions) {
  return std::min<uint64_t>(inputs.positions,
                            llvm::divideCeil(maxPositions, samples));
}

size_t mlir::qopt::evaluation::countRows(const LayerInputs &inputs,
                                         size_t samples,
                                         uint64_t maxPositions) {
  return samples * countShare(inputs, samples, maxPositions);
}

uint64_t mlir::qopt::evaluation::countWork(const LayerInputs &inputs,
                                           size_t rows) {
  const uint64_t size = inputs.rowSize, square = size * size;
  return inputs.groups * (square * rows / 2 + square * size / 6) +
         inputs.channels * square;
}

void mlir::qopt::evaluation::roundLayer(MLIRContext *context,
                                        const LayerInputs &inputs,
                                        ArrayRef<ArrayRef<float>> samples,
                                        uint64_t maxPositions, bool centered,
                                        ArrayRef<float> weights,
                                        numerics::QuantizedWeights &rounded) {
  const size_t share = countShare(inputs, samples.size(), maxPositions);
  const size_t size = inputs.rowSize;
  const size_t groupRows = inputs.channels / inputs.groups;
  std::vector<float> scales = rounded.scales;
  if (scales.size() == 1)
    scales.assign(inputs.channels, rounded.scales[0]);
  numerics::InputMetricOptions options;
  options.centered = centered;

  auto roundGroup = [&](size_t group, numerics::ParallelFor parallel) {
    std::vector<float> rows(samples.size() * share * size);
    parallel(samples.size(), [&](size_t sample) {
      // Multiples of the golden ratio.
      const uint32_t turn = static_cast<uint32_t>(sample) * 2654435769u;
      inputs.gather(
          samples[sample], group, share, turn,
          MutableArrayRef(rows).slice(sample * share * size, share * size));
    });
    const numerics::InputMetric metric(rows, size, options, parallel);
    const size_t first = group * groupRows;
    metric.round(
        weights.slice(first * size, groupRows * size),
        ArrayRef(scales).slice(first, groupRows), numerics::signedMax(8),
        MutableArrayRef(rounded.values).slice(first * size, groupRows * size),
        parallel);
  };
  auto sideBySide = [&](size_t count, llvm::function_ref<void(size_t)> body) {
    parallelFor(context, 0, count, body);
  };
  if (inputs.groups == 1)
    return roundGroup(0, sideBySide);
  sideBySide(inputs.groups,
             [&](size_t group) { roundGroup(group, numerics::forEach); });
}
