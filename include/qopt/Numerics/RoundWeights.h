// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights to integers by what their errors do to a layer's outputs on samples
// (Frantar et al., "GPTQ", arXiv 2210.17323), one weight after the other or all
// over and over.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// Calls the function it is given for all of `[0, count)`, in any order and
/// side by side.
using ParallelFor =
    llvm::function_ref<void(size_t count, llvm::function_ref<void(size_t)>)>;

/// `ParallelFor` on one thread.
void forEach(size_t count, llvm::function_ref<void(size_t)> body);

struct InputMetricOptions {
  /// Errors cost their variance: the mean of a channel is left to a bias.
  bool centered = false;
  /// What is added to the diagonal, as a share of its mean: above 0.
  double damping = 0.01;
};

/// What an error `e` of the weights of one output channel costs: `e^T H e` with
/// `H = X^T X` of the inputs that these weights meet, damped. Holds the
/// Cholesky factor of `H` and an order of rounding: the inputs with the most
/// energy first, since what they get wrong the others make up for.
class InputMetric {
public:
  /// `inputs` are rows of `size` values, one row a position of the output. The
  /// result does not depend on how `parallel` runs. Inputs that are all zero
  /// or not finite give a metric without correlations.
  InputMetric(llvm::ArrayRef<float> inputs, size_t size,
              const InputMetricOptions &options, ParallelFor parallel);

  size_t size() const { return order.size(); }

  /// Chooses `values` (rows of `size()`) for the weights `targets`, each row
  /// with its own entry of `scales` and within `[-qmax, qmax]` times the
  /// weight's entry of `multiples` (empty: 1): from the last to the first of
  /// the order, each weight rounded to the nearest of what it and the errors so
  /// far ask for. A row where that costs no less than the `values` it came with
  /// keeps them. Gives the rows that changed, and in `costs`, unless it is
  /// empty, what each row costs then.
  size_t round(llvm::ArrayRef<float> targets, llvm::ArrayRef<float> scales,
               int32_t qmax, llvm::MutableArrayRef<int8_t> values,
               ParallelFor parallel, llvm::ArrayRef<uint8_t> multiples = {},
               llvm::MutableArrayRef<double> costs = {}) const;

  /// Moves single values of such rows to where the row costs least, the others
  /// as they are, again and again until nothing gains any more, at most
  /// `sweeps` times: the objective of AdaRound (Nagel et al., arXiv 2004.10568)
  /// by coordinate descent. Gives the number of values that changed.
  size_t descend(llvm::ArrayRef<float> targets, llvm::ArrayRef<float> scales,
                 int32_t qmax, llvm::MutableArrayRef<int8_t> values,
                 ParallelFor parallel, llvm::ArrayRef<uint8_t> multiples = {},
                 int sweeps = 16) const;

  /// `(target - scale value)^T H (target - scale value)` of one row; `H` as
  /// normalized here: the mean of its diagonal is 1 before damping.
  double cost(llvm::ArrayRef<float> target, float scale,
              llvm::ArrayRef<int8_t> values) const;

private:
  void chooseOrder(llvm::ArrayRef<float> inputs, bool centered);
  void accumulate(llvm::ArrayRef<float> inputs, ParallelFor parallel);
  void factorize(ParallelFor parallel);
  float *tile(size_t row, size_t column);
  const float *tile(size_t row, size_t column) const;
  struct Lanes;
  void propagate(Lanes &lanes, bool decide, int32_t qmax) const;
  std::vector<float> getColumns() const;

  /// Weight `order[i]` is at place `i`; places beyond it are padding.
  std::vector<size_t> order;
  /// Of the inputs, by weight.
  std::vector<float> means;
  float normalization = 0;
  /// Rows of square tiles of the upper triangle: `H`, then its factor `R`,
  /// `H = R^T R`.
  size_t panels = 0;
  std::vector<float> tiles;
};

} // namespace mlir::qopt::numerics
