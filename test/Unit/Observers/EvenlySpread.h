// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The expected squared error of a histogram, bin by bin and cell by cell.
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/ArrayRef.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace mlir::qopt::observers {

/// The documented objective written down anew: values spread evenly inside each
/// bin, the end bins cut at the extremes, zeros exact; cell by cell.
class EvenlySpread {
public:
  explicit EvenlySpread(llvm::ArrayRef<float> values) : total(values.size()) {
    const float min = *std::min_element(values.begin(), values.end());
    const float max = *std::max_element(values.begin(), values.end());
    for (float value : values) {
      if (value == 0)
        continue; // Without error in every range.
      uint32_t bits;
      memcpy(&bits, &value, sizeof(bits));
      bits &= 0xffff0000;
      float near;
      memcpy(&near, &bits, sizeof(near));
      bits += 0x10000;
      float far;
      memcpy(&far, &bits, sizeof(far));
      const double ends[] = {std::clamp(near, min, max),
                             std::clamp(far, min, max)};
      ++bins[{std::min(ends[0], ends[1]), std::max(ends[0], ends[1])}];
    }
  }

  double error(const numerics::QuantParams &params,
               double clipWeight = 1) const {
    double sum = 0;
    for (const auto &[bin, count] : bins)
      sum += count * binError(bin.first, bin.second, params, clipWeight);
    return sum / static_cast<double>(total);
  }

private:
  /// The mean of `(x - real(q))^2` for `x` in `[a, b]`, beyond the ends of the
  /// range times `clipWeight`.
  static double binError(double a, double b,
                         const numerics::QuantParams &params,
                         double clipWeight) {
    const double s = params.scale;
    const double lowest = s * (params.qmin - params.zeroPoint);
    const double highest = s * (params.qmax - params.zeroPoint);
    auto cellOf = [&](double x) {
      return std::clamp(std::floor(x / s + 0.5) + params.zeroPoint,
                        static_cast<double>(params.qmin),
                        static_cast<double>(params.qmax));
    };
    if (a == b) {
      const double e = a - s * (cellOf(a) - params.zeroPoint);
      return e * e * (a < lowest || a > highest ? clipWeight : 1);
    }
    auto cubes = [](double from, double to, double real) {
      return (std::pow(to - real, 3) - std::pow(from - real, 3)) / 3;
    };
    double cut = 0;
    if (a < lowest)
      cut += cubes(a, std::min(b, lowest), lowest);
    if (b > highest)
      cut += cubes(std::max(a, highest), b, highest);
    double sum = 0, from = a;
    for (double q = cellOf(a); from < b; ++q) {
      const double real = s * (q - params.zeroPoint);
      const double to =
          q >= params.qmax ? b : std::max(from, std::min(b, real + s / 2));
      sum += cubes(from, to, real);
      from = to;
    }
    return (sum + (clipWeight - 1) * cut) / (b - a);
  }

  std::map<std::pair<double, double>, double> bins;
  size_t total;
};

} // namespace mlir::qopt::observers
