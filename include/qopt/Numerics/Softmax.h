// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax in integers: a table of exponentials, one 64-bit row sum, one
// division an element; its logarithm from the same sum (docs/arithmetic.md,
// "Softmax", "Log-softmax").
#pragma once

#include "qopt/Numerics/Requantize.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::qopt::numerics {

/// `E[d] = roundHalfEven(exp(-inputScale d) 2^23)`, `d` in 0..255.
std::vector<uint32_t> buildSoftmaxTable(float inputScale);

/// For inputs of 16 bits: `C[i] = roundHalfEven(exp(-256 inputScale i) 2^30)`,
/// then `F[j] = roundHalfEven(exp(-inputScale j) 2^30)`, both in 0..255.
std::vector<uint32_t> buildWideSoftmaxTables(float inputScale);

/// One table for inputs of 8 bits, two for 16.
inline std::vector<uint32_t> buildSoftmaxTables(float inputScale,
                                                int inputBits) {
  return inputBits == 8 ? buildSoftmaxTable(inputScale)
                        : buildWideSoftmaxTables(inputScale);
}

/// `E` of `distance`, up to 255 with one table, up to 65535 with two.
inline uint32_t softmaxExponential(llvm::ArrayRef<uint32_t> tables,
                                   uint32_t distance) {
  if (tables.size() == 256)
    return tables[distance];
  const uint64_t product =
      uint64_t{tables[distance >> 8]} * tables[256 + (distance & 255)];
  return static_cast<uint32_t>((product + (INT64_C(1) << 36)) >> 37);
}

/// The inverse of a softmax's output scale: `levels / 2^shift`.
struct SoftmaxLevels {
  int32_t levels;
  int32_t shift = 0;

  /// An integer where a model writes one as the nearest float32, 1/255 say.
  /// Nothing for scales of 2^-30 and less and above 2^15.
  static std::optional<SoftmaxLevels> of(float outputScale);
};

/// `clamp(floor((2 levels e + sum) / (2 sum)) + zeroPoint)`; `sum` (1 to 2^62)
/// is `2^shift` times the row's sum of table entries, each at most 2^23.
inline int32_t softmaxElement(uint32_t e, uint64_t sum, int32_t levels,
                              int32_t zeroPoint, int32_t qmin, int32_t qmax) {
  const uint64_t numerator =
      2 * static_cast<uint64_t>(levels) * static_cast<uint64_t>(e) + sum;
  const int64_t quotient = static_cast<int64_t>(numerator / (2 * sum));
  return static_cast<int32_t>(clamp(quotient + zeroPoint, qmin, qmax));
}

/// One row; `out.size() == logits.size() >= 1`. No logit is further below
/// another than `tables`, one or two, reach.
void softmaxRow(llvm::ArrayRef<int16_t> logits, llvm::ArrayRef<uint32_t> tables,
                SoftmaxLevels levels, int32_t zeroPoint, int32_t qmin,
                int32_t qmax, llvm::MutableArrayRef<int16_t> out);

/// `rhe(ln(1 + i / 256) 2^30)`, `i` in 0..256.
const std::vector<uint32_t> &getLogTable();

/// `ln(sum / 2^23)` in steps of 2^-30, `2^23 <= sum < 2^62`: a table entry and
/// two terms of a series, at most 2^-24 from it.
int64_t logOfSum(uint64_t sum);

/// The constants of a log-softmax: `round((-d factor - round(ln(sum / 2^23)
/// logFactor / 2^logShift)) / 2^shift)` is its result less the zero point.
struct LogSoftmaxConstants {
  int32_t factor;
  int32_t logFactor;
  int8_t shift;
  int8_t logShift;
};

/// The largest distance in a row and the bound of its sums, a power of two.
struct LogSoftmaxRange {
  int32_t farthest;
  double limit;

  static LogSoftmaxRange of(int inputBits) {
    return inputBits == 8 ? LogSoftmaxRange{255, 0x1p31}
                          : LogSoftmaxRange{65535, 0x1p46};
  }
};

/// For rows of `length` elements of 8 or 16 bits. Q0701 where none fit.
llvm::Expected<LogSoftmaxConstants> chooseLogSoftmaxConstants(float inputScale,
                                                              float outputScale,
                                                              int64_t length,
                                                              int inputBits);

/// What all elements of a row have in common: `round(ln(sum / 2^23) logFactor /
/// 2^logShift)`.
inline int64_t scaleLog(int64_t log, int32_t logFactor, int logShift) {
  return (log * logFactor + (INT64_C(1) << (logShift - 1))) >> logShift;
}

/// The result of an element `distance` below the row's largest.
inline int32_t logSoftmaxElement(int32_t distance, int64_t scaledLog,
                                 int32_t factor, int shift, int32_t zeroPoint,
                                 int32_t qmin, int32_t qmax) {
  const int64_t acc = -(int64_t{distance} * factor) - scaledLog;
  return static_cast<int32_t>(
      clamp(roundShift(acc, shift, Rounding::HalfUp) + zeroPoint, qmin, qmax));
}

} // namespace mlir::qopt::numerics
