// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which elements of a model's outputs belong together, and errors counted
// against their size. A detection head joins boxes in pixels with scores below
// one: in one sum of squares the scores would not count at all.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace mlir::qopt::evaluation {

/// The parts of the results of a `qopt` function of static shapes: each result,
/// or, where it joins values (`qopt.concat`, behind ops that move its
/// elements), each value that it joins. A place is the position of an element
/// in all results after each other.
class OutputParts {
public:
  explicit OutputParts(func::FuncOp function);

  unsigned count() const { return parts; }
  unsigned at(size_t place) const {
    return partOf.empty() ? 0 : partOf[place];
  }

private:
  void assign(Value value, std::vector<size_t> places);

  unsigned parts = 0;
  /// Empty where there is one part.
  std::vector<unsigned> partOf;
};

/// Squared errors and squared sizes of the parts, summed in the order of calls.
class PartErrors {
public:
  explicit PartErrors(const OutputParts &parts)
      : parts(&parts), sums(parts.count()) {}

  void add(size_t place, double reference, double value) {
    Sum &sum = sums[parts->at(place)];
    sum.signal += reference * reference;
    sum.noise += (reference - value) * (reference - value);
  }
  /// The same of elements from `place` on.
  void add(size_t place, ArrayRef<float> reference, ArrayRef<float> value);
  void add(const PartErrors &other);
  /// Takes `noise` away that was counted for the element at `place`.
  void subtractNoise(size_t place, double noise) {
    sums[parts->at(place)].noise -= noise;
  }

  /// The mean over the parts of noise by signal, so that all count alike. Of
  /// several parts each counts 1 at most: one that is lost, or next to zero on
  /// all samples, does not hide the others.
  double getNoise() const;
  /// `getNoise` in dB, at most 300 and at least -300.
  double sqnrDb() const;

private:
  struct Sum {
    double signal = 0, noise = 0;
  };
  const OutputParts *parts;
  std::vector<Sum> sums;
};

} // namespace mlir::qopt::evaluation
