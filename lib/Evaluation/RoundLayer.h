// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounds the weights of one layer by its inputs on samples.
#pragma once

#include "mlir/IR/Operation.h"
#include "qopt/Numerics/RoundWeights.h"
#include "qopt/Transforms/Weights.h"
#include <optional>

namespace mlir::qopt::evaluation {

/// Which inputs the weights of a convolution or a linear layer meet.
class LayerInputs {
public:
  /// Nothing for other ops.
  static std::optional<LayerInputs> get(Operation &op);

  /// Channels of group `g` are rows `g channels / groups` and so on of the
  /// weight, `rowSize` weights each.
  size_t groups = 1, channels = 1, rowSize = 1;
  /// Positions of the output of one sample.
  size_t positions = 1;

  /// Writes, a row each, what the weights of `group` meet at `count` positions
  /// spread over those of one sample; padding is 0. `turn` shifts them, so that
  /// samples differ in theirs.
  void gather(ArrayRef<float> sample, size_t group, size_t count, uint32_t turn,
              MutableArrayRef<float> rows) const;

private:
  void gatherConv(ArrayRef<float> sample, size_t group, ArrayRef<size_t> chosen,
                  MutableArrayRef<float> rows) const;

  bool isConv = false;
  /// Of a convolution.
  size_t inputChannels = 0, groupChannels = 0;
  int64_t inputSize[2] = {}, outputSize[2] = {}, kernel[2] = {};
  int64_t strides[2] = {}, dilations[2] = {}, pads[2] = {};
};

/// Rows that `roundLayer` takes from `samples` samples: about `maxPositions`.
size_t countRows(const LayerInputs &inputs, size_t samples,
                 uint64_t maxPositions);

/// Those rows: what the weights of `group` meet, one position each.
std::vector<float> gatherRows(const LayerInputs &inputs, size_t group,
                              ArrayRef<ArrayRef<float>> samples,
                              uint64_t maxPositions,
                              numerics::ParallelFor parallel);

/// The multiply-adds of `roundLayer` with `rows` rows.
uint64_t countWork(const LayerInputs &inputs, size_t rows, bool searchesScales);

/// Whether a channel's scale may shrink or grow when `weights` of that form are
/// rounded: few bits gain by it.
bool mayClip(WeightForm form, const numerics::QuantizedWeights &weights);

/// Rounds anew what `rounded` has for `weights` for the layer's inputs
/// `samples`, with its scales and multiples; with `searchesScales`, a channel's
/// scale may also be one of a few below, whichever costs least; with `descends`,
/// single weights are moved after that until none gains. `centered`: means will
/// be corrected.
void roundLayer(MLIRContext *context, const LayerInputs &inputs,
                ArrayRef<ArrayRef<float>> samples, uint64_t maxPositions,
                bool centered, bool searchesScales, bool descends,
                ArrayRef<float> weights,
                numerics::QuantizedWeights &rounded);

} // namespace mlir::qopt::evaluation
