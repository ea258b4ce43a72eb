// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The graph passes in their order.

#include "qopt/Transforms/Pipelines.h"
#include "mlir/Pass/PassRegistry.h"
#include "qopt/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::qopt;

void mlir::qopt::addFusionPasses(OpPassManager &manager,
                                 bool fuseActivations) {
  manager.addPass(createFoldQdq());
  manager.addPass(createSimplify());
  manager.addPass(createFuseNormalization());
  manager.addPass(createFuseFunctions());
  if (fuseActivations)
    manager.addPass(createFuseActivation());
  manager.addPass(createFuseAttention());
  manager.addPass(createBoundMasks());
}

void mlir::qopt::addSimplifyPasses(OpPassManager &manager) {
  addFusionPasses(manager);
  manager.addPass(createEqualizeChannels());
}

void mlir::qopt::buildSimplifyPipeline(OpPassManager &manager) {
  addSimplifyPasses(manager.nest<func::FuncOp>());
}

void mlir::qopt::buildObservePipeline(OpPassManager &manager,
                                      const QuantizePipelineOptions &options) {
  buildSimplifyPipeline(manager);
  InsertObserversOptions observers;
  observers.bits = options.bits;
  observers.symmetric = options.symmetric;
  observers.method = options.method;
  observers.powerOfTwo = options.powerOfTwo;
  observers.outputBits = options.outputBits;
  observers.wideSums = options.wideSums;
  observers.wideTables = options.wideTables;
  manager.addNestedPass<func::FuncOp>(createInsertObservers(observers));
}

void mlir::qopt::buildQuantizedPipeline(
    OpPassManager &manager, const QuantizePipelineOptions &options) {
  QuantizeOptions quantize;
  quantize.perChannel = options.perChannel;
  quantize.clipWeights = options.clipWeights;
  quantize.powerOfTwo = options.powerOfTwo;
  quantize.weightBits = options.weightBits;
  quantize.weightGroup = options.weightGroup;
  manager.addNestedPass<func::FuncOp>(createQuantize(quantize));
}

void mlir::qopt::buildQuantizePipeline(OpPassManager &manager,
                                       const QuantizePipelineOptions &options) {
  buildObservePipeline(manager, options);
  if (!options.statistics.empty()) {
    FoldStatisticsOptions statistics;
    statistics.statistics = options.statistics;
    manager.addNestedPass<func::FuncOp>(createFoldStatistics(statistics));
  }
  buildQuantizedPipeline(manager, options);
  manager.addNestedPass<func::FuncOp>(createRewriteToQint());
}

void mlir::qopt::registerTransformsPipelines() {
  PassPipelineRegistration<>(
      "qopt-simplify-pipeline", "Bring a float graph into its smallest form",
      [](OpPassManager &manager) { buildSimplifyPipeline(manager); });
  PassPipelineRegistration<QuantizePipelineOptions>(
      "qopt-observe-pipeline", "Mark the values of a float graph to calibrate",
      buildObservePipeline);
  PassPipelineRegistration<QuantizePipelineOptions>(
      "qopt-quantize-pipeline",
      "Quantize a float graph to integer arithmetic from statistics",
      buildQuantizePipeline);
}
