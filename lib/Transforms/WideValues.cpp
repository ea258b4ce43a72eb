// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What readers of a value say to more than 8 bits.

#include "qopt/Transforms/WideValues.h"
#include "Names.h"
#include "Scales.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

bool mlir::qopt::isSmooth(UnaryOp op) {
  return llvm::all_of(op.getFunctions(), [](Attribute attr) {
    switch (cast<FnAttr>(attr).getFunction()) {
    case Function::Sign:
    case Function::Floor:
    case Function::Ceil:
    case Function::Round:
    case Function::Greater:
    case Function::GreaterOrEqual:
    case Function::Equal:
    case Function::Log:
    case Function::Sqrt:
    case Function::Reciprocal:
    case Function::Pow:
    case Function::Div:
      return false;
    default:
      return true;
    }
  });
}

void mlir::qopt::visitReaders(Value value,
                              llvm::function_ref<void(OpOperand &)> visit) {
  for (OpOperand &use : value.getUses()) {
    auto op = dyn_cast<QuantizableOpInterface>(use.getOwner());
    if (!op || op.getScaleRule() != ScaleRule::Shared)
      visit(use);
    else if (!mergesValues(op))
      visitReaders(op->getResult(0), visit);
  }
}

/// Whether the scale of `op` is one of 8 bits that may be chosen anew.
static bool mayWiden(ObserveOp op) {
  auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
  bool choosesScale = producer ? producer.getScaleRule() != ScaleRule::Fixed
                               : isa<BlockArgument>(op.getInput());
  return choosesScale && op.getScale() && op.getBits() == 8 &&
         op.getMethod() != importedMethod && !op->hasAttr(givenBitsAttr);
}

SmallVector<SmallVector<ObserveOp>>
mlir::qopt::getWideGroups(func::FuncOp function) {
  llvm::MapVector<Operation *, unsigned> places;
  function.walk([&](ObserveOp op) {
    if (mayWiden(op))
      places.insert({op, places.size()});
  });
  llvm::IntEqClasses classes(places.size());
  function.walk([&](ObserveOp result) {
    auto joining = result.getInput().getDefiningOp<QuantizableOpInterface>();
    if (!places.contains(result) || !joining || !mergesValues(joining))
      return;
    for (Value operand : joining->getOperands())
      if (ObserveOp observe = getDecidingObserver(operand);
          observe && places.contains(observe))
        classes.join(places[observe], places[result]);
  });
  classes.compress();
  SmallVector<SmallVector<ObserveOp>> groups(classes.getNumClasses());
  for (auto [op, place] : places)
    groups[classes[place]].push_back(cast<ObserveOp>(op));
  return groups;
}

/// The bits for which the sums of `layer` stay in int32.
static int getMostBitsOfLayer(QuantizableOpInterface layer, ObserveOp input,
                              WeightForm form) {
  std::optional<numerics::QuantizedWeights> weights =
      getQuantizedWeights(layer, form);
  if (!weights)
    return 8;
  const size_t channels =
      cast<RankedTensorType>(layer.getWeightOperand()->get().getType())
          .getShape()
          .front();
  const size_t length = weights->values.size() / channels;
  SmallVector<float> bias(channels, 0.0f);
  if (OpOperand *operand = layer.getBiasOperand())
    bias = *getConstantF32(operand->get());
  const double scale = input.getScale()->convertToFloat();
  const int64_t zeroPoint = *input.getZeroPoint();
  const double reach =
      2 * scale * std::max<int64_t>(127 - zeroPoint, 128 + zeroPoint);
  // Sums for an input of magnitude 1, in steps of the weight.
  double largest = 0;
  for (size_t channel = 0; channel < channels; ++channel) {
    double sum =
        std::fabs(bias[channel]) /
        (reach * weights->scales[weights->scales.size() == 1 ? 0 : channel]);
    for (auto q : ArrayRef(weights->values).slice(channel * length, length))
      sum += std::abs(q);
    largest = std::max(largest, sum);
  }
  int bits = 16;
  while (bits > 8 && largest * std::ldexp(1.0, bits - 1) > 0.9 * INT32_MAX)
    --bits;
  return bits;
}

static int getMostBitsOf(OpOperand &use, ObserveOp input, WeightForm form) {
  Operation *op = use.getOwner();
  if (isa<UnaryOp, AddOp, SubOp, MulOp, AvgPoolOp, ReduceMeanOp, ReduceSumOp,
          LayerNormOp, SoftmaxOp, LogSoftmaxOp>(op))
    return 16;
  if (isa<ConvOp, GemmOp>(op) && use.getOperandNumber() == 0)
    return getMostBitsOfLayer(cast<QuantizableOpInterface>(op), input, form);
  return 8;
}

int mlir::qopt::getMostBits(ArrayRef<ObserveOp> group, WeightForm form) {
  int bits = 16;
  for (ObserveOp op : group) {
    if (op->use_empty())
      return 8;
    visitReaders(op.getResult(), [&](OpOperand &use) {
      bits = std::min(bits, getMostBitsOf(use, op, form));
    });
  }
  return bits;
}
