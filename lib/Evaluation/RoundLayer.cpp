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

/// Shares of a scale that are tried where scales are searched.
static constexpr float clips[] = {1.0f,  1.5f,  1.3f,  1.15f,
                                  0.92f, 0.85f, 0.77f, 0.7f};

uint64_t mlir::qopt::evaluation::countWork(const LayerInputs &inputs,
                                           size_t rows, bool searchesScales) {
  const uint64_t size = inputs.rowSize, square = size * size;
  return inputs.groups * (square * rows / 2 + square * size / 6) +
         inputs.channels * square * (searchesScales ? std::size(clips) : 1);
}

namespace {
/// Some channels of a weight, to be rounded by one metric.
struct Rows {
  ArrayRef<float> weights;
  int32_t qmax;
  ArrayRef<uint8_t> multiples;
  MutableArrayRef<float> scales;
  MutableArrayRef<int8_t> values;

  /// The values nearest to the weights at `clip` times the scales.
  std::vector<int8_t> getNearest(float clip) const {
    std::vector<int8_t> nearest;
    const size_t size = weights.size() / scales.size();
    for (auto [index, weight] : llvm::enumerate(weights)) {
      const int32_t multiple = multiples.empty() ? 1 : multiples[index];
      const float step =
          clip * scales[index / size] * static_cast<float>(multiple);
      nearest.push_back(static_cast<int8_t>(
          multiple * numerics::quantize(weight, {step, 0, -qmax, qmax})));
    }
    return nearest;
  }
};
} // namespace

/// Rounds `rows` with each of the clipped scales; each channel keeps what costs
/// least.
static void searchScales(const numerics::InputMetric &metric, Rows &rows,
                         numerics::ParallelFor parallel) {
  const size_t count = rows.scales.size(), size = metric.size();
  const std::vector<float> whole = rows.scales.vec();
  std::vector<double> least(count), costs(count);
  metric.round(rows.weights, whole, rows.qmax, rows.values, parallel,
               rows.multiples, least);
  for (float clip : ArrayRef(clips).drop_front()) {
    std::vector<float> scales = whole;
    for (float &scale : scales)
      scale *= clip;
    std::vector<int8_t> values = rows.getNearest(clip);
    metric.round(rows.weights, scales, rows.qmax, values, parallel,
                 rows.multiples, costs);
    for (size_t row = 0; row < count; ++row)
      if (costs[row] < least[row]) {
        least[row] = costs[row];
        rows.scales[row] = scales[row];
        llvm::copy(ArrayRef(values).slice(row * size, size),
                   rows.values.begin() + row * size);
      }
  }
}

bool mlir::qopt::evaluation::mayClip(
    WeightForm form, const numerics::QuantizedWeights &weights) {
  return weights.bits < 8 && form.clip && !form.powerOfTwo;
}

std::vector<float> mlir::qopt::evaluation::gatherRows(
    const LayerInputs &inputs, size_t group, ArrayRef<ArrayRef<float>> samples,
    uint64_t maxPositions, numerics::ParallelFor parallel) {
  const size_t share = countShare(inputs, samples.size(), maxPositions);
  const size_t size = share * inputs.rowSize;
  std::vector<float> rows(samples.size() * size);
  parallel(samples.size(), [&](size_t sample) {
    // Multiples of the golden ratio.
    const uint32_t turn = static_cast<uint32_t>(sample) * 2654435769u;
    inputs.gather(samples[sample], group, share, turn,
                  MutableArrayRef(rows).slice(sample * size, size));
  });
  return rows;
}

void mlir::qopt::evaluation::roundLayer(MLIRContext *context,
                                        const LayerInputs &inputs,
                                        ArrayRef<ArrayRef<float>> samples,
                                        uint64_t maxPositions, bool centered,
                                        bool searchesScales, bool descends,
                                        ArrayRef<float> weights,
                                        numerics::QuantizedWeights &rounded) {
  const size_t size = inputs.rowSize;
  const size_t groupRows = inputs.channels / inputs.groups;
  // One scale for all has no channel to fit it to.
  searchesScales &= rounded.scales.size() == inputs.channels;
  std::vector<float> scales = rounded.scales;
  if (scales.size() == 1)
    scales.assign(inputs.channels, rounded.scales[0]);
  numerics::InputMetricOptions options;
  options.centered = centered;

  auto roundGroup = [&](size_t group, numerics::ParallelFor parallel) {
    const std::vector<float> rows =
        gatherRows(inputs, group, samples, maxPositions, parallel);
    const numerics::InputMetric metric(rows, size, options, parallel);
    const size_t first = group * groupRows;
    auto ofGroup = [&](auto values) {
      return values.empty() ? values
                            : values.slice(first * size, groupRows * size);
    };
    Rows own{ofGroup(weights), numerics::signedMax(rounded.bits),
             ofGroup(ArrayRef(rounded.multiples)),
             MutableArrayRef(scales).slice(first, groupRows),
             ofGroup(MutableArrayRef(rounded.values))};
    if (searchesScales)
      searchScales(metric, own, parallel);
    else
      metric.round(own.weights, own.scales, own.qmax, own.values, parallel,
                   own.multiples);
    if (descends)
      metric.descend(own.weights, own.scales, own.qmax, own.values, parallel,
                     own.multiples);
  };
  auto sideBySide = [&](size_t count, llvm::function_ref<void(size_t)> body) {
    parallelFor(context, 0, count, body);
  };
  if (inputs.groups == 1)
    roundGroup(0, sideBySide);
  else
    sideBySide(inputs.groups,
               [&](size_t group) { roundGroup(group, numerics::forEach); });
  if (searchesScales)
    rounded.scales = scales;
}
