// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites quantized ops to integer arithmetic.

#include "QintPatterns.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_REWRITETOQINT
#include "qopt/Transforms/Passes.h.inc"

std::optional<numerics::QuantParams> getTensorParams(Value value) {
  if (!isQuantized(value.getType()) || isPerAxis(value.getType()))
    return std::nullopt;
  return quantParams(value.getType());
}

std::optional<ValueParams> getValueParams(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  SmallVector<Value> values;
  for (OpOperand &operand : op->getOpOperands())
    if (!quantizable || (&operand != quantizable.getWeightOperand() &&
                         &operand != quantizable.getBiasOperand()))
      values.push_back(operand.get());
  llvm::append_range(values, op->getResults());
  ValueParams result;
  for (Value value : values) {
    auto params = getTensorParams(value);
    if (!params)
      return std::nullopt;
    result.inputs.push_back(*params);
  }
  result.result = result.inputs.pop_back_val();
  return result;
}

int64_t getMagnitude(const numerics::QuantParams &params) {
  int64_t zeroPoint = params.zeroPoint;
  return std::max(params.qmax - zeroPoint, zeroPoint - params.qmin);
}

ResultForm::ResultForm(const numerics::QuantParams &params, FnAttr activation)
    : params(params), clampMin(params.qmin), clampMax(params.qmax) {
  if (!activation)
    return;
  // An infinite bound saturates, which is the type's own bound.
  auto quantizeBound = [&](double bound) {
    return numerics::quantize(static_cast<float>(bound), params);
  };
  clampMax = quantizeBound(activation.getClampMax());
  clampMin = std::min(quantizeBound(activation.getClampMin()), clampMax);
}

qint::RequantAttr ResultForm::getRequant(MLIRContext *context,
                                         ArrayRef<int32_t> multipliers,
                                         ArrayRef<int8_t> shifts) const {
  return qint::RequantAttr::get(
      context, multipliers, llvm::to_vector_of<int32_t>(shifts),
      params.zeroPoint, clampMin, clampMax, qint::Rounding::HalfUp);
}

/// Whether `acc * multiplier / 2^shift` is a tie for more than one of 2^17
/// values of `acc`: for the multiples of a power of two that the multiplier's
/// trailing zeros leave.
static bool hasTies(int32_t multiplier, int32_t shift) {
  return shift - 1 - llvm::countr_zero(static_cast<uint32_t>(multiplier)) <= 16;
}

void takeRounding(Operation *from, Operation *to) {
  auto rounding = from->getAttrOfType<StringAttr>(roundingAttr);
  to->removeAttr(roundingAttr);
  auto requant = to->getAttrOfType<qint::RequantAttr>("requant");
  if (!rounding || rounding != "half_even" || !requant)
    return;
  // These have no such form (docs/arithmetic.md, "Div").
  if (isa<qint::DivOp, qint::AttendOp, qint::LogSoftmaxOp>(to))
    return;
  ArrayRef<int32_t> multipliers = requant.getMultiplier();
  ArrayRef<int32_t> shifts = requant.getShift();
  bool ties = false;
  // A sum of two terms has ties that neither has, and an average's are exact
  // whatever its multiplier.
  if (isa<qint::AddOp, qint::AvgPoolOp>(to))
    ties = true;
  for (auto [index, multiplier] : llvm::enumerate(multipliers))
    ties |= hasTies(multiplier, shifts[shifts.size() == 1 ? 0 : index]);
  if (!ties)
    return;
  to->setAttr("requant", qint::RequantAttr::get(
                             to->getContext(), multipliers, shifts,
                             requant.getZeroPoint(), requant.getClampMin(),
                             requant.getClampMax(), qint::Rounding::HalfEven));
}

std::string formatScale(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9g", value);
  return text;
}

std::string getErrorMessage(llvm::Error error) {
  std::string text;
  llvm::handleAllErrors(
      std::move(error),
      [&](const QoptError &error) { text += error.getMessage(); },
      [&](const llvm::ErrorInfoBase &error) { text += error.message(); });
  return text;
}

namespace {

/// Quantized tensors to tensors of their storage.
class StorageConverter final : public TypeConverter {
public:
  StorageConverter() {
    addConversion([](Type type) -> std::optional<Type> {
      if (isQuantized(type))
        return storageTensorType(cast<RankedTensorType>(type));
      return type;
    });
  }
};

/// Moves quantize and dequantize ops at the boundary into the signature, which
/// then has quantized types and says their scales.
class Boundary {
public:
  explicit Boundary(func::FuncOp function) : function(function) {}

  LogicalResult absorb() {
    for (BlockArgument argument : function.getArguments())
      if (failed(absorbArgument(argument)))
        return failure();
    auto ret = dyn_cast<func::ReturnOp>(function.front().getTerminator());
    if (!ret)
      return function.emitError("expects one block that returns");
    for (OpOperand &operand : ret->getOpOperands())
      if (failed(absorbResult(operand)))
        return failure();
    function.setFunctionType(FunctionType::get(
        function.getContext(), function.front().getArgumentTypes(),
        ret->getOperandTypes()));
    return success();
  }

private:
  LogicalResult absorbArgument(BlockArgument argument) {
    unsigned index = argument.getArgNumber();
    SmallVector<Operation *> users(argument.getUsers());
    for (Operation *user : users) {
      auto quantize = dyn_cast<QuantizeOp>(user);
      if (!quantize)
        continue;
      // A second quantize must want the type that the first one set.
      if (isQuantized(argument.getType()) &&
          argument.getType() != quantize.getType())
        return quantize.emitError(
                   "expects one quantized type of an argument, but got ")
               << argument.getType() << " and " << quantize.getType();
      argument.setType(quantize.getType());
      quantize.replaceAllUsesWith(argument);
      quantize.erase();
    }
    if (!getTensorParams(argument))
      return function.emitError("argument #")
             << index << " is not quantized per tensor";
    describe(*getTensorParams(argument), [&](StringRef name, Attribute value) {
      function.setArgAttr(index, name, value);
    });
    return success();
  }

  LogicalResult absorbResult(OpOperand &operand) {
    unsigned index = operand.getOperandNumber();
    if (auto dequantize = operand.get().getDefiningOp<DequantizeOp>()) {
      operand.set(dequantize.getInput());
      if (dequantize.use_empty())
        dequantize.erase();
    }
    std::optional<numerics::QuantParams> params =
        getTensorParams(operand.get());
    if (!params)
      return function.emitError("result #")
             << index << " is not quantized per tensor";
    describe(*params, [&](StringRef name, Attribute value) {
      function.setResultAttr(index, name, value);
    });
    return success();
  }

  void describe(const numerics::QuantParams &params,
                llvm::function_ref<void(StringRef, Attribute)> set) {
    Builder builder(function.getContext());
    set("qint.scale", builder.getF64FloatAttr(params.scale));
    set("qint.zero_point", builder.getI64IntegerAttr(params.zeroPoint));
  }

  func::FuncOp function;
};

struct RewriteToQint final : impl::RewriteToQintBase<RewriteToQint> {
  /// Says of every op that was not rewritten why.
  void report(func::FuncOp function, const Refusals &refusals,
              const DenseSet<Operation *> &left) {
    InFlightDiagnostic error =
        function.emitError("cannot be rewritten to integer arithmetic");
    DenseSet<Operation *> explained;
    for (const auto &[op, reason] : refusals)
      if (explained.insert(op).second)
        error.attachNote(op->getLoc())
            << "'" << op->getName().getStringRef() << "': " << reason;
    function.walk([&](Operation *op) {
      if (left.contains(op) && !explained.contains(op))
        error.attachNote(op->getLoc())
            << "'" << op->getName().getStringRef() << "' has no integer form";
    });
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    if (failed(Boundary(function).absorb()))
      return signalPassFailure();

    StorageConverter converter;
    RewritePatternSet patterns(&getContext());
    Refusals refusals;
    populateQintWeightPatterns(converter, patterns, refusals);
    populateQintElementwisePatterns(converter, patterns, refusals);
    populateQintReductionPatterns(converter, patterns, refusals);
    populateQintNormPatterns(converter, patterns, refusals);
    populateQintMovePatterns(converter, patterns, refusals);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateReturnOpTypeConversionPattern(patterns, converter);

    ConversionTarget target(getContext());
    target.addLegalDialect<qint::QintDialect>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType()) &&
             converter.isLegal(&op.getBody());
    });
    target.addDynamicallyLegalOp<func::ReturnOp>(
        [&](func::ReturnOp op) { return converter.isLegal(op); });
    // Ops of unknown legality are tried and listed instead of stopping at the
    // first.
    DenseSet<Operation *> left;
    ConversionConfig config;
    config.unlegalizedOps = &left;
    // A cast that stays beside a refused op is not a second error.
    config.buildMaterializations = false;
    LogicalResult result =
        applyPartialConversion(function, target, std::move(patterns), config);
    left.erase(function);
    if (failed(result) || !left.empty() || !refusals.empty()) {
      report(function, refusals, left);
      return signalPassFailure();
    }
    // Weights that were cut in two.
    for (auto constant :
         llvm::make_early_inc_range(function.getOps<qint::ConstantOp>()))
      if (constant.use_empty())
        constant.erase();
  }
};

} // namespace
} // namespace mlir::qopt
