// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Noises of different observers add up, nearly: each is measured alone, and the
// selection is judged as a whole.

#include "qopt/Evaluation/SearchBits.h"
#include "BitCosts.h"
#include "Simulation.h"
#include "mlir/IR/Threading.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Statistics.h"
#include "qopt/Transforms/WideValues.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

/// Observers that may have more bits, together.
struct Candidate {
  SmallVector<ObserveOp> group;
  int bits;
  double cycles;
  /// Of the outputs by their size, where these alone are rounded to 8 bits.
  double noise = 0;
};

class Search {
public:
  Search(func::FuncOp function, const observers::CalibrationState &state,
         const BitSearchOptions &options)
      : function(function), state(state), options(options) {}

  llvm::Expected<BitSearch> run();

private:
  bool isPossible();
  void findCandidates();
  size_t countSamples();
  llvm::Error measure();
  double measureAll();
  std::vector<Candidate *> select(double enough);
  LogicalResult widen(ArrayRef<Candidate *> selected);
  void narrow();
  llvm::Expected<double> widenUntilEnough();
  func::FuncOp function;
  const observers::CalibrationState &state;
  const BitSearchOptions &options;
  std::vector<Candidate> candidates;
  double baseCycles = 0;
  /// The candidates' observers as they came.
  SmallVector<std::pair<ObserveOp, DictionaryAttr>> original;
  std::optional<Simulation> simulation;
  size_t samples = 0;
  /// Of the outputs by their size, where all activations are rounded.
  double activationNoise = 0;
  BitSearch result;
};

} // namespace

/// What is left may look worse for a while: errors of one sign, which biases
/// take up later, had cancelled each other. Only more than that is refused.
static constexpr double harmful = 2;

static double toDb(double noise) {
  return noise > 0 ? std::min(300.0, -10 * std::log10(noise)) : 300;
}

static bool isInput(ObserveOp op) { return isa<BlockArgument>(op.getInput()); }

static bool isRounding(ObserveOp op) { return op.getScale().has_value(); }

/// Whether all values are static f32 tensors of few enough bytes.
bool Search::isPossible() {
  uint64_t bytes = 0;
  auto count = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.hasStaticShape() || !type.getElementType().isF32())
      return false;
    bytes += 4 * type.getNumElements();
    return true;
  };
  if (!llvm::all_of(function.getArguments(), count))
    return false;
  for (Operation &op : function.getBody().front().without_terminator())
    if (op.getNumResults() != 1 ||
        (!isa<ConstantOp, ObserveOp>(op) && !count(op.getResult(0))))
      return false;
  return bytes <= options.maxBytes && !state.getReservoir().empty() &&
         options.maxSlowdown > 1;
}

void Search::findCandidates() {
  baseCycles = predictCycles(function);
  for (SmallVector<ObserveOp> &group : getWideGroups(function)) {
    if (!options.widensInputs && llvm::any_of(group, isInput))
      continue;
    int bits = getMostBits(group, options.weights);
    if (bits < 10)
      continue;
    double cycles = predictExtraCycles(group);
    result.candidates += group.size();
    for (ObserveOp op : group)
      original.push_back({op, op->getAttrDictionary()});
    candidates.push_back({std::move(group), bits, cycles});
  }
}

/// As many as the budget of multiply-accumulates allows: each candidate's run
/// computes half of the model on average.
size_t Search::countSamples() {
  double macs = 0;
  function.walk([&](Operation *op) { macs += countMacs(op); });
  double each = std::max(macs * (candidates.size() / 2.0 + 3), 1.0);
  size_t most = std::min<size_t>(8, state.getReservoir().size());
  return std::clamp<size_t>(static_cast<size_t>(options.maxMacs / each), 1,
                            most);
}

/// The outputs' noise by their size over all samples where every activation is
/// rounded. What is the same on all samples is left out: biases are corrected
/// later, and errors of one sign cancel or add up as it happens.
double Search::measureAll() {
  PartErrors errors(simulation->getParts());
  std::vector<double> shift;
  for (size_t sample = 0; sample < samples; ++sample) {
    simulation->load(state.getReservoir()[sample].values);
    errors.add(simulation->run(isRounding, 0, &shift));
  }
  if (samples >= 4)
    for (auto [place, sum] : llvm::enumerate(shift))
      errors.subtractNoise(place, sum * sum / samples);
  return errors.getNoise();
}

llvm::Error Search::measure() {
  samples = countSamples();
  const size_t workers = std::max<size_t>(
      1, std::min<size_t>(function.getContext()->getNumThreads(),
                          candidates.size()));
  auto created = Simulation::create(function, workers);
  if (!created)
    return created.takeError();
  simulation = std::move(*created);
  activationNoise = measureAll();
  std::vector<PartErrors> errors(candidates.size(),
                                 PartErrors(simulation->getParts()));
  for (size_t sample = 0; sample < samples; ++sample) {
    simulation->load(state.getReservoir()[sample].values);
    parallelFor(function.getContext(), 0, workers, [&](size_t worker) {
      for (size_t i = worker; i < candidates.size(); i += workers) {
        ArrayRef<ObserveOp> own = candidates[i].group;
        errors[i].add(simulation->run(
            [&](ObserveOp op) { return llvm::is_contained(own, op); }, worker));
      }
    });
  }
  for (auto [candidate, own] : llvm::zip_equal(candidates, errors))
    candidate.noise = own.getNoise();
  return llvm::Error::success();
}

/// Greedy by noise a cycle, until the candidates' own noises sum up to
/// `enough`.
std::vector<Candidate *> Search::select(double enough) {
  std::vector<Candidate *> order, selected;
  for (Candidate &candidate : candidates)
    order.push_back(&candidate);
  // Addresses are in program order.
  llvm::sort(order, [](const Candidate *a, const Candidate *b) {
    double left = a->noise * b->cycles, right = b->noise * a->cycles;
    return left != right ? left > right : a < b;
  });
  double budget = baseCycles * (options.maxSlowdown - 1), left = 0;
  for (const Candidate &candidate : candidates)
    left += candidate.noise;
  // What gains next to nothing stays as it is.
  const double least = enough / 200;
  double extra = 0;
  for (Candidate *candidate : order) {
    if (left <= enough)
      break;
    if (candidate->noise < least || extra + candidate->cycles > budget)
      continue;
    extra += candidate->cycles;
    left -= candidate->noise;
    selected.push_back(candidate);
  }
  return selected;
}

void Search::narrow() {
  for (auto &[op, attributes] : original)
    op->setAttrs(attributes);
}

LogicalResult Search::widen(ArrayRef<Candidate *> selected) {
  narrow();
  result.widened = 0;
  result.slowdown = 1;
  for (Candidate *candidate : selected) {
    result.widened += candidate->group.size();
    result.slowdown += candidate->cycles / baseCycles;
    for (ObserveOp op : candidate->group) {
      op.setBits(candidate->bits);
      if (options.choosesRange && !op->hasAttr(givenRangeAttr))
        op.setMethod("minmax");
      op.setSymmetric(true);
      op.removeScaleAttr();
      op.removeZeroPointAttr();
    }
  }
  return foldStatistics(function, state);
}

/// The noise that is left. What is no candidate has noise too, and noises do
/// not quite add up: where the target is missed, less is asked for, and the
/// best of all selections is taken.
llvm::Expected<double> Search::widenUntilEnough() {
  const double enough = std::pow(10.0, -options.targetDb / 10);
  double least = activationNoise * harmful;
  std::vector<Candidate *> last, best;
  for (double share = 1; share > 1.0 / 64 && least > enough; share /= 2) {
    std::vector<Candidate *> selected = select(share * enough);
    if (selected == last)
      continue;
    last = selected;
    if (failed(widen(selected)))
      return makeError(420, "the statistics do not fit the model");
    if (double noise = measureAll(); noise < least) {
      least = noise;
      best = selected;
    }
  }
  if (best != last && failed(widen(best)))
    return makeError(420, "the statistics do not fit the model");
  return best.empty() ? activationNoise : least;
}

llvm::Expected<BitSearch> Search::run() {
  if (!isPossible())
    return result;
  findCandidates();
  if (candidates.empty())
    return result;
  if (llvm::Error error = measure())
    return std::move(error);
  result.beforeDb = result.afterDb = toDb(activationNoise);
  auto noise = widenUntilEnough();
  if (!noise)
    return noise.takeError();
  result.afterDb = toDb(*noise);
  return result;
}

llvm::Expected<BitSearch>
mlir::qopt::evaluation::searchBits(func::FuncOp calibrated,
                                   const observers::CalibrationState &state,
                                   const BitSearchOptions &options) {
  return Search(calibrated, state, options).run();
}
