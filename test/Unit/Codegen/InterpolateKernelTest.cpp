// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resizing by taps: integer kernels equal the reference evaluator to the byte,
// float kernels are close to it and equal on every machine with FMA.

#include "KernelHarness.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 60;

/// The taps of one axis as text.
struct Axis {
  int64_t input, output, taps;
  std::string indices, weights;
  /// The largest sum of the magnitudes of a result's integer weights.
  int64_t largestSum = 0;

  Axis(Random &random, bool isFloat) {
    input = random.in(1, 6);
    output = random.in(1, 7);
    taps = random.pick<int64_t>({1, 2, 4, 4, 5});
    int64_t most = random.pick<int64_t>({32768, 32768, 900});
    for (int64_t i = 0; i < output; ++i) {
      int64_t sum = 0;
      for (int64_t tap = 0; tap < taps; ++tap) {
        std::string comma = indices.empty() ? "" : ", ";
        indices += comma + std::to_string(random.in(0, input - 1));
        int64_t weight = random.in(-most, most);
        weights += comma + (isFloat ? std::to_string(weight / 32768.0)
                                    : std::to_string(weight));
        sum += std::abs(weight);
      }
      largestSum = std::max(largestSum, sum);
    }
  }
};

KernelCase interpolateCase(Random &random, bool isFloat) {
  ElementKind in = ElementKind::F32, out = in;
  if (!isFloat) {
    in = randomKind(random, 25);
    out = randomKind(random, 25);
  }
  Axis rows(random, isFloat), columns(random, isFloat);
  int64_t batch = random.in(1, 2), channels = randomChannels(random);
  SmallVector<int64_t> from = {batch, channels, rows.input, columns.input};
  SmallVector<int64_t> to = {batch, channels, rows.output, columns.output};
  std::string attributes;
  if (!isFloat) {
    int64_t range = in == ElementKind::I8 ? 255 : 65535;
    attributes =
        " {input_zero_point = " + std::to_string(randomZeroPoint(random, in)) +
        " : i32, requant = " +
        randomRequant(random, range * rows.largestSum * columns.largestSum, 1,
                      out) +
        "}";
  }
  KernelCase c;
  c.in = {randomView(random, from, in)};
  c.out = randomView(random, to, out);
  c.floatUlps = isFloat ? 4 : 0;
  c.floatTolerance = 1e-4;
  std::string a = tensorType(from, in), r = tensorType(to, out);
  c.text =
      "(%a: " + a + ") -> " + r + " {\n  %r = " + (isFloat ? "qopt" : "qint") +
      ".interpolate %a rows [" + rows.indices + "] [" + rows.weights +
      "] columns [" + columns.indices + "] [" + columns.weights + "]" +
      attributes + " : (" + a + ") -> " + r + "\n  return %r : " + r + "\n}";
  return c;
}

TEST(InterpolateKernelTest, Integer) {
  runFamily("interpolate", defaultCases,
            [](Random &random) { return interpolateCase(random, false); });
}

TEST(InterpolateKernelTest, Float) {
  runFloatFamily("interpolate_f32", defaultCases / 2,
                 [](Random &random) { return interpolateCase(random, true); });
}

} // namespace
