// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function op by op.

#include "qopt/Reference/Evaluate.h"
#include "DynamicOps.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/IR/Shapes.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

namespace {

template <typename... Ops> struct OpList {
  static bool contains(Operation *op) { return isa<Ops...>(op); }

  static llvm::Error evaluate(Operation *op, Operands in, Tensor &out) {
    return llvm::TypeSwitch<Operation *, llvm::Error>(op)
        .template Case<Ops...>(
            [&](auto typed) { return evaluateOp(typed, in, out); })
        .Default([](Operation *other) {
          return makeError(712, "the reference evaluator has no '" +
                                    other->getName().getStringRef().str() +
                                    "'");
        });
  }
};

/// Every op that has an evaluation function.
using EvaluatedOps = OpList<
    ConvOp, GemmOp, MatMulOp, AddOp, SubOp, MulOp, DivOp, MaxOp, MinOp,
    ReduceSumOp, ReduceMaxOp, ReduceMinOp, UnaryOp, BatchNormOp, SoftmaxOp,
    MaxPoolOp, AvgPoolOp, ReduceMeanOp, ReshapeOp, TransposeOp, ConcatOp, PadOp,
    ObserveOp, QuantizeOp, DequantizeOp, RequantizeOp, qint::ConvOp,
    qint::GemmOp, qint::SumPartsOp, qint::MatMulOp, qint::DivOp, qint::MaxOp,
    qint::MinOp, qint::ReduceMaxOp, qint::ReduceMinOp, qint::AddOp, qint::MulOp,
    qint::TableOp, qint::PiecewiseOp, qint::RequantizeOp, qint::SoftmaxOp,
    qint::MaxPoolOp, qint::AvgPoolOp, qint::ReduceMeanOp, qint::ReshapeOp,
    qint::TransposeOp, qint::ConcatOp, qint::PadOp, SliceOp, GatherOp,
    InterpolateOp, qint::SliceOp, qint::GatherOp, qint::InterpolateOp,
    LayerNormOp, qint::LayerNormOp, LogSoftmaxOp, qint::LogSoftmaxOp,
    ReduceL1Op, ReduceL2Op, ReduceSumSquareOp, qint::ReducePowerOp, ArgMaxOp,
    ArgMinOp, qint::ArgMaxOp, qint::ArgMinOp, AttendOp, qint::AttendOp,
    qint::RealGridOp, qint::RealToGridOp, qint::LayerGridOp,
    qint::LayerToGridOp, qint::SumGridOp, qint::SumToGridOp, qint::GridScaleOp,
    qint::ProductGridOp, qint::ProductToGridOp, qint::GridToFixedOp,
    qint::GridQuantizeOp, qint::GridToRealOp>;

} // namespace

/// Every value has a static, countable shape of elements that the evaluator
/// knows.
static bool isEvaluable(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() &&
         countElements(tensor.getShape()) && kindOfElements(tensor);
}

/// The constant's real values or integers.
static llvm::Expected<Tensor> readConstant(Operation *op) {
  auto value = op->getAttrOfType<ElementsAttr>("value");
  llvm::Expected<Tensor> stored = readElements(value);
  if (!stored)
    return stored.takeError();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  return isQuantized(type) ? dequantize(*stored, type) : std::move(*stored);
}

llvm::Expected<Evaluator> Evaluator::create(func::FuncOp function) {
  if (function.isExternal() || !llvm::hasSingleElement(function.getBody()))
    return makeError(712, "the reference evaluator runs functions of one "
                          "block");
  Evaluator evaluator(function);
  llvm::Error errors = llvm::Error::success();
  for (Operation &op : function.getBody().front()) {
    if (isa<ConstantOp, qint::ConstantOp>(op)) {
      llvm::Expected<Tensor> value = readConstant(&op);
      if (value)
        evaluator.constants[op.getResult(0)] = std::move(*value);
      else
        errors = llvm::joinErrors(std::move(errors), value.takeError());
      continue;
    }
    if (isa<func::ReturnOp>(op))
      continue;
    if (!EvaluatedOps::contains(&op) ||
        !llvm::all_of(op.getOperandTypes(), isEvaluable) ||
        !llvm::all_of(op.getResultTypes(), isEvaluable))
      errors = llvm::joinErrors(
          std::move(errors),
          makeError(712, "the reference evaluator has no '" +
                             op.getName().getStringRef().str() + "'"));
  }
  if (errors)
    return errors;
  return evaluator;
}

/// Checks an input against its argument and brings integers of a quantized
/// argument to real values.
static llvm::Expected<Tensor> bindInput(const Tensor &input,
                                        BlockArgument argument) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  std::string name = "input " + std::to_string(argument.getArgNumber());
  if (!type || !isEvaluable(type))
    return makeError(713, name + " has a type that cannot be evaluated");
  if (input.getShape() != type.getShape())
    return makeError(713, name + " has another shape than its argument");
  if (isQuantized(type) &&
      input.getKind() == kindOfElements(storageTensorType(type)))
    return dequantize(input, type);
  if (input.getKind() != kindOfElements(type))
    return makeError(713, name + " holds " +
                              elementName(input.getKind()).str() +
                              ", but its argument " +
                              elementName(*kindOfElements(type)).str());
  return input;
}

llvm::Expected<SmallVector<Tensor>> Evaluator::run(ArrayRef<Tensor> inputs,
                                                   Hook hook) const {
  func::FuncOp body = function;
  Block &block = body.getBody().front();
  if (inputs.size() != block.getNumArguments())
    return makeError(713, "expects " + std::to_string(block.getNumArguments()) +
                              " inputs, but got " +
                              std::to_string(inputs.size()));
  llvm::DenseMap<Value, Tensor> values;
  auto lookup = [&](Value value) -> const Tensor & {
    auto constant = constants.find(value);
    return constant != constants.end() ? constant->second
                                       : values.find(value)->second;
  };
  for (BlockArgument argument : block.getArguments()) {
    llvm::Expected<Tensor> bound =
        bindInput(inputs[argument.getArgNumber()], argument);
    if (!bound)
      return bound.takeError();
    if (hook)
      hook(argument, *bound);
    values[argument] = std::move(*bound);
  }
  for (Operation &op : block.without_terminator()) {
    if (isa<ConstantOp, qint::ConstantOp>(op))
      continue;
    SmallVector<const Tensor *> operands;
    for (Value operand : op.getOperands())
      operands.push_back(&lookup(operand));
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    Tensor result(type.getShape(), *kindOfElements(type));
    if (llvm::Error error = EvaluatedOps::evaluate(&op, operands, result))
      return error;
    if (isQuantized(type))
      result = dequantize(quantize(result, type), type);
    if (hook)
      hook(op.getResult(0), result);
    values[op.getResult(0)] = std::move(result);
  }
  SmallVector<Tensor> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(lookup(value));
  return results;
}

llvm::Expected<SmallVector<Tensor>>
reference::evaluate(func::FuncOp function, ArrayRef<Tensor> inputs, Hook hook) {
  llvm::Expected<Evaluator> evaluator = Evaluator::create(function);
  if (!evaluator)
    return evaluator.takeError();
  return evaluator->run(inputs, hook);
}

llvm::Expected<SmallVector<Tensor>>
reference::evaluateModule(ModuleOp module, ArrayRef<Tensor> inputs, Hook hook) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return makeError(711, "the module has no function 'main'");
  return evaluate(main, inputs, hook);
}
