// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Progress and closing lines.

#include "Summary.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

void Progress::tick(int64_t done, int64_t total) {
  if (streams.tick)
    streams.tick(what, done, total);
  if (!isTerminal || total <= 0)
    return;
  int percent = static_cast<int>(100 * done / total);
  if (percent == lastPercent)
    return;
  lastPercent = percent;
  os << "\r" << what << " [" << std::string(percent / 4, '#')
     << std::string(25 - percent / 4, ' ') << "] " << percent << " % ";
  os.flush();
}

void Progress::finish() {
  if (isTerminal && lastPercent >= 0)
    os << "\r" << std::string(what.size() + 40, ' ') << "\r";
  lastPercent = -1;
}

static std::string bytes(uint64_t count) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (count < 10000)
    os << count << " B";
  else
    os << llvm::format("%.1f KB", static_cast<double>(count) / 1000.0);
  return text;
}

/// `1 layer`, `2 layers`.
static std::string counted(uint64_t count, llvm::StringRef noun) {
  return std::to_string(count) + " " + noun.str() + (count == 1 ? "" : "s");
}

/// `what` is what stands beside the float model.
static void printAccuracy(llvm::raw_ostream &os, const char *what,
                          const evaluation::Evaluation &evaluation) {
  if (evaluation.floatAccuracy)
    os << llvm::format(
        "accuracy    float %.2f %%, %s %.2f %%; loss %.4f, %.4f\n",
        100 * *evaluation.floatAccuracy, what,
        100 * *evaluation.integerAccuracy, *evaluation.floatLoss,
        *evaluation.integerLoss);
  os << llvm::format("agreement   %.2f %% of ", 100 * evaluation.agreement)
     << counted(evaluation.samples, "sample");
  for (const evaluation::OutputQuality &output : evaluation.outputs)
    os << ", " << output.name << llvm::format(" %.1f dB SQNR", output.sqnrDb);
  os << "\n";
}

static void printTimes(llvm::raw_ostream &os,
                       const evaluation::Evaluation &evaluation) {
  os << llvm::format(
      "time        float %.1f us, integer %.1f us an inference\n",
      evaluation.floatNs / 1000, evaluation.integerNs / 1000);
}

static void printDrop(llvm::raw_ostream &os, const DropSearch &search) {
  const size_t rounds = search.rounds.size();
  os << llvm::format("drop        %.2f points, %s the %.2f of --max-drop",
                     search.getBest().drop,
                     search.isMet() ? "within" : "not within", search.allowed)
     << " (" << rounds << (rounds == 1 ? " round" : " rounds")
     << " of search)\n";
}

static void printWeights(llvm::raw_ostream &os, const CompileOptions &options,
                         Levels &levels, const WeightSizes &sizes) {
  os << "weights     " << sizes.weights << " of " << options.weightBits
     << " bits";
  if (options.weightGroup && options.weightBits < 8)
    os << " in groups of " << options.weightGroup;
  os << "\nsize        " << bytes(levels.getModelBytes()) << " -> "
     << bytes(sizes.bytes) << " of constants\n";
}

/// How far float arithmetic is from the integers.
static void printOpDifferences(llvm::raw_ostream &os,
                               const evaluation::OpDifferences &all) {
  const double share = all.elements
                           ? 100.0 * static_cast<double>(all.differing) /
                                 static_cast<double>(all.elements)
                           : 0;
  os << llvm::format("simulated   in float: %.4f %% of %llu op results are not "
                     "the integers', by %lld steps at most\n",
                     share, static_cast<unsigned long long>(all.elements),
                     static_cast<long long>(all.largest));
}

static void printRangeTrial(llvm::raw_ostream &os,
                            const evaluation::RangeTrial &trial) {
  os << "range       " << trial.chosen;
  if (trial.candidates.empty())
    os << ", too few samples to try others";
  for (auto [index, candidate] : llvm::enumerate(trial.candidates))
    os << (index == 0 ? ": " : ", ") << candidate.method
       << llvm::format(" %.1f", candidate.db);
  if (!trial.candidates.empty())
    os << " dB on " << counted(trial.samples, "sample");
  os << "\n";
}

/// What helped, by the samples that judged.
static void printRefinements(llvm::raw_ostream &os,
                             const evaluation::Refinements &refinements) {
  auto print = [&](StringRef name, const evaluation::Refinement &refinement) {
    os << name
       << llvm::format(" %+.1f dB (", refinement.afterDb - refinement.beforeDb)
       << counted(refinement.layers, "layer") << ")";
  };
  const bool rounded = refinements.rounding && refinements.rounding->kept;
  const bool corrected = refinements.bias && refinements.bias->kept;
  if (!rounded && !corrected)
    return;
  os << "refined     ";
  // Biases alone may lose where the two together gain.
  const bool together = rounded && corrected &&
                        refinements.bias->afterDb < refinements.bias->beforeDb;
  if (corrected && !together)
    print("biases", *refinements.bias);
  if (rounded && corrected && !together)
    os << ", ";
  if (rounded)
    print(together ? "weights and biases" : "weights", *refinements.rounding);
  os << "\n";
}

static void printWeightBits(llvm::raw_ostream &os,
                            const evaluation::WeightBitSearch &search,
                            int bits) {
  const double share =
      100.0 * static_cast<double>(search.keptWeights) /
      static_cast<double>(std::max<int64_t>(search.candidateWeights, 1));
  os << llvm::format("weight bits %lld of %lld layers at %d (%.0f %% of their "
                     "weights), SQNR by weights %.1f -> %.1f dB\n",
                     static_cast<long long>(search.kept),
                     static_cast<long long>(search.candidates), bits, share,
                     search.beforeDb, search.afterDb);
}

static void printWeightScaling(llvm::raw_ostream &os,
                               const WeightScaling &scaling) {
  os << "scaled      ";
  if (scaling.channels.groups == 0) {
    os << "no channels for finer weights\n";
    return;
  }
  os << "inputs of " << counted(scaling.channels.layers, "layer")
     << llvm::format(" for finer weights, SQNR %.1f -> %.1f dB in "
                     "simulation%s\n",
                     scaling.beforeDb, scaling.afterDb,
                     scaling.isKept() ? "" : ": undone");
}

/// How much of the cost model's work was done over.
static void printTiles(llvm::raw_ostream &os,
                       llvm::ArrayRef<codegen::TileUse> tiles) {
  os << "plan        "
     << llvm::count_if(tiles,
                       [](const codegen::TileUse &tile) {
                         return tile.used != tile.modelled;
                       })
     << " of " << tiles.size()
     << " shapes of products are cut unlike the cost model says\n";
}

void mlir::qopt::pipelines::printSummary(llvm::raw_ostream &os,
                                         const CompileOptions &options,
                                         Levels &levels,
                                         const ObjectArtifacts &artifacts,
                                         const RunFigures &figures,
                                         ArrayRef<OutputFile> files) {
  if (figures.calibrationSamples)
    os << "calibrated  on " << counted(figures.calibrationSamples, "sample")
       << (figures.calibrationSeconds > 0
               ? llvm::formatv(" in {0:F1} s", figures.calibrationSeconds).str()
               : std::string(", read from a file"))
       << "\n";
  for (const evaluation::EqualizationGain &gain : figures.equalization)
    if (gain.samples > 0)
      os << "equalized   "
         << (gain.method == ChannelMethod::Norms ? "normalized inputs"
                                                 : "channels")
         << " of " << counted(gain.layers, "layer")
         << llvm::format(", SQNR %.1f -> %.1f dB in simulation%s\n",
                         gain.withoutDb, gain.withDb,
                         gain.isKept() ? "" : ": undone");
  if (figures.weightScaling)
    printWeightScaling(os, *figures.weightScaling);
  if (figures.rangeTrial)
    printRangeTrial(os, *figures.rangeTrial);
  if (figures.weightBitSearch)
    printWeightBits(os, *figures.weightBitSearch, options.weightBits);
  if (figures.bitSearch && figures.bitSearch->widened)
    os << llvm::format(
        "bits        %lld of %lld activations above 8, SQNR %.1f -> %.1f dB in "
        "simulation, %.2fx the cycles\n",
        static_cast<long long>(figures.bitSearch->widened),
        static_cast<long long>(figures.bitSearch->candidates),
        figures.bitSearch->beforeDb, figures.bitSearch->afterDb,
        figures.bitSearch->slowdown);
  printRefinements(os, figures.refinements);
  if (figures.weightSizes)
    printWeights(os, options, levels, *figures.weightSizes);
  if (!artifacts.object.empty()) {
    uint64_t after = *artifacts.info.constBytes + *artifacts.info.codeBytes;
    os << "size        " << bytes(levels.getModelBytes()) << " -> "
       << bytes(after) << " (constants " << bytes(*artifacts.info.constBytes)
       << ", code " << bytes(*artifacts.info.codeBytes)
       << llvm::format("), ratio %.2f\n",
                       static_cast<double>(levels.getModelBytes()) /
                           static_cast<double>(after));
    if (!artifacts.info.variants.empty()) {
      os << "variants    ";
      for (auto [i, variant] : llvm::enumerate(artifacts.info.variants))
        os << (i ? ", " : "") << variant.cpu << " " << bytes(variant.codeBytes);
      os << " of code\n";
    }
    if (!options.plan.empty() || !options.tune.empty())
      printTiles(os, levels.getFigures().tiles);
    os << "memory      arena " << bytes(artifacts.info.arenaBytes) << ", stack "
       << bytes(*artifacts.info.stackBytes) << "\n";
  }
  if (figures.evaluation)
    printAccuracy(os,
                  options.mode == Mode::Weights ? "weights alone" : "integer",
                  *figures.evaluation);
  // A simulation's time is nobody's.
  if (figures.evaluation && makesObject(options))
    printTimes(os, *figures.evaluation);
  if (options.simulation == SimulationKind::Integer)
    os << "simulated   in integers, as the object computes\n";
  if (figures.opDifferences)
    printOpDifferences(os, *figures.opDifferences);
  if (figures.drop)
    printDrop(os, *figures.drop);
  std::vector<std::string> paths;
  for (const OutputFile &file : files)
    if (file.path != "-")
      paths.push_back(file.path);
  if (!paths.empty())
    os << "wrote       " << llvm::join(paths, ", ") << "\n";
  if (!figures.evaluation && !artifacts.object.empty())
    os << "next        qopt " << options.model
       << " --calibrate ... --eval labelled.npz  shows accuracy before and "
          "after\n";
}
