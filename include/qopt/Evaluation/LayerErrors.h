// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the error of each value comes from: weights, biases, rounding,
// clipping, integer arithmetic.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Observers/CalibrationState.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::qopt::evaluation {

/// Squared errors by cause, as parts of the squared values: 1e-4 is 40 dB.
/// Absent where the value has no such cause.
struct CauseErrors {
  /// The integers of the weights, by what they change.
  std::optional<double> weights;
  /// The rounding of the bias to int32: a twelfth of its squared step.
  std::optional<double> bias;
  /// The nearest step, and the ends of the range.
  std::optional<double> rounding, clipping;
  /// Tables, multipliers and every other difference between the integers and
  /// the nearest step of real arithmetic on the same operands.
  std::optional<double> arithmetic;
  double all = 0;
};

/// One observed value.
struct LayerError {
  std::string id;
  /// Of this value alone, what it is computed from being exact; `all` is the
  /// sum of the causes.
  CauseErrors own;
  /// Behind everything before it. A cause is alone in a simulation; `all` is of
  /// the integers themselves.
  CauseErrors accumulated;
};

struct LayerErrorOptions {
  /// Samples of the reservoir; fewer where values alive at a time would take
  /// more than `maxBytes` or the runs more than `maxMacs`.
  uint64_t maxSamples = 8;
  uint64_t maxBytes = 320 << 20;
  uint64_t maxMacs = UINT64_C(200) * 1000 * 1000 * 1000;
};

struct LayerErrors {
  /// 0 where there is no reservoir or not one sample fits.
  int64_t samples = 0;
  /// In program order.
  std::vector<LayerError> layers;
};

/// `real` is level `calibrated` with float weights, `quantized` and `integer`
/// are the levels made from it. Deterministic. Fails as
/// `calibration::Engine::create`.
llvm::Expected<LayerErrors>
measureLayers(func::FuncOp real, func::FuncOp quantized, func::FuncOp integer,
              const observers::CalibrationState &state,
              const LayerErrorOptions &options = {});

} // namespace mlir::qopt::evaluation
