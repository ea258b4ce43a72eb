// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies, transposes, pads, concats, gathers and halo fills equal the reference
// evaluator to the byte and write nothing else.

#include "KernelHarness.h"
#include <gtest/gtest.h>
#include <numeric>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 300;

SmallVector<int64_t> randomShape(Random &random) {
  if (random.chance(50))
    return {random.in(1, 2), randomChannels(random), random.in(1, 6),
            random.in(1, 40)};
  SmallVector<int64_t> shape;
  for (int64_t rank = random.in(1, 5); rank > 0; --rank)
    shape.push_back(random.in(1, rank == 1 ? 70 : 6));
  return shape;
}

std::string moveText(const std::string &op, const std::string &from,
                     const std::string &to) {
  return "(%a: " + from + ") -> " + to + " {\n  %r = " + op + " : (" + from +
         ") -> " + to + "\n  return %r : " + to + "\n}";
}

KernelCase transposeCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random), result;
  SmallVector<int64_t> permutation(shape.size());
  std::iota(permutation.begin(), permutation.end(), 0);
  for (size_t i = permutation.size(); i > 1; --i)
    std::swap(permutation[i - 1], permutation[random.in(0, i - 1)]);
  std::string text;
  for (int64_t axis : permutation) {
    result.push_back(shape[axis]);
    text += (text.empty() ? "" : ", ") + std::to_string(axis);
  }
  ElementKind kind = randomKind(random, 30);
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, result, kind);
  c.text = moveText("qint.transpose %a [" + text + "]", tensorType(shape, kind),
                    tensorType(result, kind));
  return c;
}

/// Boundary to arena and back: what the first and last kernel of a model do.
KernelCase layoutCase(Random &random) {
  SmallVector<int64_t> shape = {random.in(1, 2), random.in(1, 6),
                                random.in(1, 5), random.in(1, 140)};
  ElementKind kind = randomKind(random, 30);
  KernelCase c;
  bool isEntry = random.chance(50);
  View inner = randomView(random, shape, kind, {}, false), outer = inner;
  outer.halo = {};
  outer.offset = random.in(0, 9);
  outer.strides = rowMajorStrides(shape);
  outer.storageBias = 0;
  c.in = {isEntry ? outer : inner};
  c.out = isEntry ? inner : outer;
  c.text = moveText("qint.transpose %a [0, 1, 2, 3]", tensorType(shape, kind),
                    tensorType(shape, kind));
  return c;
}

KernelCase reshapeCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random), result;
  int64_t rest = 1;
  for (int64_t size : shape)
    rest *= size;
  while (rest > 1 && result.size() < 4) {
    int64_t divisor = random.in(1, rest);
    while (rest % divisor != 0)
      --divisor;
    result.push_back(divisor);
    rest /= divisor;
  }
  if (rest > 1 || result.empty())
    result.push_back(rest);
  ElementKind kind = randomKind(random, 30);
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, result, kind);
  c.text = moveText("qint.reshape %a", tensorType(shape, kind),
                    tensorType(result, kind));
  return c;
}

KernelCase padCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random), pads, result = shape;
  for (size_t i = 0; i < 2 * shape.size(); ++i) {
    pads.push_back(random.chance(50) ? 0 : random.in(0, 3));
    result[i % shape.size()] += pads.back();
  }
  std::string text;
  for (int64_t pad : pads)
    text += (text.empty() ? "" : ", ") + std::to_string(pad);
  ElementKind kind = randomKind(random, 30);
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, result, kind);
  c.text =
      moveText("qint.pad %a [" + text + "] {value = " +
                   std::to_string(randomZeroPoint(random, kind)) + " : i32}",
               tensorType(shape, kind), tensorType(result, kind));
  return c;
}

KernelCase concatCase(Random &random) {
  SmallVector<int64_t> a = randomShape(random);
  int64_t axis = random.in(0, a.size() - 1);
  SmallVector<int64_t> b = a, result = a;
  b[axis] = random.in(1, 20);
  result[axis] += b[axis];
  ElementKind kind = randomKind(random, 30);
  std::string ta = tensorType(a, kind), tb = tensorType(b, kind);
  std::string tr = tensorType(result, kind);
  KernelCase c;
  c.in = {randomView(random, a, kind), randomView(random, b, kind)};
  c.out = randomView(random, result, kind);
  c.text = "(%a: " + ta + ", %b: " + tb + ") -> " + tr +
           " {\n  %r = qint.concat %a, %b axis " + std::to_string(axis) +
           " : (" + ta + ", " + tb + ") -> " + tr + "\n  return %r : " + tr +
           "\n}";
  return c;
}

/// Indices as importers make them (each n times, all n times, reflected,
/// backward) or none in particular.
SmallVector<int64_t> randomIndices(Random &random, int64_t size) {
  SmallVector<int64_t> indices;
  int64_t times = random.in(1, 3);
  switch (random.in(0, 4)) {
  case 0:
    for (int64_t i = 0; i < size * times; ++i)
      indices.push_back(i / times);
    break;
  case 1:
    for (int64_t i = 0; i < size * times; ++i)
      indices.push_back(i % size);
    break;
  case 2:
    for (int64_t i = 1 - size; i < size; ++i)
      indices.push_back(std::abs(i));
    break;
  case 3:
    for (int64_t i = size; i > 0; i -= times)
      indices.push_back(i - 1);
    break;
  default:
    for (int64_t i = random.in(1, 40); i > 0; --i)
      indices.push_back(random.in(0, size - 1));
  }
  return indices;
}

KernelCase gatherCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random), result = shape;
  int64_t axis = random.in(0, shape.size() - 1);
  SmallVector<int64_t> indices = randomIndices(random, shape[axis]);
  result[axis] = indices.size();
  std::string text;
  for (int64_t index : indices)
    text += (text.empty() ? "" : ", ") + std::to_string(index);
  ElementKind kind = randomKind(random, 30);
  KernelCase c;
  c.in = {randomView(random, shape, kind)};
  c.out = randomView(random, result, kind);
  c.text = moveText("qint.gather %a axis " + std::to_string(axis) + " [" +
                        text + "]",
                    tensorType(shape, kind), tensorType(result, kind));
  return c;
}

KernelCase haloCase(Random &random) {
  SmallVector<int64_t> shape = {random.in(1, 2), randomChannels(random),
                                random.in(1, 5), random.in(1, 5)};
  ElementKind kind = randomKind(random, 30);
  Halo halo{random.in(0, 3), random.in(0, 3), random.in(0, 3), random.in(0, 3)};
  KernelCase c;
  c.out = randomView(random, shape, kind, halo, false);
  c.fillsHalo = true;
  c.haloValue = randomZeroPoint(random, kind);
  std::string type = tensorType(shape, kind);
  c.text =
      "(%a: " + type + ") -> " + type + " {\n  return %a : " + type + "\n}";
  return c;
}

TEST(MoveKernelTest, Transpose) {
  runFamily("transpose", defaultCases, transposeCase);
}
TEST(MoveKernelTest, Layout) { runFamily("layout", defaultCases, layoutCase); }
TEST(MoveKernelTest, Reshape) {
  runFamily("reshape", defaultCases, reshapeCase);
}
TEST(MoveKernelTest, Pad) { runFamily("pad", defaultCases, padCase); }
TEST(MoveKernelTest, Concat) { runFamily("concat", defaultCases, concatCase); }
TEST(MoveKernelTest, Gather) { runFamily("gather", 60, gatherCase); }
TEST(MoveKernelTest, Halo) { runFamily("halo", defaultCases, haloCase); }

} // namespace
