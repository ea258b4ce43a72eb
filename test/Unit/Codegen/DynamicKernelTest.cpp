// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales that are found when the model runs: code equals the reference
// evaluator to the byte, from float32 bits to float32 bits.

#include "GraphHarness.h"
#include "qopt/Numerics/Dynamic.h"
#include "llvm/ADT/StringExtras.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

constexpr int defaultCases = 20;

/// Builds a function op by op.
class Text {
public:
  explicit Text(Random &random, int64_t samples)
      : random(random), samples(samples) {}

  /// `%name = qint.op operands attributes : (types) -> type`.
  std::string add(const std::string &op, ArrayRef<std::string> operands,
                  const std::string &attributes, const std::string &type) {
    std::string name = "%" + std::to_string(types.size());
    SmallVector<std::string> operandTypes;
    for (const std::string &operand : operands)
      operandTypes.push_back(types.at(operand));
    body += "  " + name + " = qint." + op + " " + llvm::join(operands, ", ") +
            (attributes.empty() ? "" : " {" + attributes + "}") + " : (" +
            llvm::join(operandTypes, ", ") + ") -> " + type + "\n";
    types[name] = type;
    return name;
  }
  std::string addConstant(const std::string &value, const std::string &type) {
    std::string name = "%" + std::to_string(types.size());
    body += "  " + name + " = qint.constant " + value + " : " + type + "\n";
    types[name] = type;
    return name;
  }
  std::string record(int64_t fields) const {
    return tensorType({samples, fields}, ElementKind::I32);
  }
  /// A scale of each sample as a constant.
  std::string addScale() {
    std::string rows;
    for (int64_t sample = 0; sample < samples; ++sample) {
      auto scale = numerics::gridScale(
          static_cast<uint32_t>(random.in(random.chance(10) ? 0 : 1, 1 << 30)),
          static_cast<int32_t>(random.in(-50, -20)), 127);
      rows += (sample ? ", [" : "[") + std::to_string(scale.mantissa) + ", " +
              std::to_string(scale.exponent) + ", " +
              std::to_string(scale.multiplier) + ", " +
              std::to_string(scale.shift) + "]";
    }
    return addConstant("dense<[" + rows + "]>", record(4));
  }
  /// The grid of the argument `%x`, floats, and its values on that.
  std::pair<std::string, std::string> addReals(const std::string &type) {
    types["%x"] = type;
    std::string grid = add("real_grid", {"%x"}, "", record(7));
    return {grid, add("real_to_grid", {"%x", grid}, "", type)};
  }
  std::string returning(ArrayRef<std::string> values,
                        const std::string &argument) {
    SmallVector<std::string> results;
    for (const std::string &value : values)
      results.push_back(types.at(value));
    std::string list = llvm::join(results, ", ");
    return "(%x: " + types.at(argument) + ") -> (" + list + ") {\n" + body +
           "  return " + llvm::join(values, ", ") + " : " + list + "\n}";
  }

  Random &random;
  int64_t samples;
  std::map<std::string, std::string> types;
  std::string body;
};

std::string mantissas(Random &random, int64_t count, int64_t low) {
  std::string text;
  for (int64_t i = 0; i < count; ++i)
    text += (i ? ", " : " ") + std::to_string(random.in(low, 1 << 30));
  return "array<i32" + (count ? ":" + text : "") + ">";
}

/// Ends that cut something, nothing, or all.
std::string clampText(Random &random, bool isPositive) {
  std::string text;
  auto end = [&](int64_t low, int64_t high) {
    return "array<i32: " + std::to_string(random.in(low, high)) + ", " +
           std::to_string(random.in(-45, -15)) + ">";
  };
  if (isPositive)
    text += ", clamp_min = array<i32: 0, 0>";
  else if (random.chance(30))
    text += ", clamp_min = " + end(-(1 << 30), 0);
  if (random.chance(40))
    text += ", clamp_max = " + end(0, 1 << 30);
  return text;
}

std::string zeroPoint(int64_t value) {
  return "zero_point = " + std::to_string(value) + " : i32";
}

/// From values on a grid to bytes; the scale with them.
std::pair<std::string, std::string> quantize(Text &text, std::string values,
                                             std::string grid,
                                             ArrayRef<int64_t> shape,
                                             bool isPositive) {
  std::string scale = text.add("grid_scale", {values, grid},
                               std::string("steps = ") +
                                   (isPositive ? "255" : "127") + " : i32",
                               text.record(4));
  return {text.add("grid_quantize", {values, scale},
                   zeroPoint(isPositive ? -128 : 0),
                   tensorType(shape, ElementKind::I8)),
          scale};
}

SmallVector<int64_t> randomShape(Random &random) {
  int64_t batch = random.pick<int64_t>({1, 1, 2, 3});
  if (random.chance(50))
    return {batch, random.in(1, 70)};
  return {batch, randomChannels(random), random.in(1, 5), random.in(1, 6)};
}

GraphCase realCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  Text text(random, random.chance(70) ? shape[0] : 1);
  std::string type = tensorType(shape, ElementKind::I32);
  auto [grid, values] = text.addReals(type);
  auto [bytes, scale] = quantize(text, values, grid, shape, false);
  std::string real = text.add("grid_to_real", {values, grid}, "", type);
  GraphCase graph;
  graph.text = text.returning({bytes, random.chance(50) ? real : scale}, "%x");
  return graph;
}

/// A layer from bytes, then bytes or floats.
GraphCase layerCase(Random &random) {
  const bool isConv = random.chance(60), isDepthwise = random.chance(20);
  const int64_t batch = random.pick<int64_t>({1, 1, 2});
  const int64_t inputs = random.in(1, 40);
  const int64_t channels =
      isConv && isDepthwise ? inputs : random.pick<int64_t>({1, 3, 8, 17, 33});
  const int64_t size = random.in(3, 6);
  SmallVector<int64_t> in = {batch, inputs}, out = {batch, channels};
  SmallVector<int64_t> weight = {channels, inputs};
  if (isConv) {
    in.append({size, size});
    out.append({size - 1, size - 1});
    weight.append({2, 2});
  }
  const int64_t groups = isConv && isDepthwise ? inputs : 1;
  weight[1] /= groups;
  Text text(random, random.chance(70) ? batch : 1);
  text.types["%x"] = tensorType(in, ElementKind::I8);
  std::string scale = text.addScale();
  int64_t count = 1;
  for (int64_t axis : weight)
    count *= axis;
  std::string weights = text.addConstant(
      randomIntegers(random, count, ElementKind::I8, -127, 127),
      tensorType(weight, ElementKind::I8));
  const bool isPositive = random.chance(50);
  std::string attributes =
      std::string("input_zero_point = ") + (random.chance(50) ? "0" : "-128") +
      " : i32, requant = #qint.requant<[2], [1], zp 0, clamp -2147483648 to "
      "2147483647>";
  if (isConv)
    attributes += ", groups = " + std::to_string(groups) + " : i64";
  std::string sums = text.add(isConv ? "conv" : "gemm", {"%x", weights},
                              attributes, tensorType(out, ElementKind::I32));
  const bool hasBias = random.chance(70);
  std::string grid =
      text.add("layer_grid", {scale},
               "multiplier_exponent = " + std::to_string(random.in(-50, -30)) +
                   " : i32, accumulator_bits = 23 : i32" +
                   (hasBias ? ", bias_exponent = " +
                                  std::to_string(random.in(-60, -20)) + " : i32"
                            : "") +
                   clampText(random, isPositive),
               text.record(7));
  std::string values = text.add(
      "layer_to_grid", {sums, grid},
      "axis = 1 : i64, multipliers = " +
          mantissas(random, random.chance(70) ? channels : 1, 1 << 20) +
          ", biases = " +
          mantissas(random, hasBias ? channels : 0, -(1 << 30)) + ", " +
          zeroPoint(0),
      tensorType(out, ElementKind::I32));
  auto [bytes, next] = quantize(text, values, grid, out, isPositive);
  std::string real = text.add("grid_to_real", {values, grid}, "",
                              tensorType(out, ElementKind::I32));
  GraphCase graph;
  graph.text = text.returning({bytes, random.chance(50) ? real : next}, "%x");
  return graph;
}

/// Two forms of the same bytes, scaled apart, and their sum.
GraphCase sumCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  Text text(random, random.chance(70) ? shape[0] : 1);
  text.types["%x"] = tensorType(shape, ElementKind::I8);
  const int64_t first = random.pick<int64_t>({0, -128});
  std::string scale = text.addScale();
  // A clamp alone: the bytes as a layer of their own.
  std::string grid = text.add("layer_grid", {scale},
                              "multiplier_exponent = -29 : i32, "
                              "accumulator_bits = 8 : i32" +
                                  clampText(random, false),
                              text.record(7));
  std::string values =
      text.add("layer_to_grid", {"%x", grid},
               "axis = 0 : i64, multipliers = array<i32: 536870912>, " +
                   zeroPoint(first),
               tensorType(shape, ElementKind::I32));
  auto [clamped, second] = quantize(text, values, grid, shape, false);
  std::string sumGrid =
      text.add("sum_grid", {scale, second}, clampText(random, true).substr(2),
               text.record(7));
  std::string sum = text.add("sum_to_grid", {"%x", clamped, sumGrid},
                             "lhs_zero_point = " + std::to_string(first) +
                                 " : i32, rhs_zero_point = 0 : i32",
                             tensorType(shape, ElementKind::I32));
  auto [bytes, last] = quantize(text, sum, sumGrid, shape, true);
  GraphCase graph;
  graph.text = text.returning({bytes, random.chance(50) ? sum : last}, "%x");
  return graph;
}

/// Values in 16 bits of a fixed scale, and their product with bytes that may be
/// broadcast.
GraphCase productCase(Random &random) {
  SmallVector<int64_t> shape = randomShape(random);
  Text text(random, random.chance(70) ? shape[0] : 1);
  std::string type = tensorType(shape, ElementKind::I32);
  auto [grid, values] = text.addReals(type);
  std::string fixed = text.add(
      "grid_to_fixed", {values, grid},
      "exponent = " +
          std::to_string(random.pick<int64_t>({-140, -15, -9, 90})) + " : i32",
      tensorType(shape, ElementKind::I16));
  SmallVector<int64_t> other = shape;
  for (size_t axis = text.samples > 1 ? 1 : 0; axis < other.size(); ++axis)
    if (random.chance(40))
      other[axis] = 1;
  int64_t count = 1;
  for (int64_t size : other)
    count *= size;
  std::string bytes = text.addConstant(
      randomIntegers(random, count, ElementKind::I8, -128, 127),
      tensorType(other, ElementKind::I8));
  const int64_t zero = random.pick<int64_t>({0, -128});
  std::string productGrid = text.add(
      "product_grid", {text.addScale(), text.addScale()},
      "product_bits = 24 : i32" + clampText(random, false), text.record(7));
  std::string product = text.add("product_to_grid", {bytes, fixed, productGrid},
                                 "lhs_zero_point = " + std::to_string(zero) +
                                     " : i32, rhs_zero_point = 0 : i32",
                                 type);
  auto [result, scale] = quantize(text, product, productGrid, shape, false);
  GraphCase graph;
  graph.text = text.returning(
      {result, random.pick<std::string>({product, fixed, scale})}, "%x");
  return graph;
}

} // namespace

TEST(DynamicKernelTest, Reals) {
  runGraphFamily("dynamic_real", defaultCases, false, realCase);
}

TEST(DynamicKernelTest, Layers) {
  runGraphFamily("dynamic_layer", 2 * defaultCases, false, layerCase);
}

TEST(DynamicKernelTest, Products) {
  runGraphFamily("dynamic_product", 2 * defaultCases, false, productCase);
}

TEST(DynamicKernelTest, Sums) {
  runGraphFamily("dynamic_sum", defaultCases, false, sumCase);
}
