// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each op alone in a function, so that a difference is its own.

#include "qopt/Evaluation/OpSteps.h"
#include "IntegerRun.h"
#include "mlir/IR/IRMapping.h"
#include "qopt/IR/Qopt.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using reference::Tensor;

/// The id of a value: `qopt.value` of its op, or the argument's name.
static std::string getId(Value value, func::FuncOp function) {
  StringAttr id;
  if (auto argument = dyn_cast<BlockArgument>(value))
    id = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                               "qopt.name");
  else if (Operation *op = value.getDefiningOp())
    id = op->getAttrOfType<StringAttr>("qopt.value");
  return id ? id.str() : "";
}

/// The value without the boundary ops around it.
static Value behindQuantize(Value value) {
  if (auto quantize = value.getDefiningOp<QuantizeOp>())
    return quantize.getInput();
  return value;
}

static bool isQuantized(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<quant::UniformQuantizedType>(tensor.getElementType());
}

Tensor evaluation::quantizeInput(func::FuncOp integer, unsigned index,
                                 ArrayRef<float> values) {
  auto type = cast<RankedTensorType>(integer.getArgumentTypes()[index]);
  const numerics::QuantParams params = llvm::cantFail(
      getBoundaryParams(integer.getArgAttrDict(index), type, "an input"));
  Tensor tensor(type.getShape(), *reference::kindOfElements(type));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setInteger(i, numerics::quantize(value, params));
  return tensor;
}

/// `op` alone in a function whose arguments are its activations.
llvm::Expected<std::optional<OpSteps::Isolated>>
OpSteps::isolate(Operation &op, func::FuncOp function) {
  if (op.getNumResults() != 1 || isa<ConstantOp, QuantizeOp>(op) ||
      !isQuantized(op.getResult(0).getType()))
    return std::nullopt;
  Isolated isolated;
  isolated.id = getId(op.getResult(0), function);
  isolated.resultType = cast<RankedTensorType>(op.getResult(0).getType());
  SmallVector<Type> types;
  for (Value operand : op.getOperands())
    if (!operand.getDefiningOp<ConstantOp>()) {
      types.push_back(operand.getType());
      isolated.operandTypes.push_back(
          cast<RankedTensorType>(operand.getType()));
      isolated.operandIds.push_back(getId(behindQuantize(operand), function));
    }
  OpBuilder builder(op.getContext());
  isolated.module = ModuleOp::create(builder, op.getLoc());
  builder.setInsertionPointToStart(isolated.module->getBody());
  auto alone =
      func::FuncOp::create(builder, op.getLoc(), "main",
                           builder.getFunctionType(types, op.getResultTypes()));
  builder.setInsertionPointToStart(alone.addEntryBlock());
  IRMapping mapping;
  unsigned argument = 0;
  for (Value operand : op.getOperands()) {
    if (auto constant = operand.getDefiningOp<ConstantOp>())
      builder.clone(*constant, mapping);
    else
      mapping.map(operand, alone.getArgument(argument++));
  }
  Operation *copy = builder.clone(op, mapping);
  func::ReturnOp::create(builder, op.getLoc(), copy->getResults());
  auto evaluator = reference::Evaluator::create(alone);
  if (!evaluator)
    return evaluator.takeError();
  isolated.evaluator = std::move(*evaluator);
  return isolated;
}

llvm::Expected<OpSteps> OpSteps::create(func::FuncOp quantized,
                                        func::FuncOp integer) {
  auto evaluator = reference::Evaluator::create(integer);
  if (!evaluator)
    return evaluator.takeError();
  OpSteps steps(integer, std::move(*evaluator));
  for (Operation &op : quantized.getBody().front()) {
    auto isolated = isolate(op, quantized);
    if (!isolated)
      return isolated.takeError();
    if (*isolated)
      steps.ops.push_back(std::move(**isolated));
  }
  return steps;
}

llvm::Error OpSteps::check(Isolated &op, const Integers &integers) {
  auto result = integers.find(op.id);
  if (result == integers.end())
    return llvm::Error::success();
  std::vector<Tensor> operands;
  for (auto [id, type] : llvm::zip_equal(op.operandIds, op.operandTypes)) {
    auto operand = integers.find(id);
    if (operand == integers.end())
      return llvm::Error::success();
    operands.push_back(reference::dequantize(operand->second, type));
  }
  auto computed = op.evaluator->run(operands);
  if (!computed)
    return computed.takeError();
  Tensor nearest = reference::quantize(computed->front(), op.resultType);
  for (int64_t i = 0, e = nearest.getNumElements(); i < e; ++i) {
    int64_t difference =
        std::abs(int64_t(nearest.getInteger(i)) - result->second.getInteger(i));
    ++op.differences.elements;
    op.differences.differing += difference != 0;
    op.differences.largest = std::max(op.differences.largest, difference);
  }
  return llvm::Error::success();
}

llvm::Expected<SmallVector<Tensor>> OpSteps::add(ArrayRef<Tensor> inputs,
                                                 bool compares) {
  Integers integers;
  auto outputs = evaluator.run(inputs, [&](Value value, const Tensor &tensor) {
    if (compares)
      integers[getId(value, integer)] = tensor;
  });
  if (outputs && compares)
    for (Isolated &op : ops)
      if (llvm::Error error = check(op, integers))
        return std::move(error);
  return outputs;
}

OpDifferences OpSteps::getDifferences() const {
  OpDifferences all;
  for (const Isolated &op : ops) {
    ++all.ops;
    all.opsChecked += op.differences.elements != 0;
    all.elements += op.differences.elements;
    all.differing += op.differences.differing;
    all.largest = std::max(all.largest, op.differences.largest);
  }
  return all;
}

llvm::Expected<OpDifferences>
mlir::qopt::evaluation::compareOps(func::FuncOp quantized, func::FuncOp integer,
                                   calibration::LabelledSet &data,
                                   int64_t samples) {
  auto steps = OpSteps::create(quantized, integer);
  if (!steps)
    return steps.takeError();
  for (int64_t sample = 0; sample < std::min(samples, data.size()); ++sample) {
    std::vector<std::vector<float>> values;
    std::vector<float *> pointers;
    for (Type type : integer.getArgumentTypes())
      values.emplace_back(cast<RankedTensorType>(type).getNumElements());
    for (std::vector<float> &input : values)
      pointers.push_back(input.data());
    if (llvm::Error error = data.read(sample, pointers))
      return std::move(error);
    SmallVector<Tensor> inputs;
    for (auto [i, input] : llvm::enumerate(values))
      inputs.push_back(quantizeInput(integer, i, input));
    auto outputs = steps->add(inputs);
    if (!outputs)
      return outputs.takeError();
  }
  return steps->getDifferences();
}
