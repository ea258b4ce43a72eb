// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt show: tensors of statistics or of a compiled model, and weights.

#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Numerics/Weights.h"
#include "qopt/Observers/Ranges.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Pipelines/Levels.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Support/Printable.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Statistics.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

/// One line of the table; a name that is too long pushes its line right.
static void printTensor(llvm::raw_ostream &os, StringRef id, double min,
                        double max, double scale, int64_t zeroPoint) {
  os << llvm::left_justify(makePrintable(id), 40)
     << llvm::format(" %14.6g %14.6g %14.6g %6lld\n", min, max, scale,
                     static_cast<long long>(zeroPoint));
}

static void printHead(llvm::raw_ostream &os) {
  os << llvm::left_justify("tensor", 40)
     << "            min            max          scale   zero\n";
}

static llvm::Error showStatistics(const observers::CalibrationState &state,
                                  const CompileOptions &options,
                                  llvm::raw_ostream &os) {
  // What `auto` would choose takes the model; show what it prefers.
  const std::string range = options.range == autoMethod ? "mse" : options.range;
  auto method = observers::parseRangeMethod(range);
  if (!method)
    return method.takeError();
  os << state.getSamples().size() << " samples, range by " << range << ", "
     << options.activationBits << " bits\n";
  printHead(os);
  for (const auto &tensor : state.getTensors()) {
    numerics::Range range = observers::chooseRange(
        tensor.stats, *method, options.activationBits,
        options.activationsSymmetric, options.powerOfTwo);
    numerics::QuantParams params =
        options.powerOfTwo
            ? numerics::choosePowerOfTwoParams(range, options.activationBits,
                                               options.activationsSymmetric)
            : numerics::chooseParams(range, options.activationBits,
                                     options.activationsSymmetric);
    printTensor(os, tensor.id, tensor.stats.min, tensor.stats.max, params.scale,
                params.zeroPoint);
  }
  return llvm::Error::success();
}

/// The tensors of a report (`tensors`) or of NAME_info (`inputs`, `outputs`).
static llvm::Error showJson(StringRef file, llvm::raw_ostream &os) {
  auto buffer = readFile(file);
  if (!buffer)
    return buffer.takeError();
  auto refuse = [&](StringRef why) {
    return makeError(402, ("'" + file + "' " + why).str(), {},
                     "show reads .qcal files and the JSON of --emit=report");
  };
  auto json = llvm::json::parse((*buffer)->getBuffer());
  if (!json) {
    llvm::consumeError(json.takeError());
    return refuse("is no JSON");
  }
  const llvm::json::Object *root = json->getAsObject();
  if (!root || root->getInteger("schema_version") != 1)
    return refuse("is no report of schema version 1");
  printHead(os);
  for (StringRef key : {"tensors", "inputs", "outputs"}) {
    const llvm::json::Array *tensors = root->getArray(key);
    if (!tensors)
      continue;
    for (const llvm::json::Value &value : *tensors) {
      const llvm::json::Object *tensor = value.getAsObject();
      if (!tensor)
        return refuse("has a tensor that is no object");
      auto number = [&](StringRef name) {
        return tensor->getNumber(name).value_or(0);
      };
      StringRef id = tensor->getString("id").value_or(
          tensor->getString("name").value_or("?"));
      printTensor(os, id, number("min"), number("max"), number("scale"),
                  tensor->getInteger("zero_point").value_or(0));
    }
  }
  return llvm::Error::success();
}

/// Float, integer and dequantized values of one weight, channel by channel.
static llvm::Error showWeight(StringRef name, Value weight,
                              const CompileOptions &options,
                              llvm::raw_ostream &os) {
  auto values = getConstantF32(weight);
  if (!values)
    return llvm::Error::success();
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t channels = type.getDimSize(0);
  numerics::WeightOptions weightOptions;
  weightOptions.perChannel = options.weightsPerChannel;
  weightOptions.bits = options.weightBits;
  numerics::QuantizedWeights quantized =
      numerics::quantizeWeights(*values, channels, weightOptions);
  int64_t perChannel = type.getNumElements() / channels;
  os << "weight '" << makePrintable(name) << "', " << channels << " channels of " << perChannel
     << "\n";
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    float scale =
        quantized.scales[quantized.scales.size() == 1 ? 0 : i / perChannel];
    int32_t q = quantized.values[i];
    os << llvm::format("  %6lld %6lld %14.7g %5d %14.7g\n",
                       static_cast<long long>(i / perChannel),
                       static_cast<long long>(i % perChannel),
                       static_cast<double>((*values)[i]), q,
                       static_cast<double>(scale * static_cast<float>(q)));
  }
  return llvm::Error::success();
}

static llvm::Error showWeights(Levels &levels, const CompileOptions &options,
                               llvm::raw_ostream &os) {
  if (llvm::Error error = levels.observe())
    return error;
  os << "  channel  index          float   int    dequantized\n";
  llvm::Error error = llvm::Error::success();
  levels.getFunction("float").walk([&](QuantizableOpInterface op) {
    OpOperand *weight = op.getWeightOperand();
    if (error || !weight)
      return;
    auto name = op->getAttrOfType<StringAttr>("qopt.value");
    error = showWeight(name ? name.getValue() : StringRef("?"), weight->get(),
                       options, os);
  });
  return error;
}

llvm::Error mlir::qopt::pipelines::show(StringRef file,
                                        const CompileOptions &options,
                                        bool values, const Streams &streams) {
  if (values && options.model.empty())
    return makeError(109, "show --values needs the model", {},
                     "add --model model.onnx");
  Levels levels(options);
  if (values)
    if (llvm::Error error = levels.import())
      return error;
  if (file.ends_with(".qcal")) {
    auto state = observers::CalibrationState::read(file);
    if (!state)
      return state.takeError();
    if (values)
      if (llvm::Error error = levels.checkModel(*state))
        return error;
    if (llvm::Error error = showStatistics(*state, options, streams.results))
      return error;
  } else if (llvm::Error error = showJson(file, streams.results)) {
    return error;
  }
  return values ? showWeights(levels, options, streams.results)
                : llvm::Error::success();
}
