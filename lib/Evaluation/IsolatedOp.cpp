// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies an op with its constants into a function of its own.

#include "IsolatedOp.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;

/// What decides about the code of an op without constants; empty for others.
static std::string describe(Operation &op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op.getName();
  for (Value operand : op.getOperands()) {
    if (operand.getDefiningOp<ConstantOp>())
      return "";
    os << " " << operand.getType();
  }
  os << " -> " << op.getResultTypes();
  for (NamedAttribute attribute : op.getAttrDictionary())
    if (!attribute.getName().strref().starts_with("qopt."))
      os << " " << attribute.getName().strref() << "=" << attribute.getValue();
  return text;
}

/// `copies` of `op` on arguments of their own. With `weights`, a layer: see
/// `compileLayer`.
static OwningOpRef<ModuleOp> isolate(Operation &op, unsigned copies,
                                     ArrayRef<ArrayRef<float>> weights) {
  SmallVector<Type> arguments, results;
  for (unsigned i = 0; i < copies; ++i) {
    for (Value operand : op.getOperands())
      if (!operand.getDefiningOp<ConstantOp>())
        arguments.push_back(operand.getType());
    llvm::append_range(results, op.getResultTypes());
  }
  OpBuilder builder(op.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, op.getLoc());
  builder.setInsertionPointToStart(module->getBody());
  auto function =
      func::FuncOp::create(builder, op.getLoc(), "main",
                           builder.getFunctionType(arguments, results));
  builder.setInsertionPointToStart(function.addEntryBlock());
  IRMapping constants;
  for (Value operand : op.getOperands())
    if (auto constant = operand.getDefiningOp<ConstantOp>();
        constant && !constants.contains(operand))
      builder.clone(*constant, constants);

  // Copies with one weight share its constant.
  llvm::DenseMap<const float *, Value> known;
  auto getWeight = [&](ArrayRef<float> values) {
    Value &constant = known[values.data()];
    if (!constant)
      constant = createConstantF32(
          builder, op.getLoc(),
          cast<RankedTensorType>(cast<QuantizableOpInterface>(op)
                                     .getWeightOperand()
                                     ->get()
                                     .getType()),
          values);
    return constant;
  };
  SmallVector<Value> values;
  unsigned next = 0;
  for (unsigned i = 0; i < copies; ++i) {
    IRMapping mapping = constants;
    for (Value operand : op.getOperands())
      if (!operand.getDefiningOp<ConstantOp>())
        mapping.map(operand, function.getArgument(next++));
    if (!weights.empty() && !weights[i].empty())
      mapping.map(cast<QuantizableOpInterface>(op).getWeightOperand()->get(),
                  getWeight(weights[i]));
    Operation *copy = builder.clone(op, mapping);
    if (auto fuses = dyn_cast<FusesActivationInterface>(copy);
        fuses && !weights.empty())
      fuses.setFusedActivation(nullptr);
    llvm::append_range(values, copy->getResults());
  }
  func::ReturnOp::create(builder, op.getLoc(), values);
  return module;
}

static llvm::Expected<std::unique_ptr<Engine>>
compileModule(OwningOpRef<ModuleOp> module) {
  return Engine::create(*module->getOps<func::FuncOp>().begin());
}

llvm::Expected<std::shared_ptr<Engine>>
IsolatedOps::compileToKeep(Operation &op) {
  std::string key = describe(op);
  if (auto known = shared.find(key); known != shared.end())
    return known->second;
  auto engine = compileModule(isolate(op, copies, {}));
  if (!engine)
    return engine.takeError();
  std::shared_ptr<Engine> &slot = key.empty() ? current : shared[key];
  slot = std::move(*engine);
  return slot;
}

llvm::Expected<Engine *> IsolatedOps::compile(Operation &op) {
  auto engine = compileToKeep(op);
  if (!engine)
    return engine.takeError();
  return engine->get();
}

llvm::Expected<Engine *>
IsolatedOps::compileLayer(Operation &op, ArrayRef<ArrayRef<float>> weights) {
  auto engine = compileModule(isolate(op, copies, weights));
  if (!engine)
    return engine.takeError();
  current = std::move(*engine);
  return current.get();
}
