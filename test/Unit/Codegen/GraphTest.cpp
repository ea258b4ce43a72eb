// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random whole functions: what the planner aliases, slices, pads and shares
// must not change a byte.

#include "GraphHarness.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

/// A value of the function so far.
struct Node {
  std::string name;
  SmallVector<int64_t> shape;
};

/// `[1, 2]`.
std::string listText(ArrayRef<int64_t> values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : "") + std::to_string(values[i]);
  return text + "]";
}

/// Writes a random function of i8 values that all have zero point `zero`.
class GraphWriter {
public:
  explicit GraphWriter(Random &random) : random(random) {}

  GraphCase run() {
    Node x{"%x",
           {1, random.pick<int64_t>({1, 3, 4, 16}), random.in(2, 7),
            random.in(2, 7)}};
    nodes.push_back(x);
    for (int64_t i = random.in(2, 9); i > 0; --i)
      addOp();
    GraphCase graph;
    std::string types, values;
    size_t count = std::min<size_t>(nodes.size(), random.in(1, 2));
    for (size_t i = 0; i < count; ++i) {
      const Node &node =
          i == 0 ? nodes.back() : nodes[random.in(0, nodes.size() - 1)];
      types += (i ? ", " : "") + typeOf(node.shape);
      values += (i ? ", " : "") + node.name;
    }
    graph.text = "(%x: " + typeOf(x.shape) + ") -> (" + types + ") {\n" + body +
                 "  return " + values + " : " + types + "\n}";
    return graph;
  }

private:
  Random &random;
  std::vector<Node> nodes;
  std::string body;
  int64_t zero = 3;

  std::string typeOf(ArrayRef<int64_t> shape) {
    return tensorType(shape, ElementKind::I8);
  }
  /// A node of rank 4 if there is one; recent nodes more often.
  const Node *spatialNode() {
    for (int attempt = 0; attempt < 8; ++attempt) {
      int64_t last = nodes.size() - 1;
      const Node &node = nodes[random.chance(60) ? last : random.in(0, last)];
      if (node.shape.size() == 4)
        return &node;
    }
    return nullptr;
  }
  void add(const std::string &op, const std::string &operandTypes,
           ArrayRef<int64_t> shape) {
    Node node{"%v" + std::to_string(nodes.size()), SmallVector<int64_t>(shape)};
    body += "  " + node.name + " = " + op + " : (" + operandTypes + ") -> " +
            typeOf(shape) + "\n";
    nodes.push_back(node);
  }
  std::string requant(int64_t bound, int64_t count) {
    return "requant = " + randomRequant(random, bound, count, ElementKind::I8);
  }
  std::string zeroPoint(const char *name) {
    return std::string(name) + " = " + std::to_string(zero) + " : i32, ";
  }

  void addOp() {
    const Node *from = spatialNode();
    if (!from)
      return addGemm(nodes.back());
    Node node = *from;
    switch (random.in(0, 14)) {
    case 0:
    case 1:
    case 2:
      return addConv(node, false);
    case 3:
      return addConv(node, true);
    case 4:
      return addAdd(node);
    case 5:
      return addConcat(node);
    case 6:
      return addPad(node);
    case 7:
      return addPool(node);
    case 8:
      return addTranspose(node);
    case 9:
      return addSlice(node);
    case 10:
      return addGather(node);
    case 11:
      return addShuffle(node);
    case 12:
      return addProduct(node);
    case 13:
      return addNorm(node);
    default:
      return addReshape(node);
    }
  }

  /// A value with itself, transposed or with two axes swapped first, as heads
  /// are; images and matrices then meet.
  void addProduct(const Node &x) {
    SmallVector<int64_t> order = {0, 1, 3, 2}, swapped(4);
    if (random.chance(50))
      order = {0, 3, 1, 2};
    for (size_t axis = 0; axis < 4; ++axis)
      swapped[axis] = x.shape[order[axis]];
    add("qint.transpose " + x.name + " " + listText(order), typeOf(x.shape),
        swapped);
    Node left = x, right = nodes.back();
    if (random.chance(50))
      std::swap(left, right);
    if (left.shape[3] != right.shape[2] || left.shape[1] != right.shape[1])
      return;
    SmallVector<int64_t> shape = left.shape;
    shape[3] = right.shape[3];
    add("qint.matmul " + left.name + ", " + right.name + " {" +
            zeroPoint("lhs_zero_point") + zeroPoint("rhs_zero_point") +
            requant(255 * 255 * left.shape[3], 1) + "}",
        typeOf(left.shape) + ", " + typeOf(right.shape), shape);
  }

  void addConv(const Node &x, bool isDepthwise) {
    int64_t channels = x.shape[1];
    int64_t out =
        isDepthwise ? channels : random.pick<int64_t>({1, 4, 8, 16, 20});
    int64_t groups = isDepthwise ? channels : 1;
    int64_t kernel = random.pick<int64_t>({1, 3});
    int64_t pad = kernel == 1 ? 0 : random.in(0, 1), stride = random.in(1, 2);
    if (x.shape[2] + 2 * pad < kernel || x.shape[3] + 2 * pad < kernel)
      pad = 1;
    if (x.shape[2] + 2 * pad < kernel || x.shape[3] + 2 * pad < kernel)
      return;
    auto size = [&](int64_t in) {
      return (in + 2 * pad - kernel) / stride + 1;
    };
    SmallVector<int64_t> weight = {out, channels / groups, kernel, kernel};
    int64_t length = weight[1] * kernel * kernel;
    std::string w = "%w" + std::to_string(nodes.size());
    body += "  " + w + " = qint.constant " +
            randomIntegers(random, out * length, ElementKind::I8, -90, 90) +
            " : " + typeOf(weight) + "\n";
    add("qint.conv " + x.name + ", " + w + " {" +
            zeroPoint("input_zero_point") +
            "groups = " + std::to_string(groups) +
            " : i64, pads = " + arrayText({pad, pad, pad, pad}) +
            ", strides = " + arrayText({stride, stride}) + ", " +
            requant(90 * 255 * length, out) + "}",
        typeOf(x.shape) + ", " + typeOf(weight),
        {x.shape[0], out, size(x.shape[2]), size(x.shape[3])});
  }

  void addAdd(const Node &x) {
    Node other = x;
    for (const Node &node : nodes)
      if (node.shape == x.shape && random.chance(60))
        other = node;
    add("qint.add " + x.name + ", " + other.name + " {" +
            zeroPoint("lhs_zero_point") + zeroPoint("rhs_zero_point") +
            "requant = #qint.requant<[300000, 410000], [20], zp 3, clamp -128 "
            "to 127>}",
        typeOf(x.shape) + ", " + typeOf(other.shape), x.shape);
  }

  void addConcat(const Node &x) {
    int64_t axis = random.chance(70) ? 1 : random.in(2, 3);
    std::string names = x.name, types = typeOf(x.shape);
    SmallVector<int64_t> shape(x.shape);
    for (const Node &node : nodes) {
      SmallVector<int64_t> same(node.shape);
      if (same.size() != 4)
        continue;
      same[axis] = x.shape[axis];
      if (same != x.shape || !random.chance(50))
        continue;
      names += ", " + node.name;
      types += ", " + typeOf(node.shape);
      shape[axis] += node.shape[axis];
    }
    add("qint.concat " + names + " axis " + std::to_string(axis), types, shape);
  }

  void addPad(const Node &x) {
    SmallVector<int64_t> pads = {0, 0, random.in(0, 2), random.in(0, 1),
                                 0, 0, random.in(0, 2), random.in(0, 1)};
    if (random.chance(20))
      pads[1] = random.in(0, 3);
    SmallVector<int64_t> shape(x.shape);
    for (int axis = 0; axis < 4; ++axis)
      shape[axis] += pads[axis] + pads[axis + 4];
    add("qint.pad " + x.name + " " + listText(pads) + " {value = 3 : i32}",
        typeOf(x.shape), shape);
  }

  void addPool(const Node &x) {
    if (random.chance(30))
      return add("qint.reduce_mean " + x.name + " axes [2, 3] {" +
                     zeroPoint("input_zero_point") +
                     requant(255 * x.shape[2] * x.shape[3], 1) + "}",
                 typeOf(x.shape), {x.shape[0], x.shape[1], 1, 1});
    int64_t kernel = 2, stride = random.in(1, 2);
    if (x.shape[2] < kernel || x.shape[3] < kernel)
      return;
    add("qint.max_pool " + x.name + " {kernel = array<i64: 2, 2>, strides = " +
            arrayText({stride, stride}) + "}",
        typeOf(x.shape),
        {x.shape[0], x.shape[1], (x.shape[2] - kernel) / stride + 1,
         (x.shape[3] - kernel) / stride + 1});
  }

  /// Of channels or of images, with a factor a channel.
  void addNorm(const Node &x) {
    std::string factors;
    for (int64_t c = 0; c < x.shape[1]; ++c)
      factors += (c ? ", [[" : "[[") +
                 std::to_string(random.in(-(1 << 30), 1 << 30)) + "]]";
    add("qint.layer_norm " + x.name + " axes " +
            (random.chance(50) ? "[1]" : "[2, 3]") + " {" +
            zeroPoint("input_zero_point") +
            "variance_shift = 20 : i32, epsilon = 5 : i64, gamma = dense<[[" +
            factors + "]]> : tensor<1x" + std::to_string(x.shape[1]) +
            "x1x1xi32>, requant = #qint.requant<[1], [22], zp 3, clamp -128 "
            "to 127>}",
        typeOf(x.shape), x.shape);
  }

  void addTranspose(const Node &x) {
    SmallVector<int64_t> order = {0, 1, 2, 3};
    std::swap(order[random.in(1, 2)], order[3]);
    SmallVector<int64_t> shape;
    for (int64_t axis : order)
      shape.push_back(x.shape[axis]);
    add("qint.transpose " + x.name + " " + listText(order), typeOf(x.shape),
        shape);
  }

  void addSlice(const Node &x) {
    SmallVector<int64_t> starts(4, 0), steps(4, 1), shape(x.shape);
    // Channels of whole images most often, then anything.
    bool isAnything = random.chance(50);
    for (int64_t axis = 1; axis < (isAnything ? 4 : 2); ++axis) {
      steps[axis] = isAnything ? random.in(1, 2) : 1;
      starts[axis] = random.in(0, x.shape[axis] - 1);
      int64_t most = (x.shape[axis] - 1 - starts[axis]) / steps[axis] + 1;
      shape[axis] = random.in(1, most);
    }
    add("qint.slice " + x.name + " " + listText(starts) + " steps " +
            listText(steps),
        typeOf(x.shape), shape);
  }

  void addGather(const Node &x) {
    int64_t axis = random.in(1, 3), times = random.in(1, 2);
    SmallVector<int64_t> shape(x.shape), indices;
    for (int64_t i = 0; i < x.shape[axis]; ++i)
      indices.push_back(times == 1 ? random.in(0, i) : i / times);
    add("qint.gather " + x.name + " axis " + std::to_string(axis) + " " +
            listText(indices),
        typeOf(x.shape), shape);
  }

  /// Channels to positions, or among one another.
  void addShuffle(const Node &x) {
    ArrayRef<int64_t> s(x.shape);
    if (s[1] % 4 != 0)
      return;
    bool toSpace = random.chance(50);
    if (toSpace)
      add("qint.reshape " + x.name, typeOf(s),
          {s[0], 2, 2, s[1] / 4, s[2], s[3]});
    else
      add("qint.reshape " + x.name, typeOf(s),
          {s[0], 2, s[1] / 4, 2, s[2], s[3]});
    Node split = nodes.back();
    SmallVector<int64_t> order = {0, 3, 4, 1, 5, 2}, shape;
    if (!toSpace)
      order = {0, 3, 2, 1, 4, 5};
    for (int64_t axis : order)
      shape.push_back(split.shape[axis]);
    add("qint.transpose " + split.name + " " + listText(order),
        typeOf(split.shape), shape);
    Node permuted = nodes.back();
    if (toSpace)
      return add("qint.reshape " + permuted.name, typeOf(permuted.shape),
                 {s[0], s[1] / 4, 2 * s[2], 2 * s[3]});
    add("qint.reshape " + permuted.name, typeOf(permuted.shape), s);
  }

  void addReshape(const Node &x) {
    int64_t count = x.shape[1] * x.shape[2] * x.shape[3];
    if (random.chance(50)) {
      add("qint.reshape " + x.name, typeOf(x.shape), {x.shape[0], count});
      if (random.chance(80))
        addGemm(Node(nodes.back()));
      return;
    }
    SmallVector<int64_t> shape = {x.shape[0], x.shape[2], x.shape[1],
                                  x.shape[3]};
    if (random.chance(50))
      shape = {x.shape[0], x.shape[1], 1, x.shape[2] * x.shape[3]};
    add("qint.reshape " + x.name, typeOf(x.shape), shape);
  }

  void addGemm(const Node &x) {
    int64_t length = x.shape.back(), out = random.pick<int64_t>({1, 10, 33});
    std::string w = "%w" + std::to_string(nodes.size());
    body += "  " + w + " = qint.constant " +
            randomIntegers(random, out * length, ElementKind::I8, -90, 90) +
            " : " + typeOf({out, length}) + "\n";
    SmallVector<int64_t> shape(x.shape);
    shape.back() = out;
    add("qint.gemm " + x.name + ", " + w + " {" +
            zeroPoint("input_zero_point") + requant(90 * 255 * length, out) +
            "}",
        typeOf(x.shape) + ", " + typeOf({out, length}), shape);
  }
};

/// The mean of an image whose 12 rows 2 to 4 threads share equally; the pool
/// makes it one.
GraphCase meanOfSharedRows(Random &random) {
  int64_t channels = random.pick<int64_t>({2, 15, 16, 33, 64, 100, 130});
  int64_t width = random.in(1, 9);
  auto type = [&](int64_t height, int64_t columns) {
    return tensorType({1, channels, height, columns}, ElementKind::I8);
  };
  const std::string in = type(13, width + 1), image = type(12, width),
                    mean = type(1, 1);
  GraphCase graph;
  graph.text =
      "(%x: " + in + ") -> " + mean +
      " {\n  %p = qint.max_pool %x {kernel = array<i64: 2, 2>, strides = "
      "array<i64: 1, 1>} : (" +
      in + ") -> " + image +
      "\n  %m = qint.reduce_mean %p axes [2, 3] {input_zero_point = " +
      std::to_string(random.in(-128, 127)) + " : i32, " + "requant = " +
      randomRequant(random, 255 * 12 * width, 1, ElementKind::I8) + "} : (" +
      image + ") -> " + mean + "\n  return %m : " + mean + "\n}";
  return graph;
}

TEST(Graph, MeansOfSharedRowsEqualReference) {
  for (int module = 0; module < 3; ++module) {
    std::vector<GraphCase> cases;
    for (int i = 0; i < 12; ++i) {
      Random random(100 * module + i);
      cases.push_back(meanOfSharedRows(random));
    }
    // Modules of these seeds are shared by threads.
    for (const TestIsa &isa : isasOf(module))
      runGraphs(cases, isa, /*seed=*/200 * module);
  }
}

TEST(Graph, IntegerEqualsReference) {
  runGraphFamily("graph", 300, false,
                 [](Random &random) { return GraphWriter(random).run(); });
}

} // namespace
