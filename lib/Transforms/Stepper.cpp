// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function op by op over a batch of samples.

#include "Stepper.h"
#include "Scales.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::qopt;

Stepper::Stepper(func::FuncOp function,
                 ArrayRef<observers::ReservoirSample> samples,
                 FunctionEvaluator &evaluator)
    : evaluator(evaluator) {
  size_t start = 0;
  for (BlockArgument argument : function.getArguments()) {
    size_t count = cast<RankedTensorType>(argument.getType()).getNumElements();
    auto batch = std::make_shared<Batch>();
    for (const observers::ReservoirSample &sample : samples)
      batch->emplace_back(sample.values.begin() + start,
                          sample.values.begin() + start + count);
    values[argument] = batch;
    start += count;
  }
}

/// A function of `op` alone: its operands that vary are the arguments, its
/// constants stand inside.
static OwningOpRef<ModuleOp> isolate(Operation *op) {
  OpBuilder builder(op->getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(op->getLoc());
  builder.setInsertionPointToStart(module->getBody());
  SmallVector<Type> types;
  for (Value operand : op->getOperands())
    if (!isConstant(operand))
      types.push_back(operand.getType());
  auto function = func::FuncOp::create(
      builder, op->getLoc(), "main",
      builder.getFunctionType(types, op->getResultTypes()));
  builder.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  unsigned argument = 0;
  for (Value operand : op->getOperands()) {
    if (isConstant(operand))
      builder.clone(*operand.getDefiningOp(), mapping);
    else
      mapping.map(operand, function.getArgument(argument++));
  }
  // An operand that comes twice is read through its last argument.
  Operation *clone = builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op->getLoc(), clone->getResults());
  return module;
}

llvm::Error Stepper::evaluate(Operation *op) {
  Value result = op->getResult(0);
  if (isa<ObserveOp>(op)) {
    values[result] = values.find(op->getOperand(0))->second;
    return llvm::Error::success();
  }
  SmallVector<const Batch *> arguments;
  for (Value operand : op->getOperands())
    if (!isConstant(operand))
      arguments.push_back(&get(operand));
  OwningOpRef<ModuleOp> module = isolate(op);
  llvm::Expected<Batch> batch =
      evaluator.run(*module->getOps<func::FuncOp>().begin(), arguments);
  if (!batch)
    return batch.takeError();
  values[result] = std::make_shared<const Batch>(std::move(*batch));
  return llvm::Error::success();
}

void Stepper::finish(Operation *op) {
  for (Value operand : op->getOperands()) {
    // Each use counts once; the last one frees the values.
    unsigned uses = std::distance(operand.use_begin(), operand.use_end());
    if (++readers[operand] == uses)
      values.erase(operand);
  }
}
