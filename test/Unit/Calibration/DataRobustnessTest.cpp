// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged files of every format are refused and never crash; memory does not
// grow with the size of the data.

#include "DataFiles.h"
#include "qopt/Calibration/DataFormats.h"
#include "qopt/Calibration/DataSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "gtest/gtest.h"
#include <sys/resource.h>

using namespace mlir::qopt::calibration;
using namespace qopt_test;

static const InputSpec kInput = {"x", {1, 2}, ElementKind::F32, std::nullopt};

/// Opens `path` and reads every sample; the printed error, "" for success.
static std::string readAll(const std::string &path) {
  auto set = DataSet::open(path, kInput);
  if (!set)
    return text(set.takeError());
  float values[2];
  float *buffers[] = {values};
  for (int64_t i = 0; i < (*set)->size(); ++i)
    if (llvm::Error error = (*set)->read(i, buffers))
      return text(std::move(error));
  return "";
}

/// Every file format with the same three samples, by file name.
static std::map<std::string, std::string> allFormats(const TempFolder &folder) {
  std::string array = countingNpy("(3, 2)", 6);
  writeZip(folder / "stored", {{"x.npy", array}}, false);
  writeZip(folder / "deflated", {{"x.npy", array}}, true);
  writeGzip(folder / "gzip", idx(8, {3, 2}, "abcdef"));
  return {{"x.npy", array},
          {"x.idx", idx(8, {3, 2}, "abcdef")},
          {"x.idx.gz", readBytes(folder / "gzip")},
          {"x.pb", countingProto({3, 2}, 6)},
          {"stored.npz", readBytes(folder / "stored")},
          {"deflated.npz", readBytes(folder / "deflated")}};
}

TEST(DataRobustness, everyTruncationIsRefused) {
  TempFolder folder;
  for (const auto &[name, bytes] : allFormats(folder)) {
    writeBytes(folder / name, bytes);
    ASSERT_EQ(readAll(folder / name), "") << name;
    for (size_t length = 0; length < bytes.size(); ++length) {
      writeBytes(folder / name, bytes.substr(0, length));
      std::string message = readAll(folder / name);
      ASSERT_EQ(message.find("error[Q04"), 0u)
          << name << " cut at " << length << ": " << message;
      // What is wrong with a file is said with its name.
      ASSERT_NE(message.find(name), std::string::npos) << message;
    }
  }
}

TEST(DataRobustness, changedBytesNeverCrash) {
  TempFolder folder;
  for (const auto &[name, bytes] : allFormats(folder))
    for (size_t at = 0; at < bytes.size(); ++at)
      for (unsigned flip : {0x01u, 0x80u, 0xffu}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        writeBytes(folder / name, changed);
        std::string message = readAll(folder / name);
        ASSERT_TRUE(message.empty() || message.find("error[Q04") == 0)
            << name << " at " << at << ": " << message;
      }
}

static long peakKilobytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

static void resize(const std::string &path, uint64_t bytes) {
  int descriptor;
  ASSERT_FALSE(llvm::sys::fs::openFileForReadWrite(
      path, descriptor, llvm::sys::fs::CD_OpenExisting,
      llvm::sys::fs::OF_None));
  ASSERT_FALSE(llvm::sys::fs::resize_file(descriptor, bytes));
  llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
}

/// A `.npy` of zeros whose blocks do not exist on the disk.
static void writeSparse(const std::string &path, uint64_t samples) {
  std::string header =
      npyHeader(ElementKind::F32, {static_cast<int64_t>(samples), 1024});
  writeBytes(path, header);
  resize(path, header.size() + samples * 4096);
}

TEST(DataRobustness, memoryDoesNotGrowWithTheFile) {
  TempFolder folder;
  const InputSpec input = {"x", {1, 1024}, ElementKind::F32, std::nullopt};
  constexpr int64_t kSamples = 16 << 20;
  writeSparse(folder / "x.npy", kSamples); // 64 GiB
  long before = peakKilobytes();
  auto set = DataSet::open(folder / "x.npy", input);
  ASSERT_TRUE(static_cast<bool>(set)) << text(set.takeError());
  EXPECT_EQ((*set)->size(), kSamples);
  std::vector<float> values(1024, 1.0f);
  float *buffers[] = {values.data()};
  for (int64_t i = 0; i < kSamples; i += kSamples / 1000)
    ASSERT_EQ(text((*set)->read(i, buffers)), "");
  EXPECT_EQ(text((*set)->read(kSamples - 1, buffers)), "");
  EXPECT_EQ(values, std::vector<float>(1024));
  EXPECT_LT(peakKilobytes() - before, 8 << 10);
}

TEST(DataRobustness, deflatedMembersAreStreamed) {
  TempFolder folder;
  const InputSpec input = {"x", {1, 1024}, ElementKind::F32, std::nullopt};
  constexpr int64_t kSamples = 32 << 10; // 128 MiB
  writeSparse(folder / "x.npy", kSamples);
  writeZipOfFile(folder / "x.npz", "x.npy", folder / "x.npy");
  long before = peakKilobytes();
  auto set = DataSet::open(folder / "x.npz", input);
  ASSERT_TRUE(static_cast<bool>(set)) << text(set.takeError());
  std::vector<float> values(1024, 1.0f);
  float *buffers[] = {values.data()};
  for (int64_t i = 0; i < kSamples; ++i)
    ASSERT_EQ(text((*set)->read(i, buffers)), "");
  EXPECT_LT(peakKilobytes() - before, 8 << 10);
}

TEST(DataRobustness, aFileThatShrinksIsAnError) {
  TempFolder folder;
  writeBytes(folder / "x.npy", countingNpy("(3, 2)", 6));
  auto set = DataSet::open(folder / "x.npy", kInput);
  ASSERT_TRUE(static_cast<bool>(set));
  resize(folder / "x.npy", 140);
  float values[2];
  float *buffers[] = {values};
  EXPECT_TRUE(refuses(text((*set)->read(2, buffers)), "Q0442",
                      {"x.npy", "ends before"}));
}
