// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file as protobuf reads it, hashed on the way.
#pragma once

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SHA256.h"
#include <google/protobuf/io/zero_copy_stream.h>
#include <vector>

namespace mlir::qopt::importer {

/// Reads `file` to its end in blocks; the hash is complete once Next() has
/// returned false. A read error ends the stream and stands in `error`.
class HashingStream : public google::protobuf::io::ZeroCopyInputStream {
public:
  HashingStream(llvm::sys::fs::file_t file, llvm::SHA256 &hash)
      : file(file), hash(hash), block(size_t(1) << 20) {}

  bool Next(const void **data, int *size) override;
  void BackUp(int count) override { backedUp = size_t(count); }
  bool Skip(int count) override;
  int64_t ByteCount() const override { return int64_t(read - backedUp); }

  std::error_code error;

private:
  llvm::sys::fs::file_t file;
  llvm::SHA256 &hash;
  std::vector<char> block;
  size_t filled = 0, backedUp = 0;
  uint64_t read = 0;
};

} // namespace mlir::qopt::importer
