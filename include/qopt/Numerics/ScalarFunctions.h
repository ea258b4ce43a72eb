// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scalar functions that become 256-entry tables, evaluated in about 100
// bits without libm so that tables are equal on every machine
// (docs/arithmetic.md, "Table").
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// One real function of one real variable.
struct ScalarFunction {
  enum class Kind {
    Relu,
    /// `min(max(x, a), b)`, ONNX Clip (so `b` wins where `a > b`). The ends may
    /// be infinite.
    Clip,
    /// `x < 0 ? a x : x`.
    LeakyRelu,
    Sigmoid,
    Tanh,
    /// `min(max(a x + b, 0), 1)`.
    HardSigmoid,
    /// `x min(max(x / 6 + 1 / 2, 0), 1)`.
    HardSwish,
    /// `a x + b`.
    Affine,
  };
  Kind kind = Kind::Relu;
  double a = 0;
  double b = 0;

  static ScalarFunction relu() { return {Kind::Relu}; }
  static ScalarFunction clip(double lo, double hi) {
    return {Kind::Clip, lo, hi};
  }
  static ScalarFunction leakyRelu(double alpha) {
    return {Kind::LeakyRelu, alpha};
  }
  static ScalarFunction sigmoid() { return {Kind::Sigmoid}; }
  static ScalarFunction tanh() { return {Kind::Tanh}; }
  static ScalarFunction hardSigmoid(double alpha, double beta) {
    return {Kind::HardSigmoid, alpha, beta};
  }
  static ScalarFunction hardSwish() { return {Kind::HardSwish}; }
  static ScalarFunction affine(double a, double b) {
    return {Kind::Affine, a, b};
  }
};

/// `f(x)` rounded to double; never calls libm. NaN in gives NaN out.
double evaluate(const ScalarFunction &function, double x);

/// `e^x` rounded to double from about 100 bits. 0 below -745, infinity above
/// 709.78.
double expDouble(double x);

/// The table of `f_n(... f_1(x))` from an 8-bit input to an output of up to 16
/// bits, indexed by `q - in.qmin`; `in.qmax - in.qmin + 1` entries:
/// `saturate(roundHalfEven(f(s_x (q - z_x)) / s_y) + z_y)`, correctly rounded.
std::vector<int16_t> buildTable(llvm::ArrayRef<ScalarFunction> chain,
                                const QuantParams &in, const QuantParams &out);

} // namespace mlir::qopt::numerics
