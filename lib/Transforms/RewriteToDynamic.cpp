// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float ops with integer weights to integer arithmetic that finds the scale of
// each activation when it runs (docs/arithmetic.md, "Dynamic scales").

#include "DynamicForms.h"
#include "DynamicFunctions.h"
#include "QintPatterns.h"
#include "QintReductions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/QintDynamic.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Dynamic.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

namespace mlir::qopt {
#define GEN_PASS_DEF_REWRITETODYNAMIC
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// Integers of a constant weight and the scale of each channel, or of all.
struct WeightValue {
  ElementsAttr integers;
  SmallVector<int16_t> values;
  SmallVector<double> scales;
};

std::optional<WeightValue> readWeight(Value weight) {
  auto dequantize = weight.getDefiningOp<DequantizeOp>();
  if (!dequantize)
    return std::nullopt;
  Value quantized = dequantize.getInput();
  std::optional<SmallVector<int32_t>> values = getQuantizedConstant(quantized);
  Type type = quantized.getType();
  if (!values || (isPerAxis(type) && quantAxis(type) != 0))
    return std::nullopt;
  WeightValue result;
  result.integers = quantized.getDefiningOp<ConstantOp>().getValue();
  result.values.assign(values->begin(), values->end());
  int64_t count =
      isPerAxis(type) ? cast<RankedTensorType>(type).getDimSize(0) : 1;
  for (int64_t channel = 0; channel < count; ++channel) {
    if (quantParams(type, channel).zeroPoint != 0)
      return std::nullopt;
    result.scales.push_back(quantScale(type, channel));
  }
  return result;
}

/// The first index of axis 0 stays the first: what is one sample stays one.
bool keepsSamples(Operation *op, int64_t samples) {
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return transpose.getPermutation().front() == 0;
  if (auto gather = dyn_cast<GatherOp>(op))
    return gather.getAxis() != 0;
  return llvm::all_of(op->getResultTypes(), [&](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() > 1 && tensor.getDimSize(0) == samples;
  });
}

/// The indices of axis 0 where these are samples from the inputs to the
/// outputs, else 1: then all elements share a scale.
int64_t countSamples(func::FuncOp function) {
  int64_t samples = 0;
  for (Type type : function.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    if (tensor.getRank() < 2 || (samples && samples != tensor.getDimSize(0)))
      return 1;
    samples = tensor.getDimSize(0);
  }
  for (Operation &op : function.front().without_terminator())
    if (!isa<ConstantOp, DequantizeOp>(op) && !keepsSamples(&op, samples))
      return 1;
  return std::max<int64_t>(samples, 1);
}

class DynamicRewriter : DynamicForms {
public:
  explicit DynamicRewriter(func::FuncOp function)
      : DynamicForms(function.getContext(), countSamples(function)),
        function(function) {}

  /// Emits an error at the function that names what has no such form.
  LogicalResult run() {
    Block &block = function.front();
    SmallVector<Operation *> old(
        llvm::make_pointer_range(block.without_terminator()));
    builder.setInsertionPointToStart(&block);
    for (BlockArgument argument : block.getArguments())
      rewriteArgument(argument);
    for (Operation *op : old) {
      builder.setInsertionPoint(op);
      rewrite(op);
    }
    if (refusals.empty())
      checkResults(block.getTerminator());
    if (!refusals.empty())
      return report();
    builder.setInsertionPoint(block.getTerminator());
    for (OpOperand &operand : block.getTerminator()->getOpOperands())
      rewriteResult(operand);
    for (Operation *op : llvm::reverse(old))
      op->erase();
    function.setFunctionType(
        FunctionType::get(function.getContext(), block.getArgumentTypes(),
                          block.getTerminator()->getOperandTypes()));
    return success();
  }

private:
  LogicalResult report() {
    InFlightDiagnostic error = function.emitError(
        "the model has no form with scales found at run time; "
        "--mode=static decides them from samples");
    // The first of several that are refused alike speaks for all.
    llvm::StringSet<> said;
    for (const auto &[op, reason] : refusals) {
      std::string text =
          ("'" + op->getName().getStringRef() + "' " + reason).str();
      if (said.insert(text).second)
        error.attachNote(op->getLoc()) << text;
    }
    return error;
  }

  /// What no input reaches is neither on a grid nor bytes.
  void checkResults(Operation *terminator) {
    for (Value result : terminator->getOperands())
      if (!isKnown(result))
        refuse(result.getDefiningOp(), "is a result that no input reaches");
  }

  void refuse(Operation *op, const Twine &reason) {
    refusals.push_back({op, reason.str()});
  }

  //===--------------------------------------------------------------------===//
  // Boundary
  //===--------------------------------------------------------------------===//

  void rewriteArgument(BlockArgument argument) {
    Location loc = argument.getLoc();
    auto type = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      boundaryTypeAttr);
    if (type && type == "uint8")
      return rewriteBytes(argument);
    argument.setType(getType(argument, 32));
    function.setArgAttr(argument.getArgNumber(), "qint.real",
                        builder.getUnitAttr());
    GridValue value;
    value.grid =
        qint::RealGridOp::create(builder, loc, getGridType(), argument);
    value.values = qint::RealToGridOp::create(builder, loc, argument.getType(),
                                              argument, value.grid);
    grids[argument] = value;
  }

  /// Bytes stand for themselves, whatever is in them.
  void rewriteBytes(BlockArgument argument) {
    argument.setType(getType(argument, 8));
    function.setArgAttr(argument.getArgNumber(), "qint.scale",
                        builder.getF64FloatAttr(1));
    function.setArgAttr(argument.getArgNumber(), "qint.zero_point",
                        builder.getI64IntegerAttr(-128));
    ByteValue value;
    value.integers = argument;
    value.scale = createScale(argument.getLoc(), 1);
    value.zeroPoint = -128;
    value.isUnscaled = true;
    bytes[argument] = value;
  }

  void rewriteResult(OpOperand &operand) {
    Value value = operand.get();
    function.setResultAttr(operand.getOperandNumber(), "qint.real",
                           builder.getUnitAttr());
    // What goes through unchanged has its bits already.
    if (isa<BlockArgument>(value) && grids.contains(value))
      return;
    GridValue from = getGrid(value);
    operand.set(qint::GridToRealOp::create(builder, value.getLoc(),
                                           from.values.getType(), from.values,
                                           from.grid));
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  void rewrite(Operation *op) {
    if (isa<ConstantOp, DequantizeOp>(op))
      return;
    // A grid is as fine as its sums are small, which then has no such end.
    FnAttr clamp = getClamp(op);
    if (clamp && (clamp.getClampMin() > 0 || clamp.getClampMax() < 0))
      refuse(op, "clamps to a range without 0");
    else
      rewriteForm(op);
    // What depends on a refused op is not a refusal of its own.
    for (Value result : op->getResults())
      if (!isKnown(result))
        lost.insert(result);
  }

  void rewriteForm(Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case<ConvOp, GemmOp>([&](auto layer) { rewriteLayer(layer); })
        .Case([&](ReshapeOp) { rewriteMove<qint::ReshapeOp>(op); })
        .Case([&](TransposeOp) { rewriteMove<qint::TransposeOp>(op); })
        .Case([&](SliceOp) { rewriteMove<qint::SliceOp>(op); })
        .Case([&](GatherOp) { rewriteMove<qint::GatherOp>(op); })
        .Case([&](MaxPoolOp) { rewriteMove<qint::MaxPoolOp>(op); })
        .Case([&](ReduceMaxOp) { rewriteMove<qint::ReduceMaxOp>(op); })
        .Case([&](ReduceMinOp) { rewriteMove<qint::ReduceMinOp>(op); })
        .Case([&](UnaryOp unary) { rewriteFunction(unary); })
        .Case([&](PadOp pad) { rewritePad(pad); })
        .Case([&](AddOp sum) { rewriteSum(sum); })
        .Case([&](MulOp product) { rewriteProduct(product); })
        .Case<ReduceMeanOp, AvgPoolOp>([&](auto mean) { rewriteMean(mean); })
        .Default([&](Operation *) { refuse(op, "has no such form"); });
  }

  /// What `op`'s results are clamped to, or null.
  static FnAttr getClamp(Operation *op) {
    auto unary = dyn_cast<UnaryOp>(op);
    if (!unary)
      return op->getAttrOfType<FnAttr>("activation");
    auto fn = cast<FnAttr>(unary.getFunctions()[0]);
    return unary.getFunctions().size() == 1 && fn.isClamp() ? fn : FnAttr();
  }

  /// Whether an operand is computed; says so where it is not.
  bool hasInput(Operation *op, Value input) {
    if (isKnown(input))
      return true;
    if (!lost.contains(input))
      refuse(op, "has a constant operand");
    return false;
  }

  template <typename QintOpT> void rewriteMove(Operation *op) {
    if (!hasInput(op, op->getOperand(0)))
      return;
    ByteValue from = getBytes(op->getOperand(0));
    Value result = op->getResult(0);
    from.integers =
        QintOpT::create(builder, op->getLoc(), TypeRange(getType(result, 8)),
                        from.integers, op->getAttrs());
    bytes[result] = from;
  }

  void rewriteFunction(UnaryOp op) {
    if (!hasInput(op, op.getInput()))
      return;
    auto fn = cast<FnAttr>(op.getFunctions()[0]);
    if (op.getFunctions().size() == 1 && fn.isClamp()) {
      grids[op.getResult()] =
          createClamped(op.getResult(), getBytes(op.getInput()), fn);
      return;
    }
    std::optional<FixedFunction> fixed = fitFunction(op.getChain());
    if (!fixed)
      return refuse(op, "neither levels off on both sides nor grows evenly");
    Location loc = op.getLoc();
    GridValue from = getGrid(op.getInput());
    Value input = qint::GridToFixedOp::create(
        builder, loc, getType(op.getResult(), 16), from.values, from.grid,
        builder.getI32IntegerAttr(fixed->inputExponent));
    ByteValue value;
    value.integers = createTable(loc, *fixed, input);
    value.scale = createScale(loc, fixed->output.scale);
    // An i16 is below 2^16 in magnitude, an i8 less its zero point below 2^8.
    if (fixed->isFactor) {
      grids[op.getResult()] = createProduct(
          op.getResult(), getBytes(op.getInput()), value, 24, FnAttr());
      return;
    }
    GridValue result =
        createScaled(op.getResult(), value, /*zeroPoint=*/0, 16, 1, FnAttr());
    result.isPositive = fixed->isPositive;
    grids[op.getResult()] = result;
  }

  Value createTable(Location loc, const FixedFunction &fixed, Value input) {
    auto type = cast<RankedTensorType>(input.getType());
    if (fixed.pieces)
      return qint::PiecewiseOp::create(
          builder, loc, type, input, fixed.pieces->base, fixed.pieces->slope,
          fixed.pieces->curve, fixed.pieces->fractionBits, fixed.output.qmin,
          fixed.output.qmax);
    return qint::TableOp::create(builder, loc, type, input,
                                 builder.getDenseI16ArrayAttr(fixed.table));
  }

  void rewriteProduct(MulOp op) {
    // Not in one expression: both operands have something to say.
    const bool hasLeft = hasInput(op, op.getLhs());
    if (!hasInput(op, op.getRhs()) || !hasLeft)
      return;
    ByteValue left = getBytes(op.getLhs()), right = getBytes(op.getRhs());
    GridValue result =
        createProduct(op.getResult(), left, right, 16, op.getActivationAttr());
    result.isPositive |= left.zeroPoint == -128 && right.zeroPoint == -128;
    grids[op.getResult()] = result;
  }

  void rewritePad(PadOp op) {
    if (!hasInput(op, op.getInput()))
      return;
    ByteValue from = getBytes(op.getInput());
    if (!op.getValue().isZero() && !from.isUnscaled)
      return refuse(op, "pads with another value than 0");
    const int32_t value = numerics::quantize(op.getValue().convertToFloat(),
                                             {1, from.zeroPoint, -128, 127});
    from.integers = qint::PadOp::create(
        builder, op.getLoc(), getType(op.getResult(), 8), from.integers,
        op.getPadsAttr(), builder.getI32IntegerAttr(value));
    bytes[op.getResult()] = from;
  }

  void rewriteSum(AddOp op) {
    if (op.getLhs().getType().getShape() != op.getRhs().getType().getShape())
      return refuse(op, "broadcasts an operand");
    // Not in one expression: both operands have something to say.
    const bool hasLeft = hasInput(op, op.getLhs());
    if (!hasInput(op, op.getRhs()) || !hasLeft)
      return;
    ByteValue left = getBytes(op.getLhs()), right = getBytes(op.getRhs());
    FnAttr clamp = op.getActivationAttr();
    GridValue result;
    result.isPositive = (clamp && clamp.getClampMin() >= 0) ||
                        (left.zeroPoint == -128 && right.zeroPoint == -128);
    result.grid = qint::SumGridOp::create(
        builder, op.getLoc(), getGridType(), left.scale, right.scale,
        getLowerEnd(clamp), getUpperEnd(clamp));
    result.values = qint::SumToGridOp::create(
        builder, op.getLoc(), getType(op.getResult(), 32), left.integers,
        right.integers, result.grid, builder.getI32IntegerAttr(left.zeroPoint),
        builder.getI32IntegerAttr(right.zeroPoint));
    grids[op.getResult()] = result;
  }

  /// Means of `counts`, ascending, elements: 16 bits at 1/128 of the input's
  /// scale, then a grid; `create` makes the op.
  template <typename OpT>
  void rewriteMean(OpT op, ArrayRef<int64_t> counts,
                   llvm::function_ref<Value(const ByteValue &, RankedTensorType,
                                            qint::RequantAttr)>
                       create) {
    if (!hasInput(op, op.getInput()))
      return;
    ByteValue from = getBytes(op.getInput());
    constexpr float parts = 128;
    ValueParams params;
    params.inputs.push_back({parts, from.zeroPoint, -128, 127});
    params.result = {1, 0, INT16_MIN, INT16_MAX};
    llvm::Expected<qint::RequantAttr> requant =
        getSumRequant(op.getContext(), params, counts, /*isMean=*/true);
    if (!requant)
      return refuse(op, getErrorMessage(requant.takeError()));
    from.integers = create(from, getType(op.getResult(), 16), *requant);
    GridValue result = createScaled(op.getResult(), from, /*zeroPoint=*/0,
                                    /*bits=*/15, 1 / parts, FnAttr());
    result.isPositive = from.zeroPoint == -128;
    grids[op.getResult()] = result;
  }

  void rewriteMean(ReduceMeanOp op) {
    int64_t count = 1;
    for (int64_t axis : op.getAxes())
      count *= cast<RankedTensorType>(op.getInput().getType()).getDimSize(axis);
    rewriteMean(op, count,
                [&](const ByteValue &from, RankedTensorType type,
                    qint::RequantAttr requant) {
                  return qint::ReduceMeanOp::create(
                      builder, op.getLoc(), type, from.integers,
                      op.getAxesAttr(), op.getKeepDimsAttr(),
                      builder.getI32IntegerAttr(from.zeroPoint), requant);
                });
  }

  void rewriteMean(AvgPoolOp op) {
    SmallVector<int64_t> counts = countTaps(op);
    rewriteMean(op, counts,
                [&](const ByteValue &from, RankedTensorType type,
                    qint::RequantAttr requant) {
                  return qint::AvgPoolOp::create(
                      builder, op.getLoc(), type, from.integers,
                      op.getKernelAttr(), op.getStridesAttr(), op.getPadsAttr(),
                      op.getDilationsAttr(),
                      builder.getDenseI64ArrayAttr(counts),
                      builder.getI32IntegerAttr(from.zeroPoint), requant);
                });
  }

  /// The bits of the largest accumulator, or nothing and a refusal.
  std::optional<int32_t> proveAccumulator(Operation *op,
                                          const WeightValue &weight,
                                          int64_t channels, int32_t zeroPoint) {
    const size_t length = weight.values.size() / channels;
    int64_t largest = 1;
    for (int64_t channel = 0; channel < channels; ++channel) {
      numerics::AccumulatorBound bound = numerics::accumulatorBound(
          ArrayRef(weight.values).slice(channel * length, length),
          /*zeroPointW=*/0, -128, 127, zeroPoint, /*bias=*/0);
      if (bound.magnitude() > INT32_MAX) {
        refuse(op, "has an accumulator that may leave int32, in channel " +
                       Twine(channel));
        return std::nullopt;
      }
      largest = std::max(largest, bound.magnitude());
    }
    return static_cast<int32_t>(llvm::Log2_64(largest)) + 1;
  }

  template <typename OpT> void rewriteLayer(OpT op) {
    if (!hasInput(op, op.getInput()))
      return;
    std::optional<WeightValue> weight = readWeight(op.getWeight());
    if (!weight)
      return refuse(op, "has a weight that is not constant");
    SmallVector<double> bias;
    if (op.getBias()) {
      std::optional<SmallVector<float>> values = getConstantF32(op.getBias());
      if (!values)
        return refuse(op, "has a bias that is not constant");
      bias.assign(values->begin(), values->end());
    }
    if (llvm::all_of(bias, [](double value) { return value == 0; }))
      bias.clear();
    ByteValue input = getBytes(op.getInput());
    const int64_t axis = isa<ConvOp>(op) ? 1 : op.getType().getRank() - 1;
    std::optional<int32_t> bits = proveAccumulator(
        op, *weight, op.getType().getDimSize(axis), input.zeroPoint);
    if (!bits)
      return;

    numerics::Mantissas multipliers = numerics::shareExponent(weight->scales);
    for (int32_t &multiplier : multipliers.values)
      multiplier = std::max(multiplier, 1);
    numerics::Mantissas biases = numerics::shareExponent(bias);
    GridValue result =
        createGrid(op.getLoc(), input.scale, multipliers,
                   bias.empty() ? std::nullopt : std::optional(biases.exponent),
                   *bits, op.getActivationAttr());
    Value integers =
        qint::ConstantOp::create(builder, op.getLoc(), weight->integers);
    Value accumulators = createLayer(op, input, integers);
    result.values = qint::LayerToGridOp::create(
        builder, op.getLoc(), cast<RankedTensorType>(accumulators.getType()),
        accumulators, result.grid, builder.getI64IntegerAttr(axis),
        builder.getDenseI32ArrayAttr(multipliers.values),
        builder.getDenseI32ArrayAttr(biases.values),
        builder.getI32IntegerAttr(0));
    grids[op.getResult()] = result;
  }

  Value createLayer(ConvOp op, const ByteValue &input, Value weight) {
    return qint::ConvOp::create(
        builder, op.getLoc(), getType(op.getResult(), 32), input.integers,
        weight, /*bias=*/Value(), builder.getI32IntegerAttr(input.zeroPoint),
        builder.getDenseI32ArrayAttr({}), op.getStridesAttr(), op.getPadsAttr(),
        op.getDilationsAttr(), op.getGroupsAttr(),
        qint::getIdentityRequant(op.getContext()));
  }

  Value createLayer(GemmOp op, const ByteValue &input, Value weight) {
    return qint::GemmOp::create(
        builder, op.getLoc(), getType(op.getResult(), 32), input.integers,
        weight, /*bias=*/Value(), builder.getI32IntegerAttr(input.zeroPoint),
        builder.getDenseI32ArrayAttr({}),
        qint::getIdentityRequant(op.getContext()));
  }

  func::FuncOp function;
  Refusals refusals;
  llvm::DenseSet<Value> lost;
};

struct RewriteToDynamic final : impl::RewriteToDynamicBase<RewriteToDynamic> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    auto isFloat = [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && tensor.getElementType().isF32();
    };
    if (!llvm::hasSingleElement(function.getBody()) ||
        !llvm::all_of(function.getArgumentTypes(), isFloat) ||
        !llvm::all_of(function.getResultTypes(), isFloat)) {
      function.emitError("expects one block on f32 tensors");
      return signalPassFailure();
    }
    if (failed(DynamicRewriter(function).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::qopt
