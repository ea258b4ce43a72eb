// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float function of a calibrated model with the rounding of some observed
// values, op by op: only what lies behind these is computed again.
#pragma once

#include "OutputParts.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>
#include <vector>

namespace mlir::qopt::evaluation {

class Simulation {
public:
  /// Compiles each op of `function`, whose values are static tensors of f32,
  /// for runs of up to `workers` threads at a time.
  static llvm::Expected<Simulation> create(func::FuncOp function,
                                           size_t workers);

  /// Computes all values for one sample, the elements of all arguments after
  /// each other.
  void load(ArrayRef<float> sample);

  const OutputParts &getParts() const { return parts; }

  /// The outputs' errors on the loaded sample where `rounds(observe)`'s values
  /// are rounded. Each `worker` runs one call at a time. What each output
  /// element is off by is added to its place in `shift`, if given.
  PartErrors run(llvm::function_ref<bool(ObserveOp)> rounds, size_t worker,
                 std::vector<double> *shift = nullptr);

private:
  using Buffer = std::vector<float>;
  struct Step {
    Operation *op;
    /// None of an observer; one a worker.
    std::vector<std::shared_ptr<calibration::Engine>> engines;
  };

  explicit Simulation(func::FuncOp function)
      : function(function), parts(function) {}
  llvm::Error compile(size_t workers);
  void compute(const Step &step, size_t worker,
               llvm::function_ref<const Buffer &(Value)> get, Buffer &result);

  /// Of the float run.
  const Buffer &getFloat(Value value) const;

  func::FuncOp function;
  OutputParts parts;
  std::vector<Step> steps;
  /// Of what is no observer's result. Only looked up, never iterated over.
  llvm::DenseMap<Value, Buffer> values;
};

} // namespace mlir::qopt::evaluation
