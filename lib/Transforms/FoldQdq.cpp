// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model that arrives quantized says its scales with pairs of quantize and
// dequantize: each becomes an observer that carries the decision.

#include "ObserverIds.h"
#include "Scales.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_FOLDQDQ
#include "qopt/Transforms/Passes.h.inc"

namespace {

using numerics::QuantParams;

/// The parameters of a per-tensor type that an observer can decide.
std::optional<QuantParams> getDecision(Type type) {
  if (!isQuantized(type) || isPerAxis(type))
    return std::nullopt;
  QuantParams params = quantParams(type);
  for (int bits : {8, 16})
    if (params.qmin == numerics::signedMin(bits) &&
        params.qmax == numerics::signedMax(bits))
      return params;
  return std::nullopt;
}

/// What `op` decided.
QuantParams getParams(ObserveOp op) {
  QuantParams params;
  params.scale = op.getScale()->convertToFloat();
  params.zeroPoint = static_cast<int32_t>(*op.getZeroPoint());
  params.qmin = numerics::signedMin(op.getBits());
  params.qmax = numerics::signedMax(op.getBits());
  return params;
}

/// `fn` followed by a clamp to `[low, high]`; the clamp alone where it is null.
FnAttr clampFurther(MLIRContext *context, FnAttr fn, double low, double high) {
  auto clip = [&](double bound) {
    return std::min(std::max(bound, low), high);
  };
  double bounds[] = {clip(fn ? fn.getClampMin() : low),
                     clip(fn ? fn.getClampMax() : high)};
  return FnAttr::get(context, Function::Clip, bounds);
}

/// Puts the saturation of `params` into the op that computes `value`, where
/// that op clamps anyway: the float model then leaves out what the model does.
void saturate(Value value, const QuantParams &params) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse())
    return;
  double low = double(params.scale) * (params.qmin - params.zeroPoint);
  double high = double(params.scale) * (params.qmax - params.zeroPoint);
  MLIRContext *context = op->getContext();
  if (auto fuses = dyn_cast<FusesActivationInterface>(op)) {
    fuses.setFusedActivation(
        clampFurther(context, fuses.getFusedActivation(), low, high));
  } else if (auto unary = dyn_cast<UnaryOp>(op)) {
    SmallVector<Attribute> functions(unary.getFunctions().getValue());
    auto last = cast<FnAttr>(functions.back());
    if (!last.isClamp())
      return;
    functions.back() = clampFurther(context, last, low, high);
    unary.setFunctionsAttr(ArrayAttr::get(context, functions));
  }
}

struct FoldQdq final : impl::FoldQdqBase<FoldQdq> {
  using impl::FoldQdqBase<FoldQdq>::FoldQdqBase;

  /// The id of `value`; `fallback` made it where the model has no name for it.
  std::string getId(Value value, Operation *fallback, ObserverIds &ids) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return ids.forArgument(argument);
    Operation *op = value.getDefiningOp();
    if (isa<ObserveOp>(op))
      return ids.forOp(fallback);
    // The importer's names of values between the model's own have an '@'.
    StringAttr name = getValueName(op), other = getValueName(fallback);
    bool isDerived = !name || name.getValue().contains('@');
    return ids.forOp(isDerived && other ? fallback : op);
  }

  ObserveOp observe(OpBuilder &builder, Value value, const std::string &id,
                    const QuantParams &params) {
    int64_t bits = params.qmax == numerics::signedMax(8) ? 8 : 16;
    return ObserveOp::create(builder, value.getLoc(), value.getType(), value,
                             id, bits, params.zeroPoint == 0, importedMethod,
                             builder.getF32FloatAttr(params.scale),
                             builder.getI64IntegerAttr(params.zeroPoint));
  }

  /// Turns `op` and the dequantize ops behind it into an observer.
  void foldPair(QuantizeOp op, ObserverIds &ids) {
    std::optional<QuantParams> params = getDecision(op.getType());
    SmallVector<Operation *> users(op->getUsers());
    if (!params || users.empty() ||
        !llvm::all_of(users, llvm::IsaPred<DequantizeOp>))
      return;
    Value input = op.getInput();
    ObserveOp &last = observers[input];
    if (!last || getParams(last) != *params) {
      OpBuilder builder(op);
      Value observed = last ? last.getResult() : input;
      std::string id = getId(observed, users.front(), ids);
      last = observe(builder, observed, id, *params);
      created.push_back(last);
    }
    for (Operation *user : users) {
      user->replaceAllUsesWith(last);
      user->erase();
    }
    op.erase();
  }

  /// Gives what `op`, which passes scales on, reads the scale of its result, so
  /// that the value it moves is rounded once, where it is computed.
  void pushUp(QuantizableOpInterface op, const QuantParams &params,
              ObserverIds &ids) {
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      Operation *producer = value.getDefiningOp();
      if (!isFloatTensor(value) || isKnown(value) || !value.hasOneUse() ||
          isa_and_nonnull<ObserveOp>(producer))
        continue;
      auto quantizable = dyn_cast_or_null<QuantizableOpInterface>(producer);
      if (quantizable && quantizable.getScaleRule() == ScaleRule::Shared) {
        pushUp(quantizable, params, ids);
        continue;
      }
      if (producer && !quantizable)
        continue;
      OpBuilder builder(op);
      ObserveOp observer =
          observe(builder, value, getId(value, op, ids), params);
      operand.set(observer);
      saturate(value, params);
    }
  }

  /// An observer behind an op that only passes its operand's scale on decides
  /// nothing new where that has the same.
  void removeRepeated(func::FuncOp function) {
    SmallVector<ObserveOp> repeated;
    function.walk([&](ObserveOp op) {
      auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
      if (!op.getScale() || !producer || needsObserver(producer) ||
          !op.getInput().hasOneUse())
        return;
      ObserveOp before = getDecidingObserver(producer->getOperand(0));
      if (before && before.getScale() && getParams(before) == getParams(op))
        repeated.push_back(op);
    });
    for (ObserveOp op : repeated) {
      op.replaceAllUsesWith(op.getInput());
      op.erase();
    }
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    ObserverIds ids(function);
    SmallVector<QuantizeOp> pairs;
    function.walk([&](QuantizeOp op) { pairs.push_back(op); });
    for (QuantizeOp op : pairs)
      foldPair(op, ids);
    for (ObserveOp op : created) {
      QuantParams params = getParams(op);
      saturate(op.getInput(), params);
      auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
      if (producer && producer.getScaleRule() == ScaleRule::Shared &&
          op.getInput().hasOneUse())
        pushUp(producer, params, ids);
    }
    removeRepeated(function);
    observers.clear();
    created.clear();
  }

  /// The last observer of a value.
  llvm::MapVector<Value, ObserveOp> observers;
  SmallVector<ObserveOp> created;
};

} // namespace
} // namespace mlir::qopt
