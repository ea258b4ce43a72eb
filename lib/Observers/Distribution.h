// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The log-bin histogram as a distribution: cumulative moments and quantiles of
// values spread evenly inside each bin.
#pragma once

#include "qopt/Observers/TensorStats.h"
#include <algorithm>
#include <vector>

namespace mlir::qopt::observers {

/// Number of values, their sum and their sum of squares.
struct Moments {
  double n = 0;
  double x = 0;
  double xx = 0;

  Moments operator-(const Moments &other) const {
    return {n - other.n, x - other.x, xx - other.xx};
  }
  /// `sum (x - v)^2`.
  double errorAround(double v) const {
    return std::max(xx - v * (2 * x - v * n), 0.0);
  }
};

/// Cumulative moments over the bins in ascending order of their values.
class Distribution {
public:
  explicit Distribution(const TensorStats &stats);

  /// Moments of the values below `x`.
  Moments below(double x) const;
  Moments all() const { return cumulative.back(); }
  /// The value below which `share` (0 to 1) of all values lie.
  double quantile(double share) const;
  double zeros() const { return zeroCount; }

private:
  /// Bins are numbered from the most negative value up.
  double edge(int bin) const;

  int firstBin;
  double lowest, highest;
  double zeroCount;
  std::vector<double> edges;
  std::vector<double> counts;
  /// `cumulative[i]`: everything below bin `i`; one more entry than bins.
  std::vector<Moments> cumulative;
};

} // namespace mlir::qopt::observers
