// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scans the functions that read a value from both ends of its range.

#include "UsefulRange.h"

using namespace mlir;
using namespace mlir::qopt;
using numerics::Range;

/// A sixteenth of a step of eight bits over what `op`'s result was seen to hold; nullopt
/// where its observer has no statistics.
static std::optional<double>
getTolerance(UnaryOp op, const observers::CalibrationState &statistics) {
  for (Operation *user : op.getResult().getUsers())
    if (auto observe = dyn_cast<ObserveOp>(user))
      if (const observers::TensorStats *stats =
              statistics.find(observe.getId());
          stats && stats->count)
        return (std::max<double>(stats->max, 0) -
                std::min<double>(stats->min, 0)) /
               255 / 16;
  return std::nullopt;
}

/// How many of `values`, from the first on, may become the last of them without
/// moving one by more than `tolerance`, less one.
template <typename Values>
static size_t countSettled(const Values &values, double tolerance) {
  double low = *values.begin(), high = low;
  size_t settled = 0;
  for (double value : llvm::drop_begin(values)) {
    low = std::min(low, value);
    high = std::max(high, value);
    if (!(high - value <= tolerance && value - low <= tolerance))
      break;
    ++settled;
  }
  return settled;
}

/// Whether a scan sees all that the function of `op` does.
static bool isContinuous(UnaryOp op) {
  using Kind = numerics::ScalarFunction::Kind;
  return llvm::none_of(op.getChain(), [](numerics::ScalarFunction function) {
    return llvm::is_contained({Kind::Sign, Kind::Floor, Kind::Ceil, Kind::Round,
                               Kind::Greater, Kind::GreaterOrEqual,
                               Kind::Equal},
                              function.kind);
  });
}

/// The part of `range` where the function of `op` moves.
static Range clipToFunction(Range range, UnaryOp op, double tolerance) {
  constexpr size_t steps = 1024;
  SmallVector<numerics::ScalarFunction> chain = op.getChain();
  const double step = (range.max - range.min) / steps;
  SmallVector<double> values;
  for (size_t i = 0; i <= steps; ++i)
    values.push_back(numerics::evaluate(chain, range.min + step * i));
  return {range.min + step * countSettled(values, tolerance),
          range.max - step * countSettled(llvm::reverse(values), tolerance)};
}

Range mlir::qopt::clipToReaders(Range range, ObserveOp op,
                                const observers::CalibrationState &statistics) {
  if (op.getBits() != 8 || !(range.min < range.max))
    return range;
  std::optional<Range> useful;
  for (Operation *user : op.getResult().getUsers()) {
    auto unary = dyn_cast<UnaryOp>(user);
    std::optional<double> tolerance;
    if (unary && isContinuous(unary))
      tolerance = getTolerance(unary, statistics);
    if (!tolerance)
      return range;
    Range part = clipToFunction(range, unary, *tolerance);
    useful = useful ? Range{std::min(useful->min, part.min),
                            std::max(useful->max, part.max)}
                    : part;
  }
  // A function that does not move at all tells nothing.
  return useful && useful->min < useful->max ? *useful : range;
}
