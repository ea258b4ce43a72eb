// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much of its 32 bits each accumulator can need, from the actual weights
// (docs/arithmetic.md, "Overflow proofs").
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <vector>

namespace mlir::qopt::pipelines {

/// The accumulators of one layer or matrix product.
struct AccumulatorWidth {
  /// The model's name of the result.
  llvm::StringRef id;
  /// Two's complement bits that hold every sum, whatever the input.
  int bits = 0;
};

/// Of all layers and matrix products of level `quantized`, in program order.
/// Those whose operands are not quantized are left out.
std::vector<AccumulatorWidth> getAccumulatorWidths(func::FuncOp quantized);

} // namespace mlir::qopt::pipelines
