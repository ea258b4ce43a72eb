// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors print what, where and what to do; files appear whole or not at all.

#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace mlir::qopt;

TEST(Error, PrintsCodeNotesAndHelp) {
  std::string text;
  llvm::raw_string_ostream os(text);
  ExitCode code = reportError(
      makeError(201, "dimension 'N' is not bound", {"the model says ?x3"},
                "add --shape x=1x3"),
      os);
  EXPECT_EQ(code, ExitCode::BadModel);
  EXPECT_EQ(text, "error[Q0201]: dimension 'N' is not bound\n"
                  "  note: the model says ?x3\n"
                  "  help: add --shape x=1x3\n");
}

TEST(Error, HundredsGiveTheExitCode) {
  const std::pair<int, ExitCode> cases[] = {
      {101, ExitCode::Usage},   {299, ExitCode::BadModel},
      {310, ExitCode::Unsupported}, {441, ExitCode::BadData},
      {501, ExitCode::IO},      {601, ExitCode::AccuracyGate},
      {701, ExitCode::Internal}};
  for (auto [code, expected] : cases)
    EXPECT_EQ(reportError(makeError(code, "x"), llvm::nulls()), expected);
}

TEST(Error, JoinedErrorsAllPrintAndTheFirstDecides) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::Error both =
      llvm::joinErrors(makeError(301, "first"), makeError(201, "second"));
  EXPECT_EQ(reportError(std::move(both), os), ExitCode::Unsupported);
  EXPECT_NE(text.find("first"), std::string::npos);
  EXPECT_NE(text.find("second"), std::string::npos);
}

TEST(Error, AForeignErrorIsInternal) {
  llvm::Error foreign = llvm::createStringError("from elsewhere");
  EXPECT_EQ(reportError(std::move(foreign), llvm::nulls()),
            ExitCode::Internal);
}

namespace {
struct FileTest : testing::Test {
  llvm::SmallString<128> folder;
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("qopt", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }
  std::string path(llvm::StringRef name) const {
    llvm::SmallString<128> full(folder);
    llvm::sys::path::append(full, name);
    return std::string(full);
  }
  unsigned countFiles() const {
    unsigned count = 0;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator it(folder, error), end; it != end;
         it.increment(error))
      ++count;
    return count;
  }
};
} // namespace

TEST_F(FileTest, WritesWholeAndLeavesNothingElse) {
  ASSERT_FALSE(writeFileAtomically(path("a"), "first, longer"));
  ASSERT_FALSE(writeFileAtomically(path("a"), "second"));
  auto buffer = readFile(path("a"));
  ASSERT_TRUE(static_cast<bool>(buffer));
  EXPECT_EQ((*buffer)->getBuffer(), "second");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(FileTest, RefusesAFolderThatIsNotThere) {
  llvm::Error error = writeFileAtomically(path("no/such/file"), "x");
  EXPECT_EQ(reportError(std::move(error), llvm::nulls()), ExitCode::IO);
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(FileTest, AMissingFileIsAnIOError) {
  auto buffer = readFile(path("none"));
  ASSERT_FALSE(static_cast<bool>(buffer));
  EXPECT_EQ(reportError(buffer.takeError(), llvm::nulls()), ExitCode::IO);
}

TEST(File, ADeviceStaysADevice) {
  ASSERT_FALSE(writeFileAtomically("/dev/null", "x"));
  llvm::sys::fs::file_status status;
  ASSERT_FALSE(llvm::sys::fs::status("/dev/null", status));
  EXPECT_EQ(status.type(), llvm::sys::fs::file_type::character_file);
}
