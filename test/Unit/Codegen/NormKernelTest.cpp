// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on rows and their normalizations, integer and float, on random shapes,
// layouts and parameters: equal to the reference evaluator (integers to the
// byte).

#include "KernelHarness.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;

SmallVector<int64_t> randomShape(Random &random) {
  if (random.chance(50))
    return {random.in(1, 2), randomChannels(random), random.in(1, 5),
            random.in(1, 6)};
  SmallVector<int64_t> shape;
  for (int64_t rank = random.in(1, 3); rank > 0; --rank)
    shape.push_back(random.in(1, rank == 1 ? 150 : 5));
  return shape;
}

/// Some axes, at least one: trailing ones, one alone, or any.
SmallVector<int64_t> randomAxes(Random &random, int64_t rank) {
  SmallVector<int64_t> axes;
  int64_t first = random.in(0, rank - 1), form = random.in(0, 2);
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis == first || (form == 0 && axis > first) ||
        (form == 1 && random.chance(40)))
      axes.push_back(axis);
  return axes;
}

std::string axesText(ArrayRef<int64_t> axes) {
  std::string text;
  for (int64_t axis : axes)
    text += (text.empty() ? "[" : ", ") + std::to_string(axis);
  return text + "]";
}

std::string unaryText(const std::string &op, const std::string &a,
                      const std::string &r) {
  return "(%a: " + a + ") -> " + r + " {\n  %r = " + op + " : (" + a + ") -> " +
         r + "\n  return %r : " + r + "\n}";
}

/// `dense<...> : tensor<...>` of factors that broadcast to `shape`.
std::string factorsText(Random &random, ArrayRef<int64_t> shape,
                        const char *element,
                        llvm::function_ref<std::string()> value) {
  SmallVector<int64_t> own(shape);
  int64_t form = random.in(0, 3);
  for (int64_t &size : own)
    if (form == 0 || (form == 1 && random.chance(50)) ||
        (form == 2 && &size != &own.back()))
      size = 1;
  int64_t count = 1;
  std::string type = "tensor<";
  for (int64_t size : own) {
    count *= size;
    type += std::to_string(size) + "x";
  }
  std::string text;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t axis = 0, block = count; axis < int64_t(own.size()); ++axis) {
      if (i % block == 0)
        text += "[";
      block /= own[axis];
    }
    text += value();
    for (int64_t axis = own.size(), block = 1; axis-- > 0;) {
      block *= own[axis];
      if ((i + 1) % block == 0)
        text += "]";
    }
    text += i + 1 < count ? ", " : "";
  }
  return "dense<" + text + "> : " + type + element + ">";
}

KernelCase layerNormCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  bool isLong = random.chance(4);
  if (isLong)
    shape = {random.in(1, 3), random.pick<int64_t>({255, 256, 257, 3000})};
  if (random.chance(2))
    shape = {1, 40000};
  SmallVector<int64_t> axes = randomAxes(random, shape.size());
  if (isLong || shape.size() == 2)
    axes = {1};
  int64_t length = 1;
  for (int64_t axis : axes)
    length *= shape[axis];
  ElementKind in = length > 32768 ? ElementKind::I8 : randomKind(random, 30);
  ElementKind out = randomKind(random, 30);
  int64_t power = random.chance(80) ? 2 : 1;
  bool center = power == 2 && random.chance(70);
  // The largest shift that the verifier lets through is `room` or so.
  int64_t bits =
      2 * llvm::Log2_64_Ceil(length) + (in == ElementKind::I8 ? 16 : 32) + 1;
  int64_t room = std::max<int64_t>(0, (61 - bits) / 2 * 2);
  int64_t shift = power == 1 ? 0 : random.in(0, room / 2) * 2;
  int64_t epsilon = power == 1 || random.chance(30)
                        ? 0
                        : random.in(0, int64_t(1) << random.in(1, 59));
  int64_t top = out == ElementKind::I8 ? 127 : 32767;
  std::string gamma = factorsText(random, shape, "i32", [&] {
    return std::to_string(random.in(-2147483647, 2147483647) >>
                          random.in(0, 12));
  });
  std::string beta;
  if (random.chance(60))
    beta = ", beta = " + factorsText(random, shape, "i32", [&] {
             return std::to_string(random.in(-(1 << 30), 1 << 30) >>
                                   random.in(0, 20));
           });
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, shape, out);
  c.text = unaryText(
      "qint.layer_norm %a axes " + axesText(axes) + " {input_zero_point = " +
          std::to_string(randomZeroPoint(random, in)) + " : i32, center = " +
          (center ? "true" : "false") + ", power = " + std::to_string(power) +
          " : i64, variance_shift = " + std::to_string(shift) +
          " : i32, epsilon = " + std::to_string(epsilon) + " : i64, gamma = " +
          gamma + beta + ", requant = #qint.requant<[1], [" +
          std::to_string(random.in(1, 24)) + "], zp " +
          std::to_string(randomZeroPoint(random, out)) + ", clamp " +
          std::to_string(random.chance(70) ? -top - 1 : -5) + " to " +
          std::to_string(random.chance(70) ? top : 90) +
          (random.chance(25) ? ", half_even>}" : ">}"),
      tensorType(shape, in), tensorType(shape, out));
  // Rows of little variance.
  if (random.chance(20))
    for (int i = 0; i < 50; ++i)
      c.values.push_back(random.in(3, 5));
  return c;
}

KernelCase floatLayerNormCase(Random &random) {
  constexpr ElementKind kind = ElementKind::F32;
  SmallVector<int64_t> shape = randomShape(random);
  SmallVector<int64_t> axes = randomAxes(random, shape.size());
  int64_t power = random.chance(80) ? 2 : 1;
  auto factor = [&] { return std::to_string(random.real(-2, 2)); };
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  c.floatUlps = 64;
  c.floatTolerance = 1e-4;
  c.text = unaryText(
      "qopt.layer_norm %a axes " + axesText(axes) +
          " {center = " + (power == 2 && random.chance(70) ? "true" : "false") +
          ", power = " + std::to_string(power) +
          " : i64, epsilon = " + (power == 2 ? "0.01" : "0.0") + " : f64" +
          (random.chance(60)
               ? ", gamma = " + factorsText(random, shape, "f32", factor)
               : "") +
          (random.chance(60)
               ? ", beta = " + factorsText(random, shape, "f32", factor)
               : "") +
          (random.chance(30) ? ", activation = #qopt.fn<clip, -0.5, 1.0>"
                             : "") +
          "}",
      tensorType(shape, kind), tensorType(shape, kind));
  return c;
}

/// What is left of `shape` without `axes`, and the attribute that says so.
std::string reduce(Random &random, SmallVector<int64_t> &shape,
                   ArrayRef<int64_t> axes) {
  bool keep = random.chance(50);
  SmallVector<int64_t> result;
  for (auto [axis, size] : llvm::enumerate(shape))
    if (!llvm::is_contained(axes, int64_t(axis)))
      result.push_back(size);
    else if (keep)
      result.push_back(1);
  shape = result;
  return keep ? "keep_dims = true" : "keep_dims = false";
}

int64_t countOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= shape[axis];
  return count;
}

KernelCase reducePowerCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  if (random.chance(5))
    shape = {random.in(1, 3), random.pick<int64_t>({255, 256, 257, 40000})};
  SmallVector<int64_t> axes = randomAxes(random, shape.size());
  ElementKind in = randomKind(random, 30), out = randomKind(random, 30);
  int64_t zero = randomZeroPoint(random, in);
  int64_t low = in == ElementKind::I8 ? -128 : -32768, high = -low - 1;
  int64_t reach = std::max(zero - low, high - zero);
  int64_t power = random.in(1, 2);
  int64_t bound = (power == 1 ? reach : reach * reach) * countOf(shape, axes);
  std::string root;
  if (power == 2 && random.chance(60)) {
    int64_t shift = 0, most = bound;
    while (most < int64_t(1) << 60) {
      most *= 4;
      ++shift;
    }
    shift = random.in(0, shift);
    root = ", root_shift = " + std::to_string(shift) + " : i32";
    bound = int64_t(std::sqrt(double(bound)) * double(int64_t(1) << shift));
  }
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  SmallVector<int64_t> result = shape;
  std::string keep = reduce(random, result, axes);
  c.out = randomView(random, result, out);
  c.text = unaryText(
      "qint.reduce_power %a axes " + axesText(axes) + " {" + keep +
          ", input_zero_point = " + std::to_string(zero) +
          " : i32, power = " + std::to_string(power) + " : i64" + root +
          ", requant = " + randomRequant(random, bound + 1, 1, out) + "}",
      tensorType(shape, in), tensorType(result, out));
  return c;
}

KernelCase floatNormCase(Random &random) {
  constexpr ElementKind kind = ElementKind::F32;
  SmallVector<int64_t> shape = randomShape(random), result = shape;
  SmallVector<int64_t> axes = randomAxes(random, shape.size());
  std::string op = random.pick<std::string>(
      {"reduce_l1", "reduce_l2", "reduce_sum_square", "reduce_sum"});
  std::string keep = reduce(random, result, axes);
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, result, kind);
  c.floatUlps = 64;
  c.floatTolerance = 1e-4;
  c.text =
      unaryText("qopt." + op + " %a axes " + axesText(axes) + " {" + keep + "}",
                tensorType(shape, kind), tensorType(result, kind));
  return c;
}

KernelCase positionCase(Random &random, bool isFloat) {
  SmallVector<int64_t> shape = randomShape(random), result = shape;
  int64_t axis = random.in(0, shape.size() - 1);
  ElementKind in = isFloat ? ElementKind::F32 : randomKind(random, 30);
  ElementKind out = isFloat ? ElementKind::F32 : randomKind(random, 30);
  std::string keep = reduce(random, result, axis);
  std::string zero;
  if (!isFloat)
    zero = ", zero_point = " +
           std::to_string(out == ElementKind::I8 ? random.in(-128, -60) : 0) +
           " : i32";
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, result, out);
  c.text = unaryText(std::string(isFloat ? "qopt." : "qint.") +
                         random.pick<std::string>({"arg_max", "arg_min"}) +
                         " %a axis " + std::to_string(axis) + " {" + keep +
                         ", select_last = " +
                         (random.chance(50) ? "true" : "false") + zero + "}",
                     tensorType(shape, in), tensorType(result, out));
  // Equal extremes.
  if (random.chance(60) && !isFloat)
    for (int i = 0; i < 37; ++i)
      c.values.push_back(random.in(3, 5));
  return c;
}

KernelCase logSoftmaxCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  if (random.chance(10))
    shape = {random.in(1, 2), random.pick<int64_t>({511, 512, 513, 2000})};
  ElementKind in = randomKind(random, 40), out = randomKind(random, 40);
  const bool isWide = in == ElementKind::I16;
  std::string table = exponentialTables(random, in);
  // 255 M and 2^(s-1) take half of 31 bits; ln 2000 < 8 takes N's part. Of an
  // i16, 65535 M takes half of 46 bits.
  int64_t shift = random.in(1, isWide ? 30 : 24);
  int64_t logShift = random.in(isWide ? 14 : 30, 61);
  int64_t most = int64_t(1)
                 << std::min<int64_t>(26, logShift + (isWide ? 12 : -3));
  int64_t top = out == ElementKind::I8 ? 127 : 32767;
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, shape, out);
  c.text = unaryText(
      "qint.log_softmax %a axis " +
          std::to_string(random.in(0, shape.size() - 1)) +
          " {exp_table = array<i32: " + table + ">, requant = #qint.requant<[" +
          std::to_string(random.in(1, 1 << random.in(1, isWide ? 29 : 22))) +
          ", " + std::to_string(random.in(1, most - 1)) + "], [" +
          std::to_string(shift) + ", " + std::to_string(logShift) + "], zp " +
          std::to_string(random.chance(50) ? top
                                           : randomZeroPoint(random, out)) +
          ", clamp " + std::to_string(random.chance(70) ? -top - 1 : -5) +
          " to " + std::to_string(top) + ">}",
      tensorType(shape, in), tensorType(shape, out));
  return c;
}

KernelCase floatLogSoftmaxCase(Random &random) {
  constexpr ElementKind kind = ElementKind::F32;
  SmallVector<int64_t> shape = randomShape(random);
  std::string type = tensorType(shape, kind);
  KernelCase c;
  c.low = -12;
  c.high = 12;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, shape, kind);
  c.floatUlps = 12;
  c.floatTolerance = 4e-6;
  c.text = unaryText("qopt.log_softmax %a axis " +
                         std::to_string(random.in(0, shape.size() - 1)),
                     type, type);
  return c;
}

TEST(NormKernelTest, ReducePower) {
  runFamily("reduce_power", defaultCases / 2, reducePowerCase);
}
TEST(NormKernelTest, FloatNorm) {
  runFloatFamily("norm_f32", defaultCases / 5, floatNormCase);
}
TEST(NormKernelTest, Position) {
  runFamily("arg_extreme", defaultCases / 2,
            [](Random &random) { return positionCase(random, false); });
}
TEST(NormKernelTest, FloatPosition) {
  runFloatFamily("arg_extreme_f32", defaultCases / 5,
                 [](Random &random) { return positionCase(random, true); });
}
TEST(NormKernelTest, LogSoftmax) {
  runFamily("log_softmax", defaultCases / 4, logSoftmaxCase);
}
TEST(NormKernelTest, FloatLogSoftmax) {
  runFloatFamily("log_softmax_f32", defaultCases / 10, floatLogSoftmaxCase);
}
TEST(NormKernelTest, LayerNorm) {
  runFamily("layer_norm", defaultCases / 5, layerNormCase);
}
TEST(NormKernelTest, FloatLayerNorm) {
  runFloatFamily("layer_norm_f32", defaultCases / 5, floatLayerNormCase);
}

} // namespace
