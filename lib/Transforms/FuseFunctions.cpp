// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites expressions of one value as one chain of scalar functions.

#include "Names.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

namespace mlir::qopt {
#define GEN_PASS_DEF_FUSEFUNCTIONS
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// Chains longer than this stay several tables: a value that is used often
/// would be written out as often.
constexpr size_t mostFunctions = 64;

/// What an elementwise op does with two operands; nothing for other ops.
std::optional<Function> getOperation(Operation *op) {
  return TypeSwitch<Operation *, std::optional<Function>>(op)
      .Case([](AddOp) { return Function::Add; })
      .Case([](SubOp) { return Function::Sub; })
      .Case([](MulOp) { return Function::Mul; })
      .Case([](DivOp) { return Function::Div; })
      .Case([](MaxOp) { return Function::Max; })
      .Case([](MinOp) { return Function::Min; })
      .Default(std::nullopt);
}

/// The value of all elements of a constant, if they have one.
std::optional<double> getSplat(Value value) {
  // Larger constants are weights, masks, positions.
  if (!isConstantF32(value) ||
      cast<RankedTensorType>(value.getType()).getNumElements() > 4096)
    return std::nullopt;
  SmallVector<float> values = *getConstantF32(value);
  if (!llvm::all_equal(values))
    return std::nullopt;
  return values.front();
}

/// An expression whose root is an op with two operands.
class Expression {
public:
  explicit Expression(Operation *root)
      : root(root), type(root->getResult(0).getType()) {}

  /// The nearest value that the root is a function of; null if there is none.
  Value findSource();
  /// The functions that make the root's value of `source`; empty if they are
  /// too many.
  SmallVector<Attribute> write(Value source);

private:
  bool isExpandable(Operation *op);
  bool addOperands(Operation *op, llvm::SetVector<Value> &values);
  void append(Function function, ArrayRef<double> params = {}) {
    functions.push_back(FnAttr::get(root->getContext(), function, params));
  }
  void writeValue(Value value);
  void writeOperation(Operation *op);
  bool writeWithConstant(Function function, double constant, bool isLhs);

  Operation *root;
  Type type;
  Value source;
  SmallVector<Attribute> functions;
};

} // namespace

/// Adds what `op` reads and varies. False if a constant is no scalar or a
/// tensor is broadcast.
bool Expression::addOperands(Operation *op, llvm::SetVector<Value> &values) {
  for (Value operand : op->getOperands()) {
    if (getSplat(operand))
      continue;
    if (operand.getType() != type || isConstantF32(operand))
      return false;
    values.insert(operand);
  }
  return true;
}

bool Expression::isExpandable(Operation *op) {
  return op && op->getBlock() == root->getBlock() &&
         (isa<UnaryOp>(op) || getOperation(op));
}

Value Expression::findSource() {
  llvm::SetVector<Value> values;
  if (!cast<RankedTensorType>(type).getElementType().isF32() ||
      !addOperands(root, values) || values.empty())
    return Value();
  // The latest of several values must be a function of earlier ones.
  for (size_t steps = 0; values.size() > 1; ++steps) {
    Value latest;
    for (Value value : values) {
      Operation *op = value.getDefiningOp();
      if (op && (!latest || latest.getDefiningOp()->isBeforeInBlock(op)))
        latest = value;
    }
    Operation *op = latest ? latest.getDefiningOp() : nullptr;
    if (steps == mostFunctions || !isExpandable(op))
      return Value();
    values.remove(latest);
    if (!addOperands(op, values) || values.empty())
      return Value();
  }
  return values.front();
}

/// Before and after, the current value is `source` and `value`.
void Expression::writeValue(Value value) {
  if (value == source || functions.size() > mostFunctions)
    return;
  if (std::optional<double> constant = getSplat(value))
    return append(Function::Affine, {0, *constant});
  Operation *op = value.getDefiningOp();
  if (auto unary = dyn_cast<UnaryOp>(op)) {
    writeValue(unary.getInput());
    llvm::append_range(functions, unary.getFunctions());
    return;
  }
  writeOperation(op);
}

/// `value function constant`, with `isLhs` the other way round, of the current
/// value. False for a division by a constant, which has no exact short form.
bool Expression::writeWithConstant(Function function, double constant,
                                   bool isLhs) {
  switch (function) {
  case Function::Add:
    append(Function::Affine, {1, constant});
    return true;
  case Function::Sub:
    append(Function::Affine,
           {isLhs ? -1.0 : 1.0, isLhs ? constant : -constant});
    return true;
  case Function::Mul:
    append(Function::Affine, {constant, 0});
    return true;
  case Function::Max:
    append(Function::Clip, {constant, INFINITY});
    return true;
  case Function::Min:
    append(Function::Clip, {-INFINITY, constant});
    return true;
  default:
    return false;
  }
}

void Expression::writeOperation(Operation *op) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  Function function = *getOperation(op);
  std::optional<double> a = getSplat(lhs), b = getSplat(rhs);
  size_t start = functions.size();
  if (a || b)
    writeValue(a ? rhs : lhs);
  if (!(a || b) || !writeWithConstant(function, a ? *a : *b, a.has_value())) {
    functions.truncate(start);
    append(Function::Push);
    writeValue(lhs);
    if (lhs != source)
      append(Function::Swap);
    writeValue(rhs);
    append(function);
  }
  if (auto fuses = dyn_cast<FusesActivationInterface>(op))
    if (FnAttr clamp = fuses.getFusedActivation())
      functions.push_back(clamp);
}

SmallVector<Attribute> Expression::write(Value value) {
  source = value;
  writeOperation(root);
  if (functions.size() > mostFunctions)
    functions.clear();
  return std::move(functions);
}

namespace {

/// Whether every reader of `first` may read its input instead.
bool mayBypass(UnaryOp first) {
  // A clamp belongs into the op before it, where it narrows the range.
  if (cast<FnAttr>(first.getFunctions()[0]).isClamp() || first->hasOneUse())
    return false;
  return llvm::all_of(first->getUsers(), [&](Operation *user) {
    auto unary = dyn_cast<UnaryOp>(user);
    return unary && unary.getFunctions().size() + first.getFunctions().size() <=
                        mostFunctions;
  });
}

struct FuseFunctions final : impl::FuseFunctionsBase<FuseFunctions> {
  void runOnOperation() override {
    fuseExpressions();
    bypassSharedFunctions();
  }

  /// A function that only functions read: each of them starts from its input,
  /// as many tables as before less one, and one rounding instead of two.
  void bypassSharedFunctions() {
    SmallVector<UnaryOp> unaries;
    getOperation().walk([&](UnaryOp op) { unaries.push_back(op); });
    for (UnaryOp first : unaries) {
      if (!mayBypass(first))
        continue;
      for (Operation *user : llvm::make_early_inc_range(first->getUsers())) {
        auto unary = cast<UnaryOp>(user);
        SmallVector<Attribute> functions(first.getFunctions().getValue());
        llvm::append_range(functions, unary.getFunctions());
        unary.setFunctionsAttr(ArrayAttr::get(&getContext(), functions));
        unary.getInputMutable().assign(first.getInput());
      }
      if (first->use_empty())
        first.erase();
    }
  }

  void fuseExpressions() {
    SmallVector<Operation *> roots;
    getOperation().walk([&](Operation *op) {
      if (mlir::qopt::getOperation(op))
        roots.push_back(op);
    });
    // In order: a part of an expression is a chain before the whole is.
    for (Operation *root : roots) {
      Expression expression(root);
      Value source = expression.findSource();
      if (!source)
        continue;
      SmallVector<Attribute> functions = expression.write(source);
      if (functions.empty())
        continue;
      OpBuilder builder(root);
      auto unary =
          UnaryOp::create(builder, root->getLoc(), root->getResult(0).getType(),
                          source, builder.getArrayAttr(functions));
      takeValueName(root, unary);
      root->getResult(0).replaceAllUsesWith(unary);
      eraseUnused(root);
    }
  }

  /// Erases `op`, which nothing uses, and what only it used.
  static void eraseUnused(Operation *op) {
    llvm::SetVector<Operation *> producers;
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        producers.insert(producer);
    op->erase();
    for (Operation *producer : producers)
      if (producer->use_empty())
        eraseUnused(producer);
  }
};

} // namespace
} // namespace mlir::qopt
