// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums and logarithms of the metrics.

#include "qopt/Evaluation/Metrics.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qopt::evaluation;

void ErrorSum::add(llvm::ArrayRef<float> reference,
                   llvm::ArrayRef<float> value) {
  for (size_t i = 0; i < reference.size(); ++i) {
    double expected = reference[i];
    double difference = expected - value[i];
    signal += expected * expected;
    noise += difference * difference;
  }
}

double ErrorSum::sqnrDb() const {
  const double limit = 300;
  if (noise == 0)
    return limit;
  if (signal == 0)
    return -limit;
  return std::clamp(10 * std::log10(signal / noise), -limit, limit);
}

std::optional<ClassLayout> ClassLayout::find(llvm::ArrayRef<int64_t> shape,
                                             int64_t rows) {
  int64_t elements = 1;
  for (int64_t dim : shape)
    elements *= dim;
  if (rows < 1 || elements < 1 || elements % rows != 0)
    return std::nullopt;
  ClassLayout layout;
  layout.rows = rows;
  layout.classes = elements / rows;
  if (shape.size() >= 2 && shape[1] == layout.classes)
    for (int64_t dim : shape.drop_front(2))
      layout.inner *= dim;
  return layout;
}

int64_t mlir::qopt::evaluation::largestClass(llvm::ArrayRef<float> values,
                                             const ClassLayout &layout,
                                             int64_t row) {
  int64_t best = 0;
  for (int64_t c = 1; c < layout.classes; ++c)
    if (values[layout.index(row, c)] > values[layout.index(row, best)])
      best = c;
  return best;
}

bool mlir::qopt::evaluation::areProbabilities(llvm::ArrayRef<float> values,
                                              const ClassLayout &layout,
                                              int64_t row) {
  double sum = 0;
  for (int64_t c = 0; c < layout.classes; ++c) {
    double value = values[layout.index(row, c)];
    if (!(value >= 0 && value <= 1))
      return false;
    sum += value;
  }
  return std::fabs(sum - 1) <= 1e-3;
}

double mlir::qopt::evaluation::crossEntropy(llvm::ArrayRef<float> values,
                                            const ClassLayout &layout,
                                            int64_t row, int64_t label,
                                            bool probabilities) {
  double chosen = values[layout.index(row, label)];
  if (probabilities)
    return -std::log(std::max(chosen, 0x1p-24));
  double largest = -std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c < layout.classes; ++c)
    largest = std::max<double>(largest, values[layout.index(row, c)]);
  double sum = 0;
  for (int64_t c = 0; c < layout.classes; ++c)
    sum += std::exp(values[layout.index(row, c)] - largest);
  return largest + std::log(sum) - chosen;
}
