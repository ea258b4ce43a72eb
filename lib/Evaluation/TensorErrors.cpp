// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Own and accumulated error of each tensor.

#include "TensorErrors.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Support/Error.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;
using calibration::Probe;

static numerics::QuantParams makeParams(float scale, int64_t zeroPoint,
                                        unsigned bits) {
  numerics::QuantParams params;
  params.scale = scale;
  params.zeroPoint = static_cast<int32_t>(zeroPoint);
  params.qmin = bits == 32 ? INT32_MIN : numerics::signedMin(bits);
  params.qmax = bits == 32 ? INT32_MAX : numerics::signedMax(bits);
  return params;
}

static int64_t countElements(Type type) {
  return cast<RankedTensorType>(type).getNumElements();
}

/// The probe of `id`, or null.
static const Probe *findProbe(const Engine &engine, StringRef id) {
  auto probes = engine.probes();
  auto found =
      llvm::find_if(probes, [&](const Probe &probe) { return probe.id == id; });
  return found == probes.end() ? nullptr : found;
}

/// What each argument of the integer function means.
llvm::Error TensorErrors::addArguments(func::FuncOp integer) {
  for (auto [i, type] : llvm::enumerate(integer.getArgumentTypes())) {
    auto scale = integer.getArgAttrOfType<FloatAttr>(i, "qint.scale");
    auto zeroPoint =
        integer.getArgAttrOfType<IntegerAttr>(i, "qint.zero_point");
    if (!scale || !zeroPoint)
      return makeError(734, "input " + std::to_string(i) +
                                " of the integer function has no scale");
    Argument argument;
    argument.bits =
        cast<RankedTensorType>(type).getElementType().getIntOrFloatBitWidth();
    argument.params = makeParams(static_cast<float>(scale.getValueAsDouble()),
                                 zeroPoint.getInt(), argument.bits);
    // A graph input of unsigned integers: the same values, higher by half the
    // range.
    if (auto own = integer.getArgAttrOfType<StringAttr>(i, "qopt.type");
        own && own.getValue().starts_with("uint")) {
      argument.params.zeroPoint -= argument.params.qmin;
      argument.params.qmax -= argument.params.qmin;
      argument.params.qmin = 0;
    }
    argument.elements = countElements(type);
    argument.bytes.resize(argument.elements * argument.bits / 8);
    arguments.push_back(std::move(argument));
  }
  return llvm::Error::success();
}

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
    entry.quantized = findProbe(*integerEngine, entry.id);
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
  auto integerEngine = Engine::create(integer, options);
  if (!integerEngine)
    return integerEngine.takeError();
  errors.floatEngine = std::move(*floatEngine);
  errors.integerEngine = std::move(*integerEngine);
  if (llvm::Error error = errors.addArguments(integer))
    return std::move(error);
  errors.addEntries(observed, integer);
  for (Type type : observed.getResultTypes())
    errors.floatOutputs.emplace_back(countElements(type));
  for (Type type : integer.getResultTypes())
    errors.integerOutputs.emplace_back(countElements(type) *
                                       4); // At most 32 bits an element.
  return errors;
}

void TensorErrors::quantizeInputs(ArrayRef<float *> inputs) {
  for (auto [argument, values] : llvm::zip_equal(arguments, inputs)) {
    const unsigned bytes = argument.bits / 8;
    for (int64_t i = 0; i < argument.elements; ++i) {
      // Little-endian: the low bytes are the narrower integer.
      int32_t q = numerics::quantize(values[i], argument.params);
      std::memcpy(argument.bytes.data() + i * bytes, &q, bytes);
    }
  }
}

void TensorErrors::add(ArrayRef<float *> inputs) {
  SmallVector<void *> floatPointers, integerPointers;
  for (std::vector<float> &output : floatOutputs)
    floatPointers.push_back(output.data());
  for (std::vector<char> &output : integerOutputs)
    integerPointers.push_back(output.data());
  floatEngine->run(SmallVector<const void *>(inputs.begin(), inputs.end()),
                   floatPointers);
  quantizeInputs(inputs);
  SmallVector<const void *> integerInputs;
  for (const Argument &argument : arguments)
    integerInputs.push_back(argument.bytes.data());
  integerEngine->run(integerInputs, integerPointers);

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
