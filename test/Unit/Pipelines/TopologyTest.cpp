// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small networks of the well-known families, as exporters write them, from ONNX
// to code: the code's bytes are Reference's, and the integers are near the
// float model. bench/topologies.py has the same families in their real sizes.

#include "NetWriter.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Pipelines/Levels.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/Support/FileSystem.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::qopt;
using qopt_test::ConvForm;
using qopt_test::NetValue;
using qopt_test::NetWriter;
using reference::Tensor;
using NetShape = qopt_test::Shape;

namespace {

/// A file that lives as long as this object.
class ScratchFile {
public:
  explicit ScratchFile(llvm::StringRef bytes) {
    int descriptor = -1;
    if (llvm::sys::fs::createTemporaryFile("qopt-net", "tmp", descriptor, path))
      return;
    llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << bytes;
  }
  ~ScratchFile() { llvm::sys::fs::remove(path); }
  std::string name() const { return path.str().str(); }

private:
  llvm::SmallString<128> path;
};

/// Fails the test on errors.
template <typename T> T orFail(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  ADD_FAILURE() << llvm::toString(value.takeError());
  return T();
}

bool isOk(llvm::Error error) {
  if (!error)
    return true;
  ADD_FAILURE() << llvm::toString(std::move(error));
  return false;
}

/// `count` inputs of `spec`: waves of random size and length around a random
/// level, and some noise, in the file that `spec` names.
class Samples {
public:
  Samples(const calibration::InputSpec &input, int64_t count, uint64_t seed)
      : random(seed), file(bytesOf(make(input.shape, count))), input(input),
        spec("raw:f32:" + std::to_string(count)) {
    for (int64_t size : llvm::drop_begin(input.shape))
      spec += "x" + std::to_string(size);
    spec += ":" + file.name();
  }

  llvm::Expected<std::unique_ptr<calibration::DataSet>> open() const {
    return calibration::DataSet::open(spec, {input});
  }

private:
  static llvm::StringRef bytesOf(const std::vector<float> &values) {
    return {reinterpret_cast<const char *>(values.data()),
            values.size() * sizeof(float)};
  }

  std::vector<float> make(ArrayRef<int64_t> shape, int64_t count) {
    int64_t plane = 1, width = shape.back();
    for (int64_t size : shape.drop_front(2))
      plane *= size;
    auto unit = [&] { return float(random() >> 40) / float(1 << 24) * 2 - 1; };
    std::vector<float> values;
    for (int64_t channel = 0; channel < count * shape[1]; ++channel) {
      float level = unit(), size = 2 * unit(), phase = 3 * unit();
      float across = 0.4f * unit(), down = 0.4f * unit();
      for (int64_t i = 0; i < plane; ++i)
        values.push_back(level + 0.3f * unit() +
                         size * std::sin(phase + across * float(i % width) +
                                         down * float(i / width)));
    }
    return values;
  }

  std::mt19937_64 random;
  ScratchFile file;
  calibration::InputSpec input;
  std::string spec;
};

/// How the integers of an argument or a result stand for reals.
numerics::QuantParams paramsOf(Type type, DictionaryAttr attributes) {
  numerics::QuantParams params;
  unsigned bits = cast<RankedTensorType>(type).getElementTypeBitWidth();
  params.scale =
      attributes.getAs<FloatAttr>("qint.scale").getValue().convertToFloat();
  params.zeroPoint = static_cast<int32_t>(
      attributes.getAs<IntegerAttr>("qint.zero_point").getInt());
  params.qmin = numerics::signedMin(bits);
  params.qmax = numerics::signedMax(bits);
  return params;
}

std::vector<Tensor> quantizeInputs(func::FuncOp function,
                                   ArrayRef<Tensor> reals) {
  std::vector<Tensor> integers;
  for (auto [i, tensor] : llvm::enumerate(reals)) {
    Type type = function.getArgumentTypes()[i];
    numerics::QuantParams params = paramsOf(type, function.getArgAttrDict(i));
    integers.emplace_back(tensor.getShape(), *reference::kindOfElements(type));
    for (auto [j, value] : llvm::enumerate(tensor.values<float>()))
      integers.back().setInteger(j, numerics::quantize(value, params));
  }
  return integers;
}

/// What compiled code makes of `inputs`.
std::vector<Tensor> runCode(calibration::Engine &engine,
                            ArrayRef<Tensor> inputs, ArrayRef<Tensor> like) {
  std::vector<const void *> in;
  std::vector<void *> out;
  std::vector<Tensor> results;
  for (const Tensor &tensor : inputs)
    in.push_back(tensor.bytes().data());
  for (const Tensor &tensor : like)
    results.emplace_back(tensor.getShape(), tensor.getKind());
  for (Tensor &result : results)
    out.push_back(result.bytes().data());
  engine.run(in, out);
  return results;
}

/// Signal and noise of the outputs, and how far they differ between samples.
struct Quality {
  std::vector<double> signal, noise, spread;
  std::vector<Tensor> previous;

  void add(func::FuncOp function, ArrayRef<Tensor> integers,
           ArrayRef<Tensor> reals) {
    signal.resize(reals.size());
    noise.resize(reals.size());
    spread.resize(reals.size());
    for (size_t i = 0; i < reals.size(); ++i) {
      numerics::QuantParams params =
          paramsOf(function.getResultTypes()[i], function.getResultAttrDict(i));
      for (int64_t j = 0; j < reals[i].getNumElements(); ++j) {
        double real = reals[i].values<float>()[j];
        double error =
            numerics::dequantize(integers[i].getInteger(j), params) - real;
        double change =
            previous.empty() ? 0 : previous[i].values<float>()[j] - real;
        signal[i] += real * real;
        noise[i] += error * error;
        spread[i] += change * change;
      }
    }
    previous.assign(reals.begin(), reals.end());
  }
};

std::vector<Tensor> readSample(calibration::DataSet &data, int64_t index,
                               ArrayRef<calibration::InputSpec> specs) {
  std::vector<Tensor> inputs;
  std::vector<float *> pointers;
  for (const calibration::InputSpec &spec : specs)
    inputs.emplace_back(spec.shape, reference::ElementKind::F32);
  for (Tensor &input : inputs)
    pointers.push_back(input.values<float>().data());
  EXPECT_TRUE(isOk(data.read(index, pointers)));
  return inputs;
}

/// Holds code to Reference and integers to the float model over other samples
/// than those of calibration.
void judge(pipelines::Levels &levels, ArrayRef<calibration::InputSpec> specs,
           double least) {
  func::FuncOp integer = levels.getFunction("qint");
  auto engine = orFail(calibration::Engine::create(integer));
  Samples samples(specs[0], 3, /*seed=*/2);
  auto data = orFail(samples.open());
  if (!engine || !data)
    return;
  Quality quality;
  for (int64_t sample = 0; sample < data->size(); ++sample) {
    std::vector<Tensor> inputs = readSample(*data, sample, specs);
    auto reals =
        orFail(reference::evaluate(levels.getFunction("import"), inputs));
    std::vector<Tensor> integers = quantizeInputs(integer, inputs);
    auto expected = orFail(reference::evaluate(integer, integers));
    if (reals.empty() || expected.empty())
      return;
    std::vector<Tensor> actual = runCode(*engine, integers, expected);
    for (size_t i = 0; i < actual.size(); ++i)
      EXPECT_TRUE(actual[i] == expected[i])
          << "output " << i << " of sample " << sample;
    quality.add(integer, expected, reals);
  }
  for (size_t i = 0; i < quality.signal.size(); ++i) {
    double found = 10 * std::log10(quality.signal[i] / quality.noise[i]);
    EXPECT_GE(found, least) << "dB at output " << i;
    EXPECT_LT(found, least + 8)
        << "dB at output " << i << ": the bound is too easy";
    EXPECT_GT(quality.spread[i], 0.003 * quality.signal[i])
        << "output " << i << " hardly depends on the input";
  }
}

/// Compiles `model` as `qopt` does; the outputs have at least `least` dB.
void check(const onnx::ModelProto &model, double least) {
  ScratchFile file(model.SerializeAsString());
  pipelines::CompileOptions options;
  options.model = file.name();
  options.jobs = 1;
  pipelines::Levels levels(options);
  if (!isOk(levels.import()) || !isOk(levels.observe()))
    return;
  func::FuncOp observed = levels.getFunction("observed");
  auto specs = calibration::getInputSpecs(observed);
  Samples samples(specs[0], 8, /*seed=*/1);
  auto data = orFail(samples.open());
  if (!data)
    return;
  auto state = calibration::calibrate(observed, levels.getModelHash(), *data);
  if (!state) {
    ADD_FAILURE() << llvm::toString(state.takeError());
    return;
  }
  if (!isOk(levels.foldStatistics(*state)))
    return;
  if (auto refinements = levels.refineLayers(*state); !refinements)
    ADD_FAILURE() << llvm::toString(refinements.takeError());
  if (isOk(levels.quantize()))
    judge(levels, specs, least);
}

TEST(TopologyTest, Residual) {
  NetWriter n(1);
  NetValue x = n.normalizedConv(n.input({1, 3, 32, 32}), 16, {3, 2});
  x = n.pool("MaxPool", x, 3, 2, 1);
  NetValue y = n.normalizedConv(n.normalizedConv(x, 16, {3}), 16, {3}, "");
  x = n.act(n.add(x, y), "Relu");
  y = n.normalizedConv(n.normalizedConv(x, 32, {3, 2}), 32, {3}, "");
  x = n.act(n.add(n.normalizedConv(x, 32, {1, 2}, ""), y), "Relu");
  check(n.finish({n.classify(x, 10)}), 40);
}

TEST(TopologyTest, InvertedResidual) {
  NetWriter n(2);
  NetValue x =
      n.normalizedConv(n.input({1, 3, 32, 32}), 16, {3, 2}, "HardSwish");
  for (int64_t stride : {2, 1}) {
    NetValue y = n.normalizedConv(x, 48, {1}, "HardSwish");
    y = n.normalizedConv(y, 48, {5, stride, 48}, "HardSwish");
    y = n.squeezeExcite(y, 12, "HardSigmoid");
    y = n.normalizedConv(y, 16, {1}, "");
    x = stride == 1 ? n.add(x, y) : y;
  }
  check(n.finish({n.classify(x, 10)}), 38);
}

/// YOLOv8's block.
NetValue crossStage(NetWriter &n, const NetValue &x, int64_t channels) {
  auto parts = n.split(n.normalizedConv(x, channels, {1}, "SiLU"), 2);
  NetValue y = n.normalizedConv(parts[1], channels / 2, {3}, "SiLU");
  y = n.add(parts[1], n.normalizedConv(y, channels / 2, {3}, "SiLU"));
  return n.normalizedConv(n.concat({parts[0], parts[1], y}), channels, {1},
                          "SiLU");
}

TEST(TopologyTest, Detector) {
  NetWriter n(3);
  NetValue x = n.normalizedConv(n.input({1, 3, 64, 64}), 16, {3, 2}, "SiLU");
  NetValue fine = crossStage(n, n.normalizedConv(x, 16, {3, 2}, "SiLU"), 16);
  x = n.normalizedConv(fine, 16, {3, 2}, "SiLU");
  NetValue once = n.pool("MaxPool", x, 5, 1, 2);
  NetValue twice = n.pool("MaxPool", once, 5, 1, 2);
  NetValue coarse =
      n.normalizedConv(n.concat({x, once, twice}), 16, {1}, "SiLU");
  NetValue up = n.resize(coarse, 16, 16, "nearest");
  fine = crossStage(n, n.concat({up, fine}), 16);
  NetValue boxes =
      n.transpose(n.reshape(n.conv(fine, 8), {1, 8, 256}), {0, 2, 1});
  check(n.finish({boxes, n.act(n.conv(coarse, 6), "Sigmoid")}), 35);
}

TEST(TopologyTest, DenseConcat) {
  NetWriter n(4, 9);
  NetValue x = n.normalizedConv(n.input({1, 3, 32, 32}), 16, {3, 2});
  for (int block = 0; block < 2; ++block) {
    for (int layer = 0; layer < 2; ++layer) {
      NetValue y = n.normalizedConv(n.act(n.norm(x), "Relu"), 32, {1});
      x = n.concat({x, n.conv(y, 8, {3})});
    }
    x = n.conv(n.act(n.norm(x), "Relu"), 16);
    x = n.pool("AveragePool", x, 2, 2);
  }
  check(n.finish({n.classify(x, 10)}), 44);
}

TEST(TopologyTest, ChannelShuffle) {
  NetWriter n(5);
  NetValue x = n.normalizedConv(n.input({1, 3, 32, 32}), 24, {3, 2});
  for (int block = 0; block < 2; ++block) {
    auto parts = n.split(x, 2);
    NetValue y = n.normalizedConv(parts[1], 12, {1});
    y = n.normalizedConv(y, 12, {3, 1, 12}, "");
    y = n.concat({parts[0], n.normalizedConv(y, 12, {1})});
    y = n.transpose(n.reshape(y, {1, 2, 12, 16, 16}), {0, 2, 1, 3, 4});
    x = n.reshape(y, {1, 24, 16, 16});
  }
  check(n.finish({n.classify(x, 10)}), 38);
}

TEST(TopologyTest, GroupedBottleneck) {
  NetWriter n(6);
  NetValue x = n.normalizedConv(n.input({1, 3, 32, 32}), 32, {3, 2});
  for (int64_t stride : {1, 2}) {
    NetValue y = n.normalizedConv(x, 32, {1});
    y = n.squeezeExcite(n.normalizedConv(y, 32, {3, stride, 4}), 8, "Sigmoid");
    y = n.normalizedConv(y, 32, {1}, "");
    x = n.act(n.add(stride > 1 ? n.conv(x, 32, {1, 2}) : x, y), "Relu");
  }
  check(n.finish({n.classify(x, 10)}), 33);
}

TEST(TopologyTest, EncoderDecoder) {
  NetWriter n(7);
  NetValue top = n.normalizedConv(n.input({1, 3, 32, 32}), 12, {3});
  NetValue middle = n.normalizedConv(n.pool("MaxPool", top, 2, 2), 16, {3});
  NetValue x = n.normalizedConv(n.pool("MaxPool", middle, 2, 2), 24, {3});
  for (const NetValue &skip : {middle, top}) {
    NetShape shape = {1, 12, x.shape[2] * 2, x.shape[3] * 2};
    x = n.node("ConvTranspose",
               {x, n.weights({x.channels(), 12, 2, 2}, x.channels()),
                n.random({12}, -0.3f, 0.3f)},
               shape, {{"strides", NetShape{2, 2}}});
    x = n.normalizedConv(n.concat({x, skip}), 12, {3});
  }
  check(n.finish({n.conv(x, 3)}), 31);
}

TEST(TopologyTest, DilatedPyramid) {
  NetWriter n(8);
  NetValue x = n.normalizedConv(n.input({1, 3, 33, 33}), 16, {3, 2});
  std::vector<NetValue> parts = {n.normalizedConv(x, 12, {1})};
  for (int64_t dilation : {2, 4})
    parts.push_back(n.normalizedConv(x, 12, {3, 1, 1, dilation}));
  NetValue whole = n.act(n.conv(n.globalPool(x), 12), "Relu");
  parts.push_back(n.resize(whole, 17, 17, "linear"));
  x = n.conv(n.normalizedConv(n.concat(parts), 16, {1}), 5);
  check(n.finish({n.resize(x, 33, 33, "linear")}), 31);
}

/// Over the last axis, by ReduceMean, Pow and Sqrt.
NetValue layerNorm(NetWriter &n, const NetValue &x) {
  NetShape one = x.shape;
  int64_t size = one.back();
  one.back() = 1;
  auto mean = [&](const NetValue &of) {
    return n.node("ReduceMean", {of}, one, {{"axes", NetShape{-1}}});
  };
  NetValue centered = n.both("Sub", x, mean(x));
  NetValue square = n.both("Pow", centered, n.constant(2));
  NetValue variance = n.add(mean(square), n.constant(1e-6f));
  NetValue y = n.both("Div", centered, n.act(variance, "Sqrt"));
  y = n.mul(y, n.random({size}, 0.5f, 1.5f));
  return n.add(y, n.random({size}, -0.3f, 0.3f));
}

NetValue linear(NetWriter &n, const NetValue &x, int64_t features) {
  NetShape shape = x.shape;
  shape.back() = features;
  NetValue w = n.weights({x.shape.back(), features}, x.shape.back());
  NetValue y = n.node("MatMul", {x, w}, shape);
  return n.add(n.random({features}, -0.3f, 0.3f), y);
}

TEST(TopologyTest, LayerNormedBlocks) {
  NetWriter n(9);
  NetValue x = n.conv(n.input({1, 3, 32, 32}), 16, {4, 4, 1, 1, 0});
  for (int block = 0; block < 2; ++block) {
    NetValue y = n.conv(x, 16, {7, 1, 16});
    y = layerNorm(n, n.transpose(y, {0, 2, 3, 1}));
    y = linear(n, y, 48);
    NetValue e = n.act(n.both("Div", y, n.constant(1.4142135f)), "Erf");
    y = n.mul(n.mul(y, n.add(e, n.constant(1))), n.constant(0.5f));
    y = n.mul(linear(n, y, 16), n.random({16}, 0.2f, 0.6f));
    x = n.add(x, n.transpose(y, {0, 3, 1, 2}));
  }
  check(n.finish({n.classify(x, 10)}), 23);
}

/// Each position sees those before it, by a mask of the least float.
TEST(TopologyTest, CausalAttention) {
  constexpr int64_t length = 16, width = 32;
  std::vector<float> mask(length * length);
  for (int64_t row = 0; row < length; ++row)
    std::fill_n(mask.begin() + row * length + row + 1, length - row - 1,
                std::numeric_limits<float>::lowest());
  NetWriter n(11);
  NetValue x = linear(n, n.input({1, length, width}), width);
  for (int block = 0; block < 2; ++block) {
    NetValue y = layerNorm(n, x);
    NetValue q = linear(n, y, width), k = linear(n, y, width);
    NetShape square = {1, length, length};
    NetValue logits = n.node("MatMul", {q, n.transpose(k, {0, 2, 1})}, square);
    logits = n.both("Div", logits, n.constant(5.6568542f));
    logits = n.add(logits, n.constant({length, length}, mask));
    NetValue weights =
        n.node("Softmax", {logits}, square, {{"axis", int64_t(-1)}});
    y = n.node("MatMul", {weights, linear(n, y, width)}, {1, length, width});
    x = n.add(x, linear(n, y, width));
  }
  check(n.finish({linear(n, x, 10)}), 28);
}

TEST(TopologyTest, GatedDilatedSequence) {
  NetWriter n(10);
  NetValue x = n.conv(n.input({1, 16, 96}), 16), skips;
  for (int64_t dilation : {1, 2, 4}) {
    NetValue past = n.node("Pad", {x, n.integers({0, 0, dilation, 0, 0, 0})},
                           {1, 16, 96 + dilation});
    auto parts = n.split(n.conv(past, 32, {2, 1, 1, dilation, 0}), 2);
    NetValue gated = n.mul(n.act(parts[0], "Tanh"), n.act(parts[1], "Sigmoid"));
    NetValue skip = n.conv(gated, 24);
    skips = skips.name.empty() ? skip : n.add(skips, skip);
    x = n.add(x, n.conv(gated, 16));
  }
  check(n.finish({n.conv(n.act(skips, "Relu"), 32)}), 27);
}

} // namespace
