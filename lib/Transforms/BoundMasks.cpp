// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes masks that stand for minus infinity to what integers can hold beside
// the logits that they mask.

#include "Masks.h"
#include "Names.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

static bool isMove(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  return quantizable && op->getNumOperands() == 1 &&
         quantizable.getScaleRule() == ScaleRule::Shared;
}

/// As the public one; `seen` are ops whose results are asked for already, so
/// that no op is visited once for each path to it.
static bool onlySoftmaxReads(Value value,
                             llvm::SmallPtrSetImpl<Operation *> &seen) {
  return !value.use_empty() &&
         llvm::all_of(value.getUses(), [&](OpOperand &use) {
           Operation *op = use.getOwner();
           if (isa<SoftmaxOp, AttendOp>(op))
             return use.getOperandNumber() == 0;
           return (isMove(op) || isa<AddOp, SubOp>(op)) &&
                  (!seen.insert(op).second ||
                   onlySoftmaxReads(op->getResult(0), seen));
         });
}

bool mlir::qopt::onlySoftmaxReads(Value value) {
  llvm::SmallPtrSet<Operation *, 8> seen;
  return ::onlySoftmaxReads(value, seen);
}

namespace mlir::qopt {
#define GEN_PASS_DEF_BOUNDMASKS
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// `exp(-1024)` is 0 in float32 and float64, whatever sensible logits are
/// added.
constexpr float bound = 1024;

class MaskBounder {
public:
  /// Bounds what `use` adds to logits or, where `isNegative`, subtracts.
  void visit(OpOperand &use, bool isNegative) {
    Value value = use.get();
    if (isConstantF32(value))
      return boundConstant(use, isNegative);
    Operation *op = value.getDefiningOp();
    if (!op || !onlySoftmaxReads(value) || !visited.insert(op).second)
      return;
    if (auto unary = dyn_cast<UnaryOp>(op))
      return boundFunction(unary, isNegative);
    if (auto fuses = dyn_cast<FusesActivationInterface>(op);
        fuses && fuses.getFusedActivation())
      return;
    for (OpOperand &operand : op->getOpOperands())
      if (isa<SubOp>(op) && operand.getOperandNumber() == 1)
        visit(operand, !isNegative);
      else if (isa<AddOp, SubOp>(op) || isMove(op))
        visit(operand, isNegative);
  }

  /// What nothing reads any more.
  void eraseUnused() {
    for (Operation *op : replaced)
      if (op->use_empty())
        op->erase();
  }

private:
  void boundConstant(OpOperand &use, bool isNegative) {
    Value &bounded = constants[isNegative][use.get()];
    if (!bounded) {
      SmallVector<float> values = *getConstantF32(use.get());
      bool isInside = true;
      for (float &value : values) {
        float inside =
            isNegative ? std::min(value, bound) : std::max(value, -bound);
        isInside &= inside == value;
        value = inside;
      }
      OpBuilder builder(use.get().getDefiningOp());
      bounded = isInside
                    ? use.get()
                    : createConstantF32(
                          builder, use.get().getLoc(),
                          cast<RankedTensorType>(use.get().getType()), values)
                          .getResult();
    }
    if (bounded == use.get())
      return;
    replaced.insert(use.get().getDefiningOp());
    use.set(bounded);
  }

  /// A function with a factor or an offset like a mask's gets a clamp.
  void boundFunction(UnaryOp op, bool isNegative) {
    bool isMask = llvm::any_of(op.getFunctions(), [](Attribute attr) {
      auto function = cast<FnAttr>(attr);
      return function.getFunction() == Function::Affine &&
             llvm::any_of(function.getParams(),
                          [](double p) { return std::fabs(p) > bound; });
    });
    auto last = cast<FnAttr>(op.getFunctions().getValue().back());
    if (!isMask || last.isClamp())
      return;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    SmallVector<double> ends = {-bound, infinity};
    if (isNegative)
      ends = {-infinity, bound};
    SmallVector<Attribute> functions(op.getFunctions().getValue());
    functions.push_back(FnAttr::get(op.getContext(), Function::Clip, ends));
    op.setFunctionsAttr(ArrayAttr::get(op.getContext(), functions));
  }

  llvm::SmallPtrSet<Operation *, 16> visited;
  llvm::SmallSetVector<Operation *, 4> replaced;
  /// Bounded ones, from above and, where subtracted, from below.
  llvm::DenseMap<Value, Value> constants[2];
};

struct BoundMasks final : impl::BoundMasksBase<BoundMasks> {
  void runOnOperation() override {
    MaskBounder bounder;
    getOperation().walk([&](Operation *op) {
      if (isa<SoftmaxOp, AttendOp>(op))
        bounder.visit(op->getOpOperand(0), /*isNegative=*/false);
    });
    bounder.eraseUnused();
  }
};

} // namespace
} // namespace mlir::qopt
