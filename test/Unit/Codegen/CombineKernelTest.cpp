// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quotients, sums of parts, extremes and matrix products, integer and float, on
// random shapes, layouts and parameters: equal to the reference evaluator
// (integers to the byte).

#include "KernelHarness.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;

int64_t range(ElementKind kind) {
  return kind == ElementKind::I8 ? 255 : 65535;
}

std::string dialectOf(ElementKind kind) {
  return kind == ElementKind::F32 ? "qopt" : "qint";
}

/// A tensor of a case: shape and kind.
struct Operand {
  SmallVector<int64_t> shape;
  ElementKind kind;

  std::string type() const { return tensorType(shape, kind); }
};

/// `op` of one or two operands, read and written in random layouts.
KernelCase makeCase(Random &random, const std::string &op,
                    const std::string &attrs, ArrayRef<Operand> in,
                    const Operand &out) {
  KernelCase c;
  std::string arguments, values, types;
  for (auto [i, operand] : llvm::enumerate(in)) {
    std::string name = "%a" + std::to_string(i), comma = i ? ", " : "";
    c.in.push_back(randomView(random, operand.shape, operand.kind));
    arguments += comma + name + ": " + operand.type();
    values += comma + name;
    types += comma + operand.type();
  }
  c.out = randomView(random, out.shape, out.kind);
  c.text = "(" + arguments + ") -> " + out.type() + " {\n  %r = " + op + " " +
           values + " " + attrs + " : (" + types + ") -> " + out.type() +
           "\n  return %r : " + out.type() + "\n}";
  return c;
}

SmallVector<int64_t> randomShape(Random &random) {
  if (random.chance(60))
    return {random.in(1, 2), randomChannels(random), random.in(1, 5),
            random.in(1, 6)};
  SmallVector<int64_t> shape;
  for (int64_t rank = random.in(1, 3); rank > 0; --rank)
    shape.push_back(random.in(1, rank == 1 ? 150 : 5));
  return shape;
}

/// `shape` with some axes of length one, perhaps without its first axis.
SmallVector<int64_t> broadcastable(Random &random, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> result(shape);
  for (int64_t &size : result)
    if (random.chance(25))
      size = 1;
  if (random.chance(20))
    result.erase(result.begin());
  return result;
}

/// Two operands whose broadcast is the result, sometimes both stretched.
std::array<SmallVector<int64_t>, 2> broadcastPair(Random &random,
                                                  ArrayRef<int64_t> shape) {
  SmallVector<int64_t> a(shape), b = broadcastable(random, shape);
  // What `b` does not stretch, `a` may.
  size_t missing = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i)
    if (b[i] != 1 && random.chance(20))
      a[i + missing] = 1;
  if (random.chance(50))
    std::swap(a, b);
  return {a, b};
}

std::string zeroPoints(Random &random, ElementKind a, ElementKind b) {
  return "lhs_zero_point = " + std::to_string(randomZeroPoint(random, a)) +
         " : i32, rhs_zero_point = " +
         std::to_string(randomZeroPoint(random, b)) + " : i32";
}

KernelCase divCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  auto [a, b] = broadcastPair(random, shape);
  ElementKind kindA = randomKind(random, 25), kindB = randomKind(random, 25);
  ElementKind kindR = randomKind(random, 25);
  int64_t top = kindR == ElementKind::I8 ? 127 : 32767;
  // Quotients of neighbouring integers land inside the result's range.
  int64_t shift = random.in(0, 44);
  int64_t most = std::min<int64_t>(INT32_MAX, (top + 1) << (shift / 2 + 4));
  std::string attrs =
      "{" + zeroPoints(random, kindA, kindB) + ", requant = #qint.requant<[" +
      std::to_string(random.in(1, most)) + "], [" +
      std::to_string(std::max<int64_t>(shift, 1)) + "], zp " +
      std::to_string(randomZeroPoint(random, kindR)) + ", clamp " +
      std::to_string(random.chance(70) ? -top - 1 : -5) + " to " +
      std::to_string(random.chance(70) ? top : 90) + ">}";
  return makeCase(random, "qint.div", attrs, {{a, kindA}, {b, kindB}},
                  {shape, kindR});
}

KernelCase sumPartsCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  ElementKind out = randomKind(random, 40);
  const int64_t axis = random.in(0, shape.size() - 1);
  const int64_t bits = random.in(1, 16);
  const int64_t bound = (int64_t(1) << 31) * ((int64_t(1) << bits) + 1);
  std::string attrs =
      "{axis = " + std::to_string(axis) +
      " : i64, low_bits = " + std::to_string(bits) + " : i32, requant = " +
      randomRequant(random, bound, random.chance(20) ? 1 : shape[axis], out) +
      "}";
  return makeCase(random, "qint.sum_parts", attrs,
                  {{shape, ElementKind::I32}, {shape, ElementKind::I32}},
                  {shape, out});
}

KernelCase floatDivCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  auto [a, b] = broadcastPair(random, shape);
  constexpr ElementKind kind = ElementKind::F32;
  KernelCase c = makeCase(
      random, "qopt.div",
      random.chance(30) ? "{activation = #qopt.fn<clip, 0.5, 2.0>}" : "",
      {{a, kind}, {b, kind}}, {shape, kind});
  c.low = 0.25;
  c.high = 6;
  c.floatUlps = 1;
  return c;
}

KernelCase extremeCase(Random &random, bool isFloat) {
  SmallVector<int64_t> shape = randomShape(random);
  auto [a, b] = broadcastPair(random, shape);
  ElementKind kind = isFloat ? ElementKind::F32 : randomKind(random, 30);
  std::string op = random.pick<std::string>({".max", ".min"});
  KernelCase c = makeCase(random, dialectOf(kind) + op, "",
                          {{a, kind}, {b, kind}}, {shape, kind});
  if (isFloat)
    c.floatUlps = 1;
  return c;
}

/// Axes to reduce, whether they stay, and the shape that is left.
struct Reduced {
  std::string attrs;
  SmallVector<int64_t> shape;

  Reduced(Random &random, ArrayRef<int64_t> input) {
    bool keep = random.chance(50);
    std::string axes;
    for (size_t axis = 0; axis < input.size(); ++axis) {
      bool isLast = axis + 1 == input.size();
      if (random.chance(45) || (isLast && axes.empty())) {
        axes += (axes.empty() ? "" : ", ") + std::to_string(axis);
        if (keep)
          shape.push_back(1);
      } else {
        shape.push_back(input[axis]);
      }
    }
    attrs =
        "axes [" + axes + "] {keep_dims = " + (keep ? "true" : "false") + "}";
  }
};

KernelCase reduceExtremeCase(Random &random, bool isFloat) {
  SmallVector<int64_t> shape = randomShape(random);
  Reduced reduced(random, shape);
  ElementKind kind = isFloat ? ElementKind::F32 : randomKind(random, 30);
  std::string op = random.pick<std::string>({".reduce_max", ".reduce_min"});
  KernelCase c = makeCase(random, dialectOf(kind) + op, reduced.attrs,
                          {{shape, kind}}, {reduced.shape, kind});
  if (isFloat)
    c.floatUlps = 1;
  return c;
}

KernelCase floatSumCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  Reduced reduced(random, shape);
  constexpr ElementKind kind = ElementKind::F32;
  KernelCase c = makeCase(random, "qopt.reduce_sum", reduced.attrs,
                          {{shape, kind}}, {reduced.shape, kind});
  c.floatUlps = 4;
  c.floatTolerance = 1e-2;
  return c;
}

/// Shapes of a matrix product with batches that broadcast.
struct Product {
  SmallVector<int64_t> a, b, r;
  int64_t terms;

  explicit Product(Random &random) {
    for (int64_t rank = random.in(0, 2); rank > 0; --rank)
      r.push_back(random.in(1, 3));
    if (!r.empty()) {
      auto [left, right] = broadcastPair(random, r);
      a = left;
      b = right;
    }
    int64_t rows = random.in(1, 7);
    int64_t columns = random.chance(50)
                          ? random.pick<int64_t>({1, 16, 32, 64, 128})
                          : random.in(1, 100);
    terms = random.in(1, 40);
    a.append({rows, terms});
    b.append({terms, columns});
    r.append({rows, columns});
  }
};

KernelCase matMulCase(Random &random) {
  Product product(random);
  ElementKind kindA = randomKind(random, 15), kindB = randomKind(random, 15);
  // Sums of wider products leave 32 bits.
  if (kindA == ElementKind::I16 && kindB == ElementKind::I16)
    kindB = ElementKind::I8;
  ElementKind kindR = randomKind(random, 25);
  std::string attrs =
      "{" + zeroPoints(random, kindA, kindB) + ", requant = " +
      randomRequant(random, range(kindA) * range(kindB) * product.terms, 1,
                    kindR) +
      "}";
  return makeCase(random, "qint.matmul", attrs,
                  {{product.a, kindA}, {product.b, kindB}}, {product.r, kindR});
}

KernelCase floatMatMulCase(Random &random) {
  Product product(random);
  constexpr ElementKind kind = ElementKind::F32;
  KernelCase c =
      makeCase(random, "qopt.matmul", "",
               {{product.a, kind}, {product.b, kind}}, {product.r, kind});
  c.floatUlps = 4;
  c.floatTolerance = 1e-4;
  return c;
}

/// The left side is a constant, which lies among the model's constants.
KernelCase constantMatMulCase(Random &random) {
  int64_t rows = random.in(1, 5), terms = random.in(1, 9);
  Operand a{{rows, terms}, ElementKind::I8};
  Operand b{{terms, random.in(1, 100)}, ElementKind::I8};
  Operand r{{rows, b.shape[1]}, ElementKind::I8};
  KernelCase c =
      makeCase(random, "qint.matmul %w,",
               "{" + zeroPoints(random, a.kind, b.kind) + ", requant = " +
                   randomRequant(random, 255 * 255 * terms, 1, r.kind) + "}",
               {b}, r);
  std::string values;
  for (int64_t row = 0; row < rows; ++row) {
    values += row ? "], [" : "[";
    for (int64_t term = 0; term < terms; ++term)
      values += (term ? ", " : "") + std::to_string(random.in(-128, 127));
  }
  size_t body = c.text.find("{\n") + 2, types = c.text.rfind(": (") + 3;
  c.text.insert(types, a.type() + ", ");
  c.text.insert(body, "  %w = qint.constant dense<[" + values +
                          "]]> : " + a.type() + "\n");
  return c;
}

TEST(CombineKernelTest, Div) { runFamily("div", defaultCases, divCase); }
TEST(CombineKernelTest, SumParts) {
  runFamily("sum_parts", defaultCases / 2, sumPartsCase);
}
TEST(CombineKernelTest, FloatDiv) {
  runFloatFamily("div_f32", 60, floatDivCase);
}
TEST(CombineKernelTest, Extreme) {
  runFamily("extreme", defaultCases,
            [](Random &random) { return extremeCase(random, false); });
}
TEST(CombineKernelTest, FloatExtreme) {
  runFloatFamily("extreme_f32", 60,
                 [](Random &random) { return extremeCase(random, true); });
}
TEST(CombineKernelTest, ReduceExtreme) {
  runFamily("reduce_extreme", defaultCases,
            [](Random &random) { return reduceExtremeCase(random, false); });
}
TEST(CombineKernelTest, FloatReduceExtreme) {
  runFloatFamily("reduce_extreme_f32", 60, [](Random &random) {
    return reduceExtremeCase(random, true);
  });
}
TEST(CombineKernelTest, FloatSum) {
  runFloatFamily("reduce_sum_f32", 60, floatSumCase);
}
TEST(CombineKernelTest, MatMul) {
  runFamily("matmul", defaultCases, matMulCase);
}
TEST(CombineKernelTest, FloatMatMul) {
  runFloatFamily("matmul_f32", 60, floatMatMulCase);
}
TEST(CombineKernelTest, ConstantMatMul) {
  runFamily("matmul_constant", 60, constantMatMulCase);
}

} // namespace
