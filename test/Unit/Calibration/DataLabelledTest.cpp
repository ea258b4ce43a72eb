// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluation sets: labels and float references beside the samples.

#include "qopt/Calibration/DataLabelled.h"
#include "DataFiles.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir::qopt::calibration;
using namespace qopt_test;

namespace {

const InputSpec kInput = {"x", {1, 1, 2}, ElementKind::F32, std::nullopt};
const OutputSpec kOutput = {"y", {1, 3}};
const std::string kSamples = countingNpy("(4, 2)", 8);
const std::string kLabels = npy("<i8", "(4,)", raw<int64_t>({3, 1, 4, 1}));

struct Labelled {
  std::unique_ptr<LabelledSet> set;
  std::string refusal;
};

Labelled openSet(const std::string &spec,
                 const std::vector<OutputSpec> &outputs = {kOutput},
                 const DataOptions &options = {}) {
  auto set = LabelledSet::open(spec, kInput, outputs, options);
  if (!set)
    return {nullptr, text(set.takeError())};
  return {std::move(*set), ""};
}

} // namespace

TEST(DataLabelled, npzAndFolderWithLabelsAndReferences) {
  TempFolder folder;
  std::string reference = countingNpy("(4, 3)", 12, 100);
  writeZip(
      folder / "e.npz",
      {{"x.npy", kSamples}, {"label.npy", kLabels}, {"ref.npy", reference}},
      true);
  makeFolder(folder / "e");
  writeBytes(folder / "e/x.npy", kSamples);
  writeBytes(folder / "e/label.npy", kLabels);
  writeBytes(folder / "e/ref_y.npy", reference);
  DataOptions odd;
  odd.shardIndex = 1;
  odd.shardCount = 2;
  for (const char *name : {"e.npz", "e"}) {
    auto [set, refusal] = openSet(folder / name, {kOutput}, odd);
    ASSERT_TRUE(set) << refusal;
    EXPECT_EQ(set->size(), 2);
    EXPECT_EQ(set->getLabelsPerSample(), 1);
    float x[2], y[3];
    float *buffers[] = {x};
    int64_t label = 0;
    EXPECT_EQ(text(set->read(1, buffers)), "");
    EXPECT_EQ(x[1], 7);
    for (int64_t i : {1, 0}) {
      EXPECT_EQ(text(set->readLabels(i, label)), "");
      EXPECT_EQ(label, 1);
    }
    ASSERT_TRUE(set->hasReference(0));
    EXPECT_EQ(text(set->readReference(1, 0, y)), "");
    EXPECT_EQ(y[0], 109);
    EXPECT_TRUE(refuses(text(set->readLabels(2, label)), "Q0700"));
    EXPECT_TRUE(refuses(text(set->readReference(0, 1, y)), "Q0700"));
  }
}

TEST(DataLabelled, labelsOrReferencesAlone) {
  TempFolder folder;
  writeZip(folder / "l.npz", {{"x.npy", kSamples}, {"label.npy", kLabels}},
           false);
  auto labels = openSet(folder / "l.npz");
  ASSERT_TRUE(labels.set) << labels.refusal;
  EXPECT_FALSE(labels.set->hasReference(0));
  writeZip(folder / "r.npz",
           {{"x.npy", kSamples}, {"ref_z.npy", countingNpy("(4, 1, 2)", 8)}},
           false);
  auto references = openSet(folder / "r.npz", {kOutput, {"z", {2}}});
  ASSERT_TRUE(references.set) << references.refusal;
  EXPECT_FALSE(references.set->hasLabels());
  EXPECT_FALSE(references.set->hasReference(0));
  EXPECT_TRUE(references.set->hasReference(1));
  // `ref` is the first output's only.
  writeZip(folder / "f.npz",
           {{"x.npy", kSamples}, {"ref.npy", countingNpy("(4, 3)", 12)}},
           false);
  auto first = openSet(folder / "f.npz", {kOutput, {"z", {1, 3}}});
  ASSERT_TRUE(first.set) << first.refusal;
  EXPECT_TRUE(first.set->hasReference(0));
  EXPECT_FALSE(first.set->hasReference(1));
}

TEST(DataLabelled, filePairAndSeveralLabelsASample) {
  TempFolder folder;
  writeGzip(folder / "images.gz",
            idx(8, {4, 1, 2}, std::string("\0\1\2\3\4\5\6\7", 8)));
  writeGzip(folder / "labels.gz", idx(8, {4}, "\5\6\7\x08"));
  auto pair = openSet((folder / "images.gz") + "," + (folder / "labels.gz"));
  ASSERT_TRUE(pair.set) << pair.refusal;
  int64_t label = 0;
  EXPECT_EQ(text(pair.set->readLabels(3, label)), "");
  EXPECT_EQ(label, 8);
  EXPECT_EQ(pair.set->getWarnings().size(), 1u);
  writeBytes(folder / "x.npy", kSamples);
  writeBytes(folder / "l.npy", npy("|i1", "(4, 2)", "abcdefgh"));
  auto several = openSet((folder / "x.npy") + "," + (folder / "l.npy"));
  ASSERT_TRUE(several.set) << several.refusal;
  EXPECT_EQ(several.set->getLabelsPerSample(), 2);
  int64_t two[2];
  EXPECT_EQ(text(several.set->readLabels(2, two)), "");
  EXPECT_EQ(two[0], 'e');
  EXPECT_EQ(two[1], 'f');
}

TEST(DataLabelled, refusals) {
  TempFolder folder;
  auto refusal = [&](const std::string &name, const std::string &bytes) {
    writeZip(folder / "e.npz", {{"x.npy", kSamples}, {name, bytes}}, true);
    return openSet(folder / "e.npz").refusal;
  };
  EXPECT_TRUE(refuses(refusal("other.npy", kLabels), "Q0447",
                      {"neither labels nor references", "'label'"}));
  EXPECT_TRUE(refuses(refusal("label.npy", countingNpy("(4,)", 4)), "Q0447",
                      {"f32", "integers"}));
  EXPECT_TRUE(refuses(refusal("label.npy", npy("|i1", "(3,)", "abc")), "Q0447",
                      {"has 3 labels", "4 samples"}));
  EXPECT_TRUE(refuses(refusal("label.npy", npy("|i1", "(4, 0)", "")), "Q0447"));
  EXPECT_TRUE(refuses(refusal("label.npy", npy("<U1", "(4,)", "")), "Q0443",
                      {"strings"}));
  EXPECT_TRUE(refuses(refusal("ref.npy", countingNpy("(4, 2)", 8)), "Q0447",
                      {"'y'", "4x2", "4 samples of 1x3"}));
  EXPECT_TRUE(refuses(refusal("ref.npy", "damaged"), "Q0442", {"e.npz:ref"}));
  EXPECT_TRUE(refuses(openSet("random:uniform:0:1,n=4").refusal, "Q0447"));
  EXPECT_TRUE(refuses(openSet(folder / "no,ne").refusal, "Q0441", {"no"}));
  std::vector<float> values(12, 1.0f);
  values[4] = NAN;
  EXPECT_EQ(refusal("ref.npy", npy("<f4", "(4, 3)", raw(values))), "");
  auto opened = openSet(folder / "e.npz");
  float y[3];
  EXPECT_TRUE(refuses(text(opened.set->readReference(1, 0, y)), "Q0446",
                      {"sample 1", "element 1"}));
}

TEST(DataLabelled, fashionMnistOfTheDebianPackage) {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!llvm::sys::fs::exists(folder))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  InputSpec image = {"x", {1, 1, 28, 28}, ElementKind::F32, Affine()};
  auto set = LabelledSet::open(folder + "t10k-images-idx3-ubyte.gz," + folder +
                                   "t10k-labels-idx1-ubyte.gz",
                               image, {});
  ASSERT_TRUE(static_cast<bool>(set)) << text(set.takeError());
  ASSERT_EQ((*set)->size(), 10000);
  std::vector<float> pixels(784);
  float *buffers[] = {pixels.data()};
  int perClass[10] = {};
  for (int64_t i = 0; i < 10000; ++i) {
    int64_t label = -1;
    ASSERT_EQ(text((*set)->read(i, buffers)), "");
    ASSERT_EQ(text((*set)->readLabels(i, label)), "");
    ASSERT_TRUE(label >= 0 && label < 10);
    ++perClass[label];
  }
  for (int count : perClass)
    EXPECT_EQ(count, 1000);
}
