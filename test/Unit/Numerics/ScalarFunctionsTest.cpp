// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Single functions against values that mpmath computed with 500 bits; chains
// with a stack; limits.

#include "qopt/Numerics/ScalarFunctions.h"
#include "TestSupport.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace mlir::qopt::numerics;
using Kind = ScalarFunction::Kind;
using Chain = std::vector<ScalarFunction>;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// `f(x) = hi + lo` to 106 bits.
struct Exact {
  Kind kind;
  double a, b;
  double x, hi, lo;
};

TEST(ScalarFunctions, holdNinetyBits) {
  // clang-format off
  const Exact cases[] = {
      {Kind::Log, 0, 0, 0x1p-1, -0x1.62e42fefa39efp-1, -0x1.abc9e3b39803fp-56},
      {Kind::Log, 0, 0, 0x1.0040p+0, 0x1.ffc00aa8ab110p-11, -0x1.0fecbeb9b6cdbp-65},
      {Kind::Log, 0, 0, 0x1.fff2e48e8a71ep-1, -0x1.a3738d2cf1cc2p-14, 0x1.3694792ff3a76p-68},
      {Kind::Log, 0, 0, 0x1.8000p+1, 0x1.193ea7aad030bp+0, -0x1.a256f99caabebp-54},
      {Kind::Log, 0, 0, 0x1.4484bfeebc2a0p-100, -0x1.144f69ff9ffc4p+6, -0x1.49791f2b9c5cdp-49},
      {Kind::Log, 0, 0, 0x1.81cd6c8b43958p+13, 0x1.2d79559791e31p+3, -0x1.b815cbf5bdc23p-53},
      {Kind::Log, 0, 0, 0x1.6a09e667e556ep-1, -0x1.62e42fefcc584p-2, -0x1.de58624e44854p-56},
      {Kind::Log, 0, 0, 0x1.6a09e65dc27dfp+0, 0x1.62e42fd2cf8f6p-2, 0x1.7cf761af23b56p-56},
      {Kind::Log, 0, 0, 0x0.0000000000001p-1022, -0x1.74385446d71c3p+9, -0x1.8e569fa8ee781p-45},
      {Kind::Softplus, 0, 0, 0x0.0p+0, 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56},
      {Kind::Softplus, 0, 0, -0x1.4000p+5, 0x1.39792499b1a24p-58, 0x1.32a772f476bbbp-113},
      {Kind::Softplus, 0, 0, -0x1.4000p+0, 0x1.01f9b27528a73p-2, -0x1.07e01130b8066p-57},
      {Kind::Softplus, 0, 0, 0x1.3333333333333p-2, 0x1.b56e0cf4511afp-1, 0x1.bd5e6bdfad249p-55},
      {Kind::Softplus, 0, 0, 0x1.1000p+4, 0x1.1000000b1cf18p+4, 0x1.f44d049361205p-50},
      {Kind::Softplus, 0, 0, 0x1.9000p+5, 0x1.9000000000000p+5, 0x1.d257d547e083fp-73},
      {Kind::Erf, 0, 0, 0x1.5798ee2308c3ap-27, 0x1.83b547fb79514p-27, -0x1.6bee1adf2f8f6p-81},
      {Kind::Erf, 0, 0, 0x1.999999999999ap-4, 0x1.cca5ea24fb334p-4, 0x1.112c8facdc19cp-60},
      {Kind::Erf, 0, 0, -0x1.ccccccccccccdp-2, -0x1.e6e4ae11529c0p-2, -0x1.adfd5f83dc161p-56},
      {Kind::Erf, 0, 0, 0x1p+0, 0x1.af767a741088bp-1, -0x1.c97f778122797p-56},
      {Kind::Erf, 0, 0, 0x1.4000p+1, 0x1.ffcaa8f4c9beap-1, 0x1.b0cee160116f9p-55},
      {Kind::Erf, 0, 0, -0x1.e000p+1, -0x1.fffffc2f171e3p-1, -0x1.85edd0395f475p-55},
      {Kind::Erf, 0, 0, 0x1.4000p+2, 0x1.fffffffffc9e8p-1, -0x1.a759f7738935fp-56},
      {Kind::Erf, 0, 0, 0x1.1000p+3, 0x1p+0, -0x1.caf8458ad2a12p-109},
      {Kind::Exp, 0, 0, 0x1.999999999999ap-4, 0x1.1aec7b35a00d4p+0, -0x1.77d498b0e382ap-54},
      {Kind::Exp, 0, 0, -0x1.a666666666666p+1, 0x1.2e259bb85be85p-5, -0x1.a66f3a84130b1p-59},
      {Kind::Exp, 0, 0, 0x1.4000p+4, 0x1.ceb088b68e804p+28, 0x1.0c4bcbfcacce6p-31},
      {Kind::Exp, 0, 0, -0x1.9000p+6, 0x1.a8c1f14e2af5dp-145, -0x1.43089bb228e2cp-199},
      {Kind::Sqrt, 0, 0, 0x1p+1, 0x1.6a09e667f3bcdp+0, -0x1.bdd3413b26456p-54},
      {Kind::Sqrt, 0, 0, 0x1.999999999999ap-4, 0x1.43d136248490fp-2, 0x1.d887adafe7cc4p-61},
      {Kind::Sqrt, 0, 0, 0x1.01b2b29a4692bp-27, 0x1.6b3cc50906caep-14, -0x1.f592806ab3538p-69},
      {Kind::Sqrt, 0, 0, 0x1.249ad2594c37dp+332, 0x1.11b0ec57e649ap+166, -0x1.50f9195a50f50p+112},
      {Kind::Reciprocal, 0, 0, 0x1.8000p+1, 0x1.5555555555555p-2, 0x1.5555555555555p-56},
      {Kind::Reciprocal, 0, 0, -0x1.6666666666666p-1, -0x1.6db6db6db6db7p+0, -0x1.0fac687d6343fp-54},
      {Kind::Reciprocal, 0, 0, 0x1.79ca10c924223p-67, 0x1.5af1d78b58c40p+66, 0x1.56cac40329bf4p+12},
      {Kind::Pow, 3, 0, 0x1.999999999999ap-4, 0x1.0624dd2f1a9fdp-10, -0x1.4fdf3b645a1cap-64},
      {Kind::Pow, 3, 0, -0x1.b333333333333p+0, -0x1.3a6e978d4fdf3p+2, -0x1.1d2f1a9fbe76dp-52},
      {Kind::Pow, 3, 0, 0x1.a666666666666p+1, 0x1.1f7ef9db22d0ep+5, -0x1.ec49ba5e353f7p-49},
      {Kind::Pow, -2, 0, 0x1.999999999999ap-4, 0x1.8ffffffffffffp+6, 0x1.c000000000002p-49},
      {Kind::Pow, -2, 0, -0x1.b333333333333p+0, 0x1.6253443526171p-2, -0x1.6893fb9f7f9bfp-57},
      {Kind::Pow, -2, 0, 0x1.a666666666666p+1, 0x1.781ff87a3d973p-4, 0x1.901df9dc06a3cp-59},
      {Kind::Pow, 1.7, 0, 0x1.999999999999ap-4, 0x1.46e75df96dc9ap-6, 0x1.606a84acc0aaep-60},
      {Kind::Pow, 1.7, 0, 0x1.4000p+1, 0x1.2fdcf53f3e6f3p+2, -0x1.6b834a0784b27p-52},
      {Kind::Pow, 1.7, 0, 0x1.0c6f7a0b5ed8dp-20, 0x1.157f7b46057b3p-34, -0x1.739ba9de7f1bep-90},
      {Kind::Pow, -0.3, 0, 0x1.999999999999ap-4, 0x1.fec982d5bb8afp+0, 0x1.0f1e810567d17p-58},
      {Kind::Pow, -0.3, 0, 0x1.4000p+1, 0x1.84f1ddc197989p-1, -0x1.2bbd68b9ab896p-56},
      {Kind::Pow, 101, 0, 0x1.028f5c28f5c29p+0, 0x1.5dada728433dfp+1, -0x1.5839e3363a686p-54},
      {Kind::Pow, 101, 0, -0x1.fae147ae147aep-1, -0x1.7311a676c9132p-2, 0x1.7bdea66d8d299p-58},
      {Kind::Elu, 0.7, 0.3, -0x1.47ae147ae147bp-7, -0x1.77fdf2d8ad940p-6, -0x1.72ef80b59f117p-62},
      {Kind::Elu, 0.7, 0.3, -0x1p-1, -0x1.22b4fce6520f0p-1, -0x1.5b76ec51b16f4p-55},
      {Kind::Elu, 0.7, 0.3, -0x1p+3, -0x1.66666666625cbp-1, -0x1.29313dc8326fcp-55},
      {Kind::Sin, 0, 0, 0x1p-30, 0x1.0000000000000p-30, -0x1.5555555555555p-93},
      {Kind::Sin, 0, 0, 0x1.999999999999ap-4, 0x1.98eaecb8bcb2cp-4, 0x1.c687ae84515ddp-59},
      {Kind::Sin, 0, 0, -0x1.8p+0, -0x1.feb7a9b2c6d8bp-1, 0x1.0c8f40129a886p-56},
      {Kind::Sin, 0, 0, 0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53, -0x1.f1976b7ed8fbdp-109},
      {Kind::Sin, 0, 0, 0x1.4p+6, -0x1.fcdef940eec69p-1, 0x1.1b14cd5701827p-55},
      {Kind::Sin, 0, 0, 0x1.e848p+19, -0x1.6664b2568d867p-2, -0x1.264732d26e9b9p-56},
      {Kind::Cos, 0, 0, 0x1p-30, 0x1.0000000000000p+0, -0x1.0000000000000p-61},
      {Kind::Cos, 0, 0, 0x1.999999999999ap-4, 0x1.fd712f9a817c1p-1, -0x1.fb7ab33ee2672p-55},
      {Kind::Cos, 0, 0, -0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110},
      {Kind::Cos, 0, 0, 0x1.4p+6, -0x1.c4256a22f2d6bp-4, 0x1.904a12f883b36p-58},
      {Kind::Cos, 0, 0, -0x1.e848p+19, 0x1.df9df9906d32cp-1, 0x1.abb226a0c6680p-55},
      {Kind::Atan, 0, 0, 0x1p-30, 0x1.0000000000000p-30, -0x1.5555555555555p-92},
      {Kind::Atan, 0, 0, 0x1.999999999999ap-4, 0x1.983e282e2cc4dp-4, -0x1.7efe2835189c4p-58},
      {Kind::Atan, 0, 0, -0x1p+0, -0x1.921fb54442d18p-1, -0x1.1a62633145c07p-55},
      {Kind::Atan, 0, 0, 0x1.4p+1, 0x1.30b6d796a4da8p+0, 0x1.6254cb03bb199p-54},
      {Kind::Atan, 0, 0, -0x1.4p+10, -0x1.91ec8211be619p+0, 0x1.370016b1131dcp-54},
      {Kind::Atan, 0, 0, 0x1p+60, 0x1.921fb54442d18p+0, 0x1.1662633145c07p-54},
  };
  // clang-format on
  for (const Exact &c : cases) {
    const ScalarFunction f{c.kind, c.a, c.b};
    EXPECT_EQ(evaluate(f, c.x), c.hi) << static_cast<int>(c.kind) << " " << c.x;
    // What remains of the value beside its float64.
    const double rest =
        evaluate(Chain{f, ScalarFunction::affine(1, -c.hi)}, c.x);
    EXPECT_NEAR(rest, c.lo, std::fabs(c.hi) * 0x1p-90)
        << static_cast<int>(c.kind) << " " << c.x;
  }
}

TEST(ScalarFunctions, limitsStandWhereNoValueIs) {
  auto at = [](Kind kind, double x, double a = 0) {
    return evaluate(ScalarFunction{kind, a}, x);
  };
  EXPECT_EQ(at(Kind::Log, 0), -infinity);
  EXPECT_EQ(at(Kind::Log, infinity), infinity);
  EXPECT_EQ(at(Kind::Sqrt, 0), 0);
  EXPECT_EQ(at(Kind::Reciprocal, 0), infinity);
  EXPECT_EQ(at(Kind::Reciprocal, -infinity), 0);
  EXPECT_EQ(at(Kind::Atan, -infinity), -std::acos(0.0));
  EXPECT_EQ(at(Kind::Sin, 0x1p41), 0);
  EXPECT_EQ(at(Kind::Cos, -infinity), 1);
  EXPECT_TRUE(std::isnan(at(Kind::Sin, NAN)));
  EXPECT_EQ(at(Kind::Pow, 0, -1), infinity);
  EXPECT_EQ(at(Kind::Pow, 0, 0), 1);
  EXPECT_EQ(at(Kind::Pow, 0, 2.5), 0);
  EXPECT_TRUE(std::isnan(at(Kind::Log, -2)));
  EXPECT_TRUE(std::isnan(at(Kind::Sqrt, -2)));
  EXPECT_TRUE(std::isnan(at(Kind::Pow, -3, 2.5)));
  EXPECT_EQ(at(Kind::Pow, -3, 0), 1);
  EXPECT_EQ(at(Kind::Pow, infinity, 2.5), infinity);
  EXPECT_EQ(at(Kind::Pow, infinity, -2.5), 0);
  EXPECT_EQ(at(Kind::Pow, 1e300, 3), infinity);
  EXPECT_EQ(at(Kind::Pow, -1e300, -3), 0);
  EXPECT_TRUE(std::isnan(at(Kind::Pow, std::nan(""), 2.5)));
  EXPECT_EQ(at(Kind::Exp, 710), infinity);
  EXPECT_EQ(at(Kind::Exp, 1e300), infinity);
  EXPECT_EQ(at(Kind::Exp, -1e300), 0);
  EXPECT_EQ(at(Kind::Erf, 1e300), 1);
  EXPECT_EQ(at(Kind::Erf, -9), -1);
  EXPECT_EQ(at(Kind::Softplus, 1e300), 1e300);
  EXPECT_EQ(at(Kind::Softplus, -1e300), 0);
  EXPECT_EQ(evaluate(ScalarFunction{Kind::Elu, 2, 1}, -1e300), -2);
  EXPECT_EQ(evaluate(ScalarFunction{Kind::Elu, 2, -1}, -1000), infinity);
  EXPECT_EQ(evaluate(ScalarFunction{Kind::Elu, 2, 1}, 3), 3);
}

TEST(ScalarFunctions, rootsAndPowersAreExactWhereFloat64IsEnough) {
  Random random(21);
  for (int i = 0; i < 500; ++i) {
    const double root = static_cast<double>(random.between(0, 1 << 26)) / 1024;
    EXPECT_EQ(evaluate(Chain{{Kind::Sqrt}, {Kind::Equal, root}}, root * root),
              1);
    EXPECT_EQ(
        evaluate(Chain{{Kind::Pow, 2}, {Kind::Equal, root * root}}, -root), 1);
  }
  EXPECT_EQ(evaluate(Chain{{Kind::Reciprocal}, {Kind::Equal, 0.125}}, 8), 1);
}

TEST(ScalarFunctions, integersAndComparisons) {
  auto at = [](Kind kind, double x, double a = 0) {
    return evaluate(ScalarFunction{kind, a}, x);
  };
  EXPECT_EQ(at(Kind::Floor, -1.5), -2);
  EXPECT_EQ(at(Kind::Floor, 3), 3);
  EXPECT_EQ(at(Kind::Ceil, -1.5), -1);
  EXPECT_EQ(at(Kind::Ceil, 1.25), 2);
  EXPECT_EQ(at(Kind::Round, 2.5), 2);
  EXPECT_EQ(at(Kind::Round, -3.5), -4);
  EXPECT_EQ(at(Kind::Round, 1e300), 1e300);
  EXPECT_EQ(at(Kind::Abs, -1.5), 1.5);
  EXPECT_EQ(at(Kind::Abs, -1e300), 1e300);
  EXPECT_EQ(at(Kind::Sign, -1e-300), -1);
  EXPECT_EQ(at(Kind::Sign, 0), 0);
  EXPECT_EQ(at(Kind::Sign, 1e300), 1);
  for (double c : {-1e300, 0.5, 1e300}) {
    const double below = std::nextafter(c, -infinity);
    const double above = std::nextafter(c, infinity);
    EXPECT_EQ(at(Kind::Greater, c, c), 0);
    EXPECT_EQ(at(Kind::Greater, above, c), 1);
    EXPECT_EQ(at(Kind::GreaterOrEqual, c, c), 1);
    EXPECT_EQ(at(Kind::GreaterOrEqual, below, c), 0);
    EXPECT_EQ(at(Kind::Equal, c, c), 1);
    EXPECT_EQ(at(Kind::Equal, below, c), 0);
    EXPECT_EQ(at(Kind::Equal, above, c), 0);
  }
  // Far below a float64's last bit.
  const ScalarFunction below = ScalarFunction::affine(1, -0x1p-60);
  EXPECT_EQ(evaluate(Chain{below, {Kind::Floor}}, 3), 2);
  EXPECT_EQ(evaluate(Chain{below, {Kind::Greater, 2.5}, {Kind::Sign}}, 3), 1);
  EXPECT_EQ(evaluate(Chain{below, {Kind::GreaterOrEqual, 3}}, 3), 0);
  EXPECT_EQ(evaluate(Chain{below, {Kind::Equal, 3}}, 3), 0);
}

TEST(ScalarFunctions, chainsUseTheirStack) {
  // `t` is on the stack, `x` is the value; infinities are overflows.
  auto at = [](Kind kind, double t, double x) {
    Chain chain = {{Kind::Push}};
    auto setTo = [&](double value) {
      const bool isInfinite = std::isinf(value);
      chain.push_back(ScalarFunction::affine(
          0, isInfinite ? std::copysign(1e300, value) : value));
      if (isInfinite)
        chain.push_back(ScalarFunction::affine(1e300, 0));
    };
    setTo(t);
    chain.push_back({Kind::Swap});
    setTo(x);
    chain.push_back({kind});
    return evaluate(chain, 1);
  };
  EXPECT_EQ(at(Kind::Add, 7, 2), 9);
  EXPECT_EQ(at(Kind::Sub, 7, 2), 5);
  EXPECT_EQ(at(Kind::Mul, 7, 2), 14);
  EXPECT_EQ(at(Kind::Div, 7, 2), 3.5);
  EXPECT_EQ(at(Kind::Min, 7, 2), 2);
  EXPECT_EQ(at(Kind::Max, 7, 2), 7);
  EXPECT_EQ(at(Kind::Swap, 7, 2), 7);
  EXPECT_EQ(at(Kind::Div, 7, 0), infinity);
  EXPECT_EQ(at(Kind::Div, -7, 0), -infinity);
  EXPECT_EQ(at(Kind::Div, 0, 0), 0);
  EXPECT_EQ(at(Kind::Mul, 0, infinity), 0);
  EXPECT_EQ(at(Kind::Mul, -infinity, 2), -infinity);
  EXPECT_EQ(at(Kind::Add, 1e300, 1), 1e300);
  EXPECT_TRUE(std::isnan(at(Kind::Sub, infinity, infinity)));
}

TEST(ScalarFunctions, expressionsOfOneVariable) {
  const Chain gelu = {{Kind::Push},
                      ScalarFunction::affine(std::sqrt(0.5), 0),
                      {Kind::Erf},
                      ScalarFunction::affine(0.5, 0.5),
                      {Kind::Mul}};
  EXPECT_TRUE(isBalanced(gelu));
  // x / 2 (1 + erf(x / sqrt 2)) by mpmath.
  EXPECT_NEAR(evaluate(gelu, -4.5), -0.00001528952906128527180759352, 1e-19);
  EXPECT_NEAR(evaluate(gelu, -1), -0.1586552539314570514147675, 1e-16);
  EXPECT_NEAR(evaluate(gelu, 2), 1.954499736103641585599435, 4e-16);
  const Chain silu = {{Kind::Push}, ScalarFunction::sigmoid(), {Kind::Mul}};
  EXPECT_DOUBLE_EQ(evaluate(silu, 1), 1 / (1 + std::exp(-1.0)));
  EXPECT_EQ(evaluate(silu, -infinity), 0);
}

TEST(ScalarFunctions, balance) {
  EXPECT_TRUE(isBalanced({}));
  EXPECT_TRUE(isBalanced(Chain{{Kind::Push}, {Kind::Swap}, {Kind::Max}}));
  EXPECT_FALSE(isBalanced(Chain{{Kind::Push}}));
  EXPECT_FALSE(isBalanced(Chain{{Kind::Swap}}));
  EXPECT_FALSE(isBalanced(Chain{{Kind::Add}, {Kind::Push}}));
  // Out of contract, but no reason to read what is not there.
  EXPECT_EQ(evaluate(Chain{{Kind::Add}}, 3), 3);
}

TEST(Tables, noValueCountsAsZeroAndLimitsSaturate) {
  const QuantParams in{1, 0, -128, 127}, out{0.25f, 5, -128, 127};
  const std::vector<int16_t> log =
      buildTable(ScalarFunction{Kind::Log}, in, out);
  EXPECT_EQ(log[0], -128);
  EXPECT_EQ(log[128], -128);
  EXPECT_EQ(log[129], 5);
  const std::vector<int16_t> root =
      buildTable(ScalarFunction{Kind::Sqrt}, in, out);
  EXPECT_EQ(root[0], 5);
  EXPECT_EQ(root[128 + 4], 13);
  const std::vector<int16_t> power =
      buildTable(ScalarFunction{Kind::Pow, -1.5}, in, out);
  EXPECT_EQ(power[0], 127);
  EXPECT_EQ(power[128 + 1], 9);
  // What is not chosen does not matter: x > 0 ? ln x : 0.
  const Chain chosen = {
      {Kind::Push}, {Kind::Log}, {Kind::Swap}, {Kind::Greater, 0}, {Kind::Mul}};
  const std::vector<int16_t> choice = buildTable(chosen, in, out);
  EXPECT_EQ(choice[0], 5);
  EXPECT_EQ(choice[128 + 7], 13);
  EXPECT_EQ(evaluate(chosen, -3), 0);
  const Chain undefined = {{Kind::Log}, {Kind::Push}, {Kind::Sub}};
  const std::vector<int16_t> zero = buildTable(undefined, in, out);
  EXPECT_EQ(zero[0], 5);
  EXPECT_EQ(zero[255], 5);
}

} // namespace
