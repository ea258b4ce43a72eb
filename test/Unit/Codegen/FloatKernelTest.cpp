// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float kernels for calibration: close to the reference evaluator, and equal
// to the byte on every machine with FMA.

#include "KernelHarness.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;
constexpr ElementKind kind = ElementKind::F32;

SmallVector<int64_t> randomShape(Random &random) {
  if (random.chance(60))
    return {random.in(1, 2), randomChannels(random), random.in(1, 6),
            random.in(1, 7)};
  SmallVector<int64_t> shape;
  for (int64_t rank = random.in(1, 3); rank > 0; --rank)
    shape.push_back(random.in(1, rank == 1 ? 150 : 5));
  return shape;
}

std::string unaryText(const std::string &op, const std::string &a,
                      const std::string &r) {
  return "(%a: " + a + ") -> " + r + " {\n  %r = " + op + " : (" + a + ") -> " +
         r + "\n  return %r : " + r + "\n}";
}

std::string randomClamp(Random &random) {
  return random.pick<std::string>(
      {"", "{activation = #qopt.fn<relu>} ",
       "{activation = #qopt.fn<clip, -0.5, 1.25>} "});
}

KernelCase binaryCase(Random &random) {
  SmallVector<int64_t> r = randomShape(random), b = r;
  for (int64_t &size : b)
    if (random.chance(25))
      size = 1;
  std::string ta = tensorType(r, kind), tb = tensorType(b, kind);
  std::string op = random.pick<std::string>({"add", "sub", "mul"});
  KernelCase c;
  c.in = {randomView(random, r, kind), randomView(random, b, kind)};
  c.out = randomView(random, r, kind);
  c.floatUlps = 1;
  c.text = "(%a: " + ta + ", %b: " + tb + ") -> " + ta + " {\n  %r = qopt." +
           op + " %a, %b " + randomClamp(random) + ": (" + ta + ", " + tb +
           ") -> " + ta + "\n  return %r : " + ta + "\n}";
  return c;
}

/// `chain` on values of magnitude up to `reach`.
KernelCase functionCase(Random &random, ArrayRef<int64_t> shape,
                        const std::string &chain, float reach) {
  std::string type = tensorType(shape, kind);
  KernelCase c;
  c.low = -reach;
  c.high = reach;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  c.text = unaryText("qopt.unary %a [" + chain + "]", type, type);
  return c;
}

KernelCase unaryCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  std::string fn = random.pick<std::string>(
      {"relu", "clip, -1.0, 2.5", "leaky_relu, 0.1", "sigmoid", "tanh",
       "hard_sigmoid, 0.2, 0.5", "hard_swish", "affine, 2.5, -0.75"});
  std::string chain = "#qopt.fn<" + fn + ">";
  if (random.chance(25))
    chain += ", #qopt.fn<leaky_relu, 0.25>";
  float reach = random.pick<float>({0.6f, 6.0f, 20.0f, 110.0f});
  KernelCase c = functionCase(random, shape, chain, reach);
  c.floatUlps = 4;
  c.floatTolerance = 1e-6 * reach;
  if (fn == "sigmoid" || fn == "tanh")
    c.floatTolerance = 1e-12;
  return c;
}

/// Functions that are defined everywhere: no limit, no jump.
KernelCase smoothCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  std::string fn = random.pick<std::string>(
      {"elu, 1.5, 0.5", "softplus", "erf", "abs", "exp"});
  float reach = random.pick<float>({0.6f, 6.0f, 20.0f, 85.0f});
  KernelCase c = functionCase(random, shape, "#qopt.fn<" + fn + ">", reach);
  c.floatUlps = 5;
  c.floatTolerance = 1e-30;
  return c;
}

/// Sine and cosine, whose errors are absolute, and the arctangent.
KernelCase circleCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  std::string fn = random.pick<std::string>({"sin", "cos", "atan"});
  float reach = random.pick<float>({0.8f, 10.0f, 2000.0f, 4e6f});
  KernelCase c = functionCase(random, shape, "#qopt.fn<" + fn + ">", reach);
  c.floatUlps = 3;
  c.floatTolerance = fn == "atan" ? 1e-30 : 0x1p-23;
  return c;
}

/// Functions with limits or jumps, also at their edges: inputs are multiples
/// of 1/8.
KernelCase edgeCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  std::string fn = random.pick<std::string>(
      {"log", "sqrt", "reciprocal", "pow, 3.0", "pow, -2.0", "pow, 0.0",
       "pow, 0.5", "pow, 1.7", "pow, -0.3", "pow, 71.0", "sign", "floor",
       "ceil", "round", "greater, 0.5", "greater_or_equal, 0.5", "equal, 0.5",
       "affine, 0.0, 3.0"});
  std::string type = tensorType(shape, kind);
  KernelCase c;
  float reach = random.pick<float>({0.8f, 5.0f, 3e5f});
  c.low = -reach;
  c.high = reach;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  // The rounding of an exponent's product counts as often as it is large.
  c.floatUlps = StringRef(fn).starts_with("pow") ? 200 : 4;
  c.floatTolerance = 1e-30;
  c.text = unaryText("qopt.unary %a [#qopt.fn<affine, 8.0, 0.0>, "
                     "#qopt.fn<round>, #qopt.fn<affine, 0.125, 0.0>, "
                     "#qopt.fn<" +
                         fn + ">]",
                     type, type);
  return c;
}

/// Chains with a stack.
KernelCase stackCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  std::string op = random.pick<std::string>(
      {"add", "sub", "mul", "div", "min", "max", "swap"});
  bool swaps = op == "swap";
  std::string type = tensorType(shape, kind);
  KernelCase c;
  c.low = -6;
  c.high = 6;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  c.floatUlps = 8;
  c.floatTolerance = 1e-5;
  // relu is 0 for half of the elements: 0 times and by it.
  c.text = unaryText("qopt.unary %a [#qopt.fn<push>, #qopt.fn<" +
                         std::string(random.chance(50) ? "relu" : "sigmoid") +
                         ">, #qopt.fn<" + op + ">" +
                         (swaps ? ", #qopt.fn<sub>" : "") +
                         ", #qopt.fn<clip, -50.0, 50.0>]",
                     type, type);
  return c;
}

KernelCase softmaxCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  std::string type = tensorType(shape, kind);
  KernelCase c;
  c.low = -12;
  c.high = 12;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  c.floatUlps = 12;
  c.floatTolerance = 1e-12;
  c.text = unaryText("qopt.softmax %a axis " +
                         std::to_string(random.in(0, shape.size() - 1)),
                     type, type);
  return c;
}

KernelCase poolCase(Random &random) {
  int64_t size = random.in(1, 3), stride = random.in(1, 2);
  SmallVector<int64_t> in = {random.in(1, 2), randomChannels(random),
                             random.in(size, 9), random.in(size, 9)};
  int64_t pad = random.in(0, size - 1);
  SmallVector<int64_t> out = {in[0], in[1]};
  for (int axis = 2; axis < 4; ++axis)
    out.push_back((in[axis] + 2 * pad - size) / stride + 1);
  std::string op = random.pick<std::string>({"max_pool", "avg_pool"});
  KernelCase c;
  c.in = {randomView(random, in, kind)};
  c.out = randomView(random, out, kind);
  c.floatUlps = 2;
  c.floatTolerance = 4e-6;
  c.text = unaryText("qopt." + op + " %a {kernel = " + arrayText({size, size}) +
                         ", strides = " + arrayText({stride, stride}) +
                         ", pads = " + arrayText({pad, pad, pad, pad}) + "}",
                     tensorType(in, kind), tensorType(out, kind));
  return c;
}

KernelCase meanCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random), result = shape;
  int64_t axis = random.in(0, shape.size() - 1);
  std::string axes = std::to_string(axis);
  result[axis] = 1;
  if (shape.size() == 4 && random.chance(50)) {
    axes = "2, 3";
    result = {shape[0], shape[1], 1, 1};
  }
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, result, kind);
  c.floatUlps = 4;
  c.floatTolerance = 4e-6;
  c.text = unaryText("qopt.reduce_mean %a axes [" + axes + "]",
                     tensorType(shape, kind), tensorType(result, kind));
  return c;
}

KernelCase batchNormCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  if (shape.size() < 2)
    shape.push_back(random.in(1, 40));
  std::string type = tensorType(shape, kind),
              row = "tensor<" + std::to_string(shape[1]) + "xf32>";
  std::string scale, shift;
  for (int64_t i = 0; i < shape[1]; ++i) {
    scale += (i ? ", " : "") + std::to_string(random.real(-2, 2));
    shift += (i ? ", " : "") + std::to_string(random.real(-2, 2));
  }
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  c.floatUlps = 2;
  c.floatTolerance = 1e-5;
  c.text = "(%a: " + type + ") -> " + type +
           " {\n  %s = qopt.constant dense<[" + scale + "]> : " + row +
           "\n  %t = qopt.constant dense<[" + shift + "]> : " + row +
           "\n  %r = qopt.batch_norm %a, %s, %t : (" + type + ", " + row +
           ", " + row + ") -> " + type + "\n  return %r : " + type + "\n}";
  return c;
}

TEST(FloatKernelTest, Binary) {
  runFloatFamily("binary_f32", defaultCases, binaryCase);
}
TEST(FloatKernelTest, Unary) {
  runFloatFamily("unary_f32", defaultCases, unaryCase);
}
TEST(FloatKernelTest, Smooth) {
  runFloatFamily("smooth_f32", defaultCases / 3, smoothCase);
}

TEST(FloatKernelTest, CircularFunctions) {
  runFloatFamily("circle_f32", defaultCases / 4, circleCase);
}
TEST(FloatKernelTest, Edges) {
  runFloatFamily("edges_f32", defaultCases / 2, edgeCase);
}
TEST(FloatKernelTest, Stack) {
  runFloatFamily("stack_f32", defaultCases / 4, stackCase);
}
TEST(FloatKernelTest, Softmax) {
  runFloatFamily("softmax_f32", defaultCases, softmaxCase);
}
TEST(FloatKernelTest, Pool) {
  runFloatFamily("pool_f32", defaultCases, poolCase);
}
TEST(FloatKernelTest, Mean) {
  runFloatFamily("mean_f32", defaultCases, meanCase);
}
TEST(FloatKernelTest, BatchNorm) {
  runFloatFamily("batch_norm_f32", defaultCases, batchNormCase);
}

} // namespace
