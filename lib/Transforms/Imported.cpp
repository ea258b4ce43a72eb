// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions about models that arrived quantized, and their float form.

#include "qopt/Transforms/Imported.h"
#include "Names.h"
#include "Scales.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

bool mlir::qopt::hasImportedScales(func::FuncOp function) {
  return function
      .walk([](Operation *op) {
        auto observe = dyn_cast<ObserveOp>(op);
        bool isImported = observe ? observe.getMethod() == importedMethod
                                  : isa<DequantizeOp>(op);
        return isImported ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

SmallVector<ObserveOp>
mlir::qopt::getUndecidedObservers(func::FuncOp function) {
  SmallVector<ObserveOp> result;
  function.walk([&](ObserveOp op) {
    auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
    if (!op.getScale() &&
        !(producer && producer.getScaleRule() == ScaleRule::Fixed))
      result.push_back(op);
  });
  return result;
}

void mlir::qopt::dequantizeConstants(func::FuncOp function) {
  SmallVector<DequantizeOp> ops;
  function.walk([&](DequantizeOp op) {
    if (getImportedConstant(op.getResult()))
      ops.push_back(op);
  });
  for (DequantizeOp op : ops) {
    std::optional<SmallVector<float>> values = getKnownValues(op.getResult());
    if (!values)
      continue;
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(op.getType());
    op.replaceAllUsesWith(
        createConstantF32(builder, op.getLoc(), type, *values).getResult());
    Operation *constant = op.getInput().getDefiningOp();
    op.erase();
    if (constant->use_empty())
      constant->erase();
  }
}
