// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Applies `#qint.requant` and remembers whether the contract was broken.
#pragma once

#include "qopt/IR/Qint.h"
#include "qopt/Numerics/Requantize.h"
#include "qopt/Support/Error.h"

namespace mlir::qopt::reference {

class Requantizer {
public:
  explicit Requantizer(qint::RequantAttr attr)
      : attr(attr), rounding(attr.getRounding() == qint::Rounding::HalfEven
                                 ? numerics::Rounding::HalfEven
                                 : numerics::Rounding::HalfUp) {}

  /// The result of an accumulator that the contract bounds only by its product.
  int32_t operator()(int64_t acc, int64_t channel = 0) {
    int32_t multiplier = attr.getMultiplierFor(channel);
    checkProduct(static_cast<__int128>(acc) * multiplier);
    return numerics::requantize(acc, multiplier, attr.getShiftFor(channel),
                                attr.getZeroPoint(), attr.getClampMin(),
                                attr.getClampMax(), rounding);
  }

  /// The same for an accumulator that must lie inside int32.
  int32_t fromInt32(int64_t acc, int64_t channel) {
    if (acc < INT32_MIN || acc > INT32_MAX)
      accumulatorLeft = true;
    return (*this)(acc, channel);
  }

  /// The average of `acc` over as many taps as entry `entry` is for, in a
  /// result of `kind`.
  int32_t average(int64_t acc, int64_t entry, ElementKind kind) {
    int32_t multiplier = attr.getMultiplierFor(entry);
    checkProduct(static_cast<__int128>(acc) * multiplier);
    return numerics::requantizeAverage(acc, multiplier, attr.getShiftFor(entry),
                                       attr.getZeroPoint(), attr.getClampMin(),
                                       attr.getClampMax(), rounding,
                                       /*withZero=*/kind == ElementKind::I8);
  }

  /// The rounded sum of two terms, each by its own multiplier.
  int32_t sum(int64_t a, int64_t b) {
    int32_t multiplierA = attr.getMultiplier()[0];
    int32_t multiplierB = attr.getMultiplier()[1];
    checkProduct(static_cast<__int128>(a) * multiplierA +
                 static_cast<__int128>(b) * multiplierB);
    return numerics::requantizeSum(
        a, multiplierA, b, multiplierB, attr.getShiftFor(0),
        attr.getZeroPoint(), attr.getClampMin(), attr.getClampMax(), rounding);
  }

  /// Q0714 where a value left its range during `op`.
  llvm::Error finish(Operation *op) const {
    std::string name = op->getName().getStringRef().str();
    if (auto value = op->getAttrOfType<StringAttr>("qopt.value"))
      name += " '" + value.str() + "'";
    if (accumulatorLeft)
      return makeError(714, "an accumulator of " + name + " leaves int32");
    if (productLeft)
      return makeError(714, "a product of " + name + " leaves 63 bits");
    return llvm::Error::success();
  }

private:
  void checkProduct(__int128 product) {
    const __int128 limit = static_cast<__int128>(1) << 62;
    if (product > limit || product < -limit)
      productLeft = true;
  }

  qint::RequantAttr attr;
  numerics::Rounding rounding;
  bool accumulatorLeft = false;
  bool productLeft = false;
};

} // namespace mlir::qopt::reference
