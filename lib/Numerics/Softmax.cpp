// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The softmax table and one row of it (docs/arithmetic.md, "Softmax").

#include "qopt/Numerics/Softmax.h"
#include "DoubleDouble.h"
#include <algorithm>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

std::vector<uint32_t> numerics::buildSoftmaxTable(float inputScale) {
  std::vector<uint32_t> table(256);
  for (size_t d = 0; d < table.size(); ++d) {
    const DoubleDouble x = -static_cast<double>(inputScale) * d;
    table[d] = static_cast<uint32_t>(
        roundHalfEven(expDoubleDouble(x) * DoubleDouble(0x1p23)));
  }
  return table;
}

void numerics::softmaxRow(llvm::ArrayRef<int8_t> logits,
                          llvm::ArrayRef<uint32_t> table, int32_t levels,
                          int32_t zeroPoint, int32_t qmin, int32_t qmax,
                          llvm::MutableArrayRef<int16_t> out) {
  const int32_t largest = *std::max_element(logits.begin(), logits.end());
  uint64_t sum = 0;
  for (int8_t logit : logits)
    sum += table[largest - logit];
  for (size_t i = 0; i < logits.size(); ++i)
    out[i] = static_cast<int16_t>(softmaxElement(
        table[largest - logits[i]], sum, levels, zeroPoint, qmin, qmax));
}
