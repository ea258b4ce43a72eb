// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Range methods on the log-bin histogram. The MSE objective is exact for values
// spread evenly inside each bin: partial moments of every quantization cell
// come from cumulative moments in constant time.

#include "qopt/Observers/Ranges.h"
#include "Distribution.h"
#include "EntropyRange.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace mlir::qopt;
using namespace mlir::qopt::observers;
using numerics::QuantParams;
using numerics::Range;

/// The error of `params` in all, or any value not below `bound` as soon as it
/// is known to reach it. What lies outside of the range counts `clipWeight`
/// times.
static double squaredError(const Distribution &values,
                           const QuantParams &params, double clipWeight,
                           double bound) {
  const double s = params.scale;
  auto real = [&](int32_t q) { return s * (q - params.zeroPoint); };
  auto cellEnd = [&](int32_t q) { return s * (q - params.zeroPoint + 0.5); };
  const Moments low = values.below(cellEnd(params.qmin));
  const Moments high = values.below(cellEnd(params.qmax - 1));
  double error = low.errorAround(real(params.qmin)) +
                 (values.all() - high).errorAround(real(params.qmax));
  if (clipWeight != 1) {
    const double lowest = real(params.qmin), highest = real(params.qmax);
    error += (clipWeight - 1) *
             (values.below(lowest).errorAround(lowest) +
              (values.all() - values.below(highest)).errorAround(highest));
  }
  if (error >= bound)
    return error;
  if (params.qmax - params.qmin > UINT8_MAX) {
    // Cells are finer than bins: the error inside one is even.
    const double inside = high.n - low.n - values.zeros();
    return error + std::max(inside, 0.0) * s * s / 12;
  }
  Moments previous = low;
  for (int32_t q = params.qmin + 1; q < params.qmax; ++q) {
    const Moments next = q == params.qmax - 1 ? high : values.below(cellEnd(q));
    error += (next - previous).errorAround(real(q));
    previous = next;
  }
  return error;
}

namespace {

/// The grid of shrink factors: `2^(-i / 128)`, multiplied up so that no libm is
/// asked, searched from coarse to fine around the best point so far.
constexpr int stepsPerOctave = 128;
constexpr int gridOctaves = 7;
constexpr int gridSteps = gridOctaves * stepsPerOctave;
constexpr double gridRatio = 0.99459942348363317565; // 2^(-1/128)
/// Steps of the whole grid with two free ends and with one.
constexpr int coarseStep = 8;
constexpr int fineStep = 4;

class MseSearch {
public:
  MseSearch(const TensorStats &stats, int bits, bool symmetric, bool powerOfTwo)
      : values(stats), min(std::min<double>(stats.min, 0)),
        max(std::max<double>(stats.max, 0)), bits(bits), symmetric(symmetric),
        powerOfTwo(powerOfTwo) {}

  Range run() {
    if (symmetric) {
      const double end = std::max(-min, max);
      min = -end;
      max = end;
    }
    lows = candidates(min);
    highs = candidates(max);
    const bool twoFree = min < 0 && max > 0 && !symmetric;
    const int step = twoFree ? coarseStep : fineStep;
    visitAround(0, 0, gridSteps, step);
    visitAround(bestLow, bestHigh, step - 1, 1);
    return {lows[bestLow], highs[bestHigh]};
  }

private:
  /// The ends that `extreme` may shrink to; zero stays.
  static std::vector<double> candidates(double extreme) {
    std::vector<double> ends = {extreme};
    double factor = gridRatio;
    for (int i = 0; i < gridSteps && extreme * factor != extreme; ++i) {
      ends.push_back(extreme * factor);
      factor *= gridRatio;
    }
    return ends;
  }

  /// Visits the points within `radius` of a point, `step` apart; on the
  /// diagonal where both ends are one.
  void visitAround(int low, int high, int radius, int step) {
    const int reach = radius / step * step;
    for (int i = low - reach; i <= low + reach; i += step) {
      if (symmetric) {
        visit(i, i);
        continue;
      }
      for (int j = high - reach; j <= high + reach; j += step)
        visit(i, j);
    }
  }

  void visit(int low, int high) {
    if (!isIndex(low, lows) || !isIndex(high, highs))
      return;
    const Range range{lows[low], highs[high]};
    const QuantParams params =
        powerOfTwo ? numerics::choosePowerOfTwoParams(range, bits, symmetric)
                   : numerics::chooseParams(range, bits, symmetric);
    const double error = squaredError(values, params, mseClipWeight, bestError);
    if (error >= bestError)
      return;
    bestError = error;
    bestLow = low;
    bestHigh = high;
  }

  static bool isIndex(int i, const std::vector<double> &list) {
    return static_cast<unsigned>(i) < list.size();
  }

  Distribution values;
  double min, max;
  int bits;
  bool symmetric, powerOfTwo;
  std::vector<double> lows, highs;
  int bestLow, bestHigh;
  double bestError = std::numeric_limits<double>::infinity();
};

} // namespace

static Range percentileRange(const TensorStats &stats, double percentile,
                             bool symmetric) {
  const Distribution values(stats);
  const double share = percentile / 100;
  if (!symmetric)
    return {values.quantile(1 - share), values.quantile(share)};
  // The share of |x| <= end grows with end: bisect until no float64 is between.
  const double target = share * values.all().n;
  double low = 0;
  double high = std::max(std::fabs(stats.min), std::fabs(stats.max));
  while (true) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high)
      return {-high, high};
    const double inside = values.below(middle).n - values.below(-middle).n;
    (inside < target ? low : high) = middle;
  }
}

Range observers::chooseRange(const TensorStats &stats,
                             const RangeMethod &method, int bits,
                             bool symmetric, bool powerOfTwo) {
  if (stats.count == 0)
    return {0, 0};
  switch (method.kind) {
  case RangeMethod::Kind::MinMax:
    return {stats.min, stats.max};
  case RangeMethod::Kind::MeanMinMax: {
    const double samples = static_cast<double>(stats.samples);
    return {stats.sumOfMins.value() / samples,
            stats.sumOfMaxs.value() / samples};
  }
  case RangeMethod::Kind::Percentile:
    return percentileRange(stats, method.percentile, symmetric);
  case RangeMethod::Kind::Mse:
    if (stats.min == stats.max)
      return {stats.min, stats.max};
    return MseSearch(stats, bits, symmetric, powerOfTwo).run();
  case RangeMethod::Kind::Entropy:
    if (stats.min == stats.max)
      return {stats.min, stats.max};
    return entropyRange(stats, bits, symmetric);
  }
  return {stats.min, stats.max};
}

double observers::expectedSquaredError(const TensorStats &stats,
                                       const QuantParams &params,
                                       double clipWeight) {
  if (stats.count == 0)
    return 0;
  return squaredError(Distribution(stats), params, clipWeight,
                      std::numeric_limits<double>::infinity()) /
         static_cast<double>(stats.count);
}

llvm::Expected<RangeMethod> observers::parseRangeMethod(llvm::StringRef text) {
  using Kind = RangeMethod::Kind;
  RangeMethod method;
  for (Kind kind : {Kind::MinMax, Kind::MeanMinMax, Kind::Mse, Kind::Entropy}) {
    method.kind = kind;
    if (text == toString(method))
      return method;
  }
  llvm::StringRef number = text;
  double percentile;
  if (number.consume_front("percentile:") && !number.getAsDouble(percentile) &&
      percentile > 50 && percentile <= 100)
    return RangeMethod{Kind::Percentile, percentile};
  return makeError(103, ("unknown range method '" + text + "'").str(),
                   {"range methods are minmax, mean-minmax, percentile:P with "
                    "50 < P <= 100, entropy, mse"},
                   "use --range=mse");
}

std::string observers::toString(const RangeMethod &method) {
  switch (method.kind) {
  case RangeMethod::Kind::MinMax:
    return "minmax";
  case RangeMethod::Kind::MeanMinMax:
    return "mean-minmax";
  case RangeMethod::Kind::Percentile:
    return llvm::formatv("percentile:{0}", method.percentile).str();
  case RangeMethod::Kind::Mse:
    return "mse";
  case RangeMethod::Kind::Entropy:
    return "entropy";
  }
  return "mse";
}
