// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the report.

#include "Report.h"
#include "Modes.h"
#include "Overflow.h"
#include "ReportDetails.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Transforms/ChannelScales.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

/// Every observed tensor: range seen, range representable, scale, zero point.
static void writeTensors(llvm::json::OStream &json, Levels &levels,
                         const observers::CalibrationState *state) {
  json.attributeArray("tensors", [&] {
    levels.getFunction("calibrated").walk([&](ObserveOp observe) {
      if (!observe.getScale() || !observe.getZeroPoint())
        return;
      json.object([&] {
        json.attribute("id", llvm::json::fixUTF8(observe.getId()));
        if (state)
          if (const observers::TensorStats *stats =
                  state->find(getStatisticsId(observe))) {
            json.attribute("min", static_cast<double>(stats->min));
            json.attribute("max", static_cast<double>(stats->max));
          }
        json.attribute("bits", static_cast<int64_t>(observe.getBits()));
        json.attribute("scale", observe.getScale()->convertToFloat());
        json.attribute("zero_point",
                       static_cast<int64_t>(*observe.getZeroPoint()));
        json.attribute("method", observe.getMethod());
      });
    });
  });
}

static StringRef getName(ChannelMethod method) {
  return method == ChannelMethod::Norms ? "equalization_of_norms"
                                        : "equalization";
}

/// Without an object, the model's own size and that of quantized weights.
static void writeSizes(llvm::json::OStream &json, Levels &levels,
                       const ModelInfo &info, const RunFigures &figures) {
  json.attributeObject("sizes", [&] {
    json.attribute("model_bytes", levels.getModelBytes());
    if (figures.weightSizes)
      json.attribute("const_bytes", figures.weightSizes->bytes);
    if (!info.constBytes)
      return;
    json.attribute("const_bytes", info.constBytes.value_or(0));
    json.attribute("code_bytes", info.codeBytes.value_or(0));
    json.attribute("arena_bytes", info.arenaBytes);
    json.attribute("live_bytes", levels.getFigures().liveBytes);
    json.attribute("stack_bytes", info.stackBytes.value_or(0));
    json.attribute("macs", info.macs);
  });
}

static void writeTileChoice(llvm::json::OStream &json,
                            const codegen::TileChoice &choice) {
  json.attribute("vectors", choice.vectors);
  json.attribute("rows", choice.rows);
  json.attribute("dots", choice.dots);
}

/// How each shape of a product is cut, and where measuring changed the cost
/// model's mind.
static void writeTiles(llvm::json::OStream &json,
                       llvm::ArrayRef<codegen::TileUse> tiles) {
  json.attributeArray("products", [&] {
    for (const codegen::TileUse &tile : tiles)
      json.object([&] {
        json.attribute("shape", tile.shape);
        json.attribute("kernels", tile.kernels.size());
        writeTileChoice(json, tile.used);
        if (tile.used != tile.modelled)
          json.attributeObject("modelled",
                               [&] { writeTileChoice(json, tile.modelled); });
      });
  });
}

static void writeRangeTrial(llvm::json::OStream &json,
                            const evaluation::RangeTrial &trial) {
  json.attributeObject("range_trial", [&] {
    json.attribute("chosen", trial.chosen);
    json.attribute("samples", trial.samples);
    json.attributeArray("candidates", [&] {
      for (const auto &candidate : trial.candidates)
        json.object([&] {
          json.attribute("method", candidate.method);
          json.attribute("sqnr_db", candidate.db);
          json.attribute("gain_db", candidate.gainDb);
          json.attribute("gain_error_db", candidate.gainErrorDb);
        });
    });
  });
}

static void
writeRefinement(llvm::json::OStream &json, StringRef name,
                const std::optional<evaluation::Refinement> &refinement) {
  if (!refinement)
    return;
  json.attributeObject(name, [&] {
    json.attribute("layers", refinement->layers);
    json.attribute("kept", refinement->kept);
    json.attribute("before_db", refinement->beforeDb);
    json.attribute("after_db", refinement->afterDb);
    json.attribute("skipped_layers", refinement->skipped);
  });
}

static void writeDrop(llvm::json::OStream &json, const DropSearch &search) {
  json.attributeObject("max_drop", [&] {
    json.attribute("allowed", search.allowed);
    json.attribute("drop", search.getBest().drop);
    json.attributeArray("rounds", [&] {
      for (const DropRound &round : search.rounds)
        json.object([&] {
          json.attribute("target_sqnr", round.targetDb);
          json.attribute("slowdown", round.slowdown);
          json.attribute("float_accuracy", round.floatAccuracy);
          json.attribute("integer_accuracy", round.quantizedAccuracy);
          json.attribute("drop", round.drop);
        });
    });
  });
}

static void writeSimulation(llvm::json::OStream &json, SimulationKind kind,
                            const RunFigures &figures) {
  json.attributeObject("simulation", [&] {
    json.attribute("arithmetic",
                   kind == SimulationKind::Float ? "float" : "integer");
    if (!figures.opDifferences)
      return;
    json.attribute("op_results", figures.opDifferences->elements);
    json.attribute("op_results_differing", figures.opDifferences->differing);
    json.attribute("op_largest_steps", figures.opDifferences->largest);
  });
}

static void writeBitSearch(llvm::json::OStream &json,
                           const evaluation::BitSearch &search) {
  json.attributeObject("bit_search", [&] {
    json.attribute("candidates", search.candidates);
    json.attribute("widened", search.widened);
    json.attribute("before_db", search.beforeDb);
    json.attribute("after_db", search.afterDb);
    json.attribute("slowdown", search.slowdown);
  });
}

static void writeWeightBitSearch(llvm::json::OStream &json,
                                 const evaluation::WeightBitSearch &search) {
  json.attributeObject("weight_bit_search", [&] {
    json.attribute("candidates", search.candidates);
    json.attribute("kept", search.kept);
    json.attribute("candidate_weights", search.candidateWeights);
    json.attribute("kept_weights", search.keptWeights);
    json.attribute("before_db", search.beforeDb);
    json.attribute("after_db", search.afterDb);
  });
}

static void writeWeightScaling(llvm::json::OStream &json,
                               const WeightScaling &scaling) {
  json.attributeObject("weight_scaling", [&] {
    json.attribute("groups", scaling.channels.groups);
    json.attribute("layers", scaling.channels.layers);
    json.attribute("without_db", scaling.beforeDb);
    json.attribute("with_db", scaling.afterDb);
    json.attribute("kept", scaling.isKept());
  });
}

/// What the proof of no overflow found.
static void writeAccumulators(llvm::json::OStream &json,
                              ArrayRef<AccumulatorWidth> widths) {
  if (widths.empty())
    return;
  // The first of equals.
  const auto *worst = std::max_element(
      widths.begin(), widths.end(),
      [](const auto &a, const auto &b) { return a.bits < b.bits; });
  json.attributeObject("accumulators", [&] {
    json.attribute("worst_bits", worst->bits);
    json.attribute("worst_id", llvm::json::fixUTF8(worst->id));
    json.attributeArray("layers", [&] {
      for (const AccumulatorWidth &width : widths)
        json.object([&] {
          json.attribute("id", llvm::json::fixUTF8(width.id));
          json.attribute("bits", width.bits);
        });
    });
  });
}

/// What `--inputs` and `--outputs` left out.
static void writeCut(llvm::json::OStream &json, const CompileOptions &options,
                     const Levels &levels) {
  json.attributeObject("cut", [&] {
    auto names = [&](StringRef key, ArrayRef<std::string> values) {
      json.attributeArray(key, [&] {
        for (const std::string &name : values)
          json.value(llvm::json::fixUTF8(name));
      });
    };
    names("inputs", options.cutInputs);
    names("outputs", options.cutOutputs);
    json.attributeObject("left_out", [&] {
      for (const auto &[op, count] : levels.getLeftOut())
        json.attribute(llvm::json::fixUTF8(op), count);
    });
  });
}

static void writeVariants(llvm::json::OStream &json, const ModelInfo &info) {
  json.attributeArray("variants", [&] {
    for (const ModelInfo::Variant &variant : info.variants)
      json.object([&] {
        json.attribute("cpu", variant.cpu);
        json.attribute("code_bytes", variant.codeBytes);
      });
  });
}

std::string mlir::qopt::pipelines::makeReport(const CompileOptions &options,
                                              Levels &levels,
                                              const ObjectArtifacts &artifacts,
                                              const RunFigures &figures) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, 2);
  const ModelInfo &info = artifacts.info;
  auto state = observers::CalibrationState::parse(figures.qcal, "statistics");
  if (!state)
    llvm::consumeError(state.takeError());
  json.object([&] {
    json.attribute("schema_version", 1);
    json.attribute("qopt_version", QOPT_VERSION);
    json.attribute("model", llvm::sys::path::filename(options.model));
    json.attribute("model_hash", info.modelHash);
    json.attribute("name", info.name);
    if (makesObject(options)) {
      json.attribute("target", info.triple);
      json.attribute("cpu", info.cpu);
    }
    if (!info.variants.empty())
      writeVariants(json, info);
    if (options.mode != Mode::Static) {
      json.attribute("mode", formatMode(options.mode));
      json.attribute("weight_bits", options.weightBits);
      json.attribute("weight_group", options.weightGroup);
    } else {
      json.attribute("range", options.range);
    }
    json.attribute("calibration_samples", figures.calibrationSamples);
    if (!options.cutInputs.empty() || !options.cutOutputs.empty())
      writeCut(json, options, levels);
    for (const evaluation::EqualizationGain &gain : figures.equalization)
      json.attributeObject(getName(gain.method), [&] {
        json.attribute("layers", gain.layers);
        json.attribute("without_db", gain.withoutDb);
        json.attribute("with_db", gain.withDb);
        json.attribute("samples", gain.samples);
        json.attribute("kept", gain.isKept());
      });
    if (figures.weightScaling)
      writeWeightScaling(json, *figures.weightScaling);
    if (figures.rangeTrial)
      writeRangeTrial(json, *figures.rangeTrial);
    if (figures.bitSearch)
      writeBitSearch(json, *figures.bitSearch);
    if (figures.weightBitSearch)
      writeWeightBitSearch(json, *figures.weightBitSearch);
    writeRefinement(json, "weight_rounding", figures.refinements.rounding);
    writeRefinement(json, "bias_correction", figures.refinements.bias);
    writeSizes(json, levels, info, figures);
    if (!levels.getFigures().tiles.empty())
      writeTiles(json, levels.getFigures().tiles);
    if (func::FuncOp quantized = levels.getFunction("quantized");
        quantized && options.mode == Mode::Static)
      writeAccumulators(json, getAccumulatorWidths(quantized));
    if (options.mode == Mode::Static)
      writeTensors(json, levels, state ? &*state : nullptr);
    // A report beside a page says the same.
    if (wants(options, EmitKind::ReportHtml))
      writeDetails(json, options, levels, figures, state ? &*state : nullptr);
    if (figures.drop)
      writeDrop(json, *figures.drop);
    if (options.simulation != SimulationKind::None)
      writeSimulation(json, options.simulation, figures);
    if (figures.evaluation) {
      json.attributeBegin("evaluation");
      evaluation::writeJson(json, *figures.evaluation);
      json.attributeEnd();
    }
    if (options.timing)
      writeTiming(json, figures.clock);
  });
  os << "\n";
  return text;
}
