// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rates were fitted to the times of single kernel calls (`bench/model-times`, 3
// GHz, AVX512-VNNI) of the networks of docs/results.md: activations all at 8
// bits, all at 16 where they can be, and mixed at random. The fits' median
// error is about a tenth of a call.

#include "BitCosts.h"
#include "Elements.h"
#include "qopt/Transforms/WideValues.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;
using evaluation::countElements;

namespace {

/// Cycles of one kind of kernel: a multiply-accumulate and an element with 8
/// bits, and what 16 bits of an operand and of the result add to an element.
struct Rates {
  double mac, element, wideOperand, wideResult;
};

} // namespace

static constexpr double denseMac = 1 / 120.0, depthwiseMac = 1 / 30.0;
/// A weight that is read: rows as few as in a last layer wait for memory.
static constexpr double weightRead = 0.02;
static constexpr double callCost = 50;

static constexpr Rates dense = {denseMac, 0.2, 0, 0.08},
                       depthwise = {depthwiseMac, 0.16, 0.3, 0.15},
                       matrixProduct = {denseMac, 0.6, 0, 0.5},
                       attention = {0, 0.8, 0, 0.16},
                       sum = {0, 0.24, 0.07, 0.41},
                       product = {0, 0.28, 0.15, 0.15},
                       // A piecewise table, or one of two bytes an entry.
    table = {0, 0.065, 0.25, 0.12},
                       // With an entry for each of 65536 inputs.
    fullTable = {0, 0.065, 0.7, 0.12}, mean = {0, 0.05, 0.03, 0},
                       softmax = {0, 2, 2, 0}, layerNorm = {0, 3.6, 0, 0},
                       moved = {0, 0.03, 0.05, 0.05},
                       other = {0, 0.3, 0.1, 0.2};

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
  return conv && conv.getGroups() > 1 &&
         cast<RankedTensorType>(conv.getWeight().getType()).getShape()[1] == 1;
}

static Rates getRates(QuantizableOpInterface op) {
  return llvm::TypeSwitch<Operation *, Rates>(op)
      .Case<ConvOp, GemmOp>(
          [](Operation *op) { return isDepthwise(op) ? depthwise : dense; })
      .Case<MatMulOp>([](auto) { return matrixProduct; })
      .Case<AttendOp>([](auto) { return attention; })
      .Case<AddOp, SubOp>([](auto) { return sum; })
      .Case<MulOp>([](auto) { return product; })
      .Case<UnaryOp>(
          [](UnaryOp op) { return isSmooth(op) ? table : fullTable; })
      .Case<AvgPoolOp, ReduceMeanOp, ReduceSumOp>([](auto) { return mean; })
      .Case<SoftmaxOp, LogSoftmaxOp>([](auto) { return softmax; })
      .Case<LayerNormOp>([](auto) { return layerNorm; })
      .Default([&](auto) {
        return op.getScaleRule() == ScaleRule::Shared ? moved : other;
      });
}

/// Results of a layer; else of operands and result, whichever are more.
static double countWorkElements(QuantizableOpInterface op) {
  int64_t elements = countElements(op->getResult(0));
  if (!op.getWeightOperand())
    for (Value operand : op->getOperands())
      elements = std::max(elements, countElements(operand));
  return elements;
}

/// What dots take, and so what dots on 16 bits add: bytes are multiplied one
/// after the other. Depthwise kernels are bound by other things.
static double countDotCycles(QuantizableOpInterface op) {
  double cycles = evaluation::countMacs(op) * getRates(op).mac;
  if (OpOperand *weight = op.getWeightOperand())
    cycles += countElements(weight->get()) * weightRead;
  return cycles;
}

double evaluation::predictCycles(func::FuncOp function) {
  double cycles = 0;
  function.walk([&](QuantizableOpInterface op) {
    cycles += countDotCycles(op) +
              getRates(op).element * countWorkElements(op) + callCost;
  });
  return cycles;
}

static double predictExtraCyclesOf(ObserveOp observe) {
  double cycles = 0;
  if (auto maker = observe.getInput().getDefiningOp<QuantizableOpInterface>())
    cycles += getRates(maker).wideResult * countWorkElements(maker);
  visitReaders(observe.getResult(), [&](OpOperand &use) {
    auto reader = dyn_cast<QuantizableOpInterface>(use.getOwner());
    if (!reader)
      return;
    cycles += getRates(reader).wideOperand * countWorkElements(reader);
    if (reader.getWeightOperand() && !isDepthwise(reader))
      cycles += countDotCycles(reader);
  });
  return cycles;
}

double evaluation::predictExtraCycles(ArrayRef<ObserveOp> group) {
  double cycles = 0;
  for (ObserveOp observe : group)
    cycles += predictExtraCyclesOf(observe);
  return cycles;
}
