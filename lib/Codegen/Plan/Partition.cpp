// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses how each step is cut, and gathers steps that need no waiting between
// them: no part touches what another part writes. What is best for a step
// depends on its neighbours, so the cheapest sequence is searched: for each way
// to cut a step, the best that leads to it.

#include "qopt/Codegen/Plan/Partition.h"
#include "Cuts.h"
#include "Footprint.h"
#include <list>

namespace mlir::qopt::codegen {
namespace {

/// Nanoseconds to publish parts and to wait for the last one.
constexpr double waitingCost = 700;
/// A part of less is not worth waking a thread for.
constexpr double leastPartCost = 1300;
/// Nanoseconds for a byte that another core wrote; for a byte to write where
/// parts of images are not whole rows, which is where other cores wrote before.
constexpr double transferCost = 0.2, takeoverCost = 0.1;

/// A step and how it is cut, if at all: pieces for each part, what they touch
/// and how long they take.
struct Way {
  const Step *step;
  std::optional<Cut> cut;
  std::vector<std::optional<Step>> pieces;
  std::vector<SmallVector<Footprint>> touched;
  SmallVector<double> costs;

  Way(const Step &step, std::optional<Cut> ownCut, int64_t parts)
      : step(&step), cut(std::move(ownCut)), pieces(parts), touched(parts),
        costs(parts, 0) {
    if (!cut) {
      // The last part is the shortest one.
      set(parts - 1, step);
      return;
    }
    int64_t part = 0;
    for (Step &piece : cutStep(step, *cut, parts))
      set(part++, std::move(piece));
  }

  int64_t parts() const { return pieces.size(); }

  /// Whether a part of this touches what another part of `other` writes, or
  /// the other way round.
  bool mayConflict(const Way &other, ArrayRef<Buffer> buffers) const {
    if (!codegen::mayConflict(footprintsOf(*step), footprintsOf(*other.step),
                              buffers))
      return false;
    for (int64_t mine = 0; mine < parts(); ++mine)
      for (int64_t its = 0; its < parts(); ++its)
        if (mine != its &&
            codegen::mayConflict(touched[mine], other.touched[its], buffers))
          return true;
    return false;
  }

private:
  void set(int64_t part, Step piece) {
    touched[part] = footprintsOf(piece);
    costs[part] = costOf(piece);
    pieces[part] = std::move(piece);
  }
};

/// The cheapest way through the steps up to one that ends with `way`.
struct Path {
  const Way *way;
  const Path *before;
  int64_t step;
  /// Whether all parts of the steps before must have ended.
  bool waits;
  /// Nanoseconds of what was gathered before, and of each part since.
  double earlier;
  SmallVector<double> loads;
  /// Whether something is cut since.
  bool isShared;

  double cost() const {
    return earlier + *llvm::max_element(loads) + (isShared ? waitingCost : 0);
  }
};

class Partitioner {
public:
  Partitioner(const Plan &plan, int64_t threads, bool evenIfSmall)
      : buffers(plan.buffers), threads(threads), evenIfSmall(evenIfSmall) {
    const std::list<Path> none;
    for (const Step &step : plan.steps)
      paths.push_back(extend(paths.empty() ? none : paths.back(), step));
    if (!paths.empty())
      gather(llvm::min_element(paths.back(), [](const Path &a, const Path &b) {
        return a.cost() < b.cost();
      }));
  }

  std::vector<SharedSteps> takeResult() { return std::move(result); }

private:
  SmallVector<const Way *> waysOf(const Step &step);
  std::list<Path> extend(const std::list<Path> &before, const Step &step);
  Path append(const Way &way, const Path *before, bool waits) const;
  double transferOf(const Way &way, int64_t part, const Path *before) const;
  bool fits(const Way &way, const Path &before) const;
  void gather(std::list<Path>::const_iterator last);
  std::optional<std::list<Way>> recut(ArrayRef<const Way *> ways,
                                      int64_t parts) const;
  void close(ArrayRef<const Way *> ways);

  ArrayRef<Buffer> buffers;
  int64_t threads;
  bool evenIfSmall;
  std::list<Way> allWays;
  /// Those that end with each step.
  std::vector<std::list<Path>> paths;
  std::vector<SharedSteps> result;
};

SmallVector<const Way *> Partitioner::waysOf(const Step &step) {
  SmallVector<const Way *> ways;
  for (Cut &cut : cutsOf(step, threads)) {
    allWays.emplace_back(step, std::move(cut), threads);
    if (allWays.back().mayConflict(allWays.back(), buffers))
      allWays.pop_back();
    else
      ways.push_back(&allWays.back());
  }
  if (!evenIfSmall || ways.empty())
    ways.push_back(&allWays.emplace_back(step, std::nullopt, threads));
  return ways;
}

/// Nanoseconds to read what other parts wrote, and to write what they use.
double Partitioner::transferOf(const Way &way, int64_t part,
                               const Path *before) const {
  double cost = 0;
  for (const Footprint &read : way.touched[part]) {
    const Buffer &buffer = buffers[read.view.buffer];
    if (buffer.place != Buffer::Place::Arena)
      continue;
    if (read.isWritten) {
      if (way.cut && read.view.rank() == 4 && way.cut->axis == 1)
        cost +=
            read.view.numElements() * read.view.elementBytes() * takeoverCost;
      continue;
    }
    int64_t missing = read.view.numElements();
    for (const Path *path = before; path && path->step >= buffer.firstStep;
         path = path->before)
      for (const Footprint &own : path->way->touched[part])
        if (own.isWritten)
          missing -= countShared(read.view, own.view);
    cost +=
        std::max<int64_t>(0, missing) * read.view.elementBytes() * transferCost;
  }
  return cost;
}

/// Whether `way` need not wait for what `before` has gathered.
bool Partitioner::fits(const Way &way, const Path &before) const {
  for (const Path *path = &before; path; path = path->before) {
    if (way.mayConflict(*path->way, buffers))
      return false;
    if (path->waits)
      break;
  }
  return true;
}

Path Partitioner::append(const Way &way, const Path *before, bool waits) const {
  Path path{&way, before, before ? before->step + 1 : 0, waits, 0, {}, false};
  if (before) {
    path.earlier = waits ? before->cost() : before->earlier;
    path.isShared = !waits && before->isShared;
  }
  path.isShared |= way.cut.has_value();
  for (int64_t part = 0; part < threads; ++part)
    path.loads.push_back((waits ? 0 : before->loads[part]) + way.costs[part] +
                         transferOf(way, part, before));
  return path;
}

std::list<Path> Partitioner::extend(const std::list<Path> &before,
                                    const Step &step) {
  std::list<Path> result;
  for (const Way *way : waysOf(step)) {
    std::optional<Path> best;
    auto consider = [&](Path path) {
      if (!best || path.cost() < best->cost())
        best = std::move(path);
    };
    if (before.empty())
      consider(append(*way, nullptr, /*waits=*/true));
    for (const Path &path : before) {
      if (fits(*way, path))
        consider(append(*way, &path, /*waits=*/false));
      consider(append(*way, &path, /*waits=*/true));
    }
    result.push_back(std::move(*best));
  }
  return result;
}

void Partitioner::gather(std::list<Path>::const_iterator last) {
  SmallVector<const Path *> order;
  for (const Path *path = &*last; path; path = path->before)
    order.push_back(path);
  SmallVector<const Way *> ways;
  for (const Path *path : llvm::reverse(order)) {
    if (path->waits && !ways.empty())
      close(std::exchange(ways, {}));
    ways.push_back(path->way);
  }
  close(ways);
}

/// `ways` in at most `parts` parts, if none has to wait for another one then.
std::optional<std::list<Way>> Partitioner::recut(ArrayRef<const Way *> ways,
                                                 int64_t parts) const {
  std::list<Way> result;
  for (const Way *way : ways) {
    result.emplace_back(*way->step, way->cut, parts);
    for (const Way &other : result)
      if (result.back().mayConflict(other, buffers))
        return std::nullopt;
  }
  return result;
}

/// Ends a gathering of `ways`, with fewer parts where there is little to do.
void Partitioner::close(ArrayRef<const Way *> ways) {
  double cost = 0;
  int64_t parts = 1;
  for (const Way *way : ways) {
    cost += costOf(*way->step);
    if (way->cut)
      parts = threads;
  }
  std::optional<std::list<Way>> fewer;
  int64_t worthwhile = std::max<int64_t>(2, int64_t(cost / leastPartCost));
  if (worthwhile < parts && !evenIfSmall)
    fewer = recut(ways, worthwhile);
  if (fewer)
    parts = worthwhile;

  SharedSteps shared;
  shared.parts.resize(parts);
  auto add = [&](const Way &way) {
    for (int64_t part = 0; part < way.parts(); ++part)
      if (way.pieces[part])
        shared.parts[std::min(part, parts - 1)].push_back(*way.pieces[part]);
  };
  if (fewer)
    llvm::for_each(*fewer, add);
  else
    for (const Way *way : ways)
      add(*way);
  llvm::erase_if(shared.parts, [](const auto &steps) { return steps.empty(); });
  bool isSerial = shared.parts.size() == 1;
  if (isSerial && !result.empty() && result.back().parts.size() == 1)
    llvm::append_range(result.back().parts[0], shared.parts[0]);
  else
    result.push_back(std::move(shared));
}

} // namespace

std::vector<SharedSteps> partitionPlan(const Plan &plan, int64_t threads,
                                       bool evenIfSmall) {
  return Partitioner(plan, threads, evenIfSmall).takeResult();
}

} // namespace mlir::qopt::codegen
