// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quadratics through three points of each segment, near those of Chebyshev, so
// that the error is nearly the least that a quadratic has.

#include "qopt/Numerics/PiecewiseTables.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

namespace {

/// A chain in steps of its output, zero point included.
class Curve {
public:
  Curve(llvm::ArrayRef<ScalarFunction> chain, const QuantParams &in,
        const QuantParams &out)
      : chain(chain), in(in), out(out) {
    // What lies beyond 8 bits is cut off well outside: a kink there bends no
    // piece that matters. Beyond 16 bits there is no room for that.
    double margin = isWide() ? 0 : (out.qmax - out.qmin) / 4;
    low = out.qmin - margin;
    high = out.qmax + margin;
  }

  bool isWide() const { return out.qmax > 127; }
  /// Steps to a step of 8 bits.
  double ratio() const { return (out.qmax - out.qmin + 1) / 256.0; }

  /// At the `index`-th value of 16 bits.
  double at(int32_t index) const {
    double x = static_cast<double>(in.scale) *
               static_cast<double>(index - 32768 - in.zeroPoint);
    double y = evaluateOrLimit(chain, x) / static_cast<double>(out.scale) +
               out.zeroPoint;
    return std::min(std::max(y, low), high);
  }

  /// The error of `value` where the clamp hides none of it.
  double errorOf(double value, double exact) const {
    auto clamp = [&](double y) {
      return std::min(std::max(y, out.qmin - 0.5), out.qmax + 0.5);
    };
    return std::fabs(clamp(value) - clamp(exact));
  }

  /// Whether a piece between two values of 16 bits has a kink where these
  /// saturate.
  bool isCut(double first, double last) const {
    return isWide() &&
           (std::min(first, last) <= low || std::max(first, last) >= high);
  }

private:
  llvm::ArrayRef<ScalarFunction> chain;
  QuantParams in, out;
  double low, high;
};

/// `c0 + c1 d + c2 d^2`, `d` from -1 to 1.
struct Quadratic {
  double c0, c1, c2;
};

/// Chebyshev's outer points, `cos(pi / 6)`, at the nearest value of 16 bits.
Quadratic fit(const Curve &curve, int32_t first, int32_t width) {
  const double outermost = 0.86602540378443864676;
  int32_t half = width / 2;
  int32_t reach = static_cast<int32_t>(roundHalfEven(outermost * half));
  double a = static_cast<double>(reach) / half;
  double left = curve.at(first + half - reach);
  double middle = curve.at(first + half);
  double right = curve.at(first + half + reach);
  return {middle, (right - left) / (2 * a),
          ((right + left) / 2 - middle) / (a * a)};
}

/// The most fraction bits for which all pieces are small enough; none if even 0
/// are too many.
std::optional<int> chooseFractionBits(llvm::ArrayRef<Quadratic> pieces) {
  double largest = 0;
  for (const Quadratic &piece : pieces)
    largest = std::max(largest, std::fabs(piece.c1) + std::fabs(piece.c2));
  for (int bits = 7; bits >= 0; --bits)
    if (largest * (1 << bits) + 1 <= largestPiece)
      return bits;
  return std::nullopt;
}

/// Whether a segment's piece is within `tolerance` at 16 places and at its end,
/// or within a step of 8 bits where 16 saturate.
bool isClose(const PiecewiseTable &table, const Curve &curve, int32_t segment,
             double tolerance) {
  const int32_t width = 1 << (16 - table.segmentBits);
  const int32_t first = segment * width, last = first + width - 1;
  if (curve.isCut(curve.at(first), curve.at(last)))
    tolerance = curve.ratio();
  const double unit = 1 << table.fractionBits;
  auto isCloseAt = [&](int32_t index) {
    int32_t value =
        evaluatePiece(table.base[segment], table.slope[segment],
                      table.curve[segment], table.segmentBits, index - 32768);
    return curve.errorOf(value / unit - 0.5, curve.at(index)) <= tolerance;
  };
  for (int32_t index = first; index < last; index += width / 16)
    if (!isCloseAt(index))
      return false;
  return isCloseAt(last);
}

std::optional<PiecewiseTable> buildSegments(const Curve &curve,
                                            int segmentBits) {
  const int32_t width = 1 << (16 - segmentBits);
  std::vector<Quadratic> pieces;
  for (int32_t first = 0; first < 65536; first += width)
    pieces.push_back(fit(curve, first, width));
  std::optional<int> fractionBits = chooseFractionBits(pieces);
  if (!fractionBits)
    return std::nullopt;
  PiecewiseTable table;
  table.segmentBits = segmentBits;
  table.fractionBits = *fractionBits;
  const double unit = 1 << *fractionBits;
  for (const Quadratic &piece : pieces) {
    table.base.push_back(
        static_cast<int32_t>(roundHalfEven((piece.c0 + 0.5) * unit)));
    table.slope.push_back(static_cast<int16_t>(roundHalfEven(piece.c1 * unit)));
    table.curve.push_back(static_cast<int16_t>(roundHalfEven(piece.c2 * unit)));
  }
  return table;
}

} // namespace

std::optional<PiecewiseTable>
numerics::buildPiecewiseTable(llvm::ArrayRef<ScalarFunction> chain,
                              const QuantParams &in, const QuantParams &out) {
  Curve curve(chain, in, out);
  const double fine = curve.isWide() ? 0.25 : 0.0625;
  // Kinks: a small part of a step of 8 bits.
  const double coarse = std::max(0.25, curve.ratio() / 32);
  auto isCloseEverywhere = [&](const PiecewiseTable &table, double tolerance) {
    for (int32_t segment = 0; segment < 1 << table.segmentBits; ++segment)
      if (!isClose(table, curve, segment, tolerance))
        return false;
    return true;
  };
  std::optional<PiecewiseTable> table;
  for (int segmentBits : {5, 6, 7}) {
    table = buildSegments(curve, segmentBits);
    if (table && isCloseEverywhere(*table, fine))
      return table;
  }
  return table && isCloseEverywhere(*table, coarse) ? table : std::nullopt;
}
