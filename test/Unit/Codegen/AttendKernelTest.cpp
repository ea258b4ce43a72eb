// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of computed matrices on register tiles and averages weighted by
// softmax, on random shapes, layouts and parameters: equal to the reference
// evaluator (integers to the byte).

#include "KernelHarness.h"
#include "qopt/Numerics/Attention.h"
#include "llvm/Support/MathExtras.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 60;

/// `shape` row-major with gaps between rows and matrices, or with its last two
/// axes swapped in memory.
View matrixView(Random &random, ArrayRef<int64_t> shape, ElementKind kind,
                bool mayBeTransposed = false) {
  View view;
  view.kind = kind;
  view.shape.assign(shape.begin(), shape.end());
  view.storageBias = kind == ElementKind::I8 ? 128 : 0;
  view.offset = random.chance(50) ? 0 : random.in(0, 70);
  view.strides.assign(shape.size(), 1);
  SmallVector<int64_t> order;
  for (size_t axis = shape.size(); axis-- > 0;)
    order.push_back(axis);
  if (mayBeTransposed && random.chance(50))
    std::swap(order[0], order[1]);
  int64_t stride = 1;
  for (int64_t axis : order) {
    view.strides[axis] = stride;
    stride *= shape[axis];
    if (random.chance(25))
      stride += random.in(1, 9);
  }
  return view;
}

/// Shapes of a product with batches that broadcast.
struct Shapes {
  SmallVector<int64_t> left, right, result;
  int64_t terms;

  explicit Shapes(Random &random) {
    for (int64_t rank = random.in(0, 2); rank > 0; --rank) {
      int64_t size = random.in(1, 3);
      left.push_back(random.chance(15) ? 1 : size);
      right.push_back(left.back() == size && random.chance(30) ? 1 : size);
      result.push_back(size);
    }
    int64_t rows = random.chance(70) ? random.in(1, 20) : random.in(20, 50);
    int64_t columns = random.chance(40)
                          ? random.pick<int64_t>({1, 8, 15, 16, 32, 64, 128})
                          : random.in(1, 150);
    terms = random.chance(70) ? random.in(1, 40) : random.in(40, 150);
    left.append({rows, terms});
    right.append({terms, columns});
    result.append({rows, columns});
  }

  KernelCase makeCase(Random &random, const std::string &op,
                      const std::string &attrs, ElementKind operand,
                      ElementKind out) const {
    KernelCase c;
    c.in = {matrixView(random, left, operand),
            matrixView(random, right, operand, true)};
    c.out = matrixView(random, result, out);
    std::string a = tensorType(left, operand), b = tensorType(right, operand);
    std::string r = tensorType(result, out);
    c.text = "(%a: " + a + ", %b: " + b + ") -> " + r + " {\n  %r = " + op +
             " %a, %b " + attrs + " : (" + a + ", " + b + ") -> " + r +
             "\n  return %r : " + r + "\n}";
    return c;
  }
};

KernelCase productCase(Random &random) {
  Shapes shapes(random);
  ElementKind out = randomKind(random, 25);
  std::string attrs = "{lhs_zero_point = " +
                      std::to_string(randomZeroPoint(random, ElementKind::I8)) +
                      " : i32, rhs_zero_point = " +
                      std::to_string(randomZeroPoint(random, ElementKind::I8)) +
                      " : i32, requant = " +
                      randomRequant(random, 255 * 255 * shapes.terms, 1, out) +
                      "}";
  return shapes.makeCase(random, "qint.matmul", attrs, ElementKind::I8, out);
}

/// Scales from one weight a row to all equal ones; every form of rescaling.
KernelCase attendCase(Random &random) {
  Shapes shapes(random);
  ElementKind out = randomKind(random, 25);
  std::string table;
  for (int32_t e : mlir::qopt::numerics::buildAttentionTable(
           random.pick<float>({1e-3f, 0.01f, 0.02f, 0.1f, 0.5f, 10.0f})))
    table += (table.empty() ? "" : ", ") + std::to_string(e);
  auto multiplier = mlir::qopt::numerics::chooseAttentionMultiplier(
      std::exp2(random.in(-4, out == ElementKind::I8 ? 9 : 14)) *
      random.real(0.5f, 1.0f));
  if (!multiplier) {
    llvm::consumeError(multiplier.takeError());
    ADD_FAILURE() << "no multiplier";
    return KernelCase();
  }
  // Small multipliers tell how the row's division rounds.
  if (random.chance(30)) {
    int64_t small = random.in(1, 4000);
    multiplier->multiplier = {int32_t(small)};
    multiplier->shift = {int8_t(llvm::Log2_64(small) + random.in(3, 6))};
  }
  int64_t top = out == ElementKind::I8 ? 127 : 32767;
  std::string attrs =
      "{exp_table = array<i32: " + table + ">, values_zero_point = " +
      std::to_string(randomZeroPoint(random, ElementKind::I8)) +
      " : i32, requant = #qint.requant<[" +
      std::to_string(multiplier->multiplier[0]) + "], [" +
      std::to_string(int(multiplier->shift[0])) + "], zp " +
      std::to_string(randomZeroPoint(random, out)) + ", clamp " +
      std::to_string(random.chance(70) ? -top - 1 : -5) + " to " +
      std::to_string(random.chance(70) ? top : 90) + ">}";
  return shapes.makeCase(random, "qint.attend", attrs, ElementKind::I8, out);
}

KernelCase floatAttendCase(Random &random) {
  Shapes shapes(random);
  KernelCase c = shapes.makeCase(random, "qopt.attend", "", ElementKind::F32,
                                 ElementKind::F32);
  c.floatUlps = 16;
  c.floatTolerance = 1e-5;
  return c;
}

TEST(AttendKernelTest, Product) {
  runFamily("product", defaultCases, productCase);
}
TEST(AttendKernelTest, Attend) {
  runFamily("attend", defaultCases, attendCase);
}
TEST(AttendKernelTest, FloatAttend) {
  runFloatFamily("attend_f32", 60, floatAttendCase);
}

} // namespace
