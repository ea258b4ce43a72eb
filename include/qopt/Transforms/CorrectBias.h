// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bias correction: what quantization does to a layer's mean is taken back by
// its bias. Needs a few samples and someone who can run an op on them.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {

/// The values of one tensor of every sample, row-major; real values where the
/// tensor is quantized.
using Batch = std::vector<std::vector<float>>;

/// Runs functions on samples. Implemented by those who have an engine; this
/// room has none.
class FunctionEvaluator {
public:
  virtual ~FunctionEvaluator() = default;

  /// The only result of `function`, a function of float or quantized `qopt`
  /// ops, for every sample; `arguments` has one batch an argument.
  virtual llvm::Expected<Batch> run(func::FuncOp function,
                                    ArrayRef<const Batch *> arguments) = 0;
};

/// How many layers a correction changed.
struct BiasCorrection {
  unsigned layers = 0;
  unsigned corrected = 0;
};

/// Adds `E[y] - E[y_q]` to the bias of each layer with weights of an observed
/// function whose scales are decided, layer after layer in program order, so
/// that each layer sees its corrected predecessors (Nagel et al. 2019, section
/// 4.2). `y` is the layer's float value behind its activation, `y_q` the
/// quantized one, means are over samples and everything but channels. A layer
/// keeps its bias where the correction does not lower the squared error of its
/// output. A layer without bias gets one. `options` are those of the
/// `qopt-quantize` that follows. Runs each op about three times a sample.
llvm::Expected<BiasCorrection>
correctBias(func::FuncOp function, ArrayRef<observers::ReservoirSample> samples,
            FunctionEvaluator &evaluator, const QuantizeOptions &options);

} // namespace mlir::qopt
