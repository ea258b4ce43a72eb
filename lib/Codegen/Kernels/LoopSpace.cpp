// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reordering and joining of the loops of an elementwise space.

#include "qopt/Codegen/Kernels/LoopSpace.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <numeric>

namespace mlir::qopt::codegen {
namespace {

/// Loops `from` of `space`, in that order.
LoopSpace pick(const LoopSpace &space, llvm::ArrayRef<unsigned> from) {
  LoopSpace result;
  result.strides.resize(space.numOperands());
  for (unsigned dim : from) {
    result.sizes.push_back(space.sizes[dim]);
    for (auto [target, source] : llvm::zip(result.strides, space.strides))
      target.push_back(source[dim]);
  }
  return result;
}

/// Whether loop `dim` and the one inside it are one walk for every operand.
bool joins(const LoopSpace &space, unsigned dim) {
  return llvm::all_of(space.strides, [&](llvm::ArrayRef<int64_t> strides) {
    return strides[dim] == strides[dim + 1] * space.sizes[dim + 1];
  });
}

} // namespace

void LoopSpace::normalize() {
  llvm::SmallVector<unsigned> order;
  for (unsigned dim = 0; dim < rank(); ++dim)
    if (sizes[dim] != 1)
      order.push_back(dim);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::make_pair(-strides[0][a], a) <
           std::make_pair(-strides[0][b], b);
  });
  *this = pick(*this, order);

  for (unsigned dim = rank(); dim-- > 1;) {
    if (!joins(*this, dim - 1))
      continue;
    sizes[dim] *= sizes[dim - 1];
    sizes.erase(sizes.begin() + (dim - 1));
    for (auto &operand : strides)
      operand.erase(operand.begin() + (dim - 1));
  }
  if (sizes.empty()) {
    sizes.push_back(1);
    for (auto &operand : strides)
      operand.push_back(1);
  }
}

int64_t LoopSpace::numElements() const {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

void LoopSpace::makeInnermost(unsigned dim) {
  llvm::SmallVector<unsigned> order;
  for (unsigned other = 0; other < rank(); ++other)
    if (other != dim)
      order.push_back(other);
  order.push_back(dim);
  *this = pick(*this, order);
}

std::string LoopSpace::key() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::interleave(sizes, out, "x");
  for (const auto &operand : strides) {
    out << '_';
    llvm::interleave(operand, out, ".");
  }
  return text;
}

} // namespace mlir::qopt::codegen
