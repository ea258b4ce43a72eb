// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes back by the bias what quantization does to a layer's mean.

#include "qopt/Transforms/CorrectBias.h"
#include "Names.h"
#include "Scales.h"
#include "Stepper.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Weights.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

namespace {

bool isLayer(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  return quantizable && quantizable.getWeightOperand();
}

ObserveOp getObserver(Operation *op) {
  for (Operation *user : op->getUsers())
    if (auto observe = dyn_cast<ObserveOp>(user))
      return observe;
  return nullptr;
}

/// Gives a layer without bias one of zeros.
void addBias(Operation *op) {
  auto quantizable = cast<QuantizableOpInterface>(op);
  if (quantizable.getBiasOperand())
    return;
  auto weight =
      cast<RankedTensorType>(quantizable.getWeightOperand()->get().getType());
  int64_t channels = weight.getDimSize(quantizable.getWeightChannelAxis());
  OpBuilder builder(op);
  Value bias = createConstantF32(
      builder, op->getLoc(),
      RankedTensorType::get({channels}, weight.getElementType()),
      SmallVector<float>(channels, 0.0f));
  TypeSwitch<Operation *>(op).Case<ConvOp, GemmOp>(
      [&](auto layer) { layer.getBiasMutable().assign(bias); });
}

/// The axis of a layer's result that runs over its output channels.
int64_t getChannelAxis(Operation *op) {
  int64_t rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  return isa<ConvOp>(op) ? 1 : rank - 1;
}

/// `E[a - b]` of each channel.
SmallVector<double> getMeanDifference(Operation *op, const Batch &a,
                                      const Batch &b) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  int64_t axis = getChannelAxis(op);
  int64_t channels = shape[axis];
  int64_t inner = ShapedType::getNumElements(shape.drop_front(axis + 1));
  SmallVector<double> sums(channels, 0.0);
  size_t count = 0;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    for (size_t index = 0; index < x.size(); ++index)
      sums[(index / inner) % channels] +=
          static_cast<double>(x[index]) - y[index];
    count += x.size() / channels;
  }
  for (double &sum : sums)
    sum /= count;
  return sums;
}

double getSquaredError(const Batch &a, const Batch &b) {
  double sum = 0;
  for (auto [x, y] : llvm::zip_equal(a, b))
    for (auto [u, v] : llvm::zip_equal(x, y))
      sum += (static_cast<double>(u) - v) * (static_cast<double>(u) - v);
  return sum;
}

/// A quantized bias constant of `reals` in the place of `layer`'s.
llvm::Error setQuantizedBias(Operation *layer, ArrayRef<float> reals) {
  auto quantizable = cast<QuantizableOpInterface>(layer);
  OpOperand *bias = quantizable.getBiasOperand();
  auto type = cast<RankedTensorType>(bias->get().getType());
  Type weight = quantizable.getWeightOperand()->get().getType();
  float inputScale = quantParams(layer->getOperand(0).getType()).scale;
  SmallVector<int32_t> integers;
  for (auto [channel, real] : llvm::enumerate(reals)) {
    llvm::Expected<int32_t> integer = numerics::quantizeBias(
        real, inputScale, static_cast<float>(quantScale(weight, channel)));
    if (!integer)
      return integer.takeError();
    integers.push_back(*integer);
  }
  OpBuilder builder(layer);
  bias->set(createQuantizedConstant(builder, layer->getLoc(), type, integers));
  return llvm::Error::success();
}

/// Walks the float and the quantized function side by side.
class Corrector {
public:
  /// `layers` has the float op that computes the value of each observer id.
  Corrector(func::FuncOp real, func::FuncOp quantized,
            const llvm::StringMap<Operation *> &layers,
            ArrayRef<observers::ReservoirSample> samples,
            FunctionEvaluator &evaluator)
      : real(real, samples, evaluator),
        quantized(quantized, samples, evaluator), next(real.front().begin()),
        end(real.front().end()), layers(layers) {}

  /// Evaluates an op of the quantized function, corrected if it is a layer.
  llvm::Error step(Operation *op) {
    if (isa<ConstantOp, func::ReturnOp>(op))
      return llvm::Error::success();
    if (llvm::Error error = quantized.evaluate(op))
      return error;
    StringAttr id = getValueName(op);
    Operation *layer =
        isLayer(op) && id ? layers.lookup(id.getValue()) : nullptr;
    if (layer)
      if (llvm::Error error = correct(op, layer))
        return error;
    quantized.finish(op);
    return llvm::Error::success();
  }

  BiasCorrection result;

private:
  /// Evaluates the float function up to `layer`.
  llvm::Error advanceTo(Operation *layer) {
    while (next != end) {
      Operation *op = &*next++;
      if (isa<ConstantOp, func::ReturnOp>(op))
        continue;
      if (llvm::Error error = real.evaluate(op))
        return error;
      real.finish(op);
      if (op == layer)
        break;
    }
    return llvm::Error::success();
  }

  llvm::Error correct(Operation *op, Operation *layer) {
    if (llvm::Error error = advanceTo(layer))
      return error;
    ++result.layers;
    const Batch &target = real.get(layer->getResult(0));
    const Batch &before = quantized.get(op->getResult(0));
    SmallVector<double> difference = getMeanDifference(layer, target, before);
    double errorBefore = getSquaredError(target, before);

    OpOperand *bias = cast<QuantizableOpInterface>(layer).getBiasOperand();
    OpOperand *quantizedBias =
        cast<QuantizableOpInterface>(op).getBiasOperand();
    Value original = quantizedBias->get();
    SmallVector<float> reals = *getConstantF32(bias->get());
    for (auto [value, delta] : llvm::zip_equal(reals, difference))
      value = static_cast<float>(value + delta);
    if (llvm::Error error = setQuantizedBias(op, reals))
      return error;
    if (llvm::Error error = quantized.evaluate(op))
      return error;
    double errorAfter =
        getSquaredError(target, quantized.get(op->getResult(0)));
    if (!(errorAfter < errorBefore)) {
      quantizedBias->set(original);
      return quantized.evaluate(op);
    }
    OpBuilder builder(layer);
    bias->set(createConstantF32(builder, layer->getLoc(),
                                cast<RankedTensorType>(bias->get().getType()),
                                reals));
    ++result.corrected;
    return llvm::Error::success();
  }

  Stepper real;
  Stepper quantized;
  Block::iterator next;
  Block::iterator end;
  const llvm::StringMap<Operation *> &layers;
};

} // namespace

llvm::Expected<BiasCorrection> mlir::qopt::correctBias(
    func::FuncOp function, ArrayRef<observers::ReservoirSample> samples,
    FunctionEvaluator &evaluator, const QuantizeOptions &options) {
  if (samples.empty() || !function.getBody().hasOneBlock())
    return makeError(701, "bias correction needs samples and one block");
  llvm::StringMap<Operation *> layers;
  std::string twice;
  function.walk([&](ObserveOp op) {
    if (!layers.insert({op.getId(), op.getInput().getDefiningOp()}).second)
      twice = op.getId().str();
  });
  if (!twice.empty())
    return makeError(701, "observer id '" + twice + "' occurs twice");
  function.walk([](Operation *op) {
    if (isLayer(op) && getObserver(op))
      addBias(op);
  });

  OwningOpRef<ModuleOp> module = ModuleOp::create(function.getLoc());
  OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
  auto clone = cast<func::FuncOp>(builder.clone(*function));
  PassManager manager(function.getContext());
  manager.addNestedPass<func::FuncOp>(createQuantize(options));
  if (failed(manager.run(*module)))
    return makeError(701, "bias correction cannot quantize the function");

  Corrector corrector(function, clone, layers, samples, evaluator);
  SmallVector<Operation *> ops;
  for (Operation &op : clone.front())
    ops.push_back(&op);
  for (Operation *op : ops)
    if (llvm::Error error = corrector.step(op))
      return error;
  function.walk([](ConstantOp op) {
    if (op->use_empty())
      op->erase();
  });
  return corrector.result;
}
