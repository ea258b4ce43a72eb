// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calibration against statistics that Reference's values give, shards, and
// refusals.

#include "qopt/Calibration/Calibrate.h"
#include "../../../lib/Calibration/StridedProbe.h"
#include "DataFiles.h"
#include "TestNet.h"
#include "qopt/Support/Error.h"
#include <algorithm>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;
using namespace qopt_test;
using observers::CalibrationState;
using observers::TensorStats;

namespace {

const observers::Hash modelHash = observers::hashModel("model");

/// `samples` samples of 3x9x7 in one file.
std::string writeSamples(const TempFolder &folder, int samples, bool exact) {
  std::string path = folder / "x.npy";
  writeBytes(path, npy("<f4", "(" + std::to_string(samples) + ", 3, 9, 7)",
                       raw(randomFloats(samples * 189, 77, exact))));
  return path;
}

llvm::Expected<CalibrationState>
calibrateFile(TestNet &net, const std::string &spec,
              const DataOptions &options = {}) {
  auto data = DataSet::open(spec, getInputSpecs(net.function()), options);
  if (!data)
    return data.takeError();
  return calibrate(net.function(), modelHash, **data);
}

/// The same from Reference's values.
CalibrationState referenceState(TestNet &net, int samples, bool exact) {
  std::vector<float> all = randomFloats(samples * 189, 77, exact);
  std::vector<CalibrationState::TensorSpec> specs;
  net.function().walk(
      [&](ObserveOp op) { specs.push_back({op.getId().str(), 0}); });
  CalibrationState state =
      llvm::cantFail(CalibrationState::create(modelHash, {{"x", 189}}, specs));
  for (int i = 0; i < samples; ++i) {
    std::vector<float> input(all.begin() + i * 189,
                             all.begin() + (i + 1) * 189);
    llvm::cantFail(state.addSample(i, {input}));
    for (auto &[id, tensor] : referenceValues(net.function(), input))
      if (int64_t index = state.indexOf(id); index >= 0) {
        auto values = tensor.values<float>();
        llvm::cantFail(state.observe(
            index, i, observers::StridedValues{values.data(), values.size()}));
      }
  }
  return state;
}

/// `x` and its square, both observed.
const char *const squareNet = R"(
func.func @net(%x: tensor<1x4xf32> {qopt.name = "x"}) -> tensor<1x4xf32> {
  %a = qopt.observe %x "x" : tensor<1x4xf32> -> tensor<1x4xf32>
  %b = qopt.mul %a, %a : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %y = qopt.observe %b "square" : tensor<1x4xf32> -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
)";

} // namespace

TEST(Calibrate, EqualsReferenceToTheByteWhereArithmeticIsExact) {
  TempFolder folder;
  TestNet net(residualNet(1, true));
  auto state = calibrateFile(net, writeSamples(folder, 5, true));
  ASSERT_EQ(text(state ? llvm::Error::success() : state.takeError()), "");
  EXPECT_EQ(state->getSamples().size(), 5u);
  EXPECT_EQ(state->serialize(), referenceState(net, 5, true).serialize());
}

TEST(Calibrate, IsNearReferenceOnRandomFloats) {
  TempFolder folder;
  TestNet net(residualNet(2, false));
  auto state = calibrateFile(net, writeSamples(folder, 4, false));
  ASSERT_EQ(text(state ? llvm::Error::success() : state.takeError()), "");
  CalibrationState expected = referenceState(net, 4, false);
  for (const CalibrationState::Tensor &tensor : expected.getTensors()) {
    const TensorStats *found = state->find(tensor.id);
    ASSERT_TRUE(found) << tensor.id;
    const float tolerance =
        2e-6f * std::max(1.0f, std::max(tensor.stats.max, -tensor.stats.min));
    EXPECT_EQ(found->count, tensor.stats.count) << tensor.id;
    EXPECT_EQ(found->samples, 4u);
    EXPECT_NEAR(found->min, tensor.stats.min, tolerance) << tensor.id;
    EXPECT_NEAR(found->max, tensor.stats.max, tolerance) << tensor.id;
    EXPECT_NEAR(found->mean(), tensor.stats.mean(), tolerance) << tensor.id;
    EXPECT_NEAR(found->sumOfMaxs.value(), tensor.stats.sumOfMaxs.value(),
                4 * tolerance);
  }
}

TEST(Calibrate, ShardsMergeToTheSameBytesInAnyOrder) {
  TempFolder folder;
  TestNet net(residualNet(3, false));
  std::string path = writeSamples(folder, 20, false);
  auto whole = calibrateFile(net, path);
  ASSERT_TRUE(static_cast<bool>(whole));
  for (int64_t count : {4, 16}) {
    std::vector<CalibrationState> shards;
    for (int64_t i = 0; i < count; ++i) {
      DataOptions options;
      options.shardIndex = i;
      options.shardCount = count;
      shards.push_back(llvm::cantFail(calibrateFile(net, path, options)));
    }
    std::mt19937 engine(count);
    for (int order = 0; order < 3; ++order) {
      std::shuffle(shards.begin(), shards.end(), engine);
      auto merged =
          llvm::cantFail(CalibrationState::parse(shards[0].serialize(), "s"));
      for (int64_t i = 1; i < count; ++i)
        llvm::cantFail(merged.merge(shards[i]));
      EXPECT_EQ(merged.serialize(), whole->serialize());
    }
  }
}

TEST(Calibrate, ReportsProgress) {
  TempFolder folder;
  TestNet net(residualNet(3, false));
  auto data = llvm::cantFail(DataSet::open(writeSamples(folder, 3, false),
                                           getInputSpecs(net.function())));
  std::vector<int64_t> done;
  llvm::cantFail(calibrate(net.function(), modelHash, *data,
                           [&](int64_t i, int64_t total) {
                             done.push_back(i);
                             EXPECT_EQ(total, 3);
                             return true;
                           }));
  EXPECT_EQ(done, (std::vector<int64_t>{1, 2, 3}));

  auto again = llvm::cantFail(DataSet::open(writeSamples(folder, 3, false),
                                            getInputSpecs(net.function())));
  auto stopped = calibrate(net.function(), modelHash, *again,
                           [](int64_t i, int64_t) { return i < 2; });
  ASSERT_FALSE(static_cast<bool>(stopped));
  EXPECT_NE(llvm::toString(stopped.takeError()).find("cancelled"),
            std::string::npos);
}

TEST(Calibrate, RefusesDataWithoutSamples) {
  TempFolder folder;
  TestNet net(residualNet(3, false));
  DataOptions options;
  options.shardIndex = 5;
  options.shardCount = 16;
  std::string message =
      text(calibrateFile(net, writeSamples(folder, 3, false), options));
  EXPECT_TRUE(refuses(message, "Q0445", {"no sample", "fewer shards"}))
      << message;
}

TEST(Calibrate, NamesTensorAndSampleOfAnInfinity) {
  TempFolder folder;
  TestNet net(squareNet);

  writeBytes(folder / "x.npy", npy("<f4", "(3, 4)",
                                   raw(std::vector<float>{1, 2, 3, 4, 5, 6, 7,
                                                          8, 9, 1e30f, 1, 2})));
  std::string message = text(calibrateFile(net, folder / "x.npy"));
  EXPECT_TRUE(refuses(message, "Q0413", {"'square'", "sample 2"})) << message;
}

TEST(Calibrate, ThreadsDoNotShowInTheResult) {
  TempFolder folder;
  const std::string path = writeSamples(folder, 23, false);
  TestNet one(residualNet(2, false));
  auto state = calibrateFile(one, path);
  ASSERT_EQ(text(state ? llvm::Error::success() : state.takeError()), "");
  for (unsigned jobs : {2u, 3u, 40u}) {
    TestNet several(residualNet(2, false), jobs);
    auto merged = calibrateFile(several, path);
    ASSERT_EQ(text(merged ? llvm::Error::success() : merged.takeError()), "");
    EXPECT_EQ(merged->getSamples().size(), 23u);
    EXPECT_EQ(merged->serialize(), state->serialize()) << jobs << " jobs";
  }
}

TEST(Calibrate, ThreadsReportTheFirstBadSample) {
  TempFolder folder;
  std::vector<float> values(400, 1.0f);
  for (int sample = 31; sample < 100; ++sample)
    values[sample * 4] = 1e30f;
  writeBytes(folder / "x.npy", npy("<f4", "(100, 4)", raw(values)));
  for (int round = 0; round < 4; ++round) {
    TestNet several(squareNet, 4);
    std::string message = text(calibrateFile(several, folder / "x.npy"));
    EXPECT_TRUE(refuses(message, "Q0413", {"'square'", "sample 31"}))
        << message;
  }
}

TEST(Calibrate, RefusesInputsOfAnotherType) {
  TempFolder folder;
  TestNet net("func.func @net(%x: tensor<1x4xi8>) -> tensor<1x4xi8> {\n"
              "  return %x : tensor<1x4xi8>\n}\n");
  writeBytes(folder / "x.npy", countingNpy("(3, 4)", 12));
  std::string message = text(calibrateFile(net, folder / "x.npy"));
  EXPECT_TRUE(refuses(message, "Q0340", {"input 0", "f32"})) << message;
}

TEST(Calibrate, ReadsNamesAndShapes) {
  TestNet net("func.func @net(%x: tensor<1x4xf32> {qopt.name = \"in.1\"},\n"
              "    %z: tensor<2x3x5xf32>) -> tensor<1x4xf32> {\n"
              "  return %x : tensor<1x4xf32>\n}\n");
  std::vector<InputSpec> specs = getInputSpecs(net.function());
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].name, "in.1");
  EXPECT_EQ(specs[0].shape, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(specs[1].name, "input1");
  EXPECT_EQ(specs[1].shape, (std::vector<int64_t>{2, 3, 5}));
}

//===----------------------------------------------------------------------===//
// StridedProbe
//===----------------------------------------------------------------------===//

namespace {

/// The multiset of values that the observers would see, sorted.
std::vector<float> seen(StridedProbe &strided) {
  observers::StridedValues values = strided.current();
  std::vector<float> all;
  for (size_t plane = 0; plane < values.planes; ++plane)
    for (size_t row = 0; row < values.rows; ++row)
      for (size_t i = 0; i < values.rowLength; ++i)
        all.push_back(values.base[plane * values.planeStride +
                                  row * values.rowStride + i]);
  std::sort(all.begin(), all.end());
  return all;
}

struct StridesCase {
  std::vector<int64_t> shape, strides;
  size_t rowLength, rows, planes;
  bool copied;
};

} // namespace

TEST(StridedProbe, SeesEveryElementOnceInAnyLayout) {
  const std::vector<StridesCase> cases = {
      {{1, 8, 5, 6}, {240, 1, 48, 8}, 240, 1, 1, false},  // dense NHWC
      {{1, 8, 5, 6}, {999, 1, 64, 8}, 48, 5, 1, false},   // halo
      {{2, 8, 5, 6}, {400, 1, 64, 8}, 48, 5, 2, false},   // batch and halo
      {{1, 8, 5, 6}, {999, 1, 72, 12}, 8, 30, 1, false},  // a concat's slice
      {{1, 8, 5, 6}, {999, 1, 100, 12}, 8, 6, 5, false},  // and halo
      {{2, 8, 5, 6}, {600, 1, 100, 12}, 480, 1, 1, true}, // and batch
      {{4, 6}, {6, 1}, 24, 1, 1, false},                  // row-major
      {{4, 6}, {1, 4}, 24, 1, 1, false},                  // column-major
      {{4, 6}, {12, 2}, 1, 24, 1, false},                 // no unit stride
      {{}, {}, 1, 1, 1, false},                           // scalar
  };
  std::vector<float> memory(2000);
  for (size_t i = 0; i < memory.size(); ++i)
    memory[i] = static_cast<float>(i);
  for (const StridesCase &test : cases) {
    Probe probe;
    probe.shape = test.shape;
    probe.strides = test.strides;
    probe.data = memory.data();
    StridedProbe strided(probe);
    observers::StridedValues values = strided.current();
    EXPECT_EQ(values.rowLength, test.rowLength);
    EXPECT_EQ(values.rows, test.rows);
    EXPECT_EQ(values.planes, test.planes);
    EXPECT_EQ(strided.isCopied(), test.copied);
    std::vector<float> expected(countElements(probe));
    copyElements(probe, expected);
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(seen(strided), expected);
  }
}
