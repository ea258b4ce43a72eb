// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The softmax table, one row of it, and the logarithm of its sum
// (docs/arithmetic.md, "Softmax", "Log-softmax").

#include "qopt/Numerics/Softmax.h"
#include "Elementary.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

/// `one exp(-step i)` for `i` in 0..255.
static void appendExponentials(double step, double one,
                               std::vector<uint32_t> &table) {
  for (int i = 0; i < 256; ++i)
    table.push_back(static_cast<uint32_t>(roundHalfEven(
        expDoubleDouble(DoubleDouble(-step * i)) * DoubleDouble(one))));
}

std::vector<uint32_t> numerics::buildSoftmaxTable(float inputScale) {
  std::vector<uint32_t> table;
  appendExponentials(inputScale, 0x1p23, table);
  return table;
}

std::vector<uint32_t> numerics::buildWideSoftmaxTables(float inputScale) {
  std::vector<uint32_t> tables;
  appendExponentials(256.0 * inputScale, 0x1p30, tables);
  appendExponentials(inputScale, 0x1p30, tables);
  return tables;
}

std::optional<SoftmaxLevels> SoftmaxLevels::of(float outputScale) {
  const double inverse = 1.0 / outputScale;
  if (!(inverse >= 0x1p-15 && inverse < 0x1p30))
    return std::nullopt;
  const double levels = roundHalfEven(inverse);
  if (levels >= 1 && std::fabs(levels - inverse) <= 0x1p-23 * inverse)
    return SoftmaxLevels{static_cast<int32_t>(levels)};
  int shift = 15;
  while (std::ldexp(inverse, shift) >= 0x1p31 - 1)
    --shift;
  return SoftmaxLevels{
      static_cast<int32_t>(roundHalfEven(std::ldexp(inverse, shift))), shift};
}

void numerics::softmaxRow(llvm::ArrayRef<int16_t> logits,
                          llvm::ArrayRef<uint32_t> tables, SoftmaxLevels levels,
                          int32_t zeroPoint, int32_t qmin, int32_t qmax,
                          llvm::MutableArrayRef<int16_t> out) {
  const int32_t largest = *std::max_element(logits.begin(), logits.end());
  uint64_t sum = 0;
  for (int16_t logit : logits)
    sum += softmaxExponential(tables, largest - logit);
  sum <<= levels.shift;
  for (size_t i = 0; i < logits.size(); ++i)
    out[i] = static_cast<int16_t>(
        softmaxElement(softmaxExponential(tables, largest - logits[i]), sum,
                       levels.levels, zeroPoint, qmin, qmax));
}

const std::vector<uint32_t> &numerics::getLogTable() {
  static const std::vector<uint32_t> table = [] {
    std::vector<uint32_t> entries(257);
    for (size_t i = 0; i < entries.size(); ++i)
      entries[i] = static_cast<uint32_t>(
          roundHalfEven(logDoubleDouble(1 + static_cast<double>(i) / 256) *
                        DoubleDouble(0x1p30)));
    return entries;
  }();
  return table;
}

int64_t numerics::logOfSum(uint64_t sum) {
  const std::vector<uint32_t> &table = getLogTable();
  const int top = llvm::Log2_64(sum);
  // The part behind the leading one in 2^32nds.
  const uint64_t rest = (sum << (63 - top) >> 31) & 0xffffffff;
  const uint64_t index = rest >> 24;
  const uint64_t u = ((rest & 0xffffff) << 6) / (256 + index);
  return static_cast<int64_t>((top - 23) * static_cast<uint64_t>(table[256]) +
                              table[index] + u - (u * u >> 31));
}

llvm::Expected<LogSoftmaxConstants>
numerics::chooseLogSoftmaxConstants(float inputScale, float outputScale,
                                    int64_t length, int inputBits) {
  const LogSoftmaxRange range = LogSoftmaxRange::of(inputBits);
  const DoubleDouble log =
      logDoubleDouble(static_cast<double>(std::max<int64_t>(length, 1)));
  const double ratio = inputScale / static_cast<double>(outputScale);
  for (int shift = inputBits == 8 ? 24 : 30; shift >= 1; --shift) {
    const double factor = roundHalfEven(std::ldexp(ratio, shift));
    const double unit = std::ldexp(1.0 / outputScale, shift);
    if (!(range.farthest * factor + unit * log.hi + std::ldexp(0.5, shift) <
          range.limit * (1 - 0x1p-20)))
      continue;
    int logShift = 62;
    double logFactor;
    do {
      --logShift;
      logFactor = roundHalfEven(std::ldexp(unit, logShift - 30));
    } while (logFactor >= 0x1p26);
    if (logShift < 1)
      continue;
    return LogSoftmaxConstants{static_cast<int32_t>(std::max(factor, 1.0)),
                               static_cast<int32_t>(std::max(logFactor, 1.0)),
                               static_cast<int8_t>(shift),
                               static_cast<int8_t>(logShift)};
  }
  return makeError(701, "the output's scale is too small for a log-softmax", {},
                   "give the output a wider range, or 16 bits");
}
