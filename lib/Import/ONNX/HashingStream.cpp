// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of a file, each hashed once.
#include "HashingStream.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <algorithm>

namespace mlir::qopt::importer {

bool HashingStream::Next(const void **data, int *size) {
  if (backedUp != 0) {
    *data = block.data() + (filled - backedUp);
    *size = int(backedUp);
    backedUp = 0;
    return true;
  }
  auto count = llvm::sys::fs::readNativeFile(
      file, llvm::MutableArrayRef<char>(block.data(), block.size()));
  if (!count) {
    error = llvm::errorToErrorCode(count.takeError());
    return false;
  }
  filled = *count;
  if (filled == 0)
    return false;
  hash.update(llvm::StringRef(block.data(), filled));
  read += filled;
  *data = block.data();
  *size = int(filled);
  return true;
}

bool HashingStream::Skip(int count) {
  const void *data = nullptr;
  int size = 0;
  while (count > 0) {
    if (!Next(&data, &size))
      return false;
    if (size > count)
      BackUp(size - count);
    count -= std::min(size, count);
  }
  return true;
}

} // namespace mlir::qopt::importer
