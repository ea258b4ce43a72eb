// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds where a function levels off, and its table up to there.

#include "DynamicFunctions.h"
#include "llvm/ADT/SmallVector.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using numerics::ScalarFunction;
using Chain = llvm::ArrayRef<ScalarFunction>;

/// Ends of domains that are tried, and what is looked at beyond.
static constexpr double limits[] = {1, 2, 4, 8, 16, 32};
static constexpr double beyond[] = {1.5, 2, 4, 16, 256, 65536, 0x1p60};
/// How much may change there, as a share of the largest value: less than a step
/// of 16 bits.
static constexpr double tolerance = 0x1p-16;

/// The least and the largest value up to `limit`; NaN where there is another
/// value beyond.
static std::pair<double, double> getRange(Chain chain, double limit) {
  double least = HUGE_VAL, largest = -HUGE_VAL;
  for (int i = -512; i <= 512; ++i) {
    double value = numerics::evaluateOrLimit(chain, limit * i / 512);
    if (!std::isfinite(value))
      return {NAN, NAN};
    least = std::min(least, value);
    largest = std::max(largest, value);
  }
  const double allowed = tolerance * std::max(-least, largest);
  for (double sign : {-1.0, 1.0}) {
    const double end = numerics::evaluateOrLimit(chain, sign * limit);
    for (double factor : beyond) {
      double value = numerics::evaluateOrLimit(chain, sign * limit * factor);
      if (!(std::fabs(value - end) <= allowed))
        return {NAN, NAN};
    }
  }
  return {least, largest};
}

/// The smallest domain that shows all of `chain`.
static std::optional<FixedFunction> fit(Chain chain) {
  for (double limit : limits) {
    auto [least, largest] = getRange(chain, limit);
    const double reach = std::max(-least, largest);
    if (!(reach > 0))
      continue;
    FixedFunction result;
    result.inputExponent = std::ilogb(limit) - 15;
    result.isPositive = least >= 0;
    result.output = {static_cast<float>(reach / 32767), 0, INT16_MIN,
                     INT16_MAX};
    const numerics::QuantParams input = {
        static_cast<float>(std::ldexp(1.0, result.inputExponent)), 0, INT16_MIN,
        INT16_MAX};
    result.pieces = numerics::buildPiecewiseTable(chain, input, result.output);
    if (!result.pieces)
      result.table = numerics::buildTable(chain, input, result.output);
    return result;
  }
  return std::nullopt;
}

std::optional<FixedFunction> mlir::qopt::fitFunction(Chain chain) {
  if (std::optional<FixedFunction> own = fit(chain))
    return own;
  // A share of the argument 0 is 0.
  if (numerics::evaluateOrLimit(chain, 0) != 0)
    return std::nullopt;
  // What the argument is multiplied by, beside zero, where that has no value.
  llvm::SmallVector<ScalarFunction> factor = {
      ScalarFunction::affine(1, 0x1p-40), {ScalarFunction::Kind::Push}};
  factor.append(chain.begin(), chain.end());
  factor.push_back({ScalarFunction::Kind::Swap});
  factor.push_back({ScalarFunction::Kind::Div});
  std::optional<FixedFunction> result = fit(factor);
  if (result)
    result->isFactor = true;
  return result;
}
