// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt weights: what 2 to 16 bits leave of each weight.

#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Pipelines/Levels.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/Printable.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

namespace {

/// The error of one form of a tensor.
struct FormError {
  /// Mean of `|w - w'|`.
  double mae = 0;
  /// 300 where nothing is lost.
  double sqnrDb = 300;
};

/// One way to write a tensor as integers.
struct Form {
  StringRef name;
  bool symmetric, perChannel;
};

constexpr Form forms[] = {{"symmetric", true, false},
                          {"asymmetric", false, false},
                          {"per_channel", true, true},
                          {"per_channel_asymmetric", false, true}};
constexpr int leastBits = 2, mostBits = 16;

/// A weight of the model and where its channels lie.
struct Weight {
  std::string name;
  SmallVector<int64_t> shape;
  SmallVector<float> values;
  int64_t axis = 0;

  int64_t channels() const { return shape[axis]; }
  int64_t channelOf(size_t index) const {
    int64_t inner = 1;
    for (int64_t size : ArrayRef(shape).drop_front(axis + 1))
      inner *= size;
    return static_cast<int64_t>(index) / inner % channels();
  }
};

} // namespace

/// Plain ranges, from the smallest to the largest value: no value is clipped.
static FormError measure(const Weight &weight, const Form &form, int bits) {
  std::vector<numerics::Range> ranges(form.perChannel ? weight.channels() : 1);
  auto rangeOf = [&](size_t index) {
    return form.perChannel ? weight.channelOf(index) : 0;
  };
  for (auto [i, value] : llvm::enumerate(weight.values)) {
    numerics::Range &range = ranges[rangeOf(i)];
    range.min = std::min<double>(range.min, value);
    range.max = std::max<double>(range.max, value);
  }
  std::vector<numerics::QuantParams> params;
  for (const numerics::Range &range : ranges)
    params.push_back(numerics::chooseParams(range, bits, form.symmetric,
                                            /*narrow=*/form.symmetric));
  double sum = 0, noise = 0, signal = 0;
  for (auto [i, value] : llvm::enumerate(weight.values)) {
    const numerics::QuantParams &own = params[rangeOf(i)];
    double error = static_cast<double>(value) -
                   numerics::dequantize(numerics::quantize(value, own), own);
    sum += std::fabs(error);
    noise += error * error;
    signal += static_cast<double>(value) * value;
  }
  FormError result;
  result.mae = sum / static_cast<double>(weight.values.size());
  if (noise > 0)
    result.sqnrDb = std::clamp(10 * std::log10(signal / noise), -300.0, 300.0);
  return result;
}

/// The constants that are weights of layers, as the file has them.
static std::vector<Weight> findWeights(func::FuncOp function) {
  std::vector<Weight> weights;
  llvm::SmallPtrSet<Operation *, 16> seen;
  function.walk([&](QuantizableOpInterface op) {
    OpOperand *operand = op.getWeightOperand();
    Operation *constant = operand ? operand->get().getDefiningOp() : nullptr;
    if (!constant || !seen.insert(constant).second)
      return;
    auto values = getConstantF32(operand->get());
    if (!values || values->empty())
      return;
    Weight weight;
    auto name = constant->getAttrOfType<StringAttr>("qopt.value");
    weight.name = name ? name.str() : "?";
    weight.shape = llvm::to_vector(
        cast<RankedTensorType>(operand->get().getType()).getShape());
    weight.values = std::move(*values);
    weight.axis = op.getWeightChannelAxis();
    weights.push_back(std::move(weight));
  });
  return weights;
}

static void printWeight(llvm::raw_ostream &os, const Weight &weight) {
  auto [least, most] =
      std::minmax_element(weight.values.begin(), weight.values.end());
  os << "weight '" << makePrintable(weight.name) << "', ";
  llvm::interleave(weight.shape, os, "x");
  os << llvm::format(", in [%.4g, %.4g]\n", static_cast<double>(*least),
                     static_cast<double>(*most));
  os << "  bits        symmetric           asymmetric          per channel     "
        " "
        "  per channel asymmetric\n";
  for (int bits = leastBits; bits <= mostBits; ++bits) {
    os << llvm::format("  %4d", bits);
    for (const Form &form : forms) {
      FormError error = measure(weight, form, bits);
      os << llvm::format("  %10.4g %5.1f dB", error.mae, error.sqnrDb);
    }
    os << "\n";
  }
}

static void writeWeight(llvm::json::OStream &json, const Weight &weight) {
  json.object([&] {
    json.attribute("name", llvm::json::fixUTF8(weight.name));
    json.attributeArray("shape", [&] {
      for (int64_t size : weight.shape)
        json.value(size);
    });
    json.attribute("channel_axis", weight.axis);
    json.attributeArray("errors", [&] {
      for (int bits = leastBits; bits <= mostBits; ++bits)
        json.object([&] {
          json.attribute("bits", bits);
          for (const Form &form : forms) {
            FormError error = measure(weight, form, bits);
            json.attributeObject(form.name, [&] {
              json.attribute("mae", error.mae);
              json.attribute("sqnr_db", error.sqnrDb);
            });
          }
        });
    });
  });
}

llvm::Error mlir::qopt::pipelines::weights(const CompileOptions &options,
                                           bool json, const Streams &streams) {
  Levels levels(options);
  if (llvm::Error error = levels.import())
    return error;
  std::vector<Weight> weights = findWeights(levels.getFunction("import"));
  for (const Weight &weight : weights)
    if (!llvm::all_of(weight.values, [](float v) { return std::isfinite(v); }))
      return makeError(211, "weight '" + weight.name +
                                "' holds a NaN or an infinity");
  if (!json) {
    streams.results << weights.size()
                    << " weights; mean absolute error and SQNR of integers "
                       "without clipping\n";
    for (const Weight &weight : weights)
      printWeight(streams.results, weight);
    return llvm::Error::success();
  }
  llvm::json::OStream stream(streams.results, 2);
  stream.object([&] {
    stream.attribute("schema_version", 1);
    stream.attributeArray("weights", [&] {
      for (const Weight &weight : weights)
        writeWeight(stream, weight);
    });
  });
  streams.results << "\n";
  return llvm::Error::success();
}
