// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds ONNX models of small networks with random weights in memory.
#pragma once

#include "OnnxProto.h"
#include <cstdint>
#include <string>
#include <vector>

namespace qopt_test {

using Shape = std::vector<int64_t>;

/// A tensor of the graph, batch axis included.
struct NetValue {
  std::string name;
  Shape shape;
  int64_t channels() const { return shape[1]; }
};

/// An attribute of a node.
struct Attribute {
  enum class Kind { Int, Ints, Float, Text };
  Attribute(const char *name, int64_t value)
      : name(name), kind(Kind::Int), ints{value} {}
  Attribute(const char *name, Shape values)
      : name(name), kind(Kind::Ints), ints(std::move(values)) {}
  Attribute(const char *name, float value)
      : name(name), kind(Kind::Float), real(value) {}
  Attribute(const char *name, const char *value)
      : name(name), kind(Kind::Text), text(value) {}

  std::string name;
  Kind kind;
  Shape ints;
  float real = 0;
  std::string text;
};

/// How a convolution lies; `pad` below 0 keeps the size.
struct ConvForm {
  int64_t kernel = 1, stride = 1, groups = 1, dilation = 1, pad = -1;
};

/// A graph under construction. Weights are He's with channels of different
/// sizes, the same on every machine.
class NetWriter {
public:
  explicit NetWriter(uint64_t seed, int64_t opset = 17);

  NetValue input(Shape shape);
  NetValue constant(Shape shape, const std::vector<float> &values);
  NetValue constant(float value) { return constant({}, {value}); }
  NetValue integers(const Shape &values);
  NetValue random(Shape shape, float low, float high);
  /// Weights for sums of `fanIn` products.
  NetValue weights(Shape shape, int64_t fanIn);

  NetValue node(const std::string &op, const std::vector<NetValue> &inputs,
                Shape shape, const std::vector<Attribute> &attributes = {});
  std::vector<NetValue> split(const NetValue &x, int64_t parts);

  /// With a bias; of two or one dimensions, as `x` has.
  NetValue conv(const NetValue &x, int64_t channels, ConvForm form = {});
  /// Without a bias, normalized, then the operator `act`.
  NetValue normalizedConv(const NetValue &x, int64_t channels, ConvForm form,
                          const std::string &act = "Relu");
  NetValue norm(const NetValue &x);
  /// `Relu`, `Sigmoid`, ..., `SiLU` written out, or nothing.
  NetValue act(const NetValue &x, const std::string &kind);
  NetValue add(const NetValue &a, const NetValue &b) {
    return both("Add", a, b);
  }
  NetValue mul(const NetValue &a, const NetValue &b) {
    return both("Mul", a, b);
  }
  NetValue both(const std::string &op, const NetValue &a, const NetValue &b);
  NetValue pool(const std::string &op, const NetValue &x, int64_t kernel,
                int64_t stride, int64_t pad = 0);
  NetValue globalPool(const NetValue &x);
  NetValue concat(const std::vector<NetValue> &parts);
  NetValue reshape(const NetValue &x, Shape shape);
  NetValue transpose(const NetValue &x, const Shape &permutation);
  /// To `height` x `width`, by sizes.
  NetValue resize(const NetValue &x, int64_t height, int64_t width,
                  const char *mode);
  NetValue squeezeExcite(const NetValue &x, int64_t squeezed,
                         const std::string &gate);
  /// Pooled and classified.
  NetValue classify(const NetValue &x, int64_t classes);

  /// The model with these outputs.
  onnx::ModelProto finish(const std::vector<NetValue> &outputs);

private:
  std::string fresh(const std::string &base);
  float uniform(float low, float high);

  onnx::ModelProto model;
  onnx::GraphProto &graph;
  uint64_t state;
  int64_t count = 0;
};

} // namespace qopt_test
