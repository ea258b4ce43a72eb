// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding against the operators' definitions, written out element by element.
#include "Fold.h"
#include "ReadTensor.h"

#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir::qopt::importer;

namespace {

Constant iota(Shape shape) {
  Constant c;
  c.element = Element::Int;
  c.ints.resize(*countElements(shape));
  std::iota(c.ints.begin(), c.ints.end(), 0);
  c.shape = std::move(shape);
  return c;
}

template <typename T> std::string errorText(Expected<T> value) {
  return value ? "" : llvm::toString(value.takeError());
}

TEST(Fold, sliceAgreesWithPythonForAllSmallArguments) {
  // Python's rule: begin and end are clamped to [0, n] forward and to
  // [-1, n - 1] backward, after n has been added to negatives.
  for (int64_t size : {1, 2, 5}) {
    Constant input = iota({size});
    for (int64_t step : {-3, -2, -1, 1, 2, 3})
      for (int64_t start = -7; start <= 7; ++start)
        for (int64_t end = -7; end <= 7; ++end) {
          auto clampTo = [&](int64_t p) {
            p += p < 0 ? size : 0;
            int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
            return std::min(std::max(p, low), high);
          };
          std::vector<int64_t> expected;
          // ONNX clamps a start before the first element to it.
          int64_t first = clampTo(start), last = clampTo(end);
          if (step < 0 && first < 0)
            first = 0;
          for (int64_t i = first; step > 0 ? i < last : i > last; i += step)
            expected.push_back(i);
          auto result = foldSlice(input, {start}, {end}, {0}, {step});
          ASSERT_TRUE(bool(result));
          EXPECT_EQ(result->ints, expected)
              << size << ": " << start << ":" << end << ":" << step;
          EXPECT_EQ(result->shape, Shape({int64_t(expected.size())}));
        }
  }
}

TEST(Fold, sliceWithExtremeArguments) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  Constant input = iota({2, 3});
  auto reversed =
      foldSlice(input, {-1, most}, {least, least}, {0, 1}, {-1, -2});
  ASSERT_TRUE(bool(reversed));
  EXPECT_EQ(reversed->ints, (std::vector<int64_t>{5, 3, 2, 0}));
  auto one = foldSlice(input, {1}, {most}, {1}, {most});
  ASSERT_TRUE(bool(one));
  EXPECT_EQ(one->ints, (std::vector<int64_t>{1, 4}));
  auto back = foldSlice(input, {2}, {least}, {1}, {least});
  ASSERT_TRUE(bool(back));
  EXPECT_EQ(back->ints, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(errorText(foldSlice(input, {0, 0}, {1, 1}, {0, -2}, {1, 1})),
            "axis -2 is named twice");
  EXPECT_EQ(errorText(foldSlice(input, {0}, {1, 1}, {0}, {1})),
            "starts, ends, axes and steps differ in length");
}

TEST(Fold, transposeMovesEveryElement) {
  Constant input = iota({2, 3, 4});
  auto result = foldTranspose(input, {1, 2, 0});
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->shape, Shape({3, 4, 2}));
  for (int64_t i = 0; i != 2; ++i)
    for (int64_t j = 0; j != 3; ++j)
      for (int64_t k = 0; k != 4; ++k)
        EXPECT_EQ(result->ints[(j * 4 + k) * 2 + i], (i * 3 + j) * 4 + k);
}

TEST(Fold, transposeOfAMatrixCrossesItsBlocks) {
  Constant input = iota({37, 70});
  auto result = foldTranspose(input, {1, 0});
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->shape, Shape({70, 37}));
  for (int64_t i = 0; i != 37; ++i)
    for (int64_t j = 0; j != 70; ++j)
      ASSERT_EQ(result->ints[j * 37 + i], i * 70 + j);
}

TEST(Fold, gatherAlongEachAxis) {
  Constant input = iota({2, 3, 2});
  auto middle = foldGather(input, intConstant({2}, {2, -3}), 1);
  ASSERT_TRUE(bool(middle));
  EXPECT_EQ(middle->shape, Shape({2, 2, 2}));
  EXPECT_EQ(middle->ints, (std::vector<int64_t>{4, 5, 0, 1, 10, 11, 6, 7}));
  auto scalar = foldGather(input, intConstant({}, {1}), -1);
  ASSERT_TRUE(bool(scalar));
  EXPECT_EQ(scalar->shape, Shape({2, 3}));
  EXPECT_EQ(scalar->ints, (std::vector<int64_t>{1, 3, 5, 7, 9, 11}));
}

TEST(Fold, concatAlongTheMiddleAxis) {
  auto a = std::make_shared<Constant>(iota({2, 1, 2}));
  auto b = std::make_shared<Constant>(iota({2, 2, 2}));
  auto result = foldConcat({a, b}, 1);
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->shape, Shape({2, 3, 2}));
  EXPECT_EQ(result->ints,
            (std::vector<int64_t>{0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 6, 7}));
  auto c = std::make_shared<Constant>(*a);
  c->element = Element::Bool;
  EXPECT_EQ(errorText(foldConcat({a, c}, 1)),
            "the inputs have different element types");
}

TEST(Fold, whereBroadcastsAllThree) {
  Constant condition = intConstant({2, 1}, {1, 0});
  condition.element = Element::Bool;
  auto result =
      foldWhere(condition, intConstant({3}, {1, 2, 3}), intConstant({}, {9}));
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->shape, Shape({2, 3}));
  EXPECT_EQ(result->ints, (std::vector<int64_t>{1, 2, 3, 9, 9, 9}));
}

TEST(Fold, integerArithmeticIsExactOrRefused) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  auto run = [](Arithmetic op, int64_t a, int64_t b) {
    auto result = foldBinary(op, intConstant({}, {a}), intConstant({}, {b}));
    return result ? std::optional(result->ints[0])
                  : (llvm::consumeError(result.takeError()), std::nullopt);
  };
  EXPECT_EQ(run(Arithmetic::Add, most, 1), std::nullopt);
  EXPECT_EQ(run(Arithmetic::Sub, least, 1), std::nullopt);
  EXPECT_EQ(run(Arithmetic::Mul, least, -1), std::nullopt);
  EXPECT_EQ(run(Arithmetic::Div, least, -1), std::nullopt);
  EXPECT_EQ(run(Arithmetic::Div, 1, 0), std::nullopt);
  EXPECT_EQ(run(Arithmetic::Div, -7, 2), -3);
  EXPECT_EQ(run(Arithmetic::Sub, 3, 5), -2);
  EXPECT_EQ(run(Arithmetic::Min, 3, 5), 3);
  EXPECT_EQ(run(Arithmetic::Max, 3, 5), 5);
  EXPECT_EQ(run(Arithmetic::Less, 3, 5), 1);
  EXPECT_EQ(run(Arithmetic::Greater, 3, 5), 0);
  EXPECT_EQ(
      errorText(foldUnary(UnaryArithmetic::Neg, intConstant({}, {least}))),
      "integer arithmetic overflows");
}

TEST(Fold, castsAreExactOrRefused) {
  Constant floats;
  floats.shape = {2};
  floats.floats = {-1.75f, 2.5f};
  auto ints = foldCast(floats, 7);
  ASSERT_TRUE(bool(ints));
  EXPECT_EQ(ints->ints, (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(errorText(foldCast(floats, 2)),
            "a cast to an integer is out of range");
  floats.floats[0] = std::nanf("");
  EXPECT_EQ(errorText(foldCast(floats, 7)),
            "a cast to an integer is out of range");
  auto bools = foldCast(intConstant({2}, {0, -3}), 9);
  ASSERT_TRUE(bool(bools));
  EXPECT_EQ(bools->element, Element::Bool);
  EXPECT_EQ(bools->ints, (std::vector<int64_t>{0, 1}));
}

TEST(Fold, rangeCountsBothWays) {
  auto run = [](int64_t a, int64_t b, int64_t c) {
    return foldRange(intConstant({}, {a}), intConstant({}, {b}),
                     intConstant({}, {c}));
  };
  EXPECT_EQ(run(5, 0, -2)->ints, (std::vector<int64_t>{5, 3, 1}));
  EXPECT_EQ(run(0, 4, 2)->ints, (std::vector<int64_t>{0, 2}));
  EXPECT_TRUE(run(3, 3, 1)->ints.empty());
  EXPECT_EQ(errorText(run(0, 1 << 30, 1)), "a range has more than 2^24 values");
  EXPECT_EQ(errorText(run(std::numeric_limits<int64_t>::min(), 0, -1)),
            "a range exceeds 2^48");
}

TEST(Fold, elementCountsAreChecked) {
  EXPECT_EQ(countElements({}), 1);
  EXPECT_EQ(countElements({2, 0, 3}), 0);
  EXPECT_EQ(countElements({kMaxElements}), kMaxElements);
  EXPECT_EQ(countElements({2, int64_t(1) << 30}), std::nullopt);
  EXPECT_EQ(countElements({0, int64_t(1) << 62, 8}), std::nullopt);
  EXPECT_EQ(countElements({-1}), std::nullopt);
}

TEST(ReadTensor, everyHalfIsExact) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT16);
  proto.add_dims(65536);
  for (int32_t bits = 0; bits != 65536; ++bits)
    proto.add_int32_data(bits);
  TensorSource source;
  auto constant = readTensor(proto, "h", source);
  ASSERT_TRUE(bool(constant));
  for (int32_t bits = 0; bits != 65536; ++bits) {
    int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
    double sign = bits & 0x8000 ? -1 : 1;
    float value = (*constant)->floats[bits];
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), mantissa != 0);
      EXPECT_EQ(std::isinf(value), mantissa == 0);
      continue;
    }
    double expected = exponent == 0
                          ? std::ldexp(mantissa, -24)
                          : std::ldexp(1024 + mantissa, exponent - 25);
    EXPECT_EQ(double(value), sign * expected);
    EXPECT_EQ(std::signbit(value), sign < 0);
  }
}

/// Floats of two channels along axis 1, and the integers behind them.
Constant quantized(std::vector<int64_t> &integers) {
  auto q = std::make_shared<Quantization>();
  q->axis = 1;
  q->scales = {0.1f, 3e-5f};
  q->zeroPoints = {-128, 7};
  Constant c;
  c.shape = {128, 2};
  for (int64_t i = 0; i != 256; ++i) {
    integers.push_back(i - 128);
    c.floats.push_back(q->scales[i % 2] *
                       float(i - 128 - q->zeroPoints[i % 2]));
  }
  c.quantization = std::move(q);
  return c;
}

TEST(Quantized, integersComeBackFromTheirReals) {
  std::vector<int64_t> integers;
  Constant c = quantized(integers);
  EXPECT_EQ(recoverIntegers(c), integers);
  auto moved = foldTranspose(c, {});
  ASSERT_TRUE(bool(moved));
  EXPECT_EQ(moved->quantization->axis, 0);
  auto transposed = recoverIntegers(*moved);
  ASSERT_TRUE(transposed.has_value());
  EXPECT_EQ((*transposed)[1], integers[2]);
}

TEST(Quantized, reshapeKeepsAnAxisOnlyWhereItStaysWhole) {
  std::vector<int64_t> integers;
  Constant c = quantized(integers);
  Constant wider = foldReshape(c, {128, 1, 2, 1});
  ASSERT_TRUE(wider.quantization != nullptr);
  EXPECT_EQ(wider.quantization->axis, 2);
  EXPECT_EQ(recoverIntegers(wider), integers);
  EXPECT_EQ(foldReshape(c, {256}).quantization, nullptr);
  EXPECT_EQ(foldReshape(c, {2, 128}).quantization, nullptr);
}

TEST(Quantized, valuesThatAreNoMultiplesAreNotTakenForIntegers) {
  std::vector<int64_t> integers;
  Constant c = quantized(integers);
  auto with = [&](size_t i, float value) {
    Constant changed = c;
    changed.floats[i] = value;
    return recoverIntegers(changed).has_value();
  };
  EXPECT_TRUE(with(0, c.floats[2]));
  EXPECT_FALSE(with(0, std::nextafterf(c.floats[2], 9.0f)));
  EXPECT_FALSE(with(0, std::nanf("")));
  EXPECT_FALSE(with(0, std::numeric_limits<float>::infinity()));
  // One step beyond the storage: zero point -128 leaves [0, 255] steps.
  EXPECT_TRUE(with(0, 0.1f * 255));
  EXPECT_FALSE(with(0, 0.1f * 256));
  EXPECT_FALSE(with(0, -0.1f));
  c.shape = {64, 4};
  EXPECT_FALSE(recoverIntegers(c).has_value());
  c.shape = {256};
  EXPECT_FALSE(recoverIntegers(c).has_value());
  c.quantization = nullptr;
  EXPECT_FALSE(recoverIntegers(c).has_value());
}

} // namespace
