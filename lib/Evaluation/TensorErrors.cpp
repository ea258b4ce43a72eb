// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Own and accumulated error of each tensor.

#include "TensorErrors.h"
#include "Elements.h"
#include "qopt/IR/Qopt.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;
using calibration::Probe;

void TensorErrors::addEntries(func::FuncOp observed, func::FuncOp integer) {
  observed.walk([&](ObserveOp observe) {
    const Probe *real = findProbe(*floatEngine, observe.getId());
    if (!observe.getScale() || !observe.getZeroPoint() || !real)
      return;
    Entry entry;
    entry.id = observe.getId().str();
    entry.params = makeParams(observe.getScale()->convertToFloat(),
                              *observe.getZeroPoint(), observe.getBits());
    entry.real = real;
    entry.quantized = integers.find(entry.id);
    entry.isInput = isa<BlockArgument>(observe.getInput());
    entries.push_back(std::move(entry));
  });
}

llvm::Expected<TensorErrors> TensorErrors::create(func::FuncOp observed,
                                                  func::FuncOp integer) {
  TensorErrors errors;
  calibration::EngineOptions options;
  options.keepProbes = true;
  auto floatEngine = Engine::create(observed, options);
  if (!floatEngine)
    return floatEngine.takeError();
  auto integerRun = IntegerRun::create(integer);
  if (!integerRun)
    return integerRun.takeError();
  errors.floatEngine = std::move(*floatEngine);
  errors.integers = std::move(*integerRun);
  errors.addEntries(observed, integer);
  for (Type type : observed.getResultTypes())
    errors.floatOutputs.emplace_back(countElements(type));
  return errors;
}

void TensorErrors::add(ArrayRef<float *> inputs) {
  SmallVector<void *> floatPointers;
  for (std::vector<float> &output : floatOutputs)
    floatPointers.push_back(output.data());
  floatEngine->run(SmallVector<const void *>(inputs.begin(), inputs.end()),
                   floatPointers);
  integers.run(SmallVector<const float *>(inputs.begin(), inputs.end()));

  for (Entry &entry : entries) {
    const int64_t count = calibration::countElements(*entry.real);
    real.resize(count);
    rounded.resize(count);
    calibration::copyElements(*entry.real, real);
    for (int64_t i = 0; i < count; ++i)
      rounded[i] = numerics::dequantize(
          numerics::quantize(real[i], entry.params), entry.params);
    entry.own.add(real, rounded);
    if (!entry.quantized ||
        calibration::countElements(*entry.quantized) != count)
      continue;
    calibration::copyElements(*entry.quantized, rounded);
    for (float &value : rounded)
      value = numerics::dequantize(static_cast<int32_t>(value), entry.params);
    entry.accumulated.add(real, rounded);
  }
}

std::vector<TensorError> TensorErrors::results() const {
  std::vector<TensorError> results;
  for (const Entry &entry : entries) {
    TensorError error;
    error.id = entry.id;
    error.scale = entry.params.scale;
    error.zeroPoint = entry.params.zeroPoint;
    error.ownSqnrDb = entry.own.sqnrDb();
    if (entry.quantized)
      error.accumulatedSqnrDb = entry.accumulated.sqnrDb();
    else if (entry.isInput)
      error.accumulatedSqnrDb = error.ownSqnrDb;
    results.push_back(std::move(error));
  }
  return results;
}
