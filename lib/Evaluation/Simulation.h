// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float function of a calibrated model with the rounding of some observed
// values, op by op: only what lies behind these is computed again.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>
#include <vector>

namespace mlir::qopt::evaluation {

/// Squared error of all outputs and their squared size.
struct OutputError {
  double noise = 0;
  double signal = 0;
};

class Simulation {
public:
  /// Compiles each op of `function`, whose values are static tensors of f32,
  /// for runs of up to `workers` threads at a time.
  static llvm::Expected<Simulation> create(func::FuncOp function,
                                           size_t workers);

  /// Computes all values for one sample, the elements of all arguments after
  /// each other.
  void load(ArrayRef<float> sample);

  /// The outputs' error on the loaded sample where `rounds(observe)`'s values
  /// are rounded. Each `worker` runs one call at a time. What each output
  /// element is off by is added to its place in `shift`, if given.
  OutputError run(llvm::function_ref<bool(ObserveOp)> rounds, size_t worker,
                  std::vector<double> *shift = nullptr);

private:
  using Buffer = std::vector<float>;
  struct Step {
    Operation *op;
    /// None of an observer; one a worker.
    std::vector<std::shared_ptr<calibration::Engine>> engines;
  };

  explicit Simulation(func::FuncOp function) : function(function) {}
  llvm::Error compile(size_t workers);
  void compute(const Step &step, size_t worker,
               llvm::function_ref<const Buffer &(Value)> get, Buffer &result);

  func::FuncOp function;
  std::vector<Step> steps;
  /// Only looked up, never iterated over.
  llvm::DenseMap<Value, Buffer> values;
};

} // namespace mlir::qopt::evaluation
