// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Marks the values whose range matters and says how many bits they get.

#include "ObserverIds.h"
#include "Scales.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/WideValues.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_INSERTOBSERVERS
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// Collects the observers that decide the scale of `value` into `observers` if
/// they may take more bits for free: each is requantized to by the op that
/// computes it, and nothing else reads it on the way.
bool collectWidenable(Value value, SmallVectorImpl<ObserveOp> &observers) {
  if (isKnown(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse())
    return false;
  if (auto observe = dyn_cast<ObserveOp>(op)) {
    auto producer = observe.getInput().getDefiningOp<QuantizableOpInterface>();
    // A scale that stands is not chosen again.
    if (!producer || observe.getScale())
      return false;
    observers.push_back(observe);
    if (producer.getScaleRule() != ScaleRule::Shared)
      return true;
    op = producer;
  }
  auto sharing = dyn_cast<QuantizableOpInterface>(op);
  return sharing && sharing.getScaleRule() == ScaleRule::Shared &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return collectWidenable(operand, observers);
         });
}

struct InsertObservers final : impl::InsertObserversBase<InsertObservers> {
  using impl::InsertObserversBase<InsertObservers>::InsertObserversBase;

  LogicalResult checkOptions() {
    for (int64_t option : {bits.getValue(), outputBits.getValue()})
      if (option != 8 && option != 16)
        return getOperation().emitError("expects 8 or 16 bits, but got ")
               << option;
    return success();
  }

  LogicalResult checkArguments(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      if (isFloatTensor(argument) &&
          !cast<ShapedType>(argument.getType()).hasStaticShape())
        return function.emitError("expects arguments with static shapes, but "
                                  "got ")
               << argument.getType();
    return success();
  }

  void observe(OpBuilder &builder, Value value, StringRef id) {
    auto op = ObserveOp::create(builder, value.getLoc(), value.getType(), value,
                                id, bits, symmetric || bits == 16, method,
                                /*scale=*/nullptr, /*zero_point=*/nullptr,
                                powerOfTwo);
    value.replaceAllUsesExcept(op.getResult(), op);
  }

  void observeArguments(func::FuncOp function, ObserverIds &ids) {
    OpBuilder builder(function.getBody());
    for (BlockArgument argument : function.getArguments()) {
      if (!isFloatTensor(argument) ||
          llvm::any_of(argument.getUsers(), llvm::IsaPred<ObserveOp>))
        continue;
      observe(builder, argument, ids.forArgument(argument));
    }
  }

  void observeOps(func::FuncOp function, ObserverIds &ids) {
    SmallVector<QuantizableOpInterface> ops;
    function.walk([&](QuantizableOpInterface op) {
      if (needsObserver(op))
        ops.push_back(op);
    });
    for (QuantizableOpInterface op : ops) {
      Value result = op->getResult(0);
      if (!isFloatTensor(result) ||
          llvm::any_of(result.getUsers(), llvm::IsaPred<ObserveOp>))
        continue;
      OpBuilder builder(op);
      builder.setInsertionPointAfter(op);
      observe(builder, result, ids.forOp(op));
    }
  }

  void setOutputBits(func::FuncOp function) {
    Builder builder(&getContext());
    function.walk([&](func::ReturnOp op) {
      for (Value output : op.getOperands()) {
        SmallVector<ObserveOp> observers;
        if (!collectWidenable(output, observers))
          continue;
        for (ObserveOp observer : observers) {
          observer.setBits(outputBits);
          observer.setSymmetric(symmetric || outputBits == 16);
        }
      }
    });
  }

  void widen(ObserveOp op) {
    op.setBits(16);
    op.setSymmetric(true);
  }

  /// A sum rounds once: an operand that nothing else reads keeps the bits that
  /// its own rounding would take.
  void widenSums(func::FuncOp function) {
    function.walk([&](ObserveOp op) {
      auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
      if (producer && producer.getScaleRule() == ScaleRule::Own &&
          !op.getScale() && op->hasOneUse() &&
          isa<AddOp, SubOp>(*op->getUsers().begin()))
        widen(op);
    });
  }

  /// Where a table follows, rounding to 8 bits before it costs more than the
  /// one behind it: a table of 16 bits reads what the producer rounds anyway.
  void widenTabled(func::FuncOp function) {
    function.walk([&](ObserveOp op) {
      auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
      if (producer && producer.getScaleRule() == ScaleRule::Own &&
          !op.getScale() && !op->use_empty() &&
          llvm::all_of(op->getUsers(), [](Operation *user) {
            auto unary = dyn_cast<UnaryOp>(user);
            return unary && isSmooth(unary);
          }))
        widen(op);
    });
  }

  /// What normalizations read, and the sums that it is made of, keep the bits
  /// that rounding to 8 would take: the residual stream of a transformer. Sums
  /// and normalizations read 16 bits at little cost; a value that another op
  /// reads too stays as it is.
  void widenNormalized(func::FuncOp function) {
    SmallVector<ObserveOp> observers;
    function.walk([&](ObserveOp op) {
      bool isNormalized = llvm::any_of(op->getUsers(), [](Operation *user) {
        return isa<LayerNormOp>(user);
      });
      if (isNormalized && mayWiden(op))
        observers.push_back(op);
    });
    while (!observers.empty()) {
      ObserveOp op = observers.pop_back_val();
      if (op.getBits() == 16)
        continue;
      widen(op);
      Operation *producer = op.getInput().getDefiningOp();
      if (!isa<AddOp, SubOp>(producer))
        continue;
      for (Value operand : producer->getOperands()) {
        auto observe = operand.getDefiningOp<ObserveOp>();
        SmallVector<ObserveOp> moved;
        if (observe && mayWiden(observe))
          observers.push_back(observe);
        else if (collectWidenable(operand, moved))
          llvm::for_each(moved, [&](ObserveOp op) { widen(op); });
      }
    }
  }

  /// Whether each reader takes 16 bits as readily as 8.
  static bool mayWiden(ObserveOp op) {
    auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
    return producer && producer.getScaleRule() == ScaleRule::Own &&
           !op.getScale() &&
           llvm::all_of(op->getUsers(),
                        llvm::IsaPred<AddOp, SubOp, LayerNormOp>);
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (failed(checkOptions()) || failed(checkArguments(function)))
      return signalPassFailure();
    ObserverIds ids(function);
    observeArguments(function, ids);
    observeOps(function, ids);
    setOutputBits(function);
    if (wideSums)
      widenSums(function);
    if (wideTables)
      widenTabled(function);
    widenNormalized(function);
  }
};

} // namespace
} // namespace mlir::qopt
