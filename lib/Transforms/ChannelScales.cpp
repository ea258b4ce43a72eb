// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and writes `qopt.channel_scale`.

#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

static constexpr llvm::StringLiteral attrName = "qopt.channel_scale";
static constexpr llvm::StringLiteral methodNames[] = {"weights", "norms"};

static RankedTensorType getResultType(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType());
}

std::optional<ChannelScale> ChannelScale::get(Operation *op) {
  auto attr =
      op ? op->getAttrOfType<DictionaryAttr>(attrName) : DictionaryAttr();
  if (!attr)
    return std::nullopt;
  auto axis = attr.getAs<IntegerAttr>("axis");
  auto by = attr.getAs<StringAttr>("by");
  auto exponents = attr.getAs<DenseI32ArrayAttr>("exponents");
  if (!axis || !by || !exponents || exponents.empty())
    return std::nullopt;
  const auto *name = llvm::find(methodNames, by.getValue());
  RankedTensorType type = getResultType(op);
  if (name == std::end(methodNames) || axis.getInt() < 0 ||
      axis.getInt() >= type.getRank() ||
      type.getDimSize(axis.getInt()) % exponents.getSize() != 0)
    return std::nullopt;
  return ChannelScale{
      static_cast<ChannelMethod>(name - std::begin(methodNames)), axis.getInt(),
      llvm::to_vector(exponents.asArrayRef())};
}

void ChannelScale::set(Operation *op) const {
  Builder builder(op->getContext());
  NamedAttribute entries[] = {
      builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis)),
      builder.getNamedAttr("by", builder.getStringAttr(
                                     methodNames[static_cast<size_t>(method)])),
      builder.getNamedAttr("exponents",
                           builder.getDenseI32ArrayAttr(exponents))};
  op->setAttr(attrName, builder.getDictionaryAttr(entries));
}

SmallVector<float> ChannelScale::getFactors(int64_t size) const {
  const int64_t inner = size / static_cast<int64_t>(exponents.size());
  SmallVector<float> factors;
  for (int64_t i = 0; i < size; ++i)
    factors.push_back(std::ldexp(1.0f, exponents[i / inner]));
  return factors;
}

StringRef mlir::qopt::getStatisticsId(ObserveOp observe) {
  auto id = observe->getAttrOfType<StringAttr>(statisticsAttr);
  return id ? id.getValue() : observe.getId();
}

static std::string getPlainId(ObserveOp observe) {
  return (observe.getId() + plainSuffix).str();
}

static SmallVector<ObserveOp> getObservers(func::FuncOp function) {
  SmallVector<ObserveOp> observers;
  function.walk([&](ObserveOp op) { observers.push_back(op); });
  return observers;
}

void mlir::qopt::addPlainObservers(func::FuncOp observed) {
  for (ObserveOp op : getObservers(observed)) {
    auto scale = ChannelScale::get(op.getInput().getDefiningOp());
    if (!scale)
      continue;
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(op.getType());
    SmallVector<int64_t> shape(type.getRank(), 1);
    shape[scale->axis] = type.getDimSize(scale->axis);
    Value factors =
        createConstantF32(builder, op.getLoc(),
                          RankedTensorType::get(shape, builder.getF32Type()),
                          scale->getFactors(shape[scale->axis]));
    Value plain = MulOp::create(builder, op.getLoc(), type, op.getInput(),
                                factors, FnAttr());
    auto copy = cast<ObserveOp>(builder.clone(*op));
    copy.getInputMutable().assign(plain);
    copy.setId(getPlainId(op));
  }
}

bool mlir::qopt::hasPlainStatistics(func::FuncOp observed,
                                    const observers::CalibrationState &state) {
  return llvm::all_of(getObservers(observed), [&](ObserveOp op) {
    return !ChannelScale::get(op.getInput().getDefiningOp()) ||
           state.find(getPlainId(op));
  });
}

LogicalResult mlir::qopt::takePlainStatistics(func::FuncOp partly,
                                              func::FuncOp scaled) {
  for (auto [to, from] :
       llvm::zip_equal(getObservers(partly), getObservers(scaled))) {
    auto own = ChannelScale::get(to.getInput().getDefiningOp());
    auto scale = ChannelScale::get(from.getInput().getDefiningOp());
    if (own && (!scale || own->exponents != scale->exponents))
      return failure();
    if (scale && !own)
      to->setAttr(statisticsAttr,
                  StringAttr::get(to.getContext(), getPlainId(from)));
  }
  return success();
}
