// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs are quantized as the object's helpers do it.

#include "IntegerRun.h"
#include "Elements.h"
#include "qopt/Support/Error.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;
using calibration::Probe;

numerics::QuantParams evaluation::makeParams(float scale, int64_t zeroPoint,
                                             unsigned bits) {
  numerics::QuantParams params;
  params.scale = scale;
  params.zeroPoint = static_cast<int32_t>(zeroPoint);
  params.qmin = bits == 32 ? INT32_MIN : numerics::signedMin(bits);
  params.qmax = bits == 32 ? INT32_MAX : numerics::signedMax(bits);
  return params;
}

llvm::Expected<numerics::QuantParams>
evaluation::getBoundaryParams(DictionaryAttr attributes, Type type,
                              const llvm::Twine &what) {
  auto scale =
      attributes ? attributes.getAs<FloatAttr>("qint.scale") : FloatAttr();
  auto zeroPoint = attributes ? attributes.getAs<IntegerAttr>("qint.zero_point")
                              : IntegerAttr();
  if (!scale || !zeroPoint)
    return makeError(734, what.str() + " of the integer function has no scale");
  return makeParams(static_cast<float>(scale.getValueAsDouble()),
                    zeroPoint.getInt(),
                    cast<RankedTensorType>(type).getElementTypeBitWidth());
}

const Probe *evaluation::findProbe(const Engine &engine, StringRef id) {
  auto probes = engine.probes();
  auto found =
      llvm::find_if(probes, [&](const Probe &probe) { return probe.id == id; });
  return found == probes.end() ? nullptr : found;
}

/// What each argument of the integer function means.
llvm::Error IntegerRun::addArguments(func::FuncOp integer) {
  for (auto [i, type] : llvm::enumerate(integer.getArgumentTypes())) {
    auto params = getBoundaryParams(integer.getArgAttrDict(i), type,
                                    "input " + llvm::Twine(i));
    if (!params)
      return params.takeError();
    Argument argument;
    argument.bits = cast<RankedTensorType>(type).getElementTypeBitWidth();
    argument.params = *params;
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

llvm::Expected<IntegerRun> IntegerRun::create(func::FuncOp integer) {
  IntegerRun run;
  calibration::EngineOptions options;
  options.keepProbes = true;
  auto engine = Engine::create(integer, options);
  if (!engine)
    return engine.takeError();
  run.engine = std::move(*engine);
  if (llvm::Error error = run.addArguments(integer))
    return std::move(error);
  for (Type type : integer.getResultTypes())
    run.outputs.emplace_back(countElements(type) *
                             4); // At most 32 bits an element.
  return run;
}

void IntegerRun::run(ArrayRef<const float *> inputs) {
  for (auto [argument, values] : llvm::zip_equal(arguments, inputs)) {
    const unsigned bytes = argument.bits / 8;
    for (int64_t i = 0; i < argument.elements; ++i) {
      // Little-endian: the low bytes are the narrower integer.
      int32_t q = numerics::quantize(values[i], argument.params);
      std::memcpy(argument.bytes.data() + i * bytes, &q, bytes);
    }
  }
  SmallVector<const void *> in;
  SmallVector<void *> out;
  for (const Argument &argument : arguments)
    in.push_back(argument.bytes.data());
  for (std::vector<char> &output : outputs)
    out.push_back(output.data());
  engine->run(in, out);
}
