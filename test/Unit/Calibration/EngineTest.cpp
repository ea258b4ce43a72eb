// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generated code against Reference, value by value.

#include "qopt/Calibration/Engine.h"
#include "DataFiles.h"
#include "TestNet.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;
using namespace qopt_test;

namespace {

std::unique_ptr<Engine> makeEngine(TestNet &net, bool keepProbes) {
  EngineOptions options;
  options.keepProbes = keepProbes;
  auto engine = Engine::create(net.function(), options);
  if (engine)
    return std::move(*engine);
  ADD_FAILURE() << llvm::toString(engine.takeError());
  return nullptr;
}

std::vector<float> elementsOf(const Probe &probe) {
  std::vector<float> values(countElements(probe));
  copyElements(probe, values);
  return values;
}

/// Within `steps` units in the last place of the largest magnitude.
void expectNear(llvm::ArrayRef<float> expected, llvm::ArrayRef<float> found,
                const std::string &what, float tolerance) {
  ASSERT_EQ(expected.size(), found.size()) << what;
  float largest = 1;
  for (float value : expected)
    largest = std::max(largest, std::fabs(value));
  for (size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(expected[i], found[i], tolerance * largest) << what << " " << i;
}

/// Outputs and all probes of the residual network.
void compareWithReference(unsigned seed, bool exact, float tolerance) {
  TestNet net(residualNet(seed, exact));
  auto engine = makeEngine(net, true);
  ASSERT_TRUE(engine);
  for (unsigned sample = 0; sample < 3; ++sample) {
    std::vector<float> input =
        randomFloats(3 * 9 * 7, 1000 * seed + sample, exact);
    std::vector<float> output(5, -7.0f);
    engine->run({input.data()}, {output.data()});
    auto expected = referenceValues(net.function(), input);
    expectNear(expected["output0"].values<float>(), output, "output",
               tolerance);
    ASSERT_EQ(engine->probes().size(), 7u);
    for (const Probe &probe : engine->probes()) {
      ASSERT_TRUE(expected.count(probe.id)) << probe.id;
      EXPECT_TRUE(probe.isFloat);
      EXPECT_EQ(llvm::ArrayRef<int64_t>(probe.shape),
                expected[probe.id].getShape())
          << probe.id;
      expectNear(expected[probe.id].values<float>(), elementsOf(probe),
                 probe.id, tolerance);
    }
  }
}

} // namespace

TEST(Engine, EqualsReferenceWhereArithmeticIsExact) {
  for (unsigned seed = 1; seed <= 3; ++seed)
    compareWithReference(seed, true, 0);
}

TEST(Engine, IsNearReferenceOnRandomFloats) {
  for (unsigned seed = 10; seed <= 12; ++seed)
    compareWithReference(seed, false, 2e-6f);
}

TEST(Engine, GivesTheSameBitsWhateverTheVectorWidth) {
  // Behind the residual network's output: every function that is computed.
  std::string source = residualNet(7, false);
  const std::string last = "  return %y";
  source.insert(source.find(last), R"(
  %s = qopt.unary %y [#qopt.fn<sigmoid>, #qopt.fn<affine, 3.0, -1.5>,
      #qopt.fn<tanh>, #qopt.fn<hard_swish>, #qopt.fn<leaky_relu, 0.1>]
    : (tensor<1x5xf32>) -> tensor<1x5xf32>
  %t = qopt.observe %s "functions" : tensor<1x5xf32> -> tensor<1x5xf32>
  %u = qopt.softmax %t axis 1 : (tensor<1x5xf32>) -> tensor<1x5xf32>
  %v = qopt.observe %u "softmax" : tensor<1x5xf32> -> tensor<1x5xf32>
)");
  TestNet net(source);
  std::vector<float> input = randomFloats(3 * 9 * 7, 8);
  std::map<std::string, std::vector<float>> expected;
  for (const char *cpu : {"", "x86-64-v3", "x86-64-v4"}) {
    EngineOptions options;
    options.keepProbes = true;
    options.cpu = cpu;
    auto engine = Engine::create(net.function(), options);
    if (!engine) {
      // Only what this machine cannot run may be left out.
      std::string message = text(engine.takeError());
      ASSERT_TRUE(refuses(message, "Q0334")) << message;
      continue;
    }
    std::vector<float> output(5);
    (*engine)->run({input.data()}, {output.data()});
    ASSERT_EQ((*engine)->probes().size(), 9u);
    for (const Probe &probe : (*engine)->probes()) {
      auto [entry, isFirst] = expected.emplace(probe.id, elementsOf(probe));
      EXPECT_EQ(entry->second, elementsOf(probe)) << probe.id << " on " << cpu;
    }
  }
}

TEST(Engine, RefusesACpuWithoutFMA) {
  TestNet net(residualNet(1, true));
  EngineOptions options;
  options.cpu = "x86-64";
  std::string message = text(Engine::create(net.function(), options));
  EXPECT_TRUE(refuses(message, "Q0334", {"FMA"})) << message;
}

TEST(Engine, RunsWithoutProbesAndRepeats) {
  TestNet net(residualNet(4, false));
  auto plain = makeEngine(net, false);
  auto probed = makeEngine(net, true);
  ASSERT_TRUE(plain && probed);
  EXPECT_TRUE(plain->probes().empty());
  EXPECT_GE(probed->arenaBytes(), plain->arenaBytes());
  // Two convolutions and the last layer.
  EXPECT_EQ(plain->macs(), 63u * 8 * 27 + 63u * 8 * 9 + 16u * 5);
  std::vector<float> input = randomFloats(3 * 9 * 7, 5);
  std::vector<float> other = randomFloats(3 * 9 * 7, 6);
  std::vector<float> first(5), second(5), third(5);
  plain->run({input.data()}, {first.data()});
  plain->run({other.data()}, {second.data()});
  plain->run({input.data()}, {third.data()});
  EXPECT_EQ(first, third);
  EXPECT_NE(first, second);
  probed->run({input.data()}, {third.data()});
  EXPECT_EQ(first, third);
}

/// Bytes of the resources that the context of `net` holds.
static size_t countResourceBytes(TestNet &net) {
  size_t bytes = 0;
  mlir::DenseResourceElementsHandle::getManagerInterface(
      net.get()->getContext())
      .getBlobManager()
      .getBlobMap([&](const auto &blobs) {
        for (const auto &entry : blobs)
          if (const mlir::AsmResourceBlob *blob = entry.second.getBlob())
            bytes += blob->getData().size();
      });
  return bytes;
}

TEST(Engine, KeepsItsConstantsToItself) {
  TestNet net(residualNet(4, false));
  const size_t before = countResourceBytes(net);
  std::vector<float> input = randomFloats(3 * 9 * 7, 5);
  std::vector<float> expected(5), found(5);
  auto engine = makeEngine(net, false);
  ASSERT_TRUE(engine);
  engine->run({input.data()}, {expected.data()});
  EXPECT_EQ(countResourceBytes(net), before);
  // They live as long as whoever runs the code.
  auto copy = engine->duplicate();
  ASSERT_TRUE(bool(copy));
  engine.reset();
  (*copy)->run({input.data()}, {found.data()});
  EXPECT_EQ(expected, found);
}

TEST(Engine, TakesSeveralInputsAndOutputs) {
  TestNet net(R"(
func.func @net(%a: tensor<1x4xf32>, %b: tensor<1x4xf32>)
    -> (tensor<1x4xf32>, tensor<1x4xf32>) {
  %0 = qopt.sub %a, %b : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %1 = qopt.mul %a, %b : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %1, %0 : tensor<1x4xf32>, tensor<1x4xf32>
}
)");
  auto engine = makeEngine(net, false);
  ASSERT_TRUE(engine);
  std::vector<float> a{1, 2, 3, 4}, b{5, 7, 11, 13}, product(4), difference(4);
  engine->run({a.data(), b.data()}, {product.data(), difference.data()});
  EXPECT_EQ(product, (std::vector<float>{5, 14, 33, 52}));
  EXPECT_EQ(difference, (std::vector<float>{-4, -5, -8, -9}));
}

TEST(Engine, IntegerProbesHoldTheIntegers) {
  TestNet net(R"(
func.func @net(%x: tensor<1x2x3x3xi8> {qopt.name = "x"})
    -> (tensor<1x4x3x3xi16> {qopt.name = "y"}) {
  %w = qint.constant dense<[[[[1]], [[-2]]], [[[3]], [[1]]], [[[0]], [[5]]], [[[-1]], [[-1]]]]>
    : tensor<4x2x1x1xi8>
  %0 = qint.max_pool %x {qopt.value = "pool", kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x2x3x3xi8>) -> tensor<1x2x3x3xi8>
  %1 = qint.conv %0, %w {qopt.value = "conv", input_zero_point = -3 : i32,
      requant = #qint.requant<[1048576], [20], zp 7, clamp -32768 to 32767>}
    : (tensor<1x2x3x3xi8>, tensor<4x2x1x1xi8>) -> tensor<1x4x3x3xi16>
  return %1 : tensor<1x4x3x3xi16>
}
)");
  auto engine = makeEngine(net, true);
  ASSERT_TRUE(engine);
  std::vector<int8_t> input(18);
  for (int i = 0; i < 18; ++i)
    input[i] = static_cast<int8_t>(i * 29);
  std::vector<int16_t> output(36);
  engine->run({input.data()}, {output.data()});

  std::map<std::string, reference::Tensor> expected;
  auto results = reference::evaluate(
      net.function(), {reference::Tensor::from<int8_t>({1, 2, 3, 3}, input)},
      [&](mlir::Value value, const reference::Tensor &tensor) {
        if (mlir::Operation *op = value.getDefiningOp())
          if (auto id = op->getAttrOfType<mlir::StringAttr>("qopt.value"))
            expected.emplace(id.str(), tensor);
      });
  ASSERT_TRUE(static_cast<bool>(results));
  EXPECT_EQ(llvm::ArrayRef<int16_t>(output), (*results)[0].values<int16_t>());
  ASSERT_EQ(engine->probes().size(), 2u);
  for (const Probe &probe : engine->probes()) {
    const reference::Tensor &tensor = expected.at(probe.id);
    EXPECT_FALSE(probe.isFloat);
    EXPECT_EQ(probe.bits, 8 * reference::elementSize(tensor.getKind()));
    std::vector<float> values = elementsOf(probe);
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(values[i], tensor.getInteger(i)) << probe.id << " " << i;
  }
}

TEST(Probe, CopiesInLogicalOrderWhateverTheStrides) {
  // Two rows of three channels last, one element of padding a pixel.
  std::vector<float> memory{0, 10, 20, -1, 1, 11, 21, -1};
  Probe probe;
  probe.shape = {3, 1, 2};
  probe.strides = {1, 8, 4};
  probe.data = memory.data();
  EXPECT_EQ(elementsOf(probe), (std::vector<float>{0, 1, 10, 11, 20, 21}));
  probe.shape = {};
  probe.strides = {};
  EXPECT_EQ(elementsOf(probe), (std::vector<float>{0}));
}

TEST(Probe, TakesTheStorageBiasAway) {
  std::vector<uint8_t> bytes{0, 127, 128, 255};
  Probe probe;
  probe.shape = {4};
  probe.strides = {1};
  probe.data = bytes.data();
  probe.isFloat = false;
  probe.bits = 8;
  probe.storageBias = 128;
  EXPECT_EQ(elementsOf(probe), (std::vector<float>{-128, -1, 0, 127}));
  probe.storageBias = 0;
  EXPECT_EQ(elementsOf(probe), (std::vector<float>{0, 127, -128, -1}));
  std::vector<int16_t> words{-32768, 300};
  probe.shape = {2};
  probe.data = words.data();
  probe.bits = 16;
  EXPECT_EQ(elementsOf(probe), (std::vector<float>{-32768, 300}));
}
