// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte sources that can only be read forward (gzip files, deflated members),
// made to look positioned.
#pragma once

#include "qopt/Calibration/DataArray.h"

namespace mlir::qopt::calibration {

/// Serves `read` from a forward-only stream: skips to larger offsets, starts
/// again for smaller ones. Memory is one 64 KiB buffer while skipping.
class SequentialSource : public ByteSource {
public:
  using ByteSource::ByteSource;

  llvm::Error read(uint64_t offset, llvm::MutableArrayRef<char> bytes) final;
  llvm::Error finish(uint64_t offset) final;

protected:
  /// Goes back to the first byte.
  virtual llvm::Error restart() = 0;
  /// Reads up to `bytes.size()` bytes; 0 only at the end. Fails with Q0442.
  virtual llvm::Expected<size_t>
  readSome(llvm::MutableArrayRef<char> bytes) = 0;

private:
  llvm::Error advance(uint64_t offset);

  uint64_t position = 0;
  bool started = false;
};

/// Deflate cannot expand further than this; a header that claims more lies.
uint64_t maximumInflatedSize(uint64_t compressedSize);

/// The size of a regular file. Q0441 where there is none: folders, pipes and
/// devices are refused before they are opened.
llvm::Expected<uint64_t> regularFileSize(llvm::StringRef path);

} // namespace mlir::qopt::calibration
