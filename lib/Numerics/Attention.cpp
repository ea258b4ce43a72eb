// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights' table and the multiplier (docs/arithmetic.md, "Attention").

#include "qopt/Numerics/Attention.h"
#include "DoubleDouble.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

std::vector<int32_t> numerics::buildAttentionTable(float inputScale) {
  std::vector<int32_t> table(256);
  for (size_t d = 0; d < table.size(); ++d) {
    const DoubleDouble x = -static_cast<double>(inputScale) * d;
    table[d] = static_cast<int32_t>(
        roundHalfEven(expDoubleDouble(x) * DoubleDouble(largestWeight)));
  }
  return table;
}

llvm::Expected<Multipliers> numerics::chooseAttentionMultiplier(double factor) {
  if (!(factor >= 0x1p-16 && factor <= 0x1p24))
    return makeError(701, llvm::formatv("the factor {0:e} of an attention lies "
                                        "outside [2^-16, 2^24]",
                                        factor)
                              .str());
  auto scaled = [&](int shift) {
    return roundHalfEven(std::ldexp(factor, shift - attentionBits));
  };
  int shift = 62;
  while (scaled(shift) > INT32_MAX)
    --shift;
  // The cheap form of a requantization.
  if (shift > 38 && scaled(38) >= 0x1p24)
    shift = 38;
  return Multipliers{{static_cast<int32_t>(scaled(shift))},
                     {static_cast<int8_t>(shift)}};
}
