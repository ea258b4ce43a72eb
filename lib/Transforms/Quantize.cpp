// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites observed values to quantized types. Decides nothing: scales are read
// from the observers.

#include "Names.h"
#include "QuantizeWeights.h"
#include "Scales.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_QUANTIZE
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// The observer that decides about `value` itself, if there is one.
ObserveOp getObserver(Value value) {
  for (Operation *user : value.getUsers())
    if (auto observe = dyn_cast<ObserveOp>(user))
      return observe;
  return nullptr;
}

/// Everything in a function that stands in the way, said at once.
class Problems {
public:
  void add(Operation *op, const Twine &text) {
    entries.push_back({op->getLoc(), text.str()});
  }

  void check(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      if (isFloatTensor(argument) && !getObserver(argument))
        add(function,
            "argument #" + Twine(argument.getArgNumber()) + " has no observer");
    function.walk([&](Operation *op) {
      if (op != function)
        checkOp(op);
    });
  }

  LogicalResult report(func::FuncOp function) const {
    if (entries.empty())
      return success();
    InFlightDiagnostic error = function.emitError("cannot be quantized");
    for (const auto &[loc, text] : entries)
      error.attachNote(loc) << text;
    return error;
  }

private:
  void checkOp(Operation *op) {
    if (isa<func::ReturnOp, QuantizeOp, DequantizeOp, RequantizeOp>(op))
      return;
    if (auto constant = dyn_cast<ConstantOp>(op)) {
      // The resource that it names need not be in the file.
      if (isFloatTensor(constant) && !isConstantF32(constant))
        add(op, "constant has no data");
      return;
    }
    if (auto observe = dyn_cast<ObserveOp>(op)) {
      if (!observe.getScale())
        add(op, "observer '" + observe.getId() + "' has no scale");
      return;
    }
    auto quantizable = dyn_cast<QuantizableOpInterface>(op);
    if (!quantizable)
      return add(op, "'" + op->getName().getStringRef() +
                         "' has no quantized form");
    if (!isFloatTensor(op->getResult(0)))
      return;
    if (needsObserver(quantizable) && !getObserver(op->getResult(0)))
      add(op,
          "result of '" + op->getName().getStringRef() + "' has no observer");
    for (OpOperand *operand :
         {quantizable.getWeightOperand(), quantizable.getBiasOperand()})
      if (operand && !isConstantF32(operand->get()) &&
          !getImportedConstant(operand->get()))
        add(op, "weight or bias of '" + op->getName().getStringRef() +
                    "' is not a float constant");
  }

  SmallVector<std::pair<Location, std::string>> entries;
};

/// The type with what `observe` decided.
Type getDecidedType(ObserveOp observe) {
  return getActivationType(observe.getContext(), observe.getBits(),
                           observe.getScale()->convertToFloat(),
                           *observe.getZeroPoint());
}

/// How ops round to what `observe` decided: as the peers of a model that brings
/// its scales do, else as the default.
StringAttr getRounding(ObserveOp observe) {
  if (observe.getMethod() != importedMethod)
    return nullptr;
  return StringAttr::get(observe.getContext(), "half_even");
}

RankedTensorType withElement(Value value, Type element) {
  return cast<RankedTensorType>(value.getType()).clone(element);
}

struct Quantize final : impl::QuantizeBase<Quantize> {
  using impl::QuantizeBase<Quantize>::QuantizeBase;

  /// A float constant that is no weight, by its own range.
  Value quantizeByValues(OpBuilder &builder, Value constant) {
    SmallVector<float> values = *getKnownValues(constant);
    numerics::Range range;
    for (float value : values) {
      range.min = std::min<double>(range.min, value);
      range.max = std::max<double>(range.max, value);
    }
    auto params =
        powerOfTwo
            ? numerics::choosePowerOfTwoParams(range, 8, /*symmetric=*/false)
            : numerics::chooseParams(range, 8, /*symmetric=*/false);
    return quantizeConstant(
        builder, constant,
        getActivationType(&getContext(), 8, params.scale, params.zeroPoint));
  }

  /// The quantized form of an operand that is an activation.
  Value quantizeActivation(OpBuilder &builder, Value value, Type shared,
                           StringAttr rounding = nullptr) {
    if (Value imported = getImportedConstant(value)) {
      Type element = getElementTypeOrSelf(imported.getType());
      if (!isPerAxis(imported.getType()) && (!shared || shared == element))
        return imported;
    }
    if (isFloatTensor(value) && isKnown(value))
      return shared ? quantizeConstant(builder, value, shared)
                    : quantizeByValues(builder, value);
    if (!shared || getElementTypeOrSelf(value.getType()) == shared)
      return value;
    return requantize(builder, value, shared, rounding);
  }

  Value requantize(OpBuilder &builder, Value value, Type element,
                   StringAttr rounding) {
    auto op = RequantizeOp::create(builder, value.getLoc(),
                                   withElement(value, element), value);
    if (rounding)
      op->setAttr(roundingAttr, rounding);
    return op;
  }

  LogicalResult quantizeOp(QuantizableOpInterface op) {
    Value result = op->getResult(0);
    OpBuilder builder(op);
    bool shares = op.getScaleRule() == ScaleRule::Shared;
    ObserveOp observe = getObserver(result);
    OpOperand &first = *op->getOpOperands().begin();
    if (!observe && isKnown(first.get()))
      first.set(quantizeActivation(builder, first.get(), Type()));
    Type element = observe ? getDecidedType(observe)
                           : getElementTypeOrSelf(first.get().getType());

    StringAttr rounding = observe ? getRounding(observe) : StringAttr();
    if (rounding)
      op->setAttr(roundingAttr, rounding);
    OpOperand *weight = op.getWeightOperand();
    OpOperand *bias = op.getBiasOperand();
    for (OpOperand &operand : op->getOpOperands())
      if (&operand != weight && &operand != bias)
        operand.set(quantizeActivation(builder, operand.get(),
                                       shares ? element : Type(), rounding));
    WeightForm form{perChannel, clipWeights, powerOfTwo,
                    static_cast<int>(weightBits), weightGroup};
    if (weight &&
        failed(quantizeWeightAndBias(
            builder, op, quantScale(withElement(result, element)), form)))
      return failure();
    result.setType(withElement(result, element));
    if (observe)
      op->setAttr(valueNameAttr, observe.getIdAttr());
    return success();
  }

  /// Removes an observer whose input is quantized.
  void removeObserver(ObserveOp op) {
    Value value = op.getInput();
    if (isFloatTensor(value)) {
      OpBuilder builder(op);
      value = QuantizeOp::create(builder, op.getLoc(),
                                 withElement(value, getDecidedType(op)), value);
    } else if (getElementTypeOrSelf(value.getType()) != getDecidedType(op)) {
      // The value was decided by an observer before this one.
      OpBuilder builder(op);
      value = requantize(builder, value, getDecidedType(op), getRounding(op));
    }
    op.replaceAllUsesWith(value);
    op.erase();
  }

  void dequantizeResults(func::ReturnOp op) {
    OpBuilder builder(op);
    auto function = op->getParentOfType<func::FuncOp>();
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (isFloatTensor(value) && isConstant(value))
        value = quantizeByValues(builder, value);
      // A result that is quantized already stays.
      if (isQuantized(value.getType()) &&
          !isQuantized(function.getResultTypes()[operand.getOperandNumber()]))
        operand.set(DequantizeOp::create(
            builder, op.getLoc(), withElement(value, builder.getF32Type()),
            value));
    }
  }

  LogicalResult quantizeFunction(func::FuncOp function) {
    SmallVector<Operation *> ops;
    SmallVector<ConstantOp> constants;
    function.walk([&](Operation *op) {
      if (auto constant = dyn_cast<ConstantOp>(op))
        constants.push_back(constant);
      else
        ops.push_back(op);
    });
    SmallVector<DequantizeOp> imported;
    for (Operation *op : ops) {
      if (auto dequantize = dyn_cast<DequantizeOp>(op))
        imported.push_back(dequantize);
      else if (auto observe = dyn_cast<ObserveOp>(op))
        removeObserver(observe);
      else if (auto ret = dyn_cast<func::ReturnOp>(op))
        dequantizeResults(ret);
      else if (auto quantizable = dyn_cast<QuantizableOpInterface>(op);
               quantizable && isFloatTensor(op->getResult(0)) &&
               failed(quantizeOp(quantizable)))
        return failure();
    }
    for (DequantizeOp op : imported)
      if (op->use_empty())
        op.erase();
    for (ConstantOp constant : constants)
      if (constant->use_empty())
        constant.erase();
    return success();
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!symmetricWeights) {
      function.emitError("asymmetric weights are not supported; use "
                         "symmetric-weights=true");
      return signalPassFailure();
    }
    if ((weightBits != 8 && weightBits != 4 && weightBits != 2) ||
        weightGroup < 0) {
      function.emitError("expects weight-bits of 8, 4 or 2 and a weight-group "
                         "of 0 or more, but got ")
          << weightBits.getValue() << " and " << weightGroup.getValue();
      return signalPassFailure();
    }
    Problems problems;
    problems.check(function);
    if (failed(problems.report(function)) || failed(quantizeFunction(function)))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::qopt
