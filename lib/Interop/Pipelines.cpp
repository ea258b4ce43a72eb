// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a foreign module to a foreign module, with qopt between.

#include "qopt/Interop/Pipelines.h"
#include "mlir/Pass/PassRegistry.h"
#include "qopt/Interop/Passes.h"

using namespace mlir;
using namespace mlir::qopt;

void mlir::qopt::buildReadTosaPipeline(OpPassManager &manager) {
  MarkValuesOptions mark;
  mark.keep = true;
  manager.addPass(createMarkValues(mark));
  manager.addNestedPass<func::FuncOp>(createConvertQuantToQopt());
  manager.addNestedPass<func::FuncOp>(createConvertTosaToQopt());
}

void mlir::qopt::buildQuantizeTosaPipeline(
    OpPassManager &manager, const QuantizePipelineOptions &options) {
  QuantizePipelineOptions narrow;
  narrow.copyOptionValuesFrom(options);
  if (!options.outputBits.hasValue())
    narrow.outputBits = 8;
  buildReadTosaPipeline(manager);
  buildQuantizePipeline(manager, narrow);
  manager.addNestedPass<func::FuncOp>(createConvertQintToTosa());
}

void mlir::qopt::registerInteropPipelines() {
  PassPipelineRegistration<QuantizePipelineOptions>(
      "qopt-quantize-tosa",
      "Quantize a float TOSA module to integer TOSA from statistics",
      buildQuantizeTosaPipeline);
}
