// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies an op with its constants into a function of its own.

#include "IsolatedOp.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/IR/Qopt.h"

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

namespace {
/// Constants in memory of others. The context keeps nothing of them.
class BorrowedConstants {
public:
  ~BorrowedConstants() {
    for (DenseResourceElementsHandle handle : handles)
      handle.getResource()->setBlob(AsmResourceBlob());
  }

  Value create(OpBuilder &builder, Location loc, RankedTensorType type,
               ArrayRef<float> values) {
    auto attribute = DenseResourceElementsAttr::get(
        type, "borrowed", UnmanagedAsmResourceBlob::allocateInferAlign(values));
    handles.push_back(attribute.getRawHandle());
    return qopt::ConstantOp::create(builder, loc, type, attribute);
  }

private:
  SmallVector<DenseResourceElementsHandle> handles;
};
} // namespace

/// `op` on arguments of its own. With `weights`, a layer: see `compileLayer`.
static OwningOpRef<ModuleOp> isolate(Operation &op, ArrayRef<float> weights,
                                     bool isLayer,
                                     BorrowedConstants &borrowed) {
  SmallVector<Type> arguments;
  for (Value operand : op.getOperands())
    if (!operand.getDefiningOp<ConstantOp>())
      arguments.push_back(operand.getType());
  OpBuilder builder(op.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, op.getLoc());
  builder.setInsertionPointToStart(module->getBody());
  auto function = func::FuncOp::create(
      builder, op.getLoc(), "main",
      builder.getFunctionType(arguments, op.getResultTypes()));
  builder.setInsertionPointToStart(function.addEntryBlock());

  IRMapping mapping;
  if (!weights.empty()) {
    Value own = cast<QuantizableOpInterface>(op).getWeightOperand()->get();
    mapping.map(own, borrowed.create(builder, op.getLoc(),
                                     cast<RankedTensorType>(own.getType()),
                                     weights));
  }
  unsigned next = 0;
  for (Value operand : op.getOperands()) {
    if (mapping.contains(operand))
      continue;
    if (auto constant = operand.getDefiningOp<ConstantOp>())
      builder.clone(*constant, mapping);
    else
      mapping.map(operand, function.getArgument(next++));
  }
  Operation *copy = builder.clone(op, mapping);
  if (auto fuses = dyn_cast<FusesActivationInterface>(copy); fuses && isLayer)
    fuses.setFusedActivation(nullptr);
  func::ReturnOp::create(builder, op.getLoc(), copy->getResults());
  return module;
}

llvm::Expected<std::unique_ptr<Engine>>
IsolatedOps::compileCopy(Operation &op, ArrayRef<float> weights, bool isLayer) {
  BorrowedConstants borrowed;
  OwningOpRef<ModuleOp> module = isolate(op, weights, isLayer, borrowed);
  calibration::EngineOptions options;
  options.cache = &objects;
  return Engine::create(*module->getOps<func::FuncOp>().begin(), options);
}

llvm::Expected<std::shared_ptr<Engine>>
IsolatedOps::compileToKeep(Operation &op) {
  std::string key = describe(op);
  if (auto known = shared.find(key); known != shared.end())
    return known->second;
  auto engine = compileCopy(op, {}, /*isLayer=*/false);
  if (!engine)
    return engine.takeError();
  std::shared_ptr<Engine> result = std::move(*engine);
  if (!key.empty())
    shared[key] = result;
  return result;
}

llvm::Expected<Engine *> IsolatedOps::compile(Operation &op) {
  current.reset();
  auto engine = compileToKeep(op);
  if (!engine)
    return engine.takeError();
  current = std::move(*engine);
  return current.get();
}

llvm::Expected<Engine *> IsolatedOps::compileLayer(Operation &op,
                                                   ArrayRef<float> weights) {
  current.reset();
  auto engine = compileCopy(op, weights, /*isLayer=*/true);
  if (!engine)
    return engine.takeError();
  current = std::move(*engine);
  return current.get();
}
