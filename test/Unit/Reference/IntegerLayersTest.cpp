// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer convolution and gemm against exact real arithmetic, which is written
// without Numerics and as gather loops of its own.

#include "Exact.h"

using namespace qopt_test;

namespace {

struct ConvCase {
  int64_t batch, groups, groupIn, groupOut, height, width, kernel[2], stride[2],
      pad[4], dilation[2];

  explicit ConvCase(Random &random) {
    batch = random.integer(1, 2);
    groups = random.integer(1, 3);
    groupIn = random.integer(1, 4);
    groupOut = random.integer(1, 3);
    for (int i = 0; i < 2; ++i) {
      kernel[i] = random.integer(1, 3);
      stride[i] = random.integer(1, 3);
      dilation[i] = random.integer(1, 2);
    }
    for (int64_t &p : pad)
      p = random.integer(0, 2);
    height = random.integer(5, 9);
    width = random.integer(5, 9);
  }
  int64_t out(int axis) const {
    int64_t in = axis ? width : height;
    return (in + pad[axis] + pad[axis + 2] -
            ((kernel[axis] - 1) * dilation[axis] + 1)) /
               stride[axis] +
           1;
  }
  std::string attributes() const {
    auto pair = [](const char *name, const int64_t *v) {
      return std::string(name) + " = array<i64: " + std::to_string(v[0]) +
             ", " + std::to_string(v[1]) + ">, ";
    };
    return pair("strides", stride) + pair("dilations", dilation) +
           "pads = array<i64: " + std::to_string(pad[0]) + ", " +
           std::to_string(pad[1]) + ", " + std::to_string(pad[2]) + ", " +
           std::to_string(pad[3]) + ">, groups = " + std::to_string(groups) +
           " : i64";
  }
};

/// Scales and zero points of a layer.
struct LayerCase {
  float inputScale, outputScale;
  std::vector<float> weightScales;
  int inputZero, outputZero;
  std::vector<int64_t> weightZeros;
  bool wideWeights;

  /// Weights of 16 bits have no zero points.
  LayerCase(Random &random, int64_t channels, int64_t taps,
            bool wideWeights = false)
      : wideWeights(wideWeights) {
    inputScale = random.scale(1e-3, 1);
    inputZero = random.integer(-128, 127);
    outputZero = random.integer(-128, 127);
    for (int64_t o = 0; o < channels; ++o) {
      weightScales.push_back(random.scale(1e-3, 1));
      weightZeros.push_back(wideWeights ? 0 : random.integer(-20, 20));
    }
    // Results that fill the range without always saturating.
    outputScale = inputScale * weightScales[0] * 100 * std::sqrt(taps);
  }
  std::string text(const char *resultElement, int low, int high) const {
    std::vector<Factor> factors;
    std::string zeros;
    for (size_t o = 0; o < weightScales.size(); ++o) {
      factors.emplace_back(static_cast<long double>(inputScale) *
                           weightScales[o] / outputScale);
      if (!wideWeights)
        zeros += (o ? ", " : "") + std::to_string(weightZeros[o]);
    }
    return "input_zero_point = " + std::to_string(inputZero) +
           " : i32, weight_zero_points = array<i32" +
           (wideWeights ? "" : ": ") + zeros +
           ">, requant = " + requantText(factors, outputZero, low, high);
  }
  /// The exact result, in output steps, of an exact sum of integers.
  long double steps(long double acc, int64_t channel) const {
    return acc * inputScale * weightScales[channel] / outputScale + outputZero;
  }
};

} // namespace

static void checkConv(uint64_t seed, bool wideInput, bool wideResult,
                      bool wideWeights = false) {
  Random random(seed);
  ConvCase c(random);
  int64_t outputs = c.groups * c.groupOut, inputs = c.groups * c.groupIn;
  LayerCase layer(random, outputs, c.groupIn * c.kernel[0] * c.kernel[1],
                  wideWeights);
  SmallVector<int64_t> xShape = {c.batch, inputs, c.height, c.width};
  SmallVector<int64_t> wShape = {outputs, c.groupIn, c.kernel[0], c.kernel[1]};
  SmallVector<int64_t> yShape = {c.batch, outputs, c.out(0), c.out(1)};
  Tensor x = wideInput ? random.i16(xShape, -2000, 2000) : random.i8(xShape);
  Tensor w =
      wideWeights ? random.i16(wShape, -32768, 32767) : random.i8(wShape);
  Tensor b = random.i32({outputs}, -5000, 5000);
  int low = wideResult ? -32768 : -128, high = -low - 1;
  std::string xType = typeText(xShape, wideInput ? "i16" : "i8");
  std::string wType = typeText(wShape, wideWeights ? "i16" : "i8"),
              bType = typeText({outputs}, "i32");
  std::string yType = typeText(yShape, wideResult ? "i16" : "i8");
  auto results = runText(
      functionText("%x: " + xType + ", %w: " + wType + ", %b: " + bType, yType,
                   "%y = qint.conv %x, %w, %b {" + c.attributes() + ", " +
                       layer.text(wideResult ? "i16" : "i8", low, high) +
                       "} : (" + xType + ", " + wType + ", " + bType + ") -> " +
                       yType),
      {x, w, b});
  ASSERT_EQ(results.size(), 1u) << "seed " << seed;
  int64_t index = 0;
  double worst = 0;
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t o = 0; o < outputs; ++o)
      for (int64_t r = 0; r < c.out(0); ++r)
        for (int64_t s = 0; s < c.out(1); ++s, ++index) {
          long double acc = b.getInteger(o);
          for (int64_t i = 0; i < c.groupIn; ++i)
            for (int64_t u = 0; u < c.kernel[0]; ++u)
              for (int64_t v = 0; v < c.kernel[1]; ++v) {
                int64_t h = r * c.stride[0] + u * c.dilation[0] - c.pad[0];
                int64_t l = s * c.stride[1] + v * c.dilation[1] - c.pad[1];
                if (h < 0 || h >= c.height || l < 0 || l >= c.width)
                  continue;
                int64_t channel = o / c.groupOut * c.groupIn + i;
                long double xv =
                    x.getInteger(
                        ((n * inputs + channel) * c.height + h) * c.width + l) -
                    layer.inputZero;
                long double wv =
                    w.getInteger(((o * c.groupIn + i) * c.kernel[0] + u) *
                                     c.kernel[1] +
                                 v) -
                    layer.weightZeros[o];
                acc += xv * wv;
              }
          worst = std::max(worst, distance(results[0].getInteger(index),
                                           layer.steps(acc, o), low, high));
        }
  EXPECT_LE(worst, wideResult ? halfStep16 : halfStep8) << "seed " << seed;
}

TEST(IntegerConv, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    checkConv(seed, false, false);
    checkConv(1000 + seed, true, false);
    checkConv(2000 + seed, false, true);
    checkConv(3000 + seed, false, false, true);
  }
}

static void checkGemm(uint64_t seed, bool wideInput, bool wideWeights = false) {
  Random random(seed);
  int64_t rows = random.integer(1, 4), width = random.integer(1, 9);
  int64_t depth = random.integer(1, 70);
  LayerCase layer(random, width, depth, wideWeights);
  Tensor x = wideInput ? random.i16({rows, depth}, -3000, 3000)
                       : random.i8({rows, depth});
  Tensor w = wideWeights ? random.i16({width, depth}, -9000, 9000)
                         : random.i8({width, depth});
  std::string xType = typeText({rows, depth}, wideInput ? "i16" : "i8");
  std::string wType = typeText({width, depth}, wideWeights ? "i16" : "i8");
  std::string yType = typeText({rows, width}, "i8");
  auto results = runText(
      functionText("%x: " + xType + ", %w: " + wType, yType,
                   "%y = qint.gemm %x, %w {" + layer.text("i8", -100, 90) +
                       "} : (" + xType + ", " + wType + ") -> " + yType),
      {x, w});
  ASSERT_EQ(results.size(), 1u) << "seed " << seed;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t n = 0; n < width; ++n) {
      long double acc = 0;
      for (int64_t k = 0; k < depth; ++k)
        acc += static_cast<long double>(x.getInteger(i * depth + k) -
                                        layer.inputZero) *
               (w.getInteger(n * depth + k) - layer.weightZeros[n]);
      EXPECT_LE(distance(results[0].getInteger(i * width + n),
                         layer.steps(acc, n), -100, 90),
                halfStep8)
          << "seed " << seed;
    }
}

TEST(IntegerGemm, WithinHalfAStepOfExact) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    checkGemm(seed, false);
    checkGemm(1000 + seed, true);
    checkGemm(2000 + seed, false, true);
    checkGemm(3000 + seed, true, true);
  }
}

TEST(IntegerGemm, TiesGoUpOrToEven) {
  auto gemm = [](const char *rounding) {
    auto y = runText(
        functionText("%x: tensor<4x1xi8>, %w: tensor<1x1xi8>", "tensor<4x1xi8>",
                     std::string("%y = qint.gemm %x, %w {input_zero_point = 0 "
                                 ": i32, requant = #qint.requant<[1], [1], zp "
                                 "3, clamp -128 to 127") +
                         rounding +
                         ">} : (tensor<4x1xi8>, tensor<1x1xi8>) -> "
                         "tensor<4x1xi8>"),
        {tensorOf<int8_t>({4, 1}, {-3, -1, 1, 3}),
         tensorOf<int8_t>({1, 1}, {1})});
    return valuesOf<int8_t>(y[0]);
  };
  EXPECT_EQ(gemm(""), (std::vector<int8_t>{2, 3, 4, 5}));
  EXPECT_EQ(gemm(", half_even"), (std::vector<int8_t>{1, 3, 3, 5}));
}

TEST(IntegerSumParts, IsTheNearestIntegerOfBothParts) {
  // Channel 0: (2^8 h + l) 3 / 2^2 + 1; channel 1: (2^8 h + l) 5 / 2^3 + 1.
  // Ties are at l = 2 and at l = 4.
  auto run = [&](const char *rounding) {
    auto y = runText(
        functionText("%h: tensor<3x2xi32>, %l: tensor<3x2xi32>",
                     "tensor<3x2xi16>",
                     std::string("%y = qint.sum_parts %h, %l {axis = 1 : i64, "
                                 "low_bits = 8 : i32, requant = "
                                 "#qint.requant<[3, 5], [2, 3], zp 1, clamp "
                                 "-30000 to 30000") +
                         rounding +
                         ">} : (tensor<3x2xi32>, tensor<3x2xi32>) -> "
                         "tensor<3x2xi16>"),
        {tensorOf<int32_t>({3, 2}, {0, 0, 1, 1, -1, -40000}),
         tensorOf<int32_t>({3, 2}, {2, 4, 1, 3, 2, 30})});
    return valuesOf<int16_t>(y[0]);
  };
  // 1.5, 2.5, 192.75, 161.875, -190.5, far below.
  EXPECT_EQ(run(""), (std::vector<int16_t>{3, 4, 194, 163, -189, -30000}));
  EXPECT_EQ(run(", half_even"),
            (std::vector<int16_t>{3, 3, 194, 163, -189, -30000}));
}

TEST(IntegerLayers, AnAccumulatorBeyondInt32IsAnError) {
  auto error = [](const std::string &bias) {
    TextModule module(
        "func.func @main(%x: tensor<1x1xi8>) -> tensor<1x1xi8> {\n"
        "  %w = qint.constant dense<1> : tensor<1x1xi8>\n"
        "  %b = qint.constant dense<" +
        bias +
        "> : tensor<1xi32>\n"
        "  %y = qint.gemm %x, %w, %b {qopt.value = \"fc\", input_zero_point = "
        "0 : i32, requant = #qint.requant<[1], [24], zp 0, clamp -128 to "
        "127>} : (tensor<1x1xi8>, tensor<1x1xi8>, tensor<1xi32>) -> "
        "tensor<1x1xi8>\n"
        "  return %y : tensor<1x1xi8>\n}\n");
    auto results = mlir::qopt::reference::evaluateModule(
        module.get(), {tensorOf<int8_t>({1, 1}, {1})});
    return results ? std::string() : messageOf(results.takeError());
  };
  EXPECT_EQ(error("2147483646"), "");
  EXPECT_NE(
      error("2147483647").find("an accumulator of qint.gemm 'fc' leaves int32"),
      std::string::npos);
}
