// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scale choice (docs/arithmetic.md, "Scale choice").

#include "qopt/Numerics/QuantParams.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

static double finiteOrBound(double end) {
  const double bound = std::numeric_limits<float>::max();
  if (std::isnan(end))
    return 0;
  return std::clamp(end, -bound, bound);
}

/// A positive, finite, normal float32 nearest to `scale`.
static float normalScale(double scale) {
  const double lowest = std::numeric_limits<float>::min();
  const double highest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(scale, lowest, highest));
}

bool numerics::isPowerOfTwo(double x) {
  int exponent = 0;
  return x > 0 && std::isfinite(x) && std::frexp(x, &exponent) == 0.5;
}

float numerics::powerOfTwoAbove(double x) {
  int exponent = 0;
  if (std::frexp(x, &exponent) == 0.5)
    --exponent;
  return std::ldexp(1.0f, std::clamp(exponent, -126, 127));
}

/// The asymmetric zero point of a range from `lo` up.
static int32_t zeroPointFor(double lo, float scale, int32_t qmin,
                            int32_t qmax) {
  return static_cast<int32_t>(std::clamp(roundHalfEven(qmin - lo / scale),
                                         static_cast<double>(qmin),
                                         static_cast<double>(qmax)));
}

QuantParams numerics::choosePowerOfTwoParams(Range range, int bits,
                                             bool symmetric) {
  QuantParams params = chooseParams(range, bits, symmetric);
  const float scale = powerOfTwoAbove(params.scale);
  if (scale == params.scale)
    return params;
  params.scale = scale;
  if (!symmetric)
    params.zeroPoint = zeroPointFor(std::min(finiteOrBound(range.min), 0.0),
                                    scale, params.qmin, params.qmax);
  return params;
}

QuantParams numerics::chooseParams(Range range, int32_t qmin, int32_t qmax,
                                   bool symmetric) {
  const double lo = std::min(finiteOrBound(range.min), 0.0);
  const double hi = std::max(finiteOrBound(range.max), 0.0);
  QuantParams params{1.0f, std::clamp(0, qmin, qmax), qmin, qmax};
  if (symmetric) {
    params.zeroPoint = qmin < 0 && qmax > 0 ? 0 : (qmin + qmax + 1) >> 1;
    if (lo == 0 && hi == 0)
      return params;
    // The side with fewer steps decides; a signed type's extra negative value
    // is not counted on.
    const int32_t steps =
        std::min(params.zeroPoint - qmin, qmax - params.zeroPoint);
    params.scale = normalScale(std::max(-lo, hi) / steps);
    return params;
  }
  if (lo == 0 && hi == 0)
    return params;
  params.scale = normalScale((hi - lo) / (qmax - qmin));
  params.zeroPoint = zeroPointFor(lo, params.scale, qmin, qmax);
  return params;
}

QuantParams numerics::chooseParams(Range range, int bits, bool symmetric,
                                   bool narrow) {
  return chooseParams(range, signedMin(bits, narrow), signedMax(bits),
                      symmetric);
}
