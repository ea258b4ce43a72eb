// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scalar functions that become tables, evaluated in about 100
// bits without libm so that tables are equal on every machine
// (docs/arithmetic.md, "Table").
#pragma once

#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::qopt::numerics {

/// One step of a chain: a real function of the current value `x`, or an
/// operation with the values that the chain has set aside on its stack. The
/// numbers are those of `qopt::Function`.
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
    /// `x < 0 ? a (e^(x / b) - 1) : x`.
    Elu,
    /// `ln(1 + e^x)`.
    Softplus,
    Erf,
    Exp,
    Log,
    Sqrt,
    Reciprocal,
    /// `x^a`.
    Pow,
    Abs,
    /// -1, 0 or 1.
    Sign,
    Floor,
    Ceil,
    /// Ties to even.
    Round,
    /// `x > a ? 1 : 0`.
    Greater,
    /// `x >= a ? 1 : 0`.
    GreaterOrEqual,
    /// `x == a ? 1 : 0`.
    Equal,
    /// Puts a copy of the value on the stack.
    Push,
    /// Exchanges the value and the top of the stack.
    Swap,
    /// `t + x`, `t - x`, `t x`, `t / x`, `min(t, x)`, `max(t, x)`, where `t` is
    /// taken from the stack.
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    /// Of magnitudes below 2^40; beyond, as of 0.
    Sin,
    Cos,
    Atan,
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

  /// How many values the step takes from the stack and how many it leaves
  /// there.
  int getPops() const;
  int getPushes() const;
};

/// True where no step of `chain` takes more from the stack than is there and
/// nothing is left at the end.
bool isBalanced(llvm::ArrayRef<ScalarFunction> chain);

/// The chain's value rounded to double; never calls libm. NaN in gives NaN out.
/// `chain` is balanced.
double evaluate(llvm::ArrayRef<ScalarFunction> chain, double x);

/// The same with the limit where there is no value, 0 where there is no limit,
/// as tables have it.
double evaluateOrLimit(llvm::ArrayRef<ScalarFunction> chain, double x);

/// `e^x` rounded to double from about 100 bits. 0 below -745, infinity above
/// 709.78.
double expDouble(double x);

/// The table of the balanced `chain` from an input to an output of up to 16
/// bits, indexed by `q - in.qmin`; `in.qmax - in.qmin + 1` entries:
/// `saturate(roundHalfEven(f(s_x (q - z_x)) / s_y) + z_y)`, correctly rounded.
std::vector<int16_t> buildTable(llvm::ArrayRef<ScalarFunction> chain,
                                const QuantParams &in, const QuantParams &out);

} // namespace mlir::qopt::numerics
