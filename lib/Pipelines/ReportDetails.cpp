// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the levels of a run and says what a page needs of them.

#include "ReportDetails.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using evaluation::CauseErrors;

/// Bars of a histogram.
static constexpr size_t bars = 96;

static std::string toUtf8(StringRef text) { return llvm::json::fixUTF8(text); }

/// Of the size of an error in parts of the signal.
static double toDb(double part) {
  return part > 0 ? std::clamp(-10 * std::log10(part), -300.0, 300.0) : 300.0;
}

//===----------------------------------------------------------------------===//
// Graph
//===----------------------------------------------------------------------===//

static void writeNode(llvm::json::OStream &json, StringRef id, StringRef op,
                      ArrayRef<std::string> inputs, Type type) {
  json.object([&] {
    json.attribute("id", toUtf8(id));
    json.attribute("op", op);
    json.attributeArray("inputs", [&] {
      for (const std::string &input : inputs)
        json.value(toUtf8(input));
    });
    json.attributeArray("shape", [&] {
      for (int64_t size : cast<RankedTensorType>(type).getShape())
        json.value(size);
    });
    if (!isQuantized(type) || isPerAxis(type))
      return;
    auto element =
        cast<quant::UniformQuantizedType>(getElementTypeOrSelf(type));
    numerics::QuantParams params = quantParams(type);
    json.attribute("bits",
                   int64_t(llvm::Log2_64_Ceil(element.getStorageTypeMax() -
                                              element.getStorageTypeMin())));
    json.attribute("scale", params.scale);
    json.attribute("zero_point", params.zeroPoint);
  });
}

/// The ops of level `quantized`; each is called after the value it makes.
static void writeGraph(llvm::json::OStream &json, func::FuncOp function) {
  llvm::DenseMap<Value, std::string> names;
  json.attributeArray("graph", [&] {
    for (Operation &op : function.getBody().front()) {
      if (isa<qopt::ConstantOp, func::ReturnOp, DequantizeOp>(op))
        continue;
      std::string id = "op" + std::to_string(names.size());
      if (auto name = op.getAttrOfType<StringAttr>("qopt.value"))
        id = name.str();
      std::vector<std::string> inputs;
      for (Value operand : op.getOperands()) {
        if (auto found = names.find(operand); found != names.end())
          inputs.push_back(found->second);
        else if (auto argument = dyn_cast<BlockArgument>(operand))
          if (auto name = function.getArgAttrOfType<StringAttr>(
                  argument.getArgNumber(), "qopt.name"))
            id = name.str();
      }
      names[op.getResult(0)] = id;
      writeNode(json, id, op.getName().stripDialect(), inputs,
                op.getResult(0).getType());
    }
  });
}

//===----------------------------------------------------------------------===//
// Errors, histograms, weights
//===----------------------------------------------------------------------===//

static void writeCauses(llvm::json::OStream &json, StringRef key,
                        const CauseErrors &errors) {
  json.attributeObject(key, [&] {
    auto write = [&](StringRef cause, const std::optional<double> &part) {
      if (part)
        json.attribute(cause, toDb(*part));
    };
    write("weights", errors.weights);
    write("bias", errors.bias);
    write("rounding", errors.rounding);
    write("clipping", errors.clipping);
    write("arithmetic", errors.arithmetic);
    write("all", errors.all);
  });
}

static void writeLayers(llvm::json::OStream &json,
                        const evaluation::LayerErrors &errors) {
  json.attributeObject("layers", [&] {
    json.attribute("samples", errors.samples);
    json.attributeArray("values", [&] {
      for (const evaluation::LayerError &layer : errors.layers)
        json.object([&] {
          json.attribute("id", toUtf8(layer.id));
          writeCauses(json, "own_db", layer.own);
          writeCauses(json, "accumulated_db", layer.accumulated);
        });
    });
  });
}

/// The bin's middle, and back.
static double middleOf(size_t bin) {
  auto edge = [](size_t position) {
    return llvm::bit_cast<float>(static_cast<uint32_t>(position) << 16);
  };
  size_t magnitude = bin & 0x7fff;
  double value = 0.5 * (double(edge(magnitude)) + edge(magnitude + 1));
  return bin & 0x8000 ? -value : value;
}

static void writeHistogram(llvm::json::OStream &json, ObserveOp op,
                           const observers::TensorStats &stats) {
  const double scale = op.getScale()->convertToFloat();
  const int bits = op.getBits();
  const auto zero = static_cast<int64_t>(*op.getZeroPoint());
  json.attributeObject(toUtf8(op.getId()), [&] {
    json.attribute("min", stats.min);
    json.attribute("max", stats.max);
    json.attribute("low", scale * (numerics::signedMin(bits) - zero));
    json.attribute("high", scale * (numerics::signedMax(bits) - zero));
    json.attribute("count", static_cast<int64_t>(stats.count));
    std::vector<uint64_t> counts(bars);
    const double width = (double(stats.max) - stats.min) / bars;
    for (size_t bin = 0; bin < observers::Histogram::numBins; ++bin)
      if (uint64_t count = stats.histogram[bin]) {
        double place = width > 0 ? (middleOf(bin) - stats.min) / width : 0;
        counts[std::clamp<double>(place, 0, bars - 1)] += count;
      }
    json.attributeArray("counts", [&] {
      for (uint64_t count : counts)
        json.value(static_cast<int64_t>(count));
    });
  });
}

static void writeHistograms(llvm::json::OStream &json, func::FuncOp calibrated,
                            const observers::CalibrationState &state) {
  json.attributeObject("histograms", [&] {
    calibrated.walk([&](ObserveOp op) {
      const observers::TensorStats *stats = state.find(getStatisticsId(op));
      if (stats && op.getScale())
        writeHistogram(json, op, *stats);
    });
  });
}

/// The extremes of each channel's real values.
static void writeChannels(llvm::json::OStream &json, Value weight) {
  auto integers = getQuantizedConstant(weight);
  if (!integers || integers->empty())
    return;
  Type type = weight.getType();
  const int64_t channels = cast<RankedTensorType>(type).getDimSize(0);
  const size_t row = integers->size() / channels;
  auto channel = [&](int64_t index) {
    return ArrayRef<int32_t>(*integers).slice(index * row, row);
  };
  auto scaleOf = [&](int64_t index) {
    return quantScale(type, isPerAxis(type) ? index : 0);
  };
  json.attributeArray("min", [&] {
    for (int64_t c = 0; c < channels; ++c)
      json.value(float(scaleOf(c) * *llvm::min_element(channel(c))));
  });
  json.attributeArray("max", [&] {
    for (int64_t c = 0; c < channels; ++c)
      json.value(float(scaleOf(c) * *llvm::max_element(channel(c))));
  });
  json.attributeArray("scale", [&] {
    for (int64_t c = 0; c < channels; ++c)
      json.value(float(scaleOf(c)));
  });
}

static void writeWeights(llvm::json::OStream &json, func::FuncOp quantized) {
  json.attributeObject("weights", [&] {
    quantized.walk([&](QuantizableOpInterface op) {
      OpOperand *weight = op.getWeightOperand();
      auto name = op->getAttrOfType<StringAttr>("qopt.value");
      if (weight && name)
        json.attributeObject(toUtf8(name.getValue()),
                             [&] { writeChannels(json, weight->get()); });
    });
  });
}

//===----------------------------------------------------------------------===//
// Trade-off
//===----------------------------------------------------------------------===//

/// What each step of the search gave, by the samples that judged it.
static void writeTradeOff(llvm::json::OStream &json,
                          const RunFigures &figures) {
  auto row = [&](StringRef step, double db, std::optional<double> cycles,
                 bool kept) {
    json.object([&] {
      json.attribute("step", step);
      json.attribute("sqnr_db", db);
      if (cycles)
        json.attribute("cycles", *cycles);
      json.attribute("kept", kept);
    });
  };
  json.attributeArray("trade_off", [&] {
    for (const evaluation::EqualizationGain &gain : figures.equalization) {
      const bool behindNorms = gain.method == ChannelMethod::Norms;
      row(behindNorms ? "normalized inputs as they are"
                      : "channels as they are",
          gain.withoutDb, std::nullopt, !gain.isKept());
      row(behindNorms ? "normalized inputs equalized" : "channels equalized",
          gain.withDb, std::nullopt, gain.isKept());
    }
    if (const auto &scaling = figures.weightScaling;
        scaling && scaling->channels.groups > 0) {
      row("weights as they are", scaling->beforeDb, std::nullopt,
          !scaling->isKept());
      row("weights of large inputs finer", scaling->afterDb, std::nullopt,
          scaling->isKept());
    }
    if (figures.rangeTrial)
      for (const auto &candidate : figures.rangeTrial->candidates)
        row("range " + candidate.method, candidate.db, std::nullopt,
            candidate.method == figures.rangeTrial->chosen);
    if (figures.bitSearch) {
      const evaluation::BitSearch &search = *figures.bitSearch;
      row("activations of 8 bits", search.beforeDb, 1.0, search.widened == 0);
      row(std::to_string(search.widened) + " activations above 8 bits",
          search.afterDb, search.slowdown, search.widened != 0);
    }
    if (const auto &bias = figures.refinements.bias)
      row("bias correction", bias->afterDb, std::nullopt, bias->kept);
    if (const auto &rounding = figures.refinements.rounding)
      row("weights rounded by outputs", rounding->afterDb, std::nullopt,
          rounding->kept);
  });
}

//===----------------------------------------------------------------------===//
// Remedies
//===----------------------------------------------------------------------===//

namespace {

/// What to do about one value.
struct Remedy {
  StringRef cause;
  /// Flags for the next run; empty: there is none.
  std::string flags;
  /// A rule for --config, or empty.
  std::string rule;
  std::string why;
};

} // namespace

/// A YAML string.
static std::string quote(StringRef text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

static Remedy remedyRule(StringRef cause, StringRef id, StringRef what,
                         StringRef why) {
  Remedy remedy{cause, "--config=remedy.yaml", "", why.str()};
  remedy.rule = "version: 1\nvalues:\n  - name: " + quote(id) + "\n    " +
                what.str() + "\n";
  return remedy;
}

static Remedy findRemedy(const evaluation::LayerError &layer, ObserveOp op,
                         const CompileOptions &options) {
  const CauseErrors &own = layer.own;
  double weights = own.weights.value_or(0), rounding = own.rounding.value_or(0),
         clipping = own.clipping.value_or(0);
  if (clipping >= std::max(weights, rounding))
    return remedyRule("clipping", layer.id, "range: minmax",
                      "take the whole range that was seen");
  if (rounding >= weights && op.getBits() < 16)
    return remedyRule("rounding", layer.id, "bits: 16",
                      "finer steps; it costs cycles");
  if (rounding >= weights)
    return {"rounding", "", "", "it has 16 bits already"};
  if (!options.weightsPerChannel)
    return {"weights", "--weights=per-channel", "",
            "each channel gets its own steps"};
  if (!options.weightRounding)
    return {"weights", "--weight-rounding=auto", "",
            "weights that make up for each other's errors"};
  if (options.weightBits < 8)
    return remedyRule("weights", layer.id, "weight-bits: 8",
                      "finer steps; it costs bytes");
  if (!options.biasCorrection)
    return {"weights", "--bias-correction=on", "",
            "takes the mean of the error away"};
  return {"weights", "", "",
          "weights have 8 bits, a scale a channel and were rounded by outputs "
          "already"};
}

/// For the three values that add the most error of their own.
static void writeRemedies(llvm::json::OStream &json, Levels &levels,
                          const CompileOptions &options,
                          const evaluation::LayerErrors &errors) {
  llvm::StringMap<ObserveOp> observers;
  levels.getFunction("calibrated").walk([&](ObserveOp op) {
    observers[op.getId()] = op;
  });
  std::vector<const evaluation::LayerError *> worst;
  for (const evaluation::LayerError &layer : errors.layers)
    worst.push_back(&layer);
  llvm::sort(worst, [](const auto *a, const auto *b) {
    return std::make_pair(-a->own.all, StringRef(a->id)) <
           std::make_pair(-b->own.all, StringRef(b->id));
  });
  worst.resize(std::min<size_t>(worst.size(), 3));
  json.attributeArray("remedies", [&] {
    for (const evaluation::LayerError *layer : worst)
      json.object([&] {
        Remedy remedy =
            findRemedy(*layer, observers.lookup(layer->id), options);
        json.attribute("id", toUtf8(layer->id));
        json.attribute("own_db", toDb(layer->own.all));
        json.attribute("cause", remedy.cause);
        json.attribute("why", remedy.why);
        json.attribute("flags", remedy.flags);
        if (!remedy.rule.empty())
          json.attribute("config", toUtf8(remedy.rule));
      });
  });
}

void mlir::qopt::pipelines::writeDetails(
    llvm::json::OStream &json, const CompileOptions &options, Levels &levels,
    const RunFigures &figures, const observers::CalibrationState *state) {
  writeGraph(json, levels.getFunction("quantized"));
  writeTradeOff(json, figures);
  if (figures.layers) {
    writeLayers(json, *figures.layers);
    writeRemedies(json, levels, options, *figures.layers);
  }
  if (state)
    writeHistograms(json, levels.getFunction("calibrated"), *state);
  writeWeights(json, levels.getFunction("quantized"));
}
