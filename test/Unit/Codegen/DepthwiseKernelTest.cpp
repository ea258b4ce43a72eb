// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Depthwise convolutions equal the reference evaluator: to the byte for
// integers, within rounding for floats.

#include "KernelHarness.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;

/// A convolution of each channel with its own kernel.
struct Depthwise {
  SmallVector<int64_t> in, kernel, strides, pads, dilations, out;

  explicit Depthwise(Random &random) {
    int64_t channels = randomChannels(random);
    do {
      in = {random.in(1, 2), channels, random.in(1, 10), random.in(1, 12)};
      kernel = {random.in(1, 5), random.in(1, 5)};
      if (random.chance(50))
        kernel = {3, 3};
      strides = {random.in(1, 3), random.in(1, 3)};
      if (random.chance(50))
        strides = {1, 1};
      dilations = {1, 1};
      if (random.chance(20))
        dilations = {random.in(1, 3), random.in(1, 3)};
      pads.clear();
      for (int side = 0; side < 4; ++side)
        pads.push_back(random.in(0, 2));
      out = {in[0], channels};
      for (int axis = 0; axis < 2; ++axis) {
        int64_t reach = (kernel[axis] - 1) * dilations[axis] + 1;
        int64_t room = in[axis + 2] + pads[axis] + pads[axis + 2] - reach;
        out.push_back(room < 0 ? 0 : room / strides[axis] + 1);
      }
    } while (out[2] < 1 || out[3] < 1);
  }

  Halo halo() const { return {pads[0], pads[1], pads[2], pads[3]}; }
  int64_t taps() const { return kernel[0] * kernel[1]; }
  std::string attributes() const {
    return "groups = " + std::to_string(in[1]) +
           " : i64, strides = " + arrayText(strides) +
           ", pads = " + arrayText(pads) +
           ", dilations = " + arrayText(dilations);
  }
  SmallVector<int64_t> weightShape() const {
    return {in[1], 1, kernel[0], kernel[1]};
  }
};

std::string hexFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  char text[16];
  std::snprintf(text, sizeof(text), "%08X", bits);
  // Dense blobs are bytes in memory order.
  std::string bytes;
  for (int i = 6; i >= 0; i -= 2)
    bytes += std::string(text + i, 2);
  return bytes;
}

std::string hexInt(int64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    char byte[4];
    std::snprintf(byte, sizeof(byte), "%02X",
                  unsigned(value >> (8 * i)) & 0xff);
    text += byte;
  }
  return text;
}

/// `%name = dialect.constant dense<"0x..."> : type`.
std::string constantText(const std::string &name, const std::string &dialect,
                         const std::string &blob, const std::string &type) {
  return "  %" + name + " = " + dialect + ".constant dense<\"0x" + blob +
         "\"> : " + type + "\n";
}

std::string convText(const Depthwise &d, const std::string &dialect,
                     const std::string &constants, bool hasBias,
                     const std::string &attributes, ElementKind in,
                     ElementKind out, ElementKind weight, ElementKind bias) {
  std::string x = tensorType(d.in, in), y = tensorType(d.out, out);
  std::string w = tensorType(d.weightShape(), weight);
  std::string b = tensorType({d.in[1]}, bias);
  return "(%x: " + x + ") -> " + y + " {\n" + constants + "  %r = " + dialect +
         ".conv %x, %w" + (hasBias ? ", %b" : "") + " {" + attributes +
         "} : (" + x + ", " + w + (hasBias ? ", " + b : "") + ") -> " + y +
         "\n  return %r : " + y + "\n}";
}

KernelCase integerCase(Random &random) {
  Depthwise d(random);
  ElementKind in = randomKind(random, 30), out = randomKind(random, 25);
  bool hasBias = random.chance(80);
  std::string weights, biases, zeros;
  int64_t numZeros = random.pick<int64_t>({0, 0, 0, 1, d.in[1]});
  for (int64_t i = 0; i < d.in[1] * d.taps(); ++i)
    weights += hexInt(random.in(-128, 127), 1);
  int64_t largest = random.pick<int64_t>({1000, 1 << 20, 1 << 28});
  for (int64_t i = 0; i < d.in[1]; ++i)
    biases += hexInt(random.in(-largest, largest), 4);
  for (int64_t i = 0; i < numZeros; ++i)
    // 127 less -128 is the one difference that no two bytes add up to.
    zeros += (i ? ", " : "") +
             std::to_string(random.chance(20) ? -128 : random.in(-128, 127));
  std::string constants = constantText(
      "w", "qint", weights, tensorType(d.weightShape(), ElementKind::I8));
  if (hasBias)
    constants += constantText("b", "qint", biases,
                              tensorType({d.in[1]}, ElementKind::I32));
  int64_t bound = (in == ElementKind::I8 ? 255 : 65535) * d.taps() *
                      (numZeros ? 255 : 128) +
                  (hasBias ? largest : 0);
  std::string attributes =
      d.attributes() + ", input_zero_point = " +
      std::to_string(in == ElementKind::I8 ? randomZeroPoint(random, in) : 0) +
      " : i32, requant = " +
      randomRequant(random, bound, random.chance(70) ? d.in[1] : 1, out);
  if (numZeros)
    attributes += ", weight_zero_points = array<i32: " + zeros + ">";
  KernelCase c;
  c.in = {randomView(random, d.in, in, d.halo())};
  c.out = randomView(random, d.out, out);
  c.text = convText(d, "qint", constants, hasBias, attributes, in, out,
                    ElementKind::I8, ElementKind::I32);
  return c;
}

KernelCase floatCase(Random &random) {
  Depthwise d(random);
  bool hasBias = random.chance(80);
  std::string weights, biases;
  for (int64_t i = 0; i < d.in[1] * d.taps(); ++i)
    weights += hexFloat(random.real(-1, 1));
  for (int64_t i = 0; i < d.in[1]; ++i)
    biases += hexFloat(random.real(-1, 1));
  std::string constants = constantText(
      "w", "qopt", weights, tensorType(d.weightShape(), ElementKind::F32));
  if (hasBias)
    constants += constantText("b", "qopt", biases,
                              tensorType({d.in[1]}, ElementKind::F32));
  std::string attributes = d.attributes();
  if (random.chance(40))
    attributes += ", activation = #qopt.fn<clip, 0.0, 1.5>";
  KernelCase c;
  c.in = {randomView(random, d.in, ElementKind::F32, d.halo())};
  c.out = randomView(random, d.out, ElementKind::F32);
  // Errors are relative to the terms, which reach 4 each.
  c.floatUlps = 8 * d.taps();
  c.floatTolerance = 4e-7 * d.taps();
  c.text = convText(d, "qopt", constants, hasBias, attributes, ElementKind::F32,
                    ElementKind::F32, ElementKind::F32, ElementKind::F32);
  return c;
}

TEST(DepthwiseKernelTest, Integer) {
  runFamily("depthwise", defaultCases, integerCase);
}
TEST(DepthwiseKernelTest, Float) {
  runFloatFamily("depthwise_f32", defaultCases, floatCase);
}

} // namespace
