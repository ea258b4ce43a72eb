// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Observed values that get one scale because an op joins them.

#include "ScaleGroups.h"
#include "Scales.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using numerics::Range;

/// Ranges further apart than this share no scale: the smaller one would lose
/// more than two of its bits.
static constexpr double largestRatio = 4;

void ScaleGroups::add(ObserveOp op, Range range) {
  // Every scale represents zero, so every range contains it.
  range = {std::min(range.min, 0.0), std::max(range.max, 0.0)};
  members.insert({op, Member{range, op}});
}

Operation *ScaleGroups::find(Operation *op) const {
  while (true) {
    Operation *parent = members.find(op)->second.parent;
    if (parent == op)
      return op;
    op = parent;
  }
}

static Range unite(Range a, Range b) {
  return {std::min(a.min, b.min), std::max(a.max, b.max)};
}

/// The ranges of what `op` brings in beside observed values.
static SmallVector<Range> getConstantRanges(Operation *op) {
  SmallVector<Range> ranges;
  for (Value operand : op->getOperands()) {
    std::optional<SmallVector<float>> values = getConstantF32(operand);
    if (!values || values->empty())
      continue;
    ranges.push_back(
        {*llvm::min_element(*values), *llvm::max_element(*values)});
  }
  if (auto pad = dyn_cast<PadOp>(op)) {
    double value = pad.getValue().convertToFloat();
    ranges.push_back({value, value});
  }
  for (Range &range : ranges)
    range = unite(range, {0, 0});
  return ranges;
}

static bool areAlike(ArrayRef<Range> ranges) {
  double narrowest = std::numeric_limits<double>::infinity();
  double widest = 0;
  for (const Range &range : ranges) {
    double width = range.max - range.min;
    // Zeros fit every scale.
    if (width == 0)
      continue;
    narrowest = std::min(narrowest, width);
    widest = std::max(widest, width);
  }
  return widest <= largestRatio * narrowest;
}

void ScaleGroups::share(QuantizableOpInterface op) {
  ObserveOp result;
  for (Operation *user : op->getResult(0).getUsers())
    if (auto observe = dyn_cast<ObserveOp>(user))
      result = observe;
  if (!result || !members.count(result))
    return;

  SmallVector<Operation *> branches;
  SmallVector<Range> ranges = getConstantRanges(op);
  for (Value operand : op->getOperands()) {
    if (isKnown(operand))
      continue;
    ObserveOp observe = getDecidingObserver(operand);
    if (!observe || !members.count(observe) ||
        observe.getBits() != result.getBits() ||
        observe.getSymmetric() != result.getSymmetric() ||
        observe.getPowerOfTwo() != result.getPowerOfTwo())
      return;
    branches.push_back(find(observe));
    ranges.push_back(members[branches.back()].range);
  }
  if (!areAlike(ranges))
    return;

  Operation *root = find(result);
  Range range = ranges.front();
  for (const Range &other : ranges)
    range = unite(range, other);
  for (Operation *branch : branches)
    members[branch].parent = root;
  members[root].range = range;
}

SmallVector<std::pair<ObserveOp, Range>> ScaleGroups::getUndecided() const {
  SmallVector<std::pair<ObserveOp, Range>> result;
  for (const auto &[op, member] : members)
    result.push_back(
        {cast<ObserveOp>(op), members.find(find(op))->second.range});
  return result;
}
