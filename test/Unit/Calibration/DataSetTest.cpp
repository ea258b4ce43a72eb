// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data sets: files found, shapes matched, ids, shards, normalization.

#include "qopt/Calibration/DataSet.h"
#include "DataFiles.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir::qopt::calibration;
using namespace qopt_test;

static InputSpec input(std::string name, std::vector<int64_t> shape,
                       ElementKind type = ElementKind::F32) {
  InputSpec spec;
  spec.name = std::move(name);
  spec.shape = std::move(shape);
  spec.type = type;
  return spec;
}

/// All samples of a data set with one input, one after the other.
static std::vector<float> samplesOf(const std::string &spec,
                                    const InputSpec &spec0,
                                    const DataOptions &options = {}) {
  auto set = DataSet::open(spec, spec0, options);
  if (!set) {
    ADD_FAILURE() << text(set.takeError());
    return {};
  }
  std::vector<float> all, one(*countElements(spec0.shape));
  for (int64_t i = 0; i < (*set)->size(); ++i) {
    float *buffers[] = {one.data()};
    EXPECT_EQ(text((*set)->read(i, buffers)), "");
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

static std::vector<float> counted(int count, float first = 0) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(first + i);
  return values;
}

static std::string refusal(const std::string &spec,
                           const std::vector<InputSpec> &inputs,
                           const DataOptions &options = {}) {
  return text(DataSet::open(spec, inputs, options));
}

TEST(DataMatch, samplesOfAnArray) {
  using Shape = std::vector<int64_t>;
  struct Case {
    Shape array, input;
    std::optional<int64_t> samples;
  };
  const Case cases[] = {
      // The rest is the input without its batch.
      {{256, 1, 28, 28}, {1, 1, 28, 28}, 256},
      {{256, 28, 28}, {1, 1, 28, 28}, 256},
      {{256, 50}, {1, 50}, 256},
      {{256, 50, 1}, {1, 50}, 256},
      {{0, 50}, {1, 50}, 0},
      // On top of the input's full shape.
      {{253, 2, 1, 128}, {2, 1, 128}, 253},
      {{5, 1, 1, 28, 28}, {1, 1, 28, 28}, 5},
      {{7}, {}, 7},
      // A batch of several rows a sample.
      {{12, 50}, {4, 50}, 3},
      {{13, 50}, {4, 50}, std::nullopt},
      {{10}, {10}, 1},
      // One sample.
      {{28, 28}, {1, 1, 28, 28}, 1},
      {{}, {}, 1},
      {{}, {1}, 1},
      // No match.
      {{256, 784}, {1, 1, 28, 28}, std::nullopt},
      {{256, 28, 28, 3}, {1, 3, 28, 28}, std::nullopt},
      {{1, 100, 50}, {1, 50}, std::nullopt},
      {{50}, {1, 49}, std::nullopt},
  };
  for (const Case &c : cases)
    EXPECT_EQ(matchSamples(c.array, c.input), c.samples)
        << formatShape(c.array) << " for " << formatShape(c.input);
}

TEST(DataSet, everySourceGivesTheSameSamples) {
  TempFolder folder;
  InputSpec x = input("x", {1, 2});
  std::string array = countingNpy("(3, 2)", 6);
  writeBytes(folder / "one.npy", array);
  makeFolder(folder / "named");
  writeBytes(folder / "named/x.npy", array);
  writeBytes(folder / "named/other.npy", "not read");
  makeFolder(folder / "any");
  writeBytes(folder / "any/samples.npy", array);
  writeBytes(folder / "any/label.npy", "not read");
  writeZip(folder / "one.npz", {{"x.npy", array}, {"label.npy", "?"}}, true);
  writeZip(folder / "any.npz", {{"arr_0.npy", array}}, false);
  makeFolder(folder / "many");
  for (int i : {0, 1, 2})
    writeZip(folder / ("many/s" + std::to_string(9 + i) + ".npz"),
             {{"x.npy", countingNpy("(1, 2)", 2, 2 * i)}}, i % 2);
  for (int i : {0, 1, 2}) {
    std::string set = "onnx/test_data_set_" + std::to_string(9 + i);
    makeFolder(folder / set);
    writeBytes(folder / (set + "/input_0.pb"), countingProto({1, 2}, 2, 2 * i));
  }
  std::string floats("\0\0\0\0\x3f\x80\0\0\x40\0\0\0", 12);
  floats += std::string("\x40\x40\0\0\x40\x80\0\0\x40\xa0\0\0", 12);
  writeGzip(folder / "idx.gz", idx(13, {3, 2}, floats));
  for (const char *name : {"one.npy", "named", "any", "one.npz", "any.npz",
                           "many", "onnx", "idx.gz"})
    EXPECT_EQ(samplesOf(folder / name, x), counted(6)) << name;
  EXPECT_EQ(samplesOf(folder / "onnx/test_data_set_10", x), counted(2, 2));
  EXPECT_EQ(samplesOf(folder / "onnx/test_data_set_10/input_0.pb", x),
            counted(2, 2));
}

TEST(DataSet, severalInputsAreReadByName) {
  TempFolder folder;
  std::vector<InputSpec> inputs = {input("b", {1, 2}), input("a/0", {3})};
  std::string b = countingNpy("(2, 2)", 4), a = countingNpy("(2, 3)", 6, 10);
  makeFolder(folder / "npy");
  writeBytes(folder / "npy/b.npy", b);
  writeBytes(folder / "npy/a_0.npy", a);
  writeZip(folder / "d.npz", {{"b.npy", b}, {"a/0.npy", a}}, true);
  makeFolder(folder / "pb/test_data_set_0");
  writeBytes(folder / "pb/test_data_set_0/input_0.pb",
             countingProto({2, 2}, 4));
  writeBytes(folder / "pb/test_data_set_0/input_1.pb",
             countingProto({2, 3}, 6, 10));
  for (const char *name : {"npy", "d.npz", "pb"}) {
    auto set = DataSet::open(folder / name, inputs);
    ASSERT_TRUE(static_cast<bool>(set)) << text(set.takeError());
    ASSERT_EQ((*set)->size(), 2);
    float first[2], second[3];
    float *buffers[] = {first, second};
    EXPECT_EQ(text((*set)->read(1, buffers)), "");
    EXPECT_EQ(first[0], 2) << name;
    EXPECT_EQ(second[2], 15) << name;
    EXPECT_TRUE(refuses(text((*set)->read(2, buffers)), "Q0700"));
  }
}

TEST(DataSet, shardsOfALimitedSetAreTheLimitedSet) {
  TempFolder folder;
  writeZip(folder / "x.npz", {{"x.npy", countingNpy("(23, 1)", 23)}}, true);
  InputSpec x = input("x", {1, 1});
  for (int64_t limit : {1, 5, 23, 100}) {
    DataOptions whole;
    whole.limit = limit;
    std::vector<float> expected = samplesOf(folder / "x.npz", x, whole);
    EXPECT_EQ(expected, counted(std::min<int64_t>(limit, 23)));
    std::vector<float> united(expected.size(), -1);
    size_t total = 0;
    for (int64_t i = 0; i < 4; ++i) {
      DataOptions options = whole;
      options.shardIndex = i;
      options.shardCount = 4;
      auto set = DataSet::open(folder / "x.npz", x, options);
      if (limit == 1 && i > 0) {
        EXPECT_TRUE(refuses(text(set.takeError()), "Q0445", {"no sample"}));
        continue;
      }
      ASSERT_TRUE(static_cast<bool>(set));
      total += (*set)->size();
      for (int64_t k = 0; k < (*set)->size(); ++k) {
        ASSERT_EQ((*set)->id(k) % 4, i);
        float *buffers[] = {&united[(*set)->id(k)]};
        EXPECT_EQ(text((*set)->read(k, buffers)), "");
      }
    }
    EXPECT_EQ(total, expected.size());
    EXPECT_EQ(united, expected);
  }
}

TEST(DataSet, shardOption) {
  DataOptions options;
  EXPECT_EQ(text(parseShard("3/16", options)), "");
  EXPECT_EQ(options.shardIndex, 3);
  EXPECT_EQ(options.shardCount, 16);
  for (const char *bad :
       {"", "3", "16/16", "-1/4", "1/0", "a/b", "1/2/3", "0/-1"})
    EXPECT_TRUE(refuses(text(parseShard(bad, options)), "Q0143", {bad}));
}

TEST(DataSet, namesFilesAndShapesInRefusals) {
  TempFolder folder;
  InputSpec x = input("x", {1, 3, 2, 2});
  writeBytes(folder / "x.npy", countingNpy("(2, 2, 2, 3)", 24));
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {x}), "Q0444",
                      {"'x'", "x.npy", "2x2x2x3", "expected Nx3x2x2"}));
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {x, input("y", {1})}), "Q0445",
                      {"2 inputs", "'x', 'y'"}));
  EXPECT_TRUE(refuses(refusal(folder.str(), {x, input("y", {1})}), "Q0445",
                      {"expects data for 'x', 'y'", "'x.npy'"}));
  EXPECT_TRUE(refuses(refusal(folder / "no", {x}), "Q0441", {"no"}));
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {input("x", {-1, 3})}), "Q0444",
                      {"--shape x="}));
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {}), "Q0445"));
  writeBytes(folder / "e.npy", countingNpy("(0, 3, 2, 2)", 0));
  EXPECT_TRUE(refuses(refusal(folder / "e.npy", {x}), "Q0445", {"no samples"}));
  makeFolder(folder / "empty");
  EXPECT_TRUE(refuses(refusal(folder / "empty", {x}), "Q0445", {"nothing"}));
  makeFolder(folder / "two");
  writeBytes(folder / "two/a.npy", "");
  writeBytes(folder / "two/b.npy", "");
  EXPECT_TRUE(
      refuses(refusal(folder / "two", {x}), "Q0445", {"'a.npy', 'b.npy'"}));
  writeZip(folder / "d.npz", {{"a.npy", countingNpy("(1,)", 1)}, {"b.npy", ""}},
           false);
  EXPECT_TRUE(refuses(refusal(folder / "d.npz", {x}), "Q0445",
                      {"'x'", "'a', 'b'", "savez"}));
  makeFolder(folder / "pb/test_data_set_0");
  EXPECT_TRUE(refuses(refusal(folder / "pb", {x}), "Q0445", {"input_0.pb"}));
  writeZip(folder / "n.npz",
           {{"x.npy", countingNpy("(2, 1)", 2)},
            {"y.npy", countingNpy("(3, 1)", 3)}},
           false);
  EXPECT_TRUE(refuses(
      refusal(folder / "n.npz", {input("x", {1, 1}), input("y", {1, 1})}),
      "Q0445", {"2 samples", "has 3"}));
}

TEST(DataSet, headersOfAllFilesAreCheckedFirst) {
  TempFolder folder;
  makeFolder(folder / "d");
  writeZip(folder / "d/1.npz", {{"x.npy", countingNpy("(1, 2)", 2)}}, false);
  writeZip(folder / "d/2.npz", {{"x.npy", countingNpy("(1, 3)", 3)}}, false);
  EXPECT_TRUE(refuses(refusal(folder / "d", {input("x", {1, 2})}), "Q0444",
                      {"2.npz:x", "1x3"}));
}

TEST(DataSet, valuesThatAreNotFinite) {
  TempFolder folder;
  InputSpec x = input("x", {1, 2});
  auto readLast = [&](const std::string &bytes) {
    writeBytes(folder / "x.npy", bytes);
    auto set = DataSet::open(folder / "x.npy", x);
    if (!set)
      return text(set.takeError());
    float values[2];
    float *buffers[] = {values};
    return text((*set)->read(1, buffers));
  };
  EXPECT_TRUE(
      refuses(readLast(npy("<f4", "(2, 2)", raw<float>({1, 2, 3, NAN}))),
              "Q0446", {"x.npy", "sample 1", "element 1", "number"}));
  EXPECT_TRUE(
      refuses(readLast(npy("<f4", "(2, 2)", raw<float>({1, 2, -INFINITY, 3}))),
              "Q0446", {"sample 1", "element 0", "infinite"}));
  EXPECT_TRUE(
      refuses(readLast(npy("<f8", "(2, 2)", raw<double>({1, 2, 3, 1e300}))),
              "Q0446", {"infinite"}));
}

TEST(DataSet, integerInputs) {
  TempFolder folder;
  InputSpec ids = input("x", {1, 2}, ElementKind::I64);
  writeBytes(folder / "x.npy", npy("<i4", "(1, 2)", raw<int32_t>({-7, 9})));
  EXPECT_EQ(samplesOf(folder / "x.npy", ids), (std::vector<float>{-7, 9}));
  ids.type = ElementKind::U8;
  auto set = DataSet::open(folder / "x.npy", ids);
  ASSERT_TRUE(static_cast<bool>(set));
  float values[2];
  float *buffers[] = {values};
  EXPECT_TRUE(
      refuses(text((*set)->read(0, buffers)), "Q0446", {"is -7", "0 to 255"}));
  writeBytes(folder / "x.npy",
             npy("<i8", "(1, 2)", raw<int64_t>({1, (1 << 24) + 1})));
  ids.type = ElementKind::I64;
  auto large = DataSet::open(folder / "x.npy", ids);
  ASSERT_TRUE(static_cast<bool>(large));
  EXPECT_TRUE(refuses(text((*large)->read(0, buffers)), "Q0446",
                      {"16777217", "element 1"}));
  writeBytes(folder / "x.npy", countingNpy("(1, 2)", 2));
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {ids}), "Q0443", {"i64"}));
}

TEST(DataAffine, parsesBothForms) {
  auto mean = parseInputOption("in:0:u8,mean=0.485,0.456,0.406,std=0.25");
  ASSERT_TRUE(static_cast<bool>(mean)) << text(mean.takeError());
  EXPECT_EQ(mean->first, "in:0");
  EXPECT_EQ(mean->second.first, (std::vector<float>{0.485f, 0.456f, 0.406f}));
  EXPECT_EQ(mean->second.apply(200, 1), (200.0f / 255.0f - 0.456f) / 0.25f);
  auto raw = parseInputOption("x:u8,scale=0.0078125,bias=-1,axis=3");
  ASSERT_TRUE(static_cast<bool>(raw));
  EXPECT_EQ(raw->second.axis, 3);
  EXPECT_EQ(raw->second.apply(255, 0), 255.0f * 0.0078125f - 1.0f);
  auto plain = parseInputOption("x:u8");
  ASSERT_TRUE(static_cast<bool>(plain));
  EXPECT_EQ(plain->second.apply(255, 0), 1.0f);
  EXPECT_TRUE(plain->second.inModel);
  auto outside = parseInputOption("x:u8,boundary=float,mean=0.5");
  ASSERT_TRUE(static_cast<bool>(outside));
  EXPECT_FALSE(outside->second.inModel);
  for (const char *bad :
       {"x", ":u8", "x:u8,boundary=i8", "x:u8,", "x:u8,mean", "x:u8,mean=",
        "x:u8,mean=a", "x:u8,std=0", "x:u8,std=1e99", "x:u8,mean=1,scale=2",
        "x:u8,gain=2", "x:u8,mean=1,mean=2", "x:u8,axis=-1", "x:u8,mean=nan"})
    EXPECT_TRUE(refuses(text(parseInputOption(bad)), "Q0142", {bad}));
}

TEST(DataAffine, isAlsoScaleAndShift) {
  for (const char *form :
       {"x:u8,mean=0.485,0.456,0.406,std=0.25", "x:u8,scale=0.5,0.25,2,bias=-1",
        "x:u8,mean=0.5,std=0.25,0.5,0.75"}) {
    Affine affine = parseInputOption(form)->second;
    std::vector<double> scale = affine.getScale(), shift = affine.getShift();
    for (int64_t channel : {0, 1, 2})
      for (int value : {0, 3, 255})
        EXPECT_NEAR(affine.apply(value, channel),
                    scale[scale.size() == 1 ? 0 : channel] * value +
                        shift[shift.size() == 1 ? 0 : channel],
                    1e-6)
            << form << " channel " << channel << " value " << value;
  }
}

TEST(DataAffine, normalizesByChannel) {
  TempFolder folder;
  std::string data("\0\1\2\3\xff\xfe\xfd\xfc", 8);
  writeBytes(folder / "x.npy", npy("|u1", "(2, 2, 1, 2)", data));
  InputSpec x = input("x", {1, 2, 1, 2});
  x.u8 = Affine{Affine::Form::ScaleBias, {1, 2}, {0, 1000}, 1};
  std::vector<float> expected = {0, 1, 1004, 1006, 255, 254, 1506, 1504};
  EXPECT_EQ(samplesOf(folder / "x.npy", x), expected);
  // Channels last.
  x.shape = {1, 2, 1, 2};
  x.u8->axis = 3;
  expected = {0, 1002, 2, 1006, 255, 1508, 253, 1504};
  EXPECT_EQ(samplesOf(folder / "x.npy", x), expected);
  x.u8->first = {1, 2, 3};
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {x}), "Q0142", {"list of 3"}));
  x.u8 = Affine();
  writeBytes(folder / "f.npy", countingNpy("(1, 2, 1, 2)", 4));
  EXPECT_TRUE(refuses(refusal(folder / "f.npy", {x}), "Q0443",
                      {"is f32, but u8 is expected"}));
  x.type = ElementKind::U8;
  EXPECT_TRUE(refuses(refusal(folder / "x.npy", {x}), "Q0142"));
}

TEST(DataSet, warnsOfRawBytesAndRandomData) {
  TempFolder folder;
  writeBytes(folder / "x.npy", npy("|u1", "(1, 1)", "a"));
  auto set = DataSet::open(folder / "x.npy", input("x", {1, 1}));
  ASSERT_TRUE(static_cast<bool>(set));
  ASSERT_EQ((*set)->getWarnings().size(), 1u);
  EXPECT_NE((*set)->getWarnings()[0].find("--input x:u8"), std::string::npos);
  auto random = DataSet::open("random:uniform:0:1,n=2", input("x", {1, 1}));
  ASSERT_TRUE(static_cast<bool>(random));
  EXPECT_EQ((*random)->getWarnings().size(), 1u);
}

TEST(DataRandom, sameValuesInAnyOrderAndForAnyShard) {
  InputSpec x = input("x", {1, 1000});
  std::vector<float> all = samplesOf("random:uniform:-2:3,n=4", x);
  ASSERT_EQ(all.size(), 4000u);
  double sum = 0;
  for (float value : all) {
    EXPECT_GE(value, -2.0f);
    EXPECT_LE(value, 3.0f);
    sum += value;
  }
  EXPECT_NEAR(sum / all.size(), 0.5, 0.1);
  DataOptions options;
  options.shardIndex = 1;
  options.shardCount = 2;
  std::vector<float> odd = samplesOf("random:uniform:-2:3,n=4", x, options);
  EXPECT_EQ(std::vector<float>(odd.begin(), odd.begin() + 1000),
            std::vector<float>(all.begin() + 1000, all.begin() + 2000));
  EXPECT_NE(all, samplesOf("random:uniform:-2:3,n=4,seed=1", x));
  EXPECT_NE(std::vector<float>(all.begin(), all.begin() + 1000),
            std::vector<float>(all.begin() + 1000, all.begin() + 2000));
  // Pinned: the same on every machine and in every version.
  EXPECT_EQ(samplesOf("random:uniform:0:1,n=2,seed=7", input("x", {2})),
            (std::vector<float>{0x1.38029p-1f, 0x1.a2fff4p-2f, 0x1.c0431cp-2f,
                                0x1.40b466p-3f}));
  EXPECT_EQ(samplesOf("random:normal:0:1,n=2,seed=7", input("x", {1})),
            (std::vector<float>{0x1.5d1876p-2f, -0x1.0d962p+0f}));
}

TEST(DataRandom, normalAndIntegers) {
  std::vector<float> values =
      samplesOf("random:normal:3:2,n=1", input("x", {20000}));
  double sum = 0, squares = 0;
  for (float value : values) {
    sum += value;
    squares += value * value;
  }
  double mean = sum / values.size();
  EXPECT_NEAR(mean, 3.0, 0.05);
  EXPECT_NEAR(std::sqrt(squares / values.size() - mean * mean), 2.0, 0.05);
  int seen[3] = {};
  for (float value : samplesOf("random:uniform:-1:1,n=1",
                               input("x", {3000}, ElementKind::I32))) {
    ASSERT_TRUE(value == -1 || value == 0 || value == 1);
    ++seen[int(value) + 1];
  }
  for (int count : seen)
    EXPECT_NEAR(count, 1000, 150);
}

TEST(DataRandom, refusals) {
  for (const char *bad :
       {"random:", "random:uniform:0", "random:poisson:0:1",
        "random:uniform:1:0", "random:normal:0:0", "random:normal:0:-1",
        "random:uniform:nan:1", "random:uniform:0:inf",
        "random:uniform:0:1,n=0", "random:uniform:0:1,n=-1",
        "random:uniform:0:1,m=1", "random:uniform:0:1,seed=x",
        "random:uniform:0:1e300"})
    EXPECT_TRUE(refuses(refusal(bad, {input("x", {1})}), "Q0141", {bad}));
}
