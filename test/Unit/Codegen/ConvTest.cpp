// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions and fully connected layers, integer and float, on random shapes
// and parameters: equal to the reference evaluator to the byte.

#include "GraphHarness.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;
constexpr int fewBitsCases = 60;

/// A convolution's shape, drawn so that it has at least one output.
struct ConvShape {
  int64_t batch, channels, height, width, outChannels, groups;
  int64_t kernel[2], stride[2], dilation[2], pads[4];

  int64_t outSize(int axis) const {
    int64_t in = axis == 0 ? height : width;
    int64_t reach = (kernel[axis] - 1) * dilation[axis] + 1;
    return (in + pads[axis] + pads[axis + 2] - reach) / stride[axis] + 1;
  }
};

ConvShape randomConv(Random &random, bool isDepthwise = false) {
  ConvShape shape;
  shape.batch = random.chance(20) ? 2 : 1;
  shape.groups = random.chance(20) ? random.in(2, 3) : 1;
  shape.channels =
      shape.groups * random.pick<int64_t>({1, 2, 3, 4, 5, 8, 16, 19, 32});
  shape.outChannels =
      shape.groups * random.pick<int64_t>(
                         {1, 2, 3, 7, 10, 16, 17, 24, 33, 36, 48, 64, 80, 100});
  if (isDepthwise)
    shape.groups = shape.outChannels = shape.channels;
  // Two channels in two groups are a depthwise convolution; others test it.
  else if (shape.groups == shape.channels &&
           shape.channels == shape.outChannels)
    shape.outChannels *= 2;
  shape.height = random.in(1, 9);
  shape.width = random.in(1, 17);
  for (int axis = 0; axis < 2; ++axis) {
    int64_t in = axis == 0 ? shape.height : shape.width;
    shape.kernel[axis] = random.pick<int64_t>({1, 1, 2, 3, 3, 5});
    shape.stride[axis] = random.pick<int64_t>({1, 1, 2, 3});
    shape.dilation[axis] = random.chance(20) ? 2 : 1;
    shape.pads[axis] = random.in(0, 2);
    shape.pads[axis + 2] = random.in(0, 2);
    // A kernel beyond the input needs the padding to cover it.
    int64_t reach = (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
    while (in + shape.pads[axis] + shape.pads[axis + 2] < reach)
      ++shape.pads[random.chance(50) ? axis : axis + 2];
  }
  return shape;
}

std::string convAttrs(const ConvShape &s) {
  return "strides = " + arrayText({s.stride[0], s.stride[1]}) +
         ", pads = " + arrayText({s.pads[0], s.pads[1], s.pads[2], s.pads[3]}) +
         ", dilations = " + arrayText({s.dilation[0], s.dilation[1]}) +
         ", groups = " + std::to_string(s.groups) + " : i64";
}

/// The text of one op with weight and bias constants in a function.
std::string layerText(const std::string &op, const std::string &dialect,
                      const std::string &attrs, const std::string &x,
                      const std::string &w, const std::string &wData,
                      const std::string &b, const std::string &bData,
                      const std::string &y) {
  std::string text = "(%x: " + x + ") -> " + y + " {\n  %w = " + dialect +
                     ".constant " + wData + " : " + w + "\n";
  std::string operands = "%x, %w", types = x + ", " + w;
  if (!bData.empty()) {
    text += "  %b = " + dialect + ".constant " + bData + " : " + b + "\n";
    operands += ", %b";
    types += ", " + b;
  }
  return text + "  %y = " + op + " " + operands + " {" + attrs + "} : (" +
         types + ") -> " + y + "\n  return %y : " + y + "\n}";
}

/// Zero points, weights and requantization of an integer layer whose sums have
/// `length` terms.
struct IntegerParts {
  std::string attrs, weights, bias;
  ElementKind in, weight, out;
};

IntegerParts randomParts(Random &random, int64_t channels, int64_t inputs,
                         int64_t taps, ElementKind weight,
                         bool hasFewBits = false, int percent16 = 15) {
  const int64_t length = inputs * taps;
  IntegerParts parts;
  parts.in = randomKind(random, percent16);
  parts.weight = weight;
  parts.out = randomKind(random, 25);
  int64_t magnitude = parts.in == ElementKind::I8 ? 255 : 65535;
  // What int32 holds for certain, as the compiler proves for real weights.
  int64_t most =
      std::clamp<int64_t>((int64_t(1) << 30) / (magnitude * length), 1,
                          parts.weight == ElementKind::I8 ? 127 : 32767);
  int64_t low = -most, high = most;
  if ((most == 127 || most == 32767) && random.chance(20))
    --low;
  parts.weights =
      hasFewBits
          ? randomFewBits(random, channels, inputs, taps, most)
          : randomIntegers(random, channels * length, parts.weight, low, high);
  if (random.chance(80))
    parts.bias =
        randomIntegers(random, channels, ElementKind::I32, -5000, 5000);
  parts.attrs = "input_zero_point = " +
                std::to_string(randomZeroPoint(random, parts.in)) + " : i32";
  int64_t zeroPoint = 0;
  if (parts.weight == ElementKind::I8 && !hasFewBits && random.chance(20)) {
    zeroPoint = std::min<int64_t>(127, most);
    SmallVector<int32_t> zeroPoints;
    int64_t count = random.chance(50) ? 1 : channels;
    std::string text;
    for (int64_t i = 0; i < count; ++i)
      // 127 less -128 is the one difference that no two bytes add up to.
      text += (i ? ", " : "") +
              std::to_string(zeroPoint == 127 && random.chance(20)
                                 ? -128
                                 : random.in(-zeroPoint, zeroPoint));
    parts.attrs += ", weight_zero_points = array<i32: " + text + ">";
  }
  int64_t bound = (most + 2 + zeroPoint) * magnitude * length + 5000;
  parts.attrs += ", requant = " +
                 randomRequant(random, std::min<int64_t>(bound, INT32_MAX),
                               random.chance(20) ? 1 : channels, parts.out);
  return parts;
}

GraphCase convOf(Random &random, const ConvShape &s, ElementKind weight,
                 bool hasFewBits = false) {
  IntegerParts parts =
      randomParts(random, s.outChannels, s.channels / s.groups,
                  s.kernel[0] * s.kernel[1], weight, hasFewBits);
  GraphCase graph;
  graph.text = layerText(
      "qint.conv", "qint", convAttrs(s) + ", " + parts.attrs,
      tensorType({s.batch, s.channels, s.height, s.width}, parts.in),
      tensorType(
          {s.outChannels, s.channels / s.groups, s.kernel[0], s.kernel[1]},
          parts.weight),
      parts.weights, tensorType({s.outChannels}, ElementKind::I32), parts.bias,
      tensorType({s.batch, s.outChannels, s.outSize(0), s.outSize(1)},
                 parts.out));
  return graph;
}

GraphCase integerConv(Random &random, bool hasFewBits) {
  // Depthwise kernels have weights of 8 bits.
  ElementKind weight = hasFewBits ? ElementKind::I8 : randomKind(random, 15);
  return convOf(
      random,
      randomConv(random, weight != ElementKind::I8 && random.chance(20)),
      weight, hasFewBits);
}

/// Of so few rows that threads share its channels.
GraphCase depthwiseConv(Random &random) {
  ConvShape s = randomConv(random, /*isDepthwise=*/true);
  s.channels = s.groups = s.outChannels =
      random.pick<int64_t>({32, 40, 72, 130});
  s.batch = 1;
  s.height = s.kernel[0] = s.dilation[0] = 1;
  s.pads[0] = s.pads[2] = 0;
  return convOf(random, s, ElementKind::I8);
}

/// A convolution of bytes, or a product, and a table behind it.
GraphCase tableBehind(Random &random) {
  ConvShape s = randomConv(random, /*isDepthwise=*/random.chance(40));
  GraphCase graph = convOf(random, s, ElementKind::I8);
  std::vector<int64_t> table;
  for (int i = 0; i < 256; ++i)
    table.push_back(random.in(-128, 127));
  std::string &text = graph.text;
  // Behind the last result, which `return` names.
  size_t at = text.rfind("  return %y : ");
  std::string type = text.substr(at + 14, text.find('\n', at) - at - 14);
  if (type.find("xi8>") == std::string::npos)
    return graph;
  std::string entries = arrayText(table);
  entries.replace(entries.find("i64"), 3, "i16");
  text = text.substr(0, at) + "  %t = qint.table %y {table = " + entries +
         "} : (" + type + ") -> " + type + "\n  return %t : " + type + "\n}";
  return graph;
}

GraphCase floatConv(Random &random) {
  ConvShape s = randomConv(random);
  int64_t length = s.channels / s.groups * s.kernel[0] * s.kernel[1];
  GraphCase graph;
  // A clip keeps the largest result small beside what is added up.
  graph.tolerance += 1e-7 * length;
  std::string activation =
      random.pick<std::string>({"", ", activation = #qopt.fn<relu>",
                                ", activation = #qopt.fn<clip, -0.5, 1.5>"});
  graph.text = layerText(
      "qopt.conv", "qopt", convAttrs(s) + activation,
      tensorType({s.batch, s.channels, s.height, s.width}, ElementKind::F32),
      tensorType(
          {s.outChannels, s.channels / s.groups, s.kernel[0], s.kernel[1]},
          ElementKind::F32),
      randomFloats(random, s.outChannels * length, -1, 1),
      tensorType({s.outChannels}, ElementKind::F32),
      random.chance(80) ? randomFloats(random, s.outChannels, -1, 1) : "",
      tensorType({s.batch, s.outChannels, s.outSize(0), s.outSize(1)},
                 ElementKind::F32));
  return graph;
}

/// Leading dimensions, sum length and output channels of a matrix product.
struct GemmShape {
  SmallVector<int64_t> leading;
  int64_t length, channels;
};

GemmShape randomGemm(Random &random) {
  GemmShape shape;
  if (!random.chance(40))
    shape.leading = {random.pick<int64_t>({1, 2, 5, 6, 7, 13, 49})};
  if (random.chance(20))
    shape.leading.push_back(random.in(1, 5));
  shape.length = random.pick<int64_t>({1, 2, 3, 4, 5, 16, 31, 64, 100, 257});
  shape.channels =
      random.pick<int64_t>({1, 2, 4, 9, 10, 16, 17, 31, 64, 65, 80, 100, 130});
  return shape;
}

SmallVector<int64_t> with(ArrayRef<int64_t> leading, int64_t last) {
  SmallVector<int64_t> shape(leading);
  shape.push_back(last);
  return shape;
}

GraphCase gemmOf(const GemmShape &s, const IntegerParts &parts) {
  GraphCase graph;
  graph.text =
      layerText("qint.gemm", "qint", parts.attrs,
                tensorType(with(s.leading, s.length), parts.in),
                tensorType({s.channels, s.length}, parts.weight), parts.weights,
                tensorType({s.channels}, ElementKind::I32), parts.bias,
                tensorType(with(s.leading, s.channels), parts.out));
  return graph;
}

GraphCase integerGemm(Random &random, bool hasFewBits) {
  GemmShape s = randomGemm(random);
  return gemmOf(
      s, randomParts(random, s.channels, s.length, /*taps=*/1,
                     hasFewBits ? ElementKind::I8 : randomKind(random, 15),
                     hasFewBits));
}

/// Words times so many bytes that these are stored as bytes.
GraphCase wordsTimesBytes(Random &random) {
  GemmShape s;
  s.leading = {random.pick<int64_t>({1, 2, 7, 13, 30})};
  s.length = random.pick<int64_t>({257, 300, 511});
  s.channels = random.pick<int64_t>({65, 80, 100, 130});
  return gemmOf(s, randomParts(random, s.channels, s.length, /*taps=*/1,
                               ElementKind::I8, /*hasFewBits=*/false,
                               /*percent16=*/100));
}

GraphCase floatGemm(Random &random) {
  GemmShape s = randomGemm(random);
  GraphCase graph;
  graph.text =
      layerText("qopt.gemm", "qopt", "",
                tensorType(with(s.leading, s.length), ElementKind::F32),
                tensorType({s.channels, s.length}, ElementKind::F32),
                randomFloats(random, s.channels * s.length, -1, 1),
                tensorType({s.channels}, ElementKind::F32),
                randomFloats(random, s.channels, -1, 1),
                tensorType(with(s.leading, s.channels), ElementKind::F32));
  return graph;
}

TEST(Conv, IntegerEqualsReference) {
  runGraphFamily("conv", defaultCases, false, [](Random &random) {
    return integerConv(random, /*hasFewBits=*/false);
  });
}

TEST(Conv, FewBitsEqualReference) {
  runGraphFamily("conv-few-bits", fewBitsCases, false, [](Random &random) {
    return integerConv(random, /*hasFewBits=*/true);
  });
}

TEST(Conv, DepthwiseEqualsReference) {
  // The second fifty of this family are shared by threads.
  runGraphFamily("conv-depthwise", 100, /*isFloat=*/false, depthwiseConv);
}

TEST(Conv, TableBehindEqualsReference) {
  constexpr int perModule = 25;
  int count = casesToRun(perModule * 3), module = 0;
  for (int done = 0; done < count; done += perModule, ++module) {
    std::vector<GraphCase> cases;
    for (int i = done; i < done + perModule; ++i) {
      Random random(1000 + i);
      cases.push_back(tableBehind(random));
    }
    // Modules of these seeds are shared by threads.
    for (const TestIsa &isa : isasOf(module))
      runGraphs(cases, isa, /*seed=*/200 * module);
  }
}

TEST(Conv, FloatIsNearReferenceAndEqualEverywhere) {
  runGraphFamily("conv-float", defaultCases, true, floatConv);
}

TEST(Gemm, IntegerEqualsReference) {
  runGraphFamily("gemm", defaultCases, false, [](Random &random) {
    return integerGemm(random, /*hasFewBits=*/false);
  });
}

TEST(Gemm, FewBitsEqualReference) {
  runGraphFamily("gemm-few-bits", fewBitsCases, false, [](Random &random) {
    return integerGemm(random, /*hasFewBits=*/true);
  });
}

TEST(Gemm, WordsTimesBytesEqualReference) {
  runGraphFamily("gemm-words-bytes", 25, /*isFloat=*/false, wordsTimesBytes);
}

/// However a product is cut, its bytes are the same.
TEST(Gemm, EveryCutEqualsReference) {
  constexpr int perModule = 16;
  constexpr size_t mostCandidates = 9;
  for (size_t candidate = 1; candidate < mostCandidates; ++candidate) {
    std::vector<GraphCase> cases;
    for (int i = 0; i < perModule; ++i) {
      Random random(5000 + 100 * candidate + i);
      const bool hasFewBits = random.chance(15);
      cases.push_back(i % 2 ? integerGemm(random, hasFewBits)
                            : integerConv(random, hasFewBits));
    }
    std::vector<TestIsa> isas =
        isasOf(static_cast<int>(candidate), /*withByteShuffles=*/false);
    const uint64_t seed = 50 * candidate;
    runGraphs(cases, isas[candidate % isas.size()], seed, nullptr, candidate);
  }
}

TEST(Gemm, FloatIsNearReferenceAndEqualEverywhere) {
  runGraphFamily("gemm-float", defaultCases, true, floatGemm);
}

} // namespace
