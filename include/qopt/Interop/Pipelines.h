// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantization of modules of other dialects, as pipelines that a pass manager
// over a module takes.
#pragma once

#include "qopt/Transforms/Pipelines.h"

namespace mlir::qopt {

/// Float TOSA to the float level: `qopt-mark-values` unless the module is
/// marked, `quant` casts and TOSA ops read.
void buildReadTosaPipeline(OpPassManager &manager);

/// Float TOSA to integer TOSA by the statistics of `options`. Graph outputs
/// have 8 bits unless `outputBits` is set.
void buildQuantizeTosaPipeline(OpPassManager &manager,
                               const QuantizePipelineOptions &options);

/// Registers `qopt-quantize-tosa`.
void registerInteropPipelines();

} // namespace mlir::qopt
