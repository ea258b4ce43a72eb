// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the elements of results back through what moves and joins them.

#include "OutputParts.h"
#include "qopt/IR/Qopt.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// The `places` of a transpose's result in the order of its input's elements.
static std::vector<size_t> undoTranspose(TransposeOp op,
                                         ArrayRef<size_t> places) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  // How far a step along each axis of the result goes in the input.
  SmallVector<size_t> inputStrides(shape.size(), 1), strides(shape.size());
  ArrayRef<int64_t> inputShape = getShape(op.getInput());
  for (size_t axis = shape.size(); axis-- > 1;)
    inputStrides[axis - 1] = inputStrides[axis] * inputShape[axis];
  for (auto [axis, source] : llvm::enumerate(op.getPermutation()))
    strides[axis] = inputStrides[source];
  std::vector<size_t> result(places.size());
  for (auto [index, place] : llvm::enumerate(places)) {
    size_t rest = index, source = 0;
    for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
      source += rest % shape[axis] * strides[axis];
    result[source] = place;
  }
  return result;
}

/// The `places` of the input of a concat that begins at `first` on its axis.
static std::vector<size_t> takeInput(ConcatOp op, Value input, int64_t first,
                                     ArrayRef<size_t> places) {
  ArrayRef<int64_t> shape = getShape(op.getResult());
  size_t inner = 1;
  for (int64_t dim : shape.drop_front(op.getAxis() + 1))
    inner *= dim;
  const size_t row = shape[op.getAxis()] * inner;
  const size_t length = getShape(input)[op.getAxis()] * inner;
  std::vector<size_t> result;
  for (size_t begin = first * inner; begin < places.size(); begin += row)
    llvm::append_range(result, places.slice(begin, length));
  return result;
}

OutputParts::OutputParts(func::FuncOp function) {
  size_t first = 0;
  for (Value output :
       function.getBody().front().getTerminator()->getOperands()) {
    std::vector<size_t> places(
        cast<RankedTensorType>(output.getType()).getNumElements());
    std::iota(places.begin(), places.end(), first);
    first += places.size();
    partOf.resize(first);
    assign(output, std::move(places));
  }
  if (parts == 1)
    partOf.clear();
}

/// Element `i` of `value` is the outputs' element at `places[i]`.
void OutputParts::assign(Value value, std::vector<size_t> places) {
  Operation *op = value.getDefiningOp();
  if (isa_and_present<ObserveOp, ReshapeOp>(op))
    return assign(op->getOperand(0), std::move(places));
  if (auto transpose = dyn_cast_if_present<TransposeOp>(op))
    return assign(transpose.getInput(), undoTranspose(transpose, places));
  if (auto concat = dyn_cast_if_present<ConcatOp>(op)) {
    int64_t first = 0;
    for (Value input : concat.getInputs()) {
      assign(input, takeInput(concat, input, first, places));
      first += getShape(input)[concat.getAxis()];
    }
    return;
  }
  for (size_t place : places)
    partOf[place] = parts;
  ++parts;
}

void PartErrors::add(size_t place, ArrayRef<float> reference,
                     ArrayRef<float> value) {
  for (auto [expected, given] : llvm::zip_equal(reference, value))
    add(place++, static_cast<double>(expected), static_cast<double>(given));
}

void PartErrors::add(const PartErrors &other) {
  for (auto [sum, added] : llvm::zip_equal(sums, other.sums)) {
    sum.signal += added.signal;
    sum.noise += added.noise;
  }
}

double PartErrors::getNoise() const {
  double noise = 0;
  for (const Sum &sum : sums) {
    if (sum.noise <= 0)
      continue;
    const double own = sum.signal > 0 ? sum.noise / sum.signal : HUGE_VAL;
    noise += sums.size() == 1 ? own : std::min(own, 1.0);
  }
  return noise / static_cast<double>(sums.size());
}

double PartErrors::sqnrDb() const {
  const double limit = 300, noise = getNoise();
  return noise > 0 ? std::clamp(-10 * std::log10(noise), -limit, limit) : limit;
}
