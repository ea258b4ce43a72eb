// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer elementwise ops, tables, softmax, pools and means equal the
// reference evaluator to the byte, on random shapes, layouts and parameters.

#include "KernelHarness.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;

SmallVector<int64_t> randomShape(Random &random) {
  if (random.chance(60))
    return {random.in(1, 2), randomChannels(random), random.in(1, 6),
            random.in(1, 7)};
  SmallVector<int64_t> shape;
  for (int64_t rank = random.in(1, 3); rank > 0; --rank)
    shape.push_back(random.in(1, rank == 1 ? 150 : 5));
  return shape;
}

/// `shape` with some axes of length one, or without its first axes.
SmallVector<int64_t> broadcastable(Random &random, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> result(shape);
  if (random.chance(50))
    return result;
  for (int64_t &size : result)
    if (random.chance(40))
      size = 1;
  if (random.chance(30))
    result.erase(result.begin(), result.begin() + random.in(0, shape.size()));
  return result;
}

int64_t range(ElementKind kind) {
  return kind == ElementKind::I8 ? 255 : 65535;
}

/// `(%a: A, %b: B) -> R { %r = op ... ; return }`.
std::string binaryText(StringRef op, const std::string &attrs,
                       const std::string &a, const std::string &b,
                       const std::string &r) {
  return "(%a: " + a + ", %b: " + b + ") -> " + r + " {\n  %r = " + op.str() +
         " %a, %b {" + attrs + "} : (" + a + ", " + b + ") -> " + r +
         "\n  return %r : " + r + "\n}";
}

std::string unaryText(const std::string &op, const std::string &a,
                      const std::string &r) {
  return "(%a: " + a + ") -> " + r + " {\n  %r = " + op + " : (" + a + ") -> " +
         r + "\n  return %r : " + r + "\n}";
}

/// Two operands of a broadcast and the result's layout.
struct Operands {
  SmallVector<int64_t> a, b, r;
  ElementKind kindA, kindB, kindR;

  explicit Operands(Random &random) {
    r = randomShape(random);
    a = r;
    b = broadcastable(random, r);
    if (random.chance(30))
      std::swap(a, b);
    kindA = randomKind(random, 25);
    kindB = random.chance(80) ? kindA : randomKind(random, 50);
    kindR = randomKind(random, 25);
  }
  void fill(Random &random, KernelCase &c) const {
    c.in = {randomView(random, a, kindA), randomView(random, b, kindB)};
    c.out = randomView(random, r, kindR);
  }
};

/// `[Ma, Mb]` and a shift so that an int32 or an int64 holds the sum.
std::string randomSumRequant(Random &random, const Operands &o) {
  bool isNarrow = o.kindA == ElementKind::I8 && o.kindB == ElementKind::I8 &&
                  o.kindR == ElementKind::I8 && random.chance(80);
  int64_t limit = isNarrow ? (int64_t(1) << 31) : (int64_t(1) << 46);
  int64_t spread = range(o.kindA) + range(o.kindB);
  int64_t most = std::min<int64_t>(INT32_MAX, limit / spread / 2);
  int64_t ma = random.in(1, most), mb = random.in(1, most);
  if (random.chance(40))
    mb = -mb;
  if (random.chance(10))
    ma = 1;
  int64_t reach = ma * range(o.kindA) + std::abs(mb) * range(o.kindB);
  int64_t top = o.kindR == ElementKind::I8 ? 127 : 32767;
  int64_t shift = 1;
  while (shift < 45 && (reach >> shift) > top * random.in(1, 3))
    ++shift;
  while (isNarrow && shift > 1 &&
         reach + (int64_t(1) << shift) * 129 >= (int64_t(1) << 31))
    --shift;
  return "#qint.requant<[" + std::to_string(ma) + ", " + std::to_string(mb) +
         "], [" + std::to_string(shift) + "], zp " +
         std::to_string(randomZeroPoint(random, o.kindR)) + ", clamp " +
         std::to_string(random.chance(70) ? -top - 1 : -5) + " to " +
         std::to_string(random.chance(70) ? top : 90) +
         (random.chance(25) ? ", half_even>" : ">");
}

std::string zeroPoints(Random &random, const Operands &o) {
  return "lhs_zero_point = " +
         std::to_string(randomZeroPoint(random, o.kindA)) +
         " : i32, rhs_zero_point = " +
         std::to_string(randomZeroPoint(random, o.kindB)) + " : i32";
}

KernelCase addCase(Random &random) {
  Operands o(random);
  KernelCase c;
  o.fill(random, c);
  c.text = binaryText("qint.add",
                      zeroPoints(random, o) +
                          ", requant = " + randomSumRequant(random, o),
                      tensorType(o.a, o.kindA), tensorType(o.b, o.kindB),
                      tensorType(o.r, o.kindR));
  return c;
}

/// A product of `o`.
KernelCase productCase(Random &random, const Operands &o) {
  KernelCase c;
  o.fill(random, c);
  int64_t bound = range(o.kindA) * range(o.kindB);
  c.text = binaryText("qint.mul",
                      zeroPoints(random, o) + ", requant = " +
                          randomRequant(random, bound, 1, o.kindR),
                      tensorType(o.a, o.kindA), tensorType(o.b, o.kindB),
                      tensorType(o.r, o.kindR));
  return c;
}

KernelCase mulCase(Random &random) {
  return productCase(random, Operands(random));
}

/// An image of bytes times one value a channel.
KernelCase gateCase(Random &random) {
  Operands o(random);
  o.r = {random.in(1, 2), randomChannels(random), random.in(1, 6),
         random.in(1, 9)};
  o.a = o.r;
  o.b = {random.pick<int64_t>({1, o.r[0]}), o.r[1], 1, 1};
  if (random.chance(30))
    std::swap(o.a, o.b);
  o.kindA = o.kindB = o.kindR = ElementKind::I8;
  return productCase(random, o);
}

KernelCase requantizeCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  ElementKind in = randomKind(random, 50), out = randomKind(random, 50);
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, shape, out);
  c.text = unaryText(
      "qint.requantize %a {input_zero_point = " +
          std::to_string(randomZeroPoint(random, in)) +
          " : i32, requant = " + randomRequant(random, range(in), 1, out) + "}",
      tensorType(shape, in), tensorType(shape, out));
  return c;
}

std::string randomArray(Random &random, StringRef type, int64_t count,
                        int64_t low, int64_t high) {
  std::string text = ("array<" + type + ": ").str();
  for (int64_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::to_string(random.in(low, high));
  return text + ">";
}

KernelCase tableCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  ElementKind in = randomKind(random, 1), out = randomKind(random, 40);
  int64_t top = out == ElementKind::I8 ? 127 : 32767;
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, shape, out);
  c.text = unaryText(
      "qint.table %a {table = " +
          randomArray(random, "i16", range(in) + 1, -top - 1, top) + "}",
      tensorType(shape, in), tensorType(shape, out));
  return c;
}

KernelCase piecewiseCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  ElementKind out = randomKind(random, 40);
  int64_t segments = random.pick<int64_t>({32, 64, 128});
  int64_t bits = random.in(0, 7);
  int64_t high = out == ElementKind::I8 ? 127 : 32767, low = -high - 1;
  if (random.chance(30)) {
    low = random.in(low, high);
    high = random.in(low, high);
  }
  // Half of the bases of bytes fit 16 bits with their fraction.
  int64_t top = random.chance(50) ? 32767 : (int64_t(32768) << bits) - 1;
  KernelCase c;
  c.in = {randomView(random, shape, ElementKind::I16)};
  c.out = randomView(random, shape, out);
  c.text = unaryText(
      "qint.piecewise %a {base = " +
          randomArray(random, "i32", segments, -top - 1, top) +
          ", slope = " + randomArray(random, "i16", segments, -16000, 16000) +
          ", curve = " + randomArray(random, "i16", segments, -16000, 16000) +
          ", fraction_bits = " + std::to_string(bits) +
          " : i32, clamp_min = " + std::to_string(low) +
          " : i32, clamp_max = " + std::to_string(high) + " : i32}",
      tensorType(shape, ElementKind::I16), tensorType(shape, out));
  return c;
}

KernelCase softmaxCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  if (random.chance(10))
    shape = {random.in(1, 2), random.pick<int64_t>({511, 512, 513, 2000})};
  ElementKind in = randomKind(random, 40), out = randomKind(random, 40);
  std::string table = exponentialTables(random, in);
  int64_t levels =
      random.pick<int64_t>({256, 255, 1, 65535, random.in(1, 65535)});
  const int64_t shift = random.chance(40) ? random.in(1, 15) : 0;
  levels = random.chance(20)
               ? random.in(1, INT32_MAX >> (shift == 0))
               : (levels << shift) + random.in(0, (int64_t(1) << shift) - 1);
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, shape, out);
  c.text = unaryText(
      "qint.softmax %a axis " + std::to_string(random.in(0, shape.size() - 1)) +
          " {exp_table = array<i32: " + table +
          ">, levels = " + std::to_string(levels) + " : i32, level_shift = " +
          std::to_string(shift) + " : i32, zero_point = " +
          std::to_string(randomZeroPoint(random, out)) + " : i32}",
      tensorType(shape, in), tensorType(shape, out));
  return c;
}

/// A pool's window that covers something everywhere.
struct Window {
  SmallVector<int64_t> kernel, strides, pads, dilations, in, out;

  explicit Window(Random &random) {
    do {
      in = {random.in(1, 2), randomChannels(random), random.in(1, 9),
            random.in(1, 9)};
      kernel = {random.in(1, 4), random.in(1, 4)};
      if (random.chance(15))
        kernel = {in[2], in[3]};
      strides = {random.in(1, 3), random.in(1, 3)};
      dilations = {random.in(1, random.chance(20) ? 2 : 1),
                   random.in(1, random.chance(20) ? 2 : 1)};
      pads.clear();
      for (int side = 0; side < 4; ++side)
        pads.push_back(random.chance(50) ? 0 : random.in(0, 2));
      out = {in[0], in[1]};
      for (int axis = 0; axis < 2; ++axis) {
        int64_t reach = (kernel[axis] - 1) * dilations[axis] + 1;
        int64_t room = in[axis + 2] + pads[axis] + pads[axis + 2] - reach;
        out.push_back(room < 0 ? 0 : room / strides[axis] + 1);
      }
    } while (!isCovered());
  }

  /// Taps inside along one axis.
  int64_t taps(int axis, int64_t index) const {
    int64_t count = 0;
    for (int64_t tap = 0; tap < kernel[axis]; ++tap) {
      int64_t at = index * strides[axis] - pads[axis] + tap * dilations[axis];
      count += at >= 0 && at < in[axis + 2];
    }
    return count;
  }
  bool isCovered() const {
    for (int axis = 0; axis < 2; ++axis) {
      if (out[axis + 2] < 1)
        return false;
      for (int64_t i = 0; i < out[axis + 2]; ++i)
        if (taps(axis, i) == 0)
          return false;
    }
    return true;
  }
  std::vector<int64_t> tapCounts() const {
    std::vector<int64_t> counts;
    for (int64_t y = 0; y < out[2]; ++y)
      for (int64_t x = 0; x < out[3]; ++x)
        counts.push_back(taps(0, y) * taps(1, x));
    llvm::sort(counts);
    counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    return counts;
  }
  std::string attributes() const {
    return "kernel = " + arrayText(kernel) +
           ", strides = " + arrayText(strides) + ", pads = " + arrayText(pads) +
           ", dilations = " + arrayText(dilations);
  }
};

KernelCase maxPoolCase(Random &random) {
  Window window(random);
  ElementKind kind = randomKind(random, 25);
  KernelCase c;
  c.in = {randomView(random, window.in, kind)};
  c.out = randomView(random, window.out, kind);
  c.text = unaryText("qint.max_pool %a {" + window.attributes() + "}",
                     tensorType(window.in, kind), tensorType(window.out, kind));
  return c;
}

/// Equal scales: a multiplier of `2^30 / count`, and so ties for even counts.
std::string averageRequant(Random &random, ArrayRef<int64_t> counts,
                           ElementKind out) {
  std::string multipliers;
  for (int64_t count : counts)
    multipliers += (multipliers.empty() ? "" : ", ") +
                   std::to_string(((int64_t(1) << 30) + count / 2) / count);
  bool isByte = out == ElementKind::I8;
  return "#qint.requant<[" + multipliers + "], [30], zp " +
         std::to_string(randomZeroPoint(random, out)) + ", clamp " +
         (isByte ? "-128 to 127" : "-32768 to 32767") + ", half_even>";
}

KernelCase avgPoolCase(Random &random) {
  Window window(random);
  ElementKind in = randomKind(random, 25), out = randomKind(random, 25);
  std::vector<int64_t> counts = window.tapCounts();
  std::string requant = random.chance(30)
                            ? averageRequant(random, counts, out)
                            : randomRequant(random, range(in) * counts.back(),
                                            counts.size(), out);
  KernelCase c;
  c.in = {randomView(random, window.in, in)};
  c.out = randomView(random, window.out, out);
  c.text = unaryText("qint.avg_pool %a {" + window.attributes() +
                         ", tap_counts = " + arrayText(counts) +
                         ", input_zero_point = " +
                         std::to_string(randomZeroPoint(random, in)) +
                         " : i32, requant = " + requant + "}",
                     tensorType(window.in, in), tensorType(window.out, out));
  return c;
}

KernelCase reduceMeanCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  if (random.chance(10))
    shape = {1, random.in(1, 70), random.in(10, 30), random.in(10, 30)};
  if (random.chance(10))
    shape = {random.in(1, 3), random.in(250, 1300)};
  SmallVector<int64_t> axes;
  while (axes.empty())
    for (int64_t axis = 0; axis < int64_t(shape.size()); ++axis)
      if (random.chance(50))
        axes.push_back(axis);
  if (shape.size() == 4 && random.chance(50))
    axes = {2, 3};
  bool keep = random.chance(50);
  SmallVector<int64_t> result;
  int64_t terms = 1;
  for (int64_t axis = 0; axis < int64_t(shape.size()); ++axis) {
    bool isReduced = llvm::is_contained(axes, axis);
    terms *= isReduced ? shape[axis] : 1;
    if (!isReduced || keep)
      result.push_back(isReduced ? 1 : shape[axis]);
  }
  ElementKind in = randomKind(random, 25), out = randomKind(random, 25);
  KernelCase c;
  c.in = {randomView(random, shape, in)};
  c.out = randomView(random, result, out);
  std::string axesText;
  for (int64_t axis : axes)
    axesText += (axesText.empty() ? "" : ", ") + std::to_string(axis);
  c.text = unaryText("qint.reduce_mean %a axes [" + axesText +
                         "] {keep_dims = " + (keep ? "true" : "false") +
                         ", input_zero_point = " +
                         std::to_string(randomZeroPoint(random, in)) +
                         " : i32, requant = " +
                         randomRequant(random, range(in) * terms, 1, out) + "}",
                     tensorType(shape, in), tensorType(result, out));
  return c;
}

/// A constant a channel, read from the constants instead of the arena.
KernelCase addConstantCase(Random &random) {
  Operands o(random);
  o.r = {random.in(1, 2), randomChannels(random), random.in(1, 4),
         random.in(1, 4)};
  o.a = o.r;
  o.b = {o.r[1], 1, 1};
  o.kindB = ElementKind::I8;
  std::string values;
  for (int64_t i = 0; i < o.r[1]; ++i)
    values += (i ? ", [[" : "[[") + std::to_string(random.in(-128, 127)) + "]]";
  std::string a = tensorType(o.a, o.kindA), b = tensorType(o.b, o.kindB);
  std::string r = tensorType(o.r, o.kindR);
  KernelCase c;
  c.in = {randomView(random, o.a, o.kindA)};
  c.out = randomView(random, o.r, o.kindR);
  c.text = "(%a: " + a + ") -> " + r + " {\n  %b = qint.constant dense<[" +
           values + "]> : " + b + "\n  %r = qint.add %a, %b {" +
           zeroPoints(random, o) +
           ", requant = " + randomSumRequant(random, o) + "} : (" + a + ", " +
           b + ") -> " + r + "\n  return %r : " + r + "\n}";
  return c;
}

/// The largest byte 900 times over: sums of 16 bits would wrap.
KernelCase largestMeanCase(Random &random) {
  SmallVector<int64_t> shape = {1, random.in(1, 70), 30, 30};
  SmallVector<int64_t> result = {1, shape[1], 1, 1};
  KernelCase c;
  c.values = {127};
  c.in = {randomView(random, shape, ElementKind::I8)};
  c.out = randomView(random, result, ElementKind::I8);
  c.text = unaryText("qint.reduce_mean %a axes [2, 3] {input_zero_point = "
                     "-128 : i32, requant = #qint.requant<[1073741824], [41], "
                     "zp -128, clamp -128 to 127>}",
                     tensorType(shape, ElementKind::I8),
                     tensorType(result, ElementKind::I8));
  return c;
}

/// A quotient of exactly one and a half, whose reciprocal is not exact.
KernelCase softmaxTieCase(Random &random) {
  SmallVector<int64_t> shape = {random.in(1, 3), 4};
  KernelCase c;
  c.values = {100, 99, 98, 97};
  c.in = {randomView(random, shape, ElementKind::I8)};
  c.out = randomView(random, shape, ElementKind::I8);
  std::string table = "8388608, 4500003, 5555702, 5555703";
  for (int i = 4; i < 256; ++i)
    table += ", 0";
  c.text = unaryText("qint.softmax %a axis 1 {exp_table = array<i32: " + table +
                         ">, levels = 8 : i32, zero_point = 0 : i32}",
                     tensorType(shape, ElementKind::I8),
                     tensorType(shape, ElementKind::I8));
  return c;
}

TEST(IntegerKernelTest, LargestMean) {
  runFamily("largest_mean", 20, largestMeanCase);
}
TEST(IntegerKernelTest, SoftmaxTie) {
  runFamily("softmax_tie", 10, softmaxTieCase);
}
TEST(IntegerKernelTest, AddConstant) {
  runFamily("add_constant", 60, addConstantCase);
}
TEST(IntegerKernelTest, Add) { runFamily("add", defaultCases, addCase); }
TEST(IntegerKernelTest, Mul) { runFamily("mul", defaultCases, mulCase); }
TEST(IntegerKernelTest, Gate) { runFamily("gate", 100, gateCase); }
TEST(IntegerKernelTest, Requantize) {
  runFamily("requantize", defaultCases, requantizeCase);
}
TEST(IntegerKernelTest, Table) { runFamily("table", defaultCases, tableCase); }
TEST(IntegerKernelTest, Piecewise) {
  runFamily("piecewise", defaultCases, piecewiseCase);
}
TEST(IntegerKernelTest, Softmax) {
  runFamily("softmax", defaultCases, softmaxCase);
}
TEST(IntegerKernelTest, MaxPool) {
  runFamily("max_pool", defaultCases, maxPoolCase);
}
TEST(IntegerKernelTest, AvgPool) {
  runFamily("avg_pool", defaultCases, avgPoolCase);
}
TEST(IntegerKernelTest, ReduceMean) {
  runFamily("reduce_mean", defaultCases, reduceMeanCase);
}

} // namespace
