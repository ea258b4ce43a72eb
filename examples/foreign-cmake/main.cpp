// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantizes a small model with qopt's passes from a program that is not qopt:
// observe, decide scales in its own way, rewrite to integers.

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Pipelines.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static const char *model = R"(
func.func @main(%x: tensor<1x4xf32> {qopt.name = "x"}) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[0.1, 0.2, -0.3, 0.4], [-0.5, 0.6, 0.7, -0.8]]>
    : tensor<2x4xf32>
  %y = qopt.gemm %x, %w {qopt.value = "y"}
    : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  %r = qopt.unary %y [#qopt.fn<relu>] {qopt.value = "r"}
    : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %r : tensor<1x2xf32>
}
)";

/// A calibrator of one line: every value lies in [-4, 4].
static void decideScales(ModuleOp module) {
  Builder builder(module.getContext());
  module.walk([&](qopt::ObserveOp op) {
    float steps = op.getBits() == 16 ? 32768.0f : 128.0f;
    op.setScaleAttr(builder.getF32FloatAttr(4.0f / steps));
    op.setZeroPointAttr(builder.getI64IntegerAttr(0));
  });
}

int main() {
  DialectRegistry registry;
  registry.insert<qopt::QoptDialect, qint::QintDialect, func::FuncDialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(model, &context);
  if (!module)
    return 1;

  qopt::QuantizePipelineOptions options;
  PassManager observe(&context);
  qopt::buildObservePipeline(observe, options);
  if (failed(observe.run(*module)))
    return 1;

  decideScales(*module);
  PassManager quantize(&context);
  qopt::buildQuantizedPipeline(quantize, options);
  quantize.addNestedPass<func::FuncOp>(qopt::createRewriteToQint());
  if (failed(quantize.run(*module)))
    return 1;

  module->print(llvm::outs());
  return 0;
}
