// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--emit=scales`: every scale and zero point of a model as JSON, for other
// tools.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace mlir::qopt::pipelines {

/// What a function of level `quantized` says of its weights.
struct WeightSizes {
  int64_t weights = 0;
  /// Integers packed to their bits, four bytes a scale and a float constant.
  uint64_t bytes = 0;
};
WeightSizes countWeightBytes(func::FuncOp quantized);

/// Activations (`real = scale * (integer - zero_point)`, limits of the
/// integers) and weights (one scale, or one an index of `axis`), by the model's
/// names.
std::string makeScales(func::FuncOp quantized);

} // namespace mlir::qopt::pipelines
