// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer ops on rows against exact real arithmetic on dequantized operands.

#include "Exact.h"

using namespace qopt_test;

namespace {

/// `|result - exact|` of all elements is at most `bound` steps.
void expectNear(const Tensor &result, ArrayRef<long double> exact, int low,
                int high, double bound) {
  ASSERT_EQ(result.getNumElements(), static_cast<int64_t>(exact.size()));
  for (auto [i, value] : llvm::enumerate(exact))
    EXPECT_LE(distance(result.getInteger(i), value, low, high), bound)
        << "element " << i;
}

/// Gamma and beta with `fraction` bits behind the point, one a column.
std::string factorText(ArrayRef<double> factors, int fraction) {
  std::string text = "dense<[[";
  for (auto [i, factor] : llvm::enumerate(factors))
    text += (i ? ", " : "") +
            std::to_string(std::llround(std::ldexp(factor, fraction)));
  return text + "]]> : tensor<1x" + std::to_string(factors.size()) + "xi32>";
}

/// Rows of `length` elements at an input scale of 0.05 and an output scale of
/// 1/32.
void checkLayerNorm(uint64_t seed, int64_t length, bool isCentered, int power,
                    double epsilon) {
  Random random(seed);
  const long double scale = 0.05L, step = 1.0L / 32;
  int zero = random.integer(-20, 20), outZero = random.integer(-20, 20);
  Tensor x = random.i8({3, length});
  // Bits that a normalized element may have before the point.
  int headroom = 0;
  while (std::pow(2.0, headroom * power) < length)
    ++headroom;
  constexpr int fraction = 12;
  std::vector<double> gamma, beta;
  for (int64_t i = 0; i < length; ++i) {
    gamma.push_back(random.integer(-100, 100) / 100.0);
    beta.push_back(random.integer(-100, 100) / 200.0);
  }
  auto scaled = [&](std::vector<double> factors) {
    for (double &factor : factors)
      factor /= static_cast<double>(step);
    return factors;
  };
  int shift = power == 1 ? 0 : 20;
  long double rows = length / scale;
  std::string type = typeText({3, length}, "i8");
  auto y = runText(
      functionText("%x: " + type, type,
                   "%y = qint.layer_norm %x axes [1] {input_zero_point = " +
                       std::to_string(zero) +
                       " : i32, center = " + (isCentered ? "true" : "false") +
                       ", power = " + std::to_string(power) +
                       " : i64, variance_shift = " + std::to_string(shift) +
                       " : i32, epsilon = " +
                       std::to_string(std::llround(
                           std::ldexp(epsilon * rows * rows, shift))) +
                       " : i64, gamma = " +
                       factorText(scaled(gamma), fraction + 3 + headroom) +
                       ", beta = " + factorText(scaled(beta), fraction) +
                       ", requant = #qint.requant<[1], [" +
                       std::to_string(fraction) + "], zp " +
                       std::to_string(outZero) + ", clamp -128 to 127>} : (" +
                       type + ") -> " + type),
      {x});
  ASSERT_EQ(y.size(), 1u);
  std::vector<long double> exact;
  for (int64_t row = 0; row < 3; ++row) {
    auto at = [&](int64_t i) {
      return scale * (x.getInteger(row * length + i) - zero);
    };
    long double mean = 0, spread = 0;
    for (int64_t i = 0; i < length && isCentered; ++i)
      mean += at(i) / length;
    for (int64_t i = 0; i < length; ++i)
      spread +=
          (power == 2 ? (at(i) - mean) * (at(i) - mean) : std::fabs(at(i))) /
          length;
    long double divisor = power == 2 ? std::sqrt(spread + epsilon) : spread;
    for (int64_t i = 0; i < length; ++i) {
      long double normal = divisor == 0 ? 0 : (at(i) - mean) / divisor;
      exact.push_back((normal * gamma[i] + beta[i]) / step + outZero);
    }
  }
  expectNear(y[0], exact, -128, 127, 0.5 + std::ldexp(1, 3 - fraction));
}

TEST(IntegerLayerNorm, WithinHalfAStepOfExact) {
  for (int64_t length : {1, 2, 3, 16, 17, 64, 300}) {
    checkLayerNorm(length, length, true, 2, 1e-5);
    checkLayerNorm(length + 1, length, true, 2, 0.25);
    checkLayerNorm(length + 2, length, false, 2, 1e-3);
    checkLayerNorm(length + 3, length, false, 1, 0);
  }
}

TEST(IntegerLayerNorm, RowsAlongOtherAxes) {
  // Columns [0, 2] and [5, 5]: -1 and 1, then zeros.
  auto y = runText(
      functionText("%x: tensor<2x2xi8>", "tensor<2x2xi8>",
                   "%y = qint.layer_norm %x axes [0] {input_zero_point = 9 : "
                   "i32, variance_shift = 30 : i32, gamma = dense<[[1073741824,"
                   " 5]]> : tensor<1x2xi32>, beta = dense<[[0], [1048576]]> : "
                   "tensor<2x1xi32>, requant = #qint.requant<[1], [20], zp 3, "
                   "clamp -128 to 127>} : (tensor<2x2xi8>) -> tensor<2x2xi8>"),
      {tensorOf<int8_t>({2, 2}, {0, 5, 2, 5})});
  // One step is 2^20; gamma is 2^30 at 2^(20 + 3 + 1), so 64 steps.
  EXPECT_EQ(valuesOf<int8_t>(y[0]), (std::vector<int8_t>{-61, 3, 68, 4}));
}

TEST(IntegerReducePower, SumsAndRootsAreRoundedOnce) {
  Random random(3);
  for (int root = -1; root < 2; ++root)
    for (int power = root > 0 ? 2 : 1; power <= 2; ++power) {
      Tensor x = random.i8({4, 3, 5});
      int zero = random.integer(-30, 30);
      double unit = power == 1 || root > 0 ? 0.3 : 0.004;
      // The root of a sum 4^12 times as large.
      Factor factor(root > 0 ? std::ldexp(unit, -12) : unit);
      auto y = runText(
          functionText(
              "%x: tensor<4x3x5xi8>", "tensor<4x5xi16>",
              "%y = qint.reduce_power %x axes [1] {keep_dims = false, "
              "input_zero_point = " +
                  std::to_string(zero) +
                  " : i32, power = " + std::to_string(power) + " : i64" +
                  (root > 0 ? ", root_shift = 12 : i32" : "") +
                  ", requant = " + requantText(factor, 7, -32768, 32767) +
                  "} : (tensor<4x3x5xi8>) -> tensor<4x5xi16>"),
          {x});
      std::vector<long double> exact;
      for (int64_t o = 0; o < 4; ++o)
        for (int64_t i = 0; i < 5; ++i) {
          long double sum = 0;
          for (int64_t k = 0; k < 3; ++k) {
            long double d = x.getInteger((o * 3 + k) * 5 + i) - zero;
            sum += power == 1 ? std::fabs(d) : d * d;
          }
          exact.push_back((root > 0 ? std::sqrt(sum) : sum) * unit + 7);
        }
      expectNear(y[0], exact, -32768, 32767, 0.5 + 1e-3);
    }
}

TEST(IntegerReducePower, AnErrorWhereAProductLeaves63Bits) {
  TextModule module(functionText(
      "%x: tensor<70000xi16>", "tensor<1xi8>",
      "%y = qint.reduce_power %x axes [0] {input_zero_point = 0 : i32, power = "
      "2 : i64, requant = #qint.requant<[2147483647], [62], zp 0, clamp -128 "
      "to 127>} : (tensor<70000xi16>) -> tensor<1xi8>"));
  ASSERT_TRUE(module.get());
  Tensor x({70000}, reference::ElementKind::I16);
  for (int64_t i = 0; i < 70000; ++i)
    x.setInteger(i, -32768);
  auto y = reference::evaluateModule(module.get(), x);
  ASSERT_FALSE(static_cast<bool>(y));
  EXPECT_NE(messageOf(y.takeError()).find("Q0714"), std::string::npos);
}

TEST(IntegerArgMax, FirstOrLastOfEqualOnes) {
  auto at = [](const std::string &op, const std::string &attrs) {
    auto y = runText(functionText("%x: tensor<2x4xi8>", "tensor<2xi8>",
                                  "%y = qint." + op +
                                      " %x axis 1 {keep_dims = false, "
                                      "zero_point = -3 : i32" +
                                      attrs +
                                      "} : (tensor<2x4xi8>) -> tensor<2xi8>"),
                     {tensorOf<int8_t>({2, 4}, {-5, 7, 7, -5, 1, 1, 1, 1})});
    return valuesOf<int8_t>(y[0]);
  };
  using Bytes = std::vector<int8_t>;
  EXPECT_EQ(at("arg_max", ""), (Bytes{-2, -3}));
  EXPECT_EQ(at("arg_max", ", select_last = true"), (Bytes{-1, 0}));
  EXPECT_EQ(at("arg_min", ""), (Bytes{-3, -3}));
  EXPECT_EQ(at("arg_min", ", select_last = true"), (Bytes{0, 0}));
}

/// `2^bits exp(-scale d)`, `d` in 0..255.
std::string exponentialText(long double scale, int bits) {
  std::string table;
  for (int d = 0; d < 256; ++d)
    table +=
        (d ? ", " : "") +
        std::to_string(std::llrint(std::ldexp(std::exp(-scale * d), bits)));
  return table;
}

/// Log-softmax of an inner axis of i8 or i16.
void checkLogSoftmax(uint64_t seed, int64_t length, bool wideInput, bool wide) {
  Random random(seed);
  const long double scale = wideInput ? 0.0003L : 0.08L;
  const long double step = wide ? 0x1p-10L : 0x1p-3L;
  std::string table = exponentialText(scale, 23);
  if (wideInput)
    table =
        exponentialText(256 * scale, 30) + ", " + exponentialText(scale, 30);
  // N / 2^t = 2^(s - 30) / step is a power of two: N = 2^25.
  const int shift = wideInput ? 30 : 14;
  long long factor = std::llround(std::ldexp(scale / step, shift));
  int logShift = 25 + 30 - shift - (wide ? 10 : 3);
  int low = wide ? -32768 : -128, high = -low - 1;
  Tensor x = wideInput ? random.i16({2, length, 2}) : random.i8({2, length, 2});
  std::string in = typeText({2, length, 2}, wideInput ? "i16" : "i8");
  std::string out = typeText({2, length, 2}, wide ? "i16" : "i8");
  auto y = runText(
      functionText(
          "%x: " + in, out,
          "%y = qint.log_softmax %x axis 1 {exp_table = array<i32: " + table +
              ">, requant = #qint.requant<[" + std::to_string(factor) + ", " +
              std::to_string(1 << 25) + "], [" + std::to_string(shift) + ", " +
              std::to_string(logShift) + "], zp " + std::to_string(high) +
              ", clamp " + std::to_string(low) + " to " + std::to_string(high) +
              ">} : (" + in + ") -> " + out),
      {x});
  ASSERT_EQ(y.size(), 1u) << "seed " << seed;
  for (int64_t o = 0; o < 2; ++o)
    for (int64_t i = 0; i < 2; ++i) {
      auto at = [&](int64_t k) { return (o * length + k) * 2 + i; };
      long double sum = 0;
      for (int64_t k = 0; k < length; ++k)
        sum += std::exp(scale * x.getInteger(at(k)));
      for (int64_t k = 0; k < length; ++k) {
        long double real = scale * x.getInteger(at(k)) - std::log(sum);
        EXPECT_LE(
            distance(y[0].getInteger(at(k)), real / step + high, low, high),
            wide ? (wideInput ? 0.502 : 0.53) : 0.501)
            << "seed " << seed;
      }
    }
}

TEST(IntegerLogSoftmax, WithinHalfAStepOfExact) {
  for (int64_t length : {1, 2, 10, 100, 1000}) {
    for (bool wideInput : {false, true}) {
      checkLogSoftmax(length, length, wideInput, false);
      checkLogSoftmax(length + 1, length, wideInput, true);
    }
  }
}

} // namespace
