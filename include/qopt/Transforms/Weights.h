// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What quantization will make of a layer's weights, before it does.
#pragma once

#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/Weights.h"
#include <optional>

namespace mlir::qopt {

/// How weights are quantized; options of `qopt-quantize`.
struct WeightForm {
  bool perChannel = true;
  bool clip = true;
  bool powerOfTwo = false;
  /// 8, 4 or 2.
  int bits = 8;
  /// Input channels that share a multiple of a channel's scale; 0: all. Of
  /// weights of less than 8 bits.
  int64_t group = 0;
};

/// On a layer: whether its weight has one scale an output channel, in place of
/// what `WeightForm` says.
inline constexpr llvm::StringLiteral perChannelAttr = "qopt.per_channel";
/// On a layer: i64, in place of `WeightForm::bits` and `WeightForm::group`.
inline constexpr llvm::StringLiteral weightBitsAttr = "qopt.weight_bits";
inline constexpr llvm::StringLiteral weightGroupAttr = "qopt.weight_group";

/// What holds for the weight of `op` where `form` holds for the model: its own
/// attributes; 8 bits for a convolution with one input channel a group, whose
/// code has no use for fewer.
WeightForm getOwnForm(QuantizableOpInterface op, WeightForm form);

/// `weights` quantized as the weight of `op`, in whose place they stand, would
/// be with a small bias.
numerics::QuantizedWeights quantizeInPlaceOf(QuantizableOpInterface op,
                                             ArrayRef<float> weights,
                                             WeightForm form);

/// The float weight of `op` at level `calibrated`, quantized as `qopt-quantize`
/// will do it. Nothing where there is no weight, its output channels are not
/// first, weight or bias is not a float constant, or no observer with a scale
/// decides about the input.
std::optional<numerics::QuantizedWeights>
getQuantizedWeights(QuantizableOpInterface op, WeightForm form);

/// The reals that `weights` stand for, in the weight's own order.
SmallVector<float> dequantizeWeights(const numerics::QuantizedWeights &weights);

/// Decides the integers of `op`'s weight: it becomes a `qopt.dequantize` of
/// them, which `qopt-quantize` takes as they are. They must have the count of
/// the weight that is there, a constant.
void setQuantizedWeights(QuantizableOpInterface op,
                         const numerics::QuantizedWeights &weights);

} // namespace mlir::qopt
