// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the options tell the passes.

#include "LevelPasses.h"
#include "qopt/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

func::FuncOp pipelines::getMain(ModuleOp module) {
  return *module.getOps<func::FuncOp>().begin();
}

std::unique_ptr<Pass> pipelines::makeObservers(const CompileOptions &options) {
  InsertObserversOptions observers;
  observers.bits = options.activationBits;
  observers.symmetric = options.activationsSymmetric;
  observers.method = options.range;
  observers.powerOfTwo = options.powerOfTwo;
  observers.outputBits = options.io == BoundaryIO::Int8 ? 8 : 16;
  // Weights alone are fitted behind activations that are as good as real.
  if (options.mode != Mode::Static) {
    observers.bits = 16;
    observers.symmetric = true;
    observers.method = "minmax";
  }
  return createInsertObservers(observers);
}

LogicalResult pipelines::runPass(ModuleOp module, std::unique_ptr<Pass> pass) {
  PassManager manager(module.getContext());
  manager.addNestedPass<func::FuncOp>(std::move(pass));
  return manager.run(module);
}

WeightForm pipelines::getWeightForm(const CompileOptions &options) {
  WeightForm form;
  form.perChannel = options.weightsPerChannel;
  form.powerOfTwo = options.powerOfTwo;
  form.bits = options.weightBits;
  form.group = options.weightGroup;
  return form;
}
