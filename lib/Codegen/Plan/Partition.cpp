// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gathers steps that need no waiting between them: no part touches what another
// part writes. Waiting costs about as much as a small step.

#include "qopt/Codegen/Plan/Partition.h"
#include "Cuts.h"
#include "Footprint.h"

namespace mlir::qopt::codegen {
namespace {

/// Nanoseconds to publish parts and to wait for the last one.
constexpr double waitingCost = 700;
/// A part of less is not worth waking a thread for.
constexpr double leastPartCost = 1300;
/// One thread may do so much within what threads share.
constexpr double mostAloneCost = 800;

/// A step and how it is cut; not at all where there is no cut.
struct Choice {
  const Step *step;
  std::optional<Cut> cut;
};

/// Pieces of a step for each part, and what they touch.
struct Pieces {
  std::vector<std::optional<Step>> steps;
  std::vector<SmallVector<Footprint>> touched;

  Pieces(const Choice &choice, int64_t parts) : steps(parts), touched(parts) {
    if (!choice.cut) {
      // The last part is the shortest one.
      set(parts - 1, *choice.step);
      return;
    }
    int64_t part = 0;
    for (Step &piece : cutStep(*choice.step, *choice.cut, parts))
      set(part++, std::move(piece));
  }

  void set(int64_t part, Step step) {
    touched[part] = footprintsOf(step);
    steps[part] = std::move(step);
  }

  /// Whether a part of this touches what another part of `other` writes, or
  /// the other way round.
  bool mayConflict(const Pieces &other, ArrayRef<Buffer> buffers) const {
    for (size_t mine = 0; mine < touched.size(); ++mine)
      for (size_t its = 0; its < touched.size(); ++its)
        if (mine != its &&
            codegen::mayConflict(touched[mine], other.touched[its], buffers))
          return true;
    return false;
  }
};

class Partitioner {
public:
  Partitioner(const Plan &plan, int64_t threads, bool evenIfSmall)
      : buffers(plan.buffers), threads(threads), evenIfSmall(evenIfSmall) {
    for (const Step &step : plan.steps)
      add(step);
    close();
  }

  std::vector<SharedSteps> takeResult() { return std::move(result); }

private:
  void add(const Step &step);
  std::optional<Pieces> fit(const Choice &choice, int64_t parts,
                            ArrayRef<Pieces> among) const;
  void append(Choice choice, Pieces pieces, double cost);
  void close();
  void addSerial(const Step &step);

  ArrayRef<Buffer> buffers;
  int64_t threads;
  bool evenIfSmall;
  std::vector<SharedSteps> result;
  /// What is being gathered.
  std::vector<Choice> choices;
  std::vector<Pieces> pieces;
  double gathered = 0;
};

/// The pieces of `choice`, unless they would have to wait for `among`.
std::optional<Pieces> Partitioner::fit(const Choice &choice, int64_t parts,
                                       ArrayRef<Pieces> among) const {
  Pieces own(choice, parts);
  if (own.mayConflict(own, buffers))
    return std::nullopt;
  for (const Pieces &other : among)
    if (own.mayConflict(other, buffers))
      return std::nullopt;
  return own;
}

void Partitioner::append(Choice choice, Pieces own, double cost) {
  choices.push_back(std::move(choice));
  pieces.push_back(std::move(own));
  gathered += cost;
}

void Partitioner::add(const Step &step) {
  const double cost = costOf(step);
  std::optional<Choice> alone, joined;
  double aloneCost = cost, joinedCost = 0;
  for (Cut &cut : cutsOf(step)) {
    double own = cost * longestShare(cut, threads);
    Choice choice{&step, std::move(cut)};
    // Neighbours mostly agree on the first cut.
    double first = own + (alone ? waitingCost : 0);
    if ((!alone || first < aloneCost) && fit(choice, threads, {})) {
      alone = choice;
      aloneCost = first;
    }
    if (!pieces.empty() && (!joined || own < joinedCost) &&
        fit(choice, threads, pieces)) {
      joined = choice;
      joinedCost = own;
    }
  }
  Choice whole{&step, std::nullopt};
  if (!joined && !pieces.empty() && cost <= mostAloneCost &&
      fit(whole, threads, pieces)) {
    joined = whole;
    joinedCost = cost;
  }
  if (joined && joinedCost <= aloneCost + waitingCost)
    return append(*joined, *fit(*joined, threads, pieces), cost);
  close();
  if (!alone && cost > mostAloneCost)
    return addSerial(step);
  // A small one may be what the next steps begin with.
  if (!alone)
    return append(whole, *fit(whole, threads, {}), cost);
  append(*alone, *fit(*alone, threads, {}), cost);
}

void Partitioner::addSerial(const Step &step) {
  if (result.empty() || result.back().parts.size() != 1)
    result.push_back({{{}}});
  result.back().parts[0].push_back(step);
}

/// Ends what is being gathered, with fewer parts where there is little to do.
void Partitioner::close() {
  auto own = std::exchange(choices, {});
  auto found = std::exchange(pieces, {});
  double cost = std::exchange(gathered, 0);
  bool isCut =
      llvm::any_of(own, [](const Choice &choice) { return choice.cut; });
  int64_t parts =
      !isCut        ? 1
      : evenIfSmall ? threads
                    : std::min<int64_t>(threads, int64_t(cost / leastPartCost));
  if (parts != threads) {
    found.clear();
    for (const Choice &choice : own) {
      std::optional<Pieces> fitting;
      if (parts > 1)
        fitting = fit(choice, parts, found);
      if (!fitting)
        break;
      found.push_back(std::move(*fitting));
    }
  }
  if (found.size() < own.size()) {
    for (const Choice &choice : own)
      addSerial(*choice.step);
    return;
  }
  if (found.empty())
    return;
  SharedSteps shared;
  shared.parts.resize(parts);
  for (const Pieces &each : found)
    for (int64_t part = 0; part < parts; ++part)
      if (each.steps[part])
        shared.parts[part].push_back(*each.steps[part]);
  llvm::erase_if(shared.parts, [](const auto &steps) { return steps.empty(); });
  result.push_back(std::move(shared));
}

} // namespace

std::vector<SharedSteps> partitionPlan(const Plan &plan, int64_t threads,
                                       bool evenIfSmall) {
  return Partitioner(plan, threads, evenIfSmall).takeResult();
}

} // namespace mlir::qopt::codegen
