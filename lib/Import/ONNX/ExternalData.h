// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor data that lies beside the model.
#pragma once

#include "Model.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::qopt::importer {

/// Where a tensor's bytes lie; `length` is absent for "to the end".
struct ExternalLocation {
  std::string path;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

/// Reads the bytes of `tensor` from a regular file below `folder`. Refuses
/// (Q0208) absolute paths, `..`, symbolic links at any level, hard links,
/// and a slice that is not inside the file; Q0502 if it cannot be read.
Expected<std::unique_ptr<llvm::MemoryBuffer>>
readExternalData(StringRef folder, const ExternalLocation &location,
                 StringRef tensor);

} // namespace mlir::qopt::importer
