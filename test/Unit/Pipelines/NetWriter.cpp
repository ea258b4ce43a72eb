// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NetWriter.h"
#include <algorithm>
#include <cmath>

namespace qopt_test {

NetWriter::NetWriter(uint64_t seed, int64_t opset)
    : graph(*model.mutable_graph()), state(seed * 2654435761u + 1) {
  model.set_ir_version(8);
  model.add_opset_import()->set_version(opset);
}

std::string NetWriter::fresh(const std::string &base) {
  return base + "_" + std::to_string(count++);
}

float NetWriter::uniform(float low, float high) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return low + (high - low) * float(state >> 40) / float(1 << 24);
}

static void setType(onnx::ValueInfoProto &info, const NetValue &value) {
  info.set_name(value.name);
  auto *type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (int64_t size : value.shape)
    type->mutable_shape()->add_dim()->set_dim_value(size);
}

NetValue NetWriter::input(Shape shape) {
  NetValue value{fresh("x"), std::move(shape)};
  setType(*graph.add_input(), value);
  return value;
}

NetValue NetWriter::constant(Shape shape, const std::vector<float> &values) {
  NetValue value{fresh("w"), std::move(shape)};
  auto *tensor = graph.add_initializer();
  tensor->set_name(value.name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t size : value.shape)
    tensor->add_dims(size);
  for (float element : values)
    tensor->add_float_data(element);
  return value;
}

NetValue NetWriter::integers(const Shape &values) {
  NetValue value{fresh("i"), {static_cast<int64_t>(values.size())}};
  auto *tensor = graph.add_initializer();
  tensor->set_name(value.name);
  tensor->set_data_type(onnx::TensorProto::INT64);
  tensor->add_dims(value.shape[0]);
  for (int64_t element : values)
    tensor->add_int64_data(element);
  return value;
}

static int64_t elementsOf(const Shape &shape) {
  int64_t elements = 1;
  for (int64_t size : shape)
    elements *= size;
  return elements;
}

NetValue NetWriter::random(Shape shape, float low, float high) {
  std::vector<float> values(elementsOf(shape));
  for (float &value : values)
    value = uniform(low, high);
  return constant(std::move(shape), values);
}

NetValue NetWriter::weights(Shape shape, int64_t fanIn) {
  // Uniform numbers in [-1, 1] have the variance 1/3.
  float size = std::sqrt(3.0f * 2.0f / static_cast<float>(fanIn));
  std::vector<float> values(elementsOf(shape));
  int64_t row = elementsOf(shape) / shape[0];
  float channel = 1;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % row == 0)
      channel = uniform(0.6f, 1.4f);
    values[i] = channel * size * uniform(-1, 1);
  }
  return constant(std::move(shape), values);
}

static void setAttribute(onnx::AttributeProto &proto, const Attribute &value) {
  proto.set_name(value.name);
  switch (value.kind) {
  case Attribute::Kind::Int:
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value.ints[0]);
    break;
  case Attribute::Kind::Ints:
    proto.set_type(onnx::AttributeProto::INTS);
    for (int64_t element : value.ints)
      proto.add_ints(element);
    break;
  case Attribute::Kind::Float:
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value.real);
    break;
  case Attribute::Kind::Text:
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value.text);
    break;
  }
}

NetValue NetWriter::node(const std::string &op,
                         const std::vector<NetValue> &inputs, Shape shape,
                         const std::vector<Attribute> &attributes) {
  NetValue value{fresh(op), std::move(shape)};
  auto *proto = graph.add_node();
  proto->set_op_type(op);
  proto->set_name("/" + value.name);
  for (const NetValue &input : inputs)
    proto->add_input(input.name);
  proto->add_output(value.name);
  for (const Attribute &attribute : attributes)
    setAttribute(*proto->add_attribute(), attribute);
  return value;
}

std::vector<NetValue> NetWriter::split(const NetValue &x, int64_t parts) {
  Shape shape = x.shape;
  shape[1] /= parts;
  NetValue sizes = integers(Shape(parts, shape[1]));
  std::vector<NetValue> values = {
      node("Split", {x, sizes}, shape, {{"axis", int64_t(1)}})};
  auto *proto = graph.mutable_node(graph.node_size() - 1);
  for (int64_t i = 1; i < parts; ++i) {
    values.push_back({values[0].name + "_" + std::to_string(i), shape});
    proto->add_output(values.back().name);
  }
  return values;
}

/// The operator's result and attributes around the weights that `make` gives.
template <typename Make>
static NetValue placeConv(const NetValue &x, int64_t channels, ConvForm form,
                          Make make) {
  size_t rank = x.shape.size() - 2;
  int64_t reach = (form.kernel - 1) * form.dilation;
  int64_t pad = form.pad < 0 ? reach / 2 : form.pad;
  Shape result = {x.shape[0], channels};
  Shape weight = {channels, x.channels() / form.groups};
  for (size_t i = 0; i < rank; ++i) {
    result.push_back((x.shape[i + 2] + 2 * pad - reach - 1) / form.stride + 1);
    weight.push_back(form.kernel);
  }
  return make(weight, result,
              std::vector<Attribute>{{"kernel_shape", Shape(rank, form.kernel)},
                                     {"strides", Shape(rank, form.stride)},
                                     {"pads", Shape(2 * rank, pad)},
                                     {"dilations", Shape(rank, form.dilation)},
                                     {"group", form.groups}});
}

NetValue NetWriter::conv(const NetValue &x, int64_t channels, ConvForm form) {
  return placeConv(x, channels, form, [&](auto weight, auto shape, auto more) {
    NetValue w = weights(weight, elementsOf(weight) / channels);
    return node("Conv", {x, w, random({channels}, -0.3f, 0.3f)}, shape, more);
  });
}

NetValue NetWriter::normalizedConv(const NetValue &x, int64_t channels,
                                   ConvForm form, const std::string &kind) {
  NetValue y =
      placeConv(x, channels, form, [&](auto weight, auto shape, auto more) {
        NetValue w = weights(weight, elementsOf(weight) / channels);
        return node("Conv", {x, w}, shape, more);
      });
  return act(norm(y), kind);
}

NetValue NetWriter::norm(const NetValue &x) {
  int64_t channels = x.channels();
  return node("BatchNormalization",
              {x, random({channels}, 0.6f, 1.2f),
               random({channels}, -0.2f, 0.6f), random({channels}, -0.3f, 0.3f),
               random({channels}, 1, 2)},
              x.shape, {{"epsilon", 1e-5f}});
}

NetValue NetWriter::act(const NetValue &x, const std::string &kind) {
  if (kind.empty())
    return x;
  if (kind == "SiLU")
    return mul(x, act(x, "Sigmoid"));
  if (kind == "HardSigmoid")
    return node(kind, {x}, x.shape, {{"alpha", 1 / 6.0f}, {"beta", 0.5f}});
  return node(kind, {x}, x.shape);
}

NetValue NetWriter::both(const std::string &op, const NetValue &a,
                         const NetValue &b) {
  const Shape &longer = a.shape.size() < b.shape.size() ? b.shape : a.shape;
  const Shape &other = a.shape.size() < b.shape.size() ? a.shape : b.shape;
  Shape shape = longer;
  for (size_t i = 0; i < other.size(); ++i) {
    int64_t &size = shape[longer.size() - other.size() + i];
    size = std::max(size, other[i]);
  }
  return node(op, {a, b}, shape);
}

NetValue NetWriter::pool(const std::string &op, const NetValue &x,
                         int64_t kernel, int64_t stride, int64_t pad) {
  Shape shape = x.shape;
  for (size_t i = 2; i < shape.size(); ++i)
    shape[i] = (shape[i] + 2 * pad - kernel) / stride + 1;
  size_t rank = shape.size() - 2;
  return node(op, {x}, shape,
              {{"kernel_shape", Shape(rank, kernel)},
               {"strides", Shape(rank, stride)},
               {"pads", Shape(2 * rank, pad)}});
}

NetValue NetWriter::globalPool(const NetValue &x) {
  return node("GlobalAveragePool", {x}, {x.shape[0], x.channels(), 1, 1});
}

NetValue NetWriter::concat(const std::vector<NetValue> &parts) {
  Shape shape = parts[0].shape;
  for (size_t i = 1; i < parts.size(); ++i)
    shape[1] += parts[i].channels();
  return node("Concat", parts, shape, {{"axis", int64_t(1)}});
}

NetValue NetWriter::reshape(const NetValue &x, Shape shape) {
  return node("Reshape", {x, integers(shape)}, shape);
}

NetValue NetWriter::transpose(const NetValue &x, const Shape &permutation) {
  Shape shape;
  for (int64_t axis : permutation)
    shape.push_back(x.shape[axis]);
  return node("Transpose", {x}, shape, {{"perm", permutation}});
}

NetValue NetWriter::resize(const NetValue &x, int64_t height, int64_t width,
                           const char *mode) {
  Shape shape = {x.shape[0], x.channels(), height, width};
  bool isNearest = std::string(mode) == "nearest";
  return node("Resize", {x, {"", {}}, {"", {}}, integers(shape)}, shape,
              {{"mode", mode},
               {"coordinate_transformation_mode",
                isNearest ? "asymmetric" : "half_pixel"},
               {"nearest_mode", "floor"}});
}

NetValue NetWriter::squeezeExcite(const NetValue &x, int64_t squeezed,
                                  const std::string &gate) {
  NetValue y = act(conv(globalPool(x), squeezed), "Relu");
  return mul(x, act(conv(y, x.channels()), gate));
}

NetValue NetWriter::classify(const NetValue &x, int64_t classes) {
  NetValue flat = node("Flatten", {globalPool(x)}, {x.shape[0], x.channels()});
  return node("Gemm",
              {flat, weights({classes, x.channels()}, x.channels()),
               random({classes}, -0.3f, 0.3f)},
              {x.shape[0], classes}, {{"transB", int64_t(1)}});
}

onnx::ModelProto NetWriter::finish(const std::vector<NetValue> &outputs) {
  for (const NetValue &output : outputs)
    setType(*graph.add_output(), output);
  return model;
}

} // namespace qopt_test
