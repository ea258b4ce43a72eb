// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights as integers in a model whose activations stay float.

#include "QuantizeWeights.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_WEIGHTSONLY
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// The integers of constants, by their form. Layers that share a constant (the
/// steps of a recurrent network) share its integers. Only looked up, never
/// iterated over.
using Integers =
    llvm::DenseMap<std::tuple<Value, unsigned, int, int64_t>, Value>;

void quantizeWeight(QuantizableOpInterface op, WeightForm form,
                    Integers &made) {
  Builder builder(op.getContext());
  op->setAttr(weightBitsAttr, builder.getI64IntegerAttr(form.bits));
  if (form.group)
    op->setAttr(weightGroupAttr, builder.getI64IntegerAttr(form.group));
  OpOperand &operand = *op.getWeightOperand();
  Value original = operand.get();
  if (original.getDefiningOp<DequantizeOp>())
    return;
  Value &integers = made[{original, form.perChannel, form.bits, form.group}];
  if (!integers) {
    OpBuilder builder(original.getContext());
    builder.setInsertionPointAfterValue(original);
    integers = createDequantizedWeight(builder, op, form);
  }
  operand.set(integers);
}

struct WeightsOnly final : impl::WeightsOnlyBase<WeightsOnly> {
  using WeightsOnlyBase::WeightsOnlyBase;

  void runOnOperation() override {
    if ((weightBits != 8 && weightBits != 4 && weightBits != 2) ||
        weightGroup < 0) {
      getOperation().emitError(
          "expects weight-bits of 8, 4 or 2 and a weight-group of 0 or more, "
          "but got ")
          << weightBits.getValue() << " and " << weightGroup.getValue();
      return signalPassFailure();
    }
    SmallVector<QuantizableOpInterface> layers;
    getOperation().walk([&](QuantizableOpInterface op) {
      OpOperand *weight = op.getWeightOperand();
      if (!weight || op.getWeightChannelAxis() != 0)
        return;
      auto decided = weight->get().getDefiningOp<DequantizeOp>();
      if (isConstantF32(weight->get()) ||
          (decided && decided.getInput().getDefiningOp<ConstantOp>()))
        layers.push_back(op);
    });
    WeightForm form;
    form.perChannel = perChannel;
    form.powerOfTwo = powerOfTwo;
    form.bits = static_cast<int>(weightBits);
    form.group = weightGroup;
    Integers made;
    SmallVector<Operation *> originals;
    for (QuantizableOpInterface op : layers) {
      originals.push_back(op.getWeightOperand()->get().getDefiningOp());
      quantizeWeight(op, getOwnForm(op, form), made);
    }
    llvm::sort(originals);
    originals.erase(llvm::unique(originals), originals.end());
    for (Operation *original : originals)
      if (original->use_empty())
        original->erase();
    getOperation().walk([](ObserveOp observe) {
      observe.getResult().replaceAllUsesWith(observe.getInput());
      observe.erase();
    });
  }
};

} // namespace
} // namespace mlir::qopt
