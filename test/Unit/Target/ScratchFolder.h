// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder for one test's files.
#pragma once

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <string>

namespace mlir::qopt {

class ScratchFolder {
public:
  ScratchFolder() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("qopt-test", folder));
  }
  ~ScratchFolder() { llvm::sys::fs::remove_directories(folder); }
  std::string operator/(llvm::StringRef name) const {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return std::string(path);
  }

private:
  llvm::SmallString<128> folder;
};

} // namespace mlir::qopt
