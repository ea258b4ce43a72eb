// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A step that reads more than the second cache holds waits for memory where it
// has little to compute: a depthwise convolution behind the expansion of a
// large image. Both are cut into strips of rows, and run in turns.

#include "qopt/Codegen/Plan/Strips.h"
#include "Cuts.h"
#include "Footprint.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <optional>

namespace mlir::qopt::codegen {
namespace {

/// What values may take of a core's second cache, which has 1 or 2 MiB.
constexpr int64_t cacheBytes = 1 << 20;
/// Nanoseconds that a byte from behind that cache takes longer, and the share
/// of a step's time above which that is worth more kernels.
constexpr double missCost = 0.05, leastGain = 0.1;
/// How much more may be alive at one time for that.
constexpr double mostGrowth = 1.15;
/// Kernels compute several rows at once.
constexpr int64_t rowMultiple = 4;

/// What is worth a chain.
struct Limits {
  int64_t bytes = cacheBytes, rows = rowMultiple;
  double gain = leastGain, growth = mostGrowth;
};

/// How an image's step is cut along its rows, if it can be.
std::optional<Cut> rowCutOf(const Step &step, int64_t parts) {
  if (step.kind != Step::Kind::Op || step.out[0].rank() != 4)
    return std::nullopt;
  for (Cut &cut : cutsOf(step, parts))
    if (cut.axis == 2)
      return std::move(cut);
  return std::nullopt;
}

class ChainFinder {
public:
  ChainFinder(const Plan &plan, Limits limits)
      : plan(plan), limits(limits),
        mostBytes(limits.growth * largestLiveBytes(plan.buffers)) {}

  std::vector<StripChain> run() {
    std::vector<StripChain> chains;
    for (int64_t first = 0; first < numSteps(); ++first) {
      StripChain chain = chainFrom(first);
      if (chain.strips < 2 || liveBytesOf(chain) > mostBytes)
        continue;
      chains.push_back(chain);
      first = chain.last;
    }
    return chains;
  }

private:
  const Plan &plan;
  Limits limits;
  double mostBytes;

  /// What is in the arena while the steps of `chain` run in turns.
  int64_t liveBytesOf(const StripChain &chain) const {
    int64_t bytes = 0;
    for (const Buffer &buffer : plan.buffers)
      if (buffer.place == Buffer::Place::Arena &&
          buffer.firstStep <= chain.last && buffer.lastStep >= chain.first)
        bytes += buffer.bytes;
    return bytes;
  }

  int64_t numSteps() const { return plan.steps.size(); }
  const Step &stepAt(int64_t index) const { return plan.steps[index]; }

  /// Rows of the result, or 0 where it cannot be cut along them.
  int64_t rowsOf(const Step &step) const {
    std::optional<Cut> cut = rowCutOf(step, /*parts=*/2);
    return cut ? cut->size : 0;
  }

  /// The first step behind `index` that fills no halo.
  int64_t next(int64_t index) const {
    do
      ++index;
    while (index < numSteps() && stepAt(index).kind == Step::Kind::HaloFill);
    return index;
  }

  /// Whether `reader` reads the result of `writer`, and waits for it.
  bool gains(const Step &writer, const Step &reader) const {
    const View &value = writer.out[0];
    bool isRead = llvm::any_of(reader.in, [&](const View &view) {
      return view.buffer == value.buffer;
    });
    return isRead && plan.buffers[value.buffer].place == Buffer::Place::Arena &&
           value.spanBytes() > limits.bytes && rowsOf(reader) > 0 &&
           value.spanBytes() * missCost >= limits.gain * costOf(reader);
  }

  StripChain chainFrom(int64_t first) const {
    StripChain chain{first, first, 1};
    if (rowsOf(stepAt(first)) == 0)
      return chain;
    int64_t bytes = 0;
    for (int64_t reader = next(first);
         reader < numSteps() && gains(stepAt(chain.last), stepAt(reader));
         reader = next(reader)) {
      bytes += stepAt(chain.last).out[0].spanBytes();
      chain.last = reader;
    }
    // Half of the cache: the next strip's rows come in while these go out.
    int64_t wanted = llvm::divideCeil(2 * bytes, limits.bytes);
    int64_t most = llvm::divideCeil(rowsOf(stepAt(chain.last)), limits.rows);
    chain.strips = std::min(wanted, most);
    // Equal strips have one kernel.
    for (int64_t strips = chain.strips; strips <= 2 * chain.strips; ++strips)
      if (strips > 0 && most % strips == 0) {
        chain.strips = strips;
        break;
      }
    return chain;
  }
};

/// The pieces of one step, in order, and which is next.
struct Pieces {
  std::vector<Step> steps;
  std::vector<SmallVector<Footprint>> touched;
  size_t done = 0;

  Pieces(const Step &step, int64_t strips) {
    if (std::optional<Cut> cut = rowCutOf(step, strips)) {
      cut->multiple = cut->size >= strips * rowMultiple ? rowMultiple : 1;
      steps = cutStep(step, *cut, strips);
    } else {
      steps.push_back(step);
    }
    for (const Step &piece : steps)
      touched.push_back(footprintsOf(piece));
  }

  bool isDone() const { return done == steps.size(); }
  /// Whether `other` must wait for pieces that have not run.
  bool holdsBack(ArrayRef<Footprint> other, ArrayRef<Buffer> buffers) const {
    return llvm::any_of(ArrayRef(touched).drop_front(done),
                        [&](ArrayRef<Footprint> own) {
                          return mayConflict(own, other, buffers);
                        });
  }
};

} // namespace

std::vector<StripChain> findStripChains(const Plan &plan, bool evenIfSmall) {
  Limits limits;
  if (evenIfSmall)
    limits = {/*bytes=*/16, /*rows=*/1, /*gain=*/0, /*growth=*/HUGE_VAL};
  return ChainFinder(plan, limits).run();
}

/// Appends the pieces of `chain`: of the last step that can run, the next one.
static void appendChain(const Plan &plan, const StripChain &chain,
                        std::vector<Step> &order) {
  std::vector<Pieces> all;
  for (int64_t index = chain.first; index <= chain.last; ++index)
    all.emplace_back(plan.steps[index], chain.strips);
  auto canRun = [&](size_t index) {
    const Pieces &own = all[index];
    return !own.isDone() &&
           llvm::none_of(ArrayRef(all).take_front(index), [&](const Pieces &p) {
             return p.holdsBack(own.touched[own.done], plan.buffers);
           });
  };
  while (true) {
    size_t index = all.size();
    while (index > 0 && !canRun(index - 1))
      --index;
    if (index == 0)
      return;
    Pieces &own = all[index - 1];
    order.push_back(own.steps[own.done++]);
  }
}

std::vector<Step> orderByStrips(const Plan &plan) {
  std::vector<Step> order;
  int64_t done = 0;
  auto appendUpTo = [&](int64_t end) {
    order.insert(order.end(), plan.steps.begin() + done,
                 plan.steps.begin() + end);
  };
  for (const StripChain &chain : plan.chains) {
    appendUpTo(chain.first);
    appendChain(plan, chain, order);
    done = chain.last + 1;
  }
  appendUpTo(plan.steps.size());
  return order;
}

} // namespace mlir::qopt::codegen
