// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rates were measured on kernels of docs/performance.md's machine, in the
// middle of their sizes; only their ratios matter.

#include "BitCosts.h"
#include "qopt/Transforms/WideValues.h"

using namespace mlir;
using namespace mlir::qopt;

/// Multiply-accumulates a cycle of tiles with long sums, and the length of a
/// sum at which half of the time goes into its result.
static constexpr double denseMacs = 110, halfLength = 40;
/// The same of depthwise layers.
static constexpr double depthwiseMacs = 25;
/// What 16 bits add to the time of either.
static constexpr double wideDense = 2, wideDepthwise = 4;
/// Cycles an element.
static constexpr double moved = 0.03, combined = 0.12, looked = 0.03,
                        pieced = 0.2, wideCombined = 0.25, wideAccess = 0.05;
/// Cycles a call.
static constexpr double callCost = 300;

static double countElements(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

/// Terms of each sum of a layer.
static double countTerms(Operation *op) {
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  OpOperand *weight = layer ? layer.getWeightOperand() : nullptr;
  if (!weight)
    return 0;
  auto type = cast<RankedTensorType>(weight->get().getType());
  return static_cast<double>(type.getNumElements()) /
         type.getShape()[layer.getWeightChannelAxis()];
}

double evaluation::countMacs(Operation *op) {
  if (auto product = dyn_cast<MatMulOp>(op))
    return countElements(product.getResult()) *
           cast<RankedTensorType>(product.getLhs().getType()).getShape().back();
  return op->getNumResults() ? countElements(op->getResult(0)) * countTerms(op)
                             : 0;
}

static bool isDepthwise(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  return conv &&
         cast<RankedTensorType>(conv.getWeight().getType()).getShape()[1] == 1;
}

static double multiplyCycles(Operation *op) {
  double macs = evaluation::countMacs(op);
  if (macs == 0 || isDepthwise(op))
    return macs / depthwiseMacs;
  double length = macs / countElements(op->getResult(0));
  return macs / denseMacs * (1 + halfLength / length);
}

double evaluation::predictCycles(func::FuncOp function) {
  double cycles = 0;
  function.walk([&](QuantizableOpInterface op) {
    double elements = countElements(op->getResult(0));
    double each = isa<UnaryOp>(op)                             ? looked
                  : op.getScaleRule() == ScaleRule::Shared     ? moved
                  : op.getWeightOperand() || isa<MatMulOp>(op) ? 0
                                                               : combined;
    cycles += multiplyCycles(op) + each * elements + callCost;
  });
  return cycles;
}

static double predictExtraCyclesOf(ObserveOp observe) {
  double elements = countElements(observe.getResult());
  double cycles = wideAccess * elements;
  visitReaders(observe.getResult(), [&](OpOperand &use) {
    Operation *op = use.getOwner();
    cycles +=
        wideAccess * elements +
        multiplyCycles(op) * (isDepthwise(op) ? wideDepthwise : wideDense);
    if (isa<AddOp, SubOp, MulOp>(op))
      cycles += wideCombined * elements;
    if (isa<UnaryOp>(op))
      cycles += (pieced - looked) * elements;
  });
  return cycles;
}

double evaluation::predictExtraCycles(ArrayRef<ObserveOp> group) {
  double cycles = 0;
  for (ObserveOp observe : group)
    cycles += predictExtraCyclesOf(observe);
  return cycles;
}
