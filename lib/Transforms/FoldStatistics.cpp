// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the scale and zero point of every observed value.

#include "Masks.h"
#include "ScaleGroups.h"
#include "Scales.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/IR/Diagnostics.h"
#include "qopt/Numerics/Requantize.h"
#include "qopt/Observers/MaskedLogits.h"
#include "qopt/Observers/Ranges.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Statistics.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

namespace mlir::qopt {
#define GEN_PASS_DEF_FOLDSTATISTICS
#include "qopt/Transforms/Passes.h.inc"

using numerics::QuantParams;
using numerics::Range;

/// The clamp that `op` ends with, if any.
static FnAttr getLastClamp(Operation *op) {
  if (auto fuses = dyn_cast_or_null<FusesActivationInterface>(op))
    return fuses.getFusedActivation();
  auto unary = dyn_cast_or_null<UnaryOp>(op);
  if (!unary)
    return nullptr;
  auto last = cast<FnAttr>(unary.getFunctions().getValue().back());
  return last.isClamp() ? last : FnAttr();
}

/// `range` without what the producer's clamp never lets through.
static Range clipToActivation(Range range, ObserveOp op) {
  FnAttr clamp = getLastClamp(op.getInput().getDefiningOp());
  if (!clamp)
    return range;
  auto clip = [&](double value) {
    return std::min(std::max(value, clamp.getClampMin()), clamp.getClampMax());
  };
  return {clip(range.min), clip(range.max)};
}

/// The parameters of a value in `[range.min, range.max)` by definition: the
/// steps divide the range evenly, so that the inverse of the scale of a
/// softmax is an integer (docs/arithmetic.md, "Softmax").
static QuantParams chooseFixedParams(Range range, int bits, bool symmetric) {
  QuantParams params;
  params.qmin = numerics::signedMin(bits);
  params.qmax = numerics::signedMax(bits);
  double steps = std::ldexp(1.0, bits);
  if (symmetric) {
    double bound = std::max(std::fabs(range.min), std::fabs(range.max));
    params.scale = static_cast<float>(bound / (steps / 2));
    return params;
  }
  params.scale = static_cast<float>((range.max - range.min) / steps);
  params.zeroPoint = static_cast<int32_t>(numerics::clamp(
      static_cast<int64_t>(numerics::roundHalfEven(
          params.qmin - range.min / static_cast<double>(params.scale))),
      params.qmin, params.qmax));
  return params;
}

static void setParams(ObserveOp op, const QuantParams &params) {
  Builder builder(op.getContext());
  op.setScaleAttr(builder.getF32FloatAttr(params.scale));
  op.setZeroPointAttr(builder.getI64IntegerAttr(params.zeroPoint));
}

/// How much wider than the calibrated range that of a value of more than 8 bits
/// is.
static constexpr double headroom = 2;

/// Where the slope of the function that alone reads `op` jumps, on both sides
/// of 0; 0 if it doesn't.
static double getKink(ObserveOp op) {
  if (op.getBits() == 8 || !op->hasOneUse())
    return 0;
  auto unary = dyn_cast<UnaryOp>(*op->getUsers().begin());
  if (!unary)
    return 0;
  for (Attribute attr : unary.getFunctions()) {
    auto function = cast<FnAttr>(attr);
    if (function.getFunction() == Function::HardSwish)
      return 3;
    if (function.getFunction() == Function::HardSigmoid &&
        function.getParams()[1] == 0.5)
      return 0.5 / function.getParams()[0];
    if (function.getFunction() != Function::Push)
      break;
  }
  return 0;
}

/// A scale at most a quarter above `scale` for which `kink` lies between two
/// segments of a piecewise table (docs/arithmetic.md), of as few segments as
/// possible: no polynomial follows a kink inside of one.
static float alignKink(float scale, double kink) {
  for (int segmentBits : {5, 6, 7}) {
    double step = kink / std::ldexp(1.0, 16 - segmentBits);
    double aligned = step / std::floor(step / static_cast<double>(scale));
    if (aligned <= 1.25 * static_cast<double>(scale))
      return static_cast<float>(aligned);
  }
  return scale;
}

/// Whether all that reads `op` asks for the sign of the value.
static bool onlySignMatters(ObserveOp op) {
  if (!op.getInput().getDefiningOp<SubOp>() || op.getBits() != 8 ||
      op->use_empty())
    return false;
  return llvm::all_of(op->getUsers(), [](Operation *user) {
    auto unary = dyn_cast<UnaryOp>(user);
    if (!unary)
      return false;
    auto first = cast<FnAttr>(unary.getFunctions()[0]);
    Function function = first.getFunction();
    if (function == Function::Sign)
      return true;
    bool compares = function == Function::Greater ||
                    function == Function::GreaterOrEqual ||
                    function == Function::Equal;
    return compares && first.getParams()[0] == 0;
  });
}

/// How much finer than its range such a value's steps are: what saturates keeps
/// its sign.
static constexpr double signPrecision = 256;

/// The range of an observer by its own method.
static FailureOr<Range>
getRange(ObserveOp op, const observers::CalibrationState &statistics) {
  const observers::TensorStats *stats = statistics.find(getStatisticsId(op));
  if (!stats)
    return op.emitError("expects statistics of '")
           << getStatisticsId(op) << "', but the calibration has none";
  if (stats->count == 0)
    return op.emitError("expects values of '")
           << getStatisticsId(op) << "', but the calibration saw none";
  // No pass tries methods; whoever does replaces this one before.
  llvm::Expected<observers::RangeMethod> method =
      op.getMethod() == autoMethod
          ? observers::RangeMethod()
          : observers::parseRangeMethod(op.getMethod());
  if (!method)
    return emitRefusal(op, method.takeError());
  std::optional<observers::TensorStats> raised;
  if (onlySoftmaxReads(op.getResult()))
    raised = observers::raiseMasked(*stats);
  Range range =
      observers::chooseRange(raised ? *raised : *stats, *method, op.getBits(),
                             op.getSymmetric(), op.getPowerOfTwo());
  // More bits are far finer than the 8-bit noise in the value: one of them
  // keeps values that calibration did not see from saturating.
  if (op.getBits() > 8)
    range = {range.min * headroom, range.max * headroom};
  if (onlySignMatters(op))
    range = {range.min / signPrecision, range.max / signPrecision};
  return clipToActivation(range, op);
}

LogicalResult foldStatistics(func::FuncOp function,
                             const observers::CalibrationState &statistics) {
  ScaleGroups groups;
  bool failed = false;
  function.walk([&](ObserveOp op) {
    auto producer = op.getInput().getDefiningOp<QuantizableOpInterface>();
    if (op.getScale())
      return;
    if (producer && producer.getScaleRule() == ScaleRule::Fixed) {
      auto [low, high] =
          producer.getFixedRange(op.getBits(), op.getSymmetric());
      setParams(
          op, chooseFixedParams({low, high}, op.getBits(), op.getSymmetric()));
      return;
    }
    FailureOr<Range> range = getRange(op, statistics);
    failed |= llvm::failed(range);
    if (succeeded(range))
      groups.add(op, *range);
  });
  if (failed)
    return failure();
  function.walk([&](QuantizableOpInterface op) {
    if (mergesValues(op))
      groups.share(op);
  });
  for (auto [op, range] : groups.getUndecided()) {
    if (op.getPowerOfTwo()) {
      setParams(op, numerics::choosePowerOfTwoParams(range, op.getBits(),
                                                     op.getSymmetric()));
      continue;
    }
    QuantParams params =
        numerics::chooseParams(range, op.getBits(), op.getSymmetric());
    if (double kink = getKink(op); kink > 0)
      params.scale = alignKink(params.scale, kink);
    setParams(op, params);
  }
  return success();
}

namespace {

struct FoldStatistics final : impl::FoldStatisticsBase<FoldStatistics> {
  using impl::FoldStatisticsBase<FoldStatistics>::FoldStatisticsBase;

  /// A module that says which model it is takes no other model's statistics.
  LogicalResult checkModel(const observers::CalibrationState &state) {
    auto module = getOperation()->getParentOfType<ModuleOp>();
    auto hash = module ? module->getAttrOfType<StringAttr>("qopt.model_hash")
                       : StringAttr();
    if (!hash || hash.getValue() == llvm::toHex(state.getModelHash(), true))
      return success();
    return getOperation().emitError("expects statistics of this model, but '")
           << statistics << "' is of another";
  }

  void runOnOperation() override {
    llvm::Expected<observers::CalibrationState> state =
        observers::CalibrationState::read(statistics);
    if (!state) {
      (void)emitRefusal(getOperation(), state.takeError());
      return signalPassFailure();
    }
    if (failed(checkModel(*state)) ||
        failed(foldStatistics(getOperation(), *state)))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::qopt
