// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The figures of an evaluation, summed sample by sample in double precision and
// a fixed order.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>

namespace mlir::qopt::evaluation {

/// Signal and noise of values against what they should be.
class ErrorSum {
public:
  /// Adds `(reference - value)^2` and `reference^2` of each element.
  void add(llvm::ArrayRef<float> reference, llvm::ArrayRef<float> value);

  /// `10 log10(signal / noise)`, at most 300 (no noise) and at least -300 (no
  /// signal, but noise).
  double sqnrDb() const;

private:
  double signal = 0;
  double noise = 0;
};

/// Where the classes of a decision lie in an output: decision `row`, class `c`
/// is element `(row / inner) * classes * inner + c * inner + row % inner`.
struct ClassLayout {
  int64_t rows = 1;
  int64_t classes = 1;
  int64_t inner = 1;

  int64_t index(int64_t row, int64_t c) const {
    return (row / inner) * classes * inner + c * inner + row % inner;
  }

  /// `rows` decisions in an output of `shape`: along axis 1 where the other
  /// axes count `rows` (ONNX's order for losses), else in `rows` contiguous
  /// pieces. Nothing where `rows` does not divide the output.
  static std::optional<ClassLayout> find(llvm::ArrayRef<int64_t> shape,
                                         int64_t rows);
};

/// The class of the largest value, the first one of equals.
int64_t largestClass(llvm::ArrayRef<float> values, const ClassLayout &layout,
                     int64_t row);

/// Whether a row holds probabilities: all in [0, 1], a sum within 1e-3 of 1.
bool areProbabilities(llvm::ArrayRef<float> values, const ClassLayout &layout,
                      int64_t row);

/// Cross entropy in nats of `label` (in range): `log(sum exp v) - v[label]` of
/// logits; `-log(max(p[label], 2^-24))` of probabilities.
double crossEntropy(llvm::ArrayRef<float> values, const ClassLayout &layout,
                    int64_t row, int64_t label, bool probabilities);

} // namespace mlir::qopt::evaluation
