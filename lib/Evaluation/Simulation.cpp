// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that a rounding does not reach are those of the float run.

#include "Simulation.h"
#include "Elements.h"
#include "IsolatedOp.h"
#include "Streams.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;

/// In the float run an observer's result is its input.
static Value skipObservers(Value value) {
  while (auto observe = value.getDefiningOp<ObserveOp>())
    value = observe.getInput();
  return value;
}

static bool isReadByNoEngine(Operation *user) {
  return isa<ObserveOp, func::ReturnOp>(user);
}

llvm::Error Simulation::compile(size_t workers) {
  IsolatedOps ops;
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (isa<ConstantOp>(op)) {
      // An engine has its constants; weights may be hundreds of megabytes.
      if (llvm::any_of(op.getUsers(), isReadByNoEngine))
        if (auto constant = getConstantF32(op.getResult(0)))
          values[op.getResult(0)] = Buffer(constant->begin(), constant->end());
      continue;
    }
    Step step{&op, {}};
    if (!isa<ObserveOp>(op)) {
      auto engine = ops.compileToKeep(op);
      if (!engine)
        return engine.takeError();
      step.engines.push_back(std::move(*engine));
      while (step.engines.size() < workers) {
        auto copy = step.engines.front()->duplicate();
        if (!copy)
          return copy.takeError();
        step.engines.push_back(std::move(*copy));
      }
    }
    steps.push_back(std::move(step));
  }
  return llvm::Error::success();
}

llvm::Expected<Simulation> Simulation::create(func::FuncOp function,
                                              size_t workers) {
  Simulation simulation(function);
  if (llvm::Error error = simulation.compile(workers))
    return std::move(error);
  return simulation;
}

void Simulation::compute(const Step &step, size_t worker,
                         llvm::function_ref<const Buffer &(Value)> get,
                         Buffer &result) {
  result.resize(countElements(step.op->getResult(0)));
  SmallVector<const void *> inputs;
  for (Value operand : step.op->getOperands())
    if (!operand.getDefiningOp<ConstantOp>())
      inputs.push_back(get(operand).data());
  void *output = result.data();
  step.engines[worker]->run(inputs, output);
}

void Simulation::load(ArrayRef<float> sample) {
  for (BlockArgument argument : function.getArguments()) {
    ArrayRef<float> own = sample.take_front(countElements(argument));
    values[argument] = Buffer(own.begin(), own.end());
    sample = sample.drop_front(own.size());
  }
  for (const Step &step : steps) {
    if (isa<ObserveOp>(step.op))
      continue;
    Buffer buffer;
    compute(
        step, 0, [&](Value value) -> const Buffer & { return getFloat(value); },
        buffer);
    values[step.op->getResult(0)] = std::move(buffer);
  }
}

const Simulation::Buffer &Simulation::getFloat(Value value) const {
  return values.find(skipObservers(value))->second;
}

PartErrors Simulation::run(llvm::function_ref<bool(ObserveOp)> rounds,
                           size_t worker, std::vector<double> *shift) {
  // What differs from the float run, until its last reader has seen it.
  llvm::DenseMap<Value, Buffer> changed;
  llvm::DenseMap<Value, unsigned> remaining;
  auto get = [&](Value value) -> const Buffer & {
    auto found = changed.find(value);
    return found != changed.end() ? found->second : getFloat(value);
  };
  auto set = [&](Value value, Buffer buffer) {
    remaining[value] =
        std::distance(value.getUses().begin(), value.getUses().end());
    changed[value] = std::move(buffer);
  };
  for (const Step &step : steps) {
    Value result = step.op->getResult(0);
    auto observe = dyn_cast<ObserveOp>(step.op);
    bool isReached = llvm::any_of(step.op->getOperands(), [&](Value operand) {
      return changed.contains(operand);
    });
    if (observe && (isReached || rounds(observe))) {
      Buffer buffer = get(observe.getInput());
      if (rounds(observe))
        numerics::simulate(buffer, getParams(observe));
      set(result, std::move(buffer));
    } else if (isReached) {
      Buffer buffer;
      compute(step, worker, get, buffer);
      set(result, std::move(buffer));
    }
    for (Value operand : step.op->getOperands())
      if (auto left = remaining.find(operand);
          left != remaining.end() && --left->second == 0)
        changed.erase(operand);
  }
  PartErrors errors(parts);
  size_t place = 0;
  for (Value output : function.getBody().front().getTerminator()->getOperands())
    for (auto [real, value] : llvm::zip_equal(getFloat(output), get(output))) {
      errors.add(place, real, value);
      if (shift) {
        shift->resize(std::max(shift->size(), place + 1));
        (*shift)[place] += static_cast<double>(real) - value;
      }
      ++place;
    }
  return errors;
}
